"""IPA names, as espeak-ng writes them, to visemes (how a mouth looks on them).

Each viseme has a target for five of the six mouth parameters (the jaw follows the
opening) and a dominance per parameter: how much it insists on its target against
its neighbours.  A /k/ hardly cares what the lips do, a /ʃ/ wants them rounded.
"""

import unicodedata

# name: (open, wide, round, teeth, tongue), (dominance of the same five)
VISEMES = {
    "rest":   ((0.00, 0.00, 0.00, 0.00, 0.00), (1.0, 1.0, 1.0, 1.0, 1.0)),
    "a":      ((0.90, 0.05, 0.00, 0.25, 0.10), (1.0, 0.7, 0.9, 0.7, 0.5)),
    "ae":     ((0.80, 0.35, 0.00, 0.40, 0.05), (1.0, 0.8, 0.9, 0.7, 0.5)),
    "eh":     ((0.64, 0.40, 0.00, 0.40, 0.05), (1.0, 0.8, 0.9, 0.7, 0.5)),
    "e":      ((0.52, 0.60, 0.00, 0.50, 0.05), (1.0, 0.9, 0.9, 0.8, 0.5)),
    "ih":     ((0.40, 0.50, 0.00, 0.45, 0.05), (0.9, 0.8, 0.8, 0.7, 0.5)),
    "i":      ((0.32, 0.85, 0.00, 0.60, 0.00), (1.0, 1.0, 1.0, 0.8, 0.5)),
    "schwa":  ((0.46, 0.05, 0.05, 0.25, 0.05), (0.7, 0.4, 0.5, 0.5, 0.4)),
    "aw":     ((0.72, -0.35, 0.55, 0.05, 0.00), (1.0, 0.9, 1.0, 0.8, 0.5)),
    "o":      ((0.52, -0.55, 0.75, 0.00, 0.00), (1.0, 1.0, 1.0, 0.9, 0.5)),
    "oe":     ((0.48, -0.40, 0.65, 0.05, 0.00), (1.0, 0.9, 1.0, 0.8, 0.5)),
    "uh":     ((0.32, -0.50, 0.70, 0.00, 0.00), (0.9, 0.9, 1.0, 0.8, 0.5)),
    "u":      ((0.22, -0.75, 1.00, 0.00, 0.00), (1.0, 1.0, 1.2, 0.9, 0.5)),
    "y":      ((0.24, -0.50, 0.90, 0.05, 0.00), (1.0, 1.0, 1.2, 0.8, 0.5)),
    "w":      ((0.12, -0.70, 1.00, 0.00, 0.00), (1.2, 1.0, 1.3, 0.9, 0.5)),
    "r":      ((0.26, -0.20, 0.40, 0.20, 0.10), (0.8, 0.6, 0.7, 0.5, 0.5)),
    "j":      ((0.26, 0.65, 0.00, 0.45, 0.00), (0.8, 0.8, 0.7, 0.6, 0.4)),
    "sh":     ((0.20, -0.25, 0.55, 0.75, 0.00), (1.0, 0.8, 1.0, 1.1, 0.6)),
    "s":      ((0.14, 0.35, 0.00, 0.85, 0.00), (1.0, 0.6, 0.6, 1.2, 0.6)),
    "t":      ((0.20, 0.15, 0.00, 0.50, 0.50), (0.7, 0.3, 0.3, 0.6, 0.9)),
    "l":      ((0.36, 0.10, 0.00, 0.35, 0.85), (0.6, 0.3, 0.3, 0.5, 1.0)),
    "th":     ((0.22, 0.20, 0.00, 0.65, 1.00), (0.9, 0.5, 0.6, 0.9, 1.2)),
    "k":      ((0.30, 0.05, 0.00, 0.20, 0.00), (0.3, 0.15, 0.15, 0.2, 0.3)),
    "h":      ((0.45, 0.00, 0.00, 0.15, 0.00), (0.15, 0.08, 0.08, 0.1, 0.2)),
    "f":      ((0.05, 0.10, 0.00, 0.90, 0.00), (1.6, 0.5, 0.6, 1.6, 0.8)),
    "p":      ((0.00, 0.00, 0.05, 0.00, 0.00), (1.6, 0.3, 0.2, 1.2, 0.6)),
}
CLASSES = list(VISEMES)

_GROUPS = {
    "a": "aäɑɐʌ", "ae": "æ", "eh": "ɛεɜ", "e": "e", "ih": "ɪᵻɨ", "i": "i", "schwa": "əɚɘɵɯɤ",
    "aw": "ɔɒ", "o": "o", "oe": "øœ", "uh": "ʊ", "u": "uʉ", "y": "y", "w": "wʍ", "r": "ɹɻʐ",
    "j": "jɥʝ", "sh": "ʃʒʂ", "s": "sz", "t": "tdnʈɖɳcɟɲçɕʑ", "l": "lɾrɫɭʎɽɬ", "th": "θð",
    "k": "kɡgŋxɣqχʁɴ", "h": "hɦʔ?ħʕ", "f": "fvʋ", "p": "pbmβɸ",
}
_CHAR = {c: name for name, chars in _GROUPS.items() for c in chars}

# Where espeak-ng writes a sound by a neighbour's sign. The short a of Hungarian and the long one of Persian are [ɒ], rounded, in
# every description of these languages and in the synthesiser's own sound; Japanese u is pressed from the sides; Irish A is an a.
SPOKEN = {("hu", "ɑ"): "ɒ", ("fa", "ɑ"): "ɒ", ("ja", "ɯᵝ"): "ʊ", ("ga", "A"): "a"}

BILABIAL_STOPS = set("pbm")


def spoken(name, language):
    """The name of the sound that is meant."""
    return SPOKEN.get((language, name), name)


def parse(name):
    """Visemes of one phoneme event; [] for pauses and marks such as "(en)".

    A diphthong or affricate gives two or three visemes, to be spread over its time.
    """
    if name.startswith("("):
        return []
    out = []
    for c in unicodedata.normalize("NFC", name):
        viseme = _CHAR.get(c)
        if viseme is None:
            viseme = _CHAR.get(unicodedata.normalize("NFD", c)[0])
        if viseme and not (out and out[-1] == viseme):
            out.append(viseme)
    return out


def is_bilabial(name):
    """True for sounds that need the lips shut: p, b, m (and pf, mb, ...)."""
    return bool(name) and name[0] in BILABIAL_STOPS
