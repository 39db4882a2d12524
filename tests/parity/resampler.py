"""Compares the way to 16 kHz with soxr at quality HQ, which the official script uses through librosa.

    python resampler.py --resample target/release/examples/resample --speech VOICE.wav

The speech (16-bit mono, any rate) is first brought to each rate by soxr at its best quality, then to 16 kHz by both.
"""

from __future__ import annotations

import argparse
import math
import subprocess
import wave
from pathlib import Path

import numpy as np
import soxr

RATE = 16_000


def read(path: Path) -> tuple[np.ndarray, int]:
    with wave.open(str(path)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32) / 32768
        return samples.reshape(-1, file.getnchannels()).mean(1), file.getframerate()


def decibels(signal: np.ndarray, error: np.ndarray) -> float:
    return 10 * math.log10(float((signal.astype(float) ** 2).mean()) / max(float((error.astype(float) ** 2).mean()), 1e-30))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--resample", type=Path, required=True)
    parser.add_argument("--speech", type=Path, required=True)
    given = parser.parse_args()
    speech, rate = read(given.speech)
    print(f"{given.speech.name}: {len(speech) / rate:.1f} s at {rate} Hz; soxr {soxr.__version__}\n")
    print("| from | samples | signal to difference | of what lies below ⅞ of both rates' halves | largest difference | librosa's count |")
    print("|---|---|---|---|---|---|")
    for source in (8_000, 22_050, 24_000, 44_100, 48_000, 96_000):
        pcm = soxr.resample(speech, rate, source, "VHQ").astype(np.float32).clip(-1, 1)
        theirs = soxr.resample(pcm, source, RATE, "HQ")
        command = [given.resample, str(source)]
        ours = np.frombuffer(subprocess.run(command, input=pcm.tobytes(), stdout=subprocess.PIPE, check=True).stdout, "<f4")
        assert len(ours) == -(-len(pcm) * RATE // source), "the count is the ceiling"
        counted = int(np.ceil(len(pcm) * (RATE / source)))
        theirs = np.pad(theirs, (0, max(0, len(ours) - len(theirs))))[: len(ours)]
        top = 0.875 * min(source, RATE) / 2
        spectra = [np.fft.rfft(x.astype(float)) for x in (theirs, theirs - ours)]
        low = [np.fft.irfft(np.where(np.fft.rfftfreq(len(ours), 1 / RATE) < top, x, 0), len(ours)) for x in spectra]
        print(f"| {source} | {len(ours)} | {decibels(theirs, theirs - ours):.1f} dB | {decibels(*low):.1f} dB "
              f"| {np.abs(theirs - ours).max():.2e} | {counted - len(ours):+d} |")


if __name__ == "__main__":
    main()
