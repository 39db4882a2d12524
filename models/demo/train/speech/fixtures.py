"""Held-out utterances for the product's own tests: 16 kHz WAV and truth as JSON.

    python fixtures.py --out DIR [--count 6]

NN.wav with NN.json: voice, text, frames (open, jaw, wide, round, teeth, tongue at
each 25 fps frame centre) and bilabials_ms.  Same seed, same files.
"""

import argparse
import json
from pathlib import Path

import numpy as np

from dataset import HELD_LANGUAGES, HELD_VARIANTS, LANGUAGES, RATE, draw, utterance
from greeting import write_wav
from synth import Synthesiser


def main():
    ap = argparse.ArgumentParser(description=__doc__)
    ap.add_argument("--out", type=Path, required=True)
    ap.add_argument("--count", type=int, default=6)
    ap.add_argument("--seconds", type=float, default=8.0)
    ap.add_argument("--seed", type=int, default=11)
    args = ap.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(args.seed)
    speaker = Synthesiser()
    done = 0
    while done < args.count:
        voice, language = draw(rng, LANGUAGES if done % 2 == 0 else HELD_LANGUAGES, HELD_VARIANTS)
        try:
            item = utterance(speaker, rng, voice, language, args.seconds)
        except ValueError:
            continue  # a few variants do not combine with every language
        write_wav(args.out / f"{done:02d}.wav", item["audio16k"] / 32767, RATE)
        frames = item["mouth100"][2::4][: len(item["audio16k"]) // 640]
        (args.out / f"{done:02d}.json").write_text(
            json.dumps(
                dict(
                    voice=voice,
                    text=item["text"],
                    frames=[[round(float(v), 4) for v in f] for f in frames],
                    bilabials_ms=[[round(float(v)) for v in e] for e in item["bilabials_ms"]],
                )
            )
            + "\n"
        )
        done += 1


if __name__ == "__main__":
    main()
