"""Writes the speech data: utterances with mouth tracks, training and held out.

    python dataset.py --out DIR [--train-minutes 90] [--extra-minutes 120] [--wide-minutes 240] [--held-minutes 12]

Whole voices and whole languages are kept out of training (HELD_*), so that
evaluation speaks of voices the encoder never heard.
"""

import argparse
import json
import os
from pathlib import Path

import numpy as np
from scipy.signal import resample_poly

import text
import voices
from mouth import mouth_track
from phonemes import spoken
from synth import Synthesiser

RATE = 16000
LANGUAGES = {
    "en-us": ("en", 6), "en-gb": ("en", 3), "en-gb-x-rp": ("en", 3), "en-gb-scotland": ("en", 1),
    "en-us-nyc": ("en", 1), "en-029": ("en", 1), "de": ("de", 4), "fr": ("fr", 2), "fr-be": ("fr", 1), "es": ("es", 2),
    "es-419": ("es", 1), "it": ("it", 3), "pt": ("pt", 1), "pt-br": ("pt", 2), "nl": ("nl", 2), "pl": ("pl", 2),
    "ru": ("ru", 2), "tr": ("tr", 2), "hi": ("hi", 2),
    **{code: (code, 0.35) for code in text.NUMBERS_ONLY if code not in ("cs", "sw", "ja")},
}
# Languages for the random speakers only, numbers and invented words; none is a held-out one or its close kin.
MORE = ["af", "sl", "lt", "eu", "sr", "uk", "bg", "mk", "bs", "ga", "mt", "io", "ht", "ku", "hy", "az", "kk", "bn", "ta", "ar", "he", "cmn"]
WIDE_LANGUAGES = {**{k: (code, odds + 1) for k, (code, odds) in LANGUAGES.items()}, **{code: (code, 0.7) for code in MORE}}
HELD_LANGUAGES = {"sv": ("sv", 1), "id": ("id", 1), "hu": ("hu", 1), "el": ("el", 1), "cs": ("cs", 0.4), "sw": ("sw", 0.4), "ja": ("ja", 0.4)}
VARIANTS = """- m1 m2 m3 m4 m5 m7 m8 f1 f2 f3 f5 klatt klatt2 klatt4 Alex Alicia Annie Andy Denis Gene Hugo
    Jacky Lee Marco Mario Michael Mike Nguyen adam anika antonio aunty belinda benjamin boris caleb david ed
    edward grandma grandpa iven john linda max michel miguel norbert pablo paul pedro quincy rob robert
    sandro shelby steph travis victor zac""".split()
HELD_VARIANTS = "f4 m6 klatt3 Andrea Diogo steph2 edward2 iven3 marcelo Gene2".split()


def loudness_contour(rng, n, rate):
    """Slow gain curve: people get louder and softer within a sentence, espeak does not."""
    knots = max(2, int(n / rate / 0.6) + 2)
    db = rng.normal(0, 4.0, knots).clip(-10, 6)
    return 10 ** (np.interp(np.arange(n), np.linspace(0, n, knots), db) / 20)


def utterance(speaker, rng, voice, text_language, seconds, rates=(125, 235), shifts=(0.87, 1.16)):
    """Speaks about `seconds` and returns the arrays of one data file."""
    rate = int(rng.integers(*rates))
    settings = dict(rate=rate, pitch=int(rng.integers(15, 90)), pitch_range=int(rng.integers(20, 95)))
    speech = None
    for sentences in (int(np.ceil(seconds / 3)), 3, 2, 1):
        said = text.passage(rng, text_language, sentences)
        speech = speaker.say(said, voice, **settings)
        if len(speech.samples) / speech.rate <= 32:
            break
    # Played faster or slower: pitch and formants move together, as between people.
    shift = float(np.exp(rng.uniform(*np.log(shifts))))
    up, down = 320, int(round(441 * shift))
    audio = resample_poly(speech.samples.astype(np.float64) / 32768, up, down)
    scale = down / 441
    phonemes = [(t / scale, spoken(name, text_language)) for t, name in speech.phonemes]
    lead = int(rng.uniform(0.0, 0.6) * RATE) if rng.random() < 0.7 else 0
    tail = int(rng.uniform(0.1, 0.6) * RATE)
    audio = audio * loudness_contour(rng, len(audio), RATE)
    audio = np.concatenate([np.zeros(lead), audio, np.zeros(tail)])
    phonemes = [(t + lead / RATE, name) for t, name in phonemes]
    audio *= 0.7 / max(1e-6, np.abs(audio).max())
    track, labels, events = mouth_track(phonemes, audio, RATE)
    return dict(
        audio16k=(audio * 32767).astype(np.int16),
        mouth100=track,
        viseme100=labels,
        bilabials_ms=np.array(events, np.float32).reshape(-1, 2) * 1000,
        voice=voice,
        text=said,
    )


def draw(rng, languages, variants):
    names = list(languages)
    odds = np.array([languages[n][1] for n in names], float)
    name = str(rng.choice(names, p=odds / odds.sum()))
    variant = str(rng.choice(variants))
    return name if variant == "-" else f"{name}+{variant}", languages[name][0]


def write_set(folder, minutes, seed, choices, speaker, **manner):
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    total, index = 0.0, []
    while total < 60 * minutes:
        voice, language = draw(rng, *choices[len(index) % len(choices)])
        try:
            item = utterance(speaker, rng, voice, language, rng.uniform(9, 22), **manner)
        except ValueError:
            continue  # a few variants do not combine with every language
        if len(item["audio16k"]) < 4 * RATE or np.abs(item["mouth100"]).max() == 0:
            continue
        name = f"{len(index):04d}.npz"
        np.savez(folder / name, **item)
        seconds = len(item["audio16k"]) / RATE
        total += seconds
        index.append(dict(file=name, voice=voice, seconds=round(seconds, 2), bilabials=len(item["bilabials_ms"])))
    (folder / "index.json").write_text(json.dumps(index, indent=0))
    print(f"{folder}: {len(index)} utterances, {total / 60:.1f} min")


def main():
    ap = argparse.ArgumentParser(description=__doc__)
    ap.add_argument("--out", type=Path, required=True)
    ap.add_argument("--train-minutes", type=float, default=90)
    ap.add_argument("--extra-minutes", type=float, default=120, help="more of the same, for the encoder only")
    ap.add_argument("--wide-minutes", type=float, default=240, help="random speakers, more languages and speeds")
    ap.add_argument("--held-minutes", type=float, default=12)
    args = ap.parse_args()
    if args.wide_minutes and not (args.out / "wide" / "index.json").exists():
        # The library takes its data folder once per process.
        child = os.fork()
        if child == 0:
            names = voices.data_folder(args.out, 200, 4)
            write_set(args.out / "wide", args.wide_minutes, 4, [(WIDE_LANGUAGES, names)], Synthesiser(args.out),
                      rates=(110, 270), shifts=(0.83, 1.2))
            os._exit(0)
        os.waitpid(child, 0)
    speaker = Synthesiser()
    known = (LANGUAGES, VARIANTS)
    write_set(args.out / "heldout", args.held_minutes, 3,
              [(LANGUAGES, HELD_VARIANTS), (HELD_LANGUAGES, VARIANTS), (HELD_LANGUAGES, HELD_VARIANTS)], speaker)
    write_set(args.out / "train", args.train_minutes, 1, [known], speaker)
    write_set(args.out / "extra", args.extra_minutes, 2, [known], speaker)


if __name__ == "__main__":
    main()
