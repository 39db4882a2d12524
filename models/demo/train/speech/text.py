"""Random sentences to speak: own word lists, numbers and invented words.

The meaning is irrelevant; what counts is that every phoneme of many languages
turns up in many neighbourhoods, that lips close often (p, b, m), and that
punctuation makes natural pauses.
"""

WORDS = {
    "en": """people paper happy map maybe member number camera puppy bubble apple table pepper problem simple
        open stop jump lamp home time came from bring bright blue brown best better buy bye pay play please
        plum prime print proud morning summer winter window water yellow orange violet silver river quiet
        question answer picture future measure pleasure judge jungle church chair cheese shadow shine fish
        thing think that other brother mother father weather with five seven eleven very voice favourite of
        love leave laugh enough coffee food moon you new use music usually would could should good book look
        all small talk walk law more door four our hour flower power house out about how now boy toy noise
        bird word work girl nurse early a an the and but or if when where why who what we they she he it I
        see tree three green keep sleep deep sit big little pretty red bed head ten when cat hat back black
        start far heart park go slow road bone home stone know show photo light night fire tired year here
        hair care where singing ringing drinking thinking long strong zoo zebra lazy easy business houses""",
    "de": """Baum Blume Apfel Lampe Mutter immer kommen Problem Probe Bild bleiben lieben haben geben Pferd Pfeffer
        Kampf Topf schön grün müde früh Bücher Tür höher Löffel König Straße Schule Schnee sprechen Spiel
        zwei Zeit Zucker Katze Wasser Wetter Winter warum vielleicht Vogel Vater fünf Auto Haus laufen Freude
        heute neu Feuer ich nicht auch doch lachen machen Nacht Licht Junge jeder ja nein und oder aber wenn
        wo wer was wie wir sie er es das der die ein eine mit ohne über unter zwischen Ofen Oma rot groß""",
    "fr": """bonjour pomme petit beaucoup problème possible impossible maman papa ami aimer homme femme montagne
        parler apprendre exemple ensemble temps champ bon pain vin un brun peu deux fleur heure jeune lune
        rue vous nous toujours jamais fenêtre voiture voyage rouge jaune vert bleu blanc noir oiseau feuille
        fille famille soleil travail huit nuit lui oui moi toi roi chose chaise chat jardin jour gens
        manger avec sans pour par mais ou et donc si quand où comment pourquoi elle il on ils elles le la les""",
    "es": """hombre mujer amigo siempre también problema pueblo palabra bueno blanco pobre abrir hablar beber vivir
        nieve lluvia calle noche mucho muchacho leche queso jamón trabajo rojo verde azul viejo joven ciudad
        gracias zapato cielo cinco perro carro pero tierra guitarra agua fuego huevo puerta ventana mañana
        niño español sueño yo ella nosotros ellos el la los un una con sin para por y o si cuando donde como""",
    "it": """uomo donna amico sempre problema popolo parola buono bianco bambino mamma babbo bere vivere neve pioggia
        strada notte molto latte formaggio lavoro rosso verde azzurro vecchio giovane città grazie scarpa
        cielo cinque cane gatto gnocchi famiglia foglia acqua fuoco uovo porta finestra domani sogno zucchero
        io lei noi loro il la lo gli un una con senza per e o se quando dove come perché giorno piccolo""",
    "pt": """homem mulher amigo sempre problema povo palavra bom branco pobre abrir falar beber viver neve chuva
        rua noite muito leite queijo trabalho vermelho verde azul velho jovem cidade obrigado sapato céu
        cinco cão gato pão mão irmã água fogo ovo porta janela amanhã sonho eu ela nós eles o a os um uma
        com sem para por e ou se quando onde como caminho manhã menino""",
    "nl": """boom bloem appel lamp moeder altijd komen probleem boek blijven leven hebben geven paard peper kop
        mooi groen moe vroeg deur hoog lepel koning straat school sneeuw spreken spel twee tijd suiker water
        weer winter waarom misschien vogel vader vijf auto huis lopen vreugde vandaag nieuw vuur ik niet ook
        lachen maken nacht licht jongen ieder ja nee en of maar als waar wie wat hoe wij zij het uit bruin""",
    "pl": """człowiek kobieta przyjaciel zawsze problem lampa jabłko mama babcia biały być mówić pić żyć śnieg
        deszcz ulica noc bardzo mleko ser praca czerwony zielony niebieski stary młody miasto dziękuję but
        niebo pięć pies kot woda ogień jajko drzwi okno jutro sen ja ona my oni z bez dla i lub jeśli kiedy
        gdzie jak dlaczego książka szczęście źródło żaba dzień""",
    "sv": """människa kvinna vän alltid problem lampa äpple mamma pappa blå vara tala dricka leva snö regn gata natt
        mycket mjölk ost arbete röd grön gul gammal ung stad tack sko himmel fem hund katt vatten eld ägg dörr
        fönster imorgon dröm jag hon vi de med utan för och eller om när var hur varför björn öppen köpa sjuk""",
    "ru": """человек женщина друг всегда проблема лампа яблоко мама папа белый быть говорить пить жить снег дождь
        улица ночь очень молоко сыр работа красный зелёный синий старый молодой город спасибо ботинок небо
        пять собака кошка вода огонь яйцо дверь окно завтра сон я она мы они с без для и или если когда где
        как почему книга счастье щука жаба день любовь объём бумага""",
    "tr": """insan kadın arkadaş her zaman problem lamba elma anne baba beyaz olmak konuşmak içmek yaşamak kar
        yağmur sokak gece çok süt peynir iş kırmızı yeşil mavi yaşlı genç şehir teşekkür ayakkabı gökyüzü beş
        köpek kedi su ateş yumurta kapı pencere yarın rüya ben o biz onlar ile için ve veya eğer ne zaman
        nerede nasıl niçin kitap mutluluk göz üzüm bilim büyük küçük""",
    "hi": """आदमी औरत दोस्त हमेशा समस्या दीपक सेब माँ बाप सफेद होना बोलना पीना जीना बर्फ बारिश सड़क रात बहुत
        दूध पनीर काम लाल हरा नीला बूढ़ा जवान शहर धन्यवाद जूता आकाश पाँच कुत्ता बिल्ली पानी आग अंडा दरवाज़ा
        खिड़की कल सपना मैं वह हम वे के साथ बिना लिए और या अगर कब कहाँ कैसे क्यों किताब फूल मुंबई पेपर""",
    "id": """orang perempuan teman selalu masalah lampu apel ibu bapak putih menjadi bicara minum hidup salju hujan
        jalan malam sangat susu keju kerja merah hijau biru tua muda kota terima kasih sepatu langit lima
        anjing kucing air api telur pintu jendela besok mimpi saya dia kami mereka dengan tanpa untuk dan atau
        jika kapan di mana bagaimana mengapa buku bunga nyanyi pulang bulan""",
    "hu": """ember asszony barát mindig probléma lámpa alma anya apa fehér lenni beszél iszik élet hó eső utca
        éjszaka nagyon tej sajt munka piros zöld kék öreg fiatal város köszönöm cipő ég öt kutya macska víz
        tűz tojás ajtó ablak holnap álom én ő mi ők és vagy ha mikor hol hogyan miért könyv gyümölcs szép""",
    "el": """άνθρωπος γυναίκα φίλος πάντα πρόβλημα λάμπα μήλο μαμά μπαμπάς άσπρο είμαι μιλάω πίνω ζω χιόνι βροχή
        δρόμος νύχτα πολύ γάλα τυρί δουλειά κόκκινο πράσινο μπλε γέρος νέος πόλη ευχαριστώ παπούτσι ουρανός
        πέντε σκύλος γάτα νερό φωτιά αυγό πόρτα παράθυρο αύριο όνειρο εγώ αυτή εμείς με χωρίς για και ή αν""",
}

# Languages without a list of their own still speak their numbers and invented words.
NUMBERS_ONLY = ["cs", "fi", "ro", "da", "nb", "sk", "hr", "ca", "eo", "cy", "et", "lv", "sq", "is", "sw", "vi", "ja", "ko", "fa", "ka"]

_ONSETS = "p b m t d k g f v s z l r n w y sh ch pl br tr st sp h j pr bl".split()
_NUCLEI = "a e i o u ai ou ee oo au".split()
_CODAS = ["", "", "", "n", "m", "p", "s", "l", "r", "t", "mp", "b", "f", "k"]
NOT_LATIN = {"ja", "ko", "fa", "ka", "uk", "bg", "mk", "hy", "kk", "bn", "ta", "ar", "he", "cmn"}
_LATIN = {"en", "de", "fr", "es", "it", "pt", "nl", "pl", "sv", "tr", "id", "hu"}


def invented(rng):
    """A pronounceable word that no dictionary holds."""
    return "".join(
        rng.choice(_ONSETS) + rng.choice(_NUCLEI) + rng.choice(_CODAS)
        for _ in range(rng.integers(1, 4))
    )


def sentence(rng, language):
    """One clause or sentence ending in punctuation."""
    words = WORDS.get(language, "").split()
    out = []
    for _ in range(int(rng.integers(2, 13))):
        kind = rng.random()
        if not words:
            if kind < 0.6 or language in NOT_LATIN:
                out.append(str(int(10 ** rng.uniform(0, 5))))
            else:
                out.append(invented(rng))
        elif kind < 0.06:
            out.append(str(int(10 ** rng.uniform(0, 4))))
        elif kind < 0.16 and language in _LATIN:
            out.append(invented(rng))
        else:
            out.append(str(rng.choice(words)))
        if rng.random() < 0.10:
            out[-1] += ","
    return " ".join(out).rstrip(",") + str(rng.choice([".", ".", ".", "!", "?", ";", ",", "..."]))


def passage(rng, language, sentences):
    return " ".join(sentence(rng, language) for _ in range(sentences))
