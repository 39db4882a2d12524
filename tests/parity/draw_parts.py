"""Draws what the oracle and the renderer are compared on: frames, boxes, class maps and a voice, from a seed."""

from __future__ import annotations

import json
import wave
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

RATE = 16_000


def frame(size: tuple[int, int], rng: np.random.Generator) -> Image.Image:
    """A smooth picture of strong colours with a little grain."""
    coarse = Image.fromarray(rng.integers(0, 256, (5, 6, 3), dtype=np.uint8))
    smooth = np.asarray(coarse.resize(size, Image.Resampling.BICUBIC), np.int16)
    grain = rng.integers(-3, 4, smooth.shape)
    return Image.fromarray(np.clip(smooth + grain, 0, 255).astype(np.uint8))


def classes(rng: np.random.Generator) -> Image.Image:
    """A parsed face of 512×512: every class 0 … 18 with an outline that is not smooth."""
    picture = Image.new("L", (512, 512), 0)
    draw = ImageDraw.Draw(picture)
    x, y = (int(value) for value in rng.integers(-12, 13, 2))

    def oval(cls: int, cx: int, cy: int, rx: int, ry: int) -> None:
        points = []
        for angle in np.linspace(0, 2 * np.pi, 40, endpoint=False):
            reach = 1 + 0.05 * rng.standard_normal()
            points.append((x + cx + reach * rx * np.cos(angle), y + cy + reach * ry * np.sin(angle)))
        draw.polygon(points, fill=cls)

    oval(17, 256, 210, 190, 190)  # hair
    draw.rectangle((170 + x, 380 + y, 342 + x, 511), fill=14)  # neck
    draw.rectangle((0, 470 + y, 511, 511), fill=16)  # cloth
    oval(15, 256, 468, 80, 8)  # necklace
    oval(1, 256, 270, 150, 185)  # skin
    oval(7, 104, 270, 18, 40)
    oval(8, 408, 270, 18, 40)
    oval(9, 104, 320, 8, 10)
    oval(2, 190, 190, 40, 10)
    oval(3, 322, 190, 40, 10)
    oval(4, 190, 220, 28, 12)
    oval(5, 322, 220, 28, 12)
    oval(6, 256, 218, 14, 5)
    oval(18, 256, 60, 110, 40)
    oval(10, 256, 280, 32, 55)  # nose
    oval(12, 256, 352, 56, 16)
    oval(13, 256, 378, 50, 16)
    oval(11, 256, 365, 40, 8)
    # What a network gets wrong: specks and holes.
    values = np.array(picture)
    for _ in range(40):
        cx, cy = rng.integers(0, 500, 2)
        w, h = rng.integers(1, 12, 2)
        values[cy : cy + h, cx : cx + w] = rng.choice([0, 1, 1, 10, 12, 17])
    return Image.fromarray(values)


def person(folder: Path, size: tuple[int, int], boxes: list[list[int]], seed: int) -> None:
    """A folder of parts."""
    rng = np.random.default_rng(seed)
    for name in ("frames", "classes"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for index in range(len(boxes)):
        frame(size, rng).save(folder / "frames" / f"{index:08}.png")
        classes(rng).save(folder / "classes" / f"{index:08}.png", optimize=True)
    (folder / "boxes.json").write_text(json.dumps(boxes) + "\n")


def voice(samples: int, seed: int) -> np.ndarray:
    """Syllables of a buzzing tone with noise in between and a pause now and then, 16 bits."""
    rng = np.random.default_rng(seed)
    t = np.arange(samples) / RATE
    phase = 2 * np.pi * np.cumsum(130 + 25 * np.sin(2 * np.pi * 0.7 * t)) / RATE
    buzz = sum(np.sin(k * phase) / k for k in range(1, 20))
    formant = np.sin(2 * np.pi * np.cumsum(900 + 500 * np.sin(2 * np.pi * 1.9 * t)) / RATE)
    envelope = np.clip(np.sin(2 * np.pi * 2.1 * t), 0, 1) ** 0.7 * (t % 5 < 4)
    hiss = 0.1 * rng.standard_normal(samples) * np.clip(np.sin(2 * np.pi * 1.3 * t + 2), 0, 1)
    return np.round(9000 * (envelope * (0.5 * buzz + 0.4 * formant) + hiss)).clip(-32768, 32767).astype("<i2")


def write_wav(path: Path, samples: np.ndarray, rate: int = RATE) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())
