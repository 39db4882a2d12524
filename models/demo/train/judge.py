"""Judges the finished product: videos that `musetalk render` makes, against true drawings of the true mouths.

    python judge.py MUSETALK PACK AVATAR.avatar NAME FIXTURES [REAL.wav]

NAME is the avatar's (iris, marco); FIXTURES is what speech/fixtures.py writes: voices and languages never trained on. One measure
of opening (face/measure.py) is applied to the product's pictures and to the drawings alike. Prints the figures of the README.
"""
import glob
import json
import os
import subprocess
import sys
import tempfile
import wave

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(HERE, "face"))
from draw import SIZE, face_box, render  # noqa: E402
from footage import FRAMES, scene_at, steady_boxes  # noqa: E402
from measure import opening  # noqa: E402

RATE = 16000


class Product:
    """One pack and avatar, run through the command."""

    def __init__(self, musetalk, pack, avatar, name):
        self.command = [musetalk, "render", "--pack", pack, "--avatar", avatar, "--device", "cpu", "--out", "-", "--audio"]
        self.name = name
        self.scenes = [scene_at(name, i) for i in range(FRAMES)]
        self.boxes = steady_boxes([face_box(s.identity, s.head) for s in self.scenes])
        self.bases = {}

    def place(self, frame):
        """The footage is played there and back; a new avatar starts at its first frame."""
        at = frame % (2 * FRAMES)
        return at if at < FRAMES else 2 * FRAMES - 1 - at

    def base(self, at):
        if at not in self.bases:
            self.bases[at] = render(self.scenes[at])
        return self.bases[at]

    def openings(self, path):
        """The measure of every frame of this recording."""
        raw = subprocess.run(self.command + [path], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
        frames = np.frombuffer(raw, np.uint8).reshape(-1, SIZE, SIZE, 3)
        places = [self.place(i) for i in range(len(frames))]
        return np.array([opening(f, self.base(p), self.boxes[p]) for f, p in zip(frames, places)])

    def truth(self, mouths):
        places = [self.place(i) for i in range(len(mouths))]
        drawn = (render(self.scenes[p], np.array(m, np.float32)) for m, p in zip(mouths, places))
        return np.array([opening(f, self.base(p), self.boxes[p]) for f, p in zip(drawn, places)])


def lag(made, true, most=4):
    """Frames by which the product follows the truth."""
    def at(s):
        return np.corrcoef(made[max(0, s):len(made) + min(0, s)], true[max(0, -s):len(true) - max(0, s)])[0, 1]
    return max(range(-most, most + 1), key=at)


def closures(made, bilabials, p95):
    """How many p, b, m show a frame that is shut, of those that span the middle of a frame."""
    shut = 0
    counted = 0
    for start, end in bilabials:
        frames = [i for i in range(int(start // 40), int(end // 40) + 1) if start <= i * 40 + 20 <= end and i < len(made)]
        if frames:
            counted += 1
            shut += min(made[frames]) <= 0.05 * p95
    return shut, counted


def write_wav(path, samples):
    with wave.open(path, "wb") as f:
        f.setnchannels(1)
        f.setsampwidth(2)
        f.setframerate(RATE)
        f.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())


def still_sounds():
    """Ten seconds each of what must not move the mouth."""
    t = np.arange(10 * RATE) / RATE
    level = 10 ** (-40 / 20)
    hum = sum(np.sin(2 * np.pi * 50 * k * t) / k for k in (1, 2, 3, 5))
    yield "silence", np.zeros(len(t))
    yield "hum at -40 dBFS", hum / np.sqrt(np.mean(hum ** 2)) * level
    yield "white noise at -40 dBFS", np.random.default_rng(1).normal(0, level, len(t))


def envelope(path, frames):
    with wave.open(path, "rb") as f:
        rate, data = f.getframerate(), np.frombuffer(f.readframes(f.getnframes()), "<i2").astype(float)
    half = int(0.025 * rate)
    centres = [int((i + 0.5) * rate / 25) for i in range(frames)]
    return np.array([np.sqrt(np.mean(data[max(0, c - half):c + half] ** 2)) for c in centres])


def main(musetalk, pack, avatar, name, fixtures, real=None):
    product = Product(musetalk, pack, avatar, name)
    made_all, true_all, shut, counted, p95s = [], [], 0, 0, []
    for path in sorted(glob.glob(f"{fixtures}/*.wav")):
        with open(path[:-3] + "json") as f:
            fixture = json.load(f)
        made = product.openings(path)
        n = min(len(made), len(fixture["frames"]))
        made, true = made[:n], product.truth(fixture["frames"][:n])
        p95 = np.percentile(made, 95)
        s, c = closures(made, fixture["bilabials_ms"], p95)
        print(f"{fixture['voice']:14} corr {np.corrcoef(made, true)[0, 1]:.3f} lag {lag(made, true):+d} closed {s}/{c} p95 {p95:.4f} true {np.percentile(true, 95):.4f}")
        made_all.append(made), true_all.append(true), p95s.append(p95)
        shut, counted = shut + s, counted + c
    made, true = np.concatenate(made_all), np.concatenate(true_all)
    print(f"{name}: {len(made)} frames, corr {np.corrcoef(made, true)[0, 1]:.3f}, lag {lag(made, true):+d}, p b m closed {shut}/{counted} = {shut / max(1, counted):.3f}")
    with tempfile.TemporaryDirectory() as folder:
        for what, samples in still_sounds():
            write_wav(f"{folder}/still.wav", samples)
            print(f"{name}: {what}: largest opening {product.openings(f'{folder}/still.wav').max() / np.mean(p95s):.3f} of speech p95")
    if real:
        made = product.openings(real)
        loud = envelope(real, len(made))
        print(f"{name}: real voice: corr with envelope {np.corrcoef(made, loud)[0, 1]:.3f}; in pauses (below 5 % of the envelope's p95) {np.mean(made[loud < 0.05 * np.percentile(loud, 95)] <= 0.05 * np.percentile(made, 95)):.3f} of the frames are shut")


if __name__ == "__main__":
    main(*sys.argv[1:])
