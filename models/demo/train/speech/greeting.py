"""The bundled demo voice: a short greeting with its ground truth.

    python greeting.py --out DIR     → hello.wav (24 kHz mono), hello.mouth100.npy, hello.json
"""

import argparse
import json
import wave
from pathlib import Path

import numpy as np
from scipy.signal import resample_poly

from mouth import mouth_track
from synth import Synthesiser

TEXT = (
    "Hello. I am drawn, and my voice is synthetic, but my lips follow every sound. "
    "Please bring a picture of your own, and I may become somebody else. "
    "Have fun, my friend."
)
VOICE = dict(voice="en-us+f2", rate=162, pitch=42, pitch_range=62)
RATE = 24000


def write_wav(path, audio, rate):
    with wave.open(str(path), "wb") as f:
        f.setnchannels(1)
        f.setsampwidth(2)
        f.setframerate(rate)
        f.writeframes(np.round(audio * 32767).clip(-32768, 32767).astype("<i2").tobytes())


def softened(audio, rate):
    """Takes some edge off the synthesiser: a gentle slope above 3 kHz, nothing below 70 Hz."""
    f = np.fft.rfftfreq(len(audio), 1 / rate)
    db = -4.0 * np.clip(np.log2(np.maximum(f, 1) / 3000), 0, 1.5) - 12 * np.clip(np.log2(70 / np.maximum(f, 1)), 0, 3)
    return np.fft.irfft(np.fft.rfft(audio) * 10 ** (db / 20), len(audio))


def main():
    ap = argparse.ArgumentParser(description=__doc__)
    ap.add_argument("--out", type=Path, required=True)
    args = ap.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    speech = Synthesiser().say(TEXT, **VOICE)
    audio = resample_poly(speech.samples.astype(np.float64) / 32768, 160, 147)
    lead, tail = int(0.3 * RATE), int(0.5 * RATE)
    audio = np.concatenate([np.zeros(lead), softened(audio, RATE), np.zeros(tail)])
    audio *= 0.7 / np.abs(audio).max()
    phonemes = [(t + lead / RATE, name) for t, name in speech.phonemes]
    track, _, events = mouth_track(phonemes, audio, RATE)
    write_wav(args.out / "hello.wav", audio, RATE)
    np.save(args.out / "hello.mouth100.npy", track)
    (args.out / "hello.json").write_text(
        json.dumps(dict(text=TEXT, **VOICE, sample_rate=RATE, bilabials_ms=[[round(1000 * a), round(1000 * b)] for a, b in events]))
        + "\n"
    )
    print(f"{len(audio) / RATE:.2f} s, {len(events)} lip closures")


if __name__ == "__main__":
    main()
