"""Writes tests/fixtures/reference: a drawn person, a voice, and what the oracle makes of them with the small checkpoint.

    python make_reference_fixture.py

`expected/NAME.png` stacks the frames of a case from top to bottom, each minus its source frame (modulo 256, so that what speech
does not touch is black and small); `cases.json` says how each was rendered, with which versions, and how much the faces vary.
"""

from __future__ import annotations

import json
import platform
from importlib.metadata import version
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image

import draw_parts
import oracle

ROOT = Path(__file__).parents[2]
HERE = ROOT / "tests/fixtures/reference"
CHECKPOINT = "models/fixtures/small"
# The last two leave the picture: the crop at the left and top, the face itself at the right.
BOXES = [[24, 18, 66, 68], [25, 19, 67, 70], [31, 22, 76, 74], [3, 2, 40, 47], [59, 44, 99, 95]]
CASES = [
    # 18 560 samples: the floating-point trap of the frame count, and two segments of the small encoder.
    dict(name="jaw", samples=18_560, fps=25, blur="offline", mask="jaw", cheeks=[90, 90]),
    dict(name="realtime", samples=3_600, fps=25, blur="realtime", mask="neck", cheeks=[90, 90]),
    # Below 25 frames a second the windows lie earlier.
    dict(name="film", samples=16_000, fps=23.976, blur="offline", mask="jaw", cheeks=[60, 120]),
    dict(name="raw", samples=2_000, fps=30, blur="realtime", mask="raw", cheeks=[90, 90]),
]
LIBRARIES = ["torch", "diffusers", "transformers", "opencv-python-headless", "pillow", "numpy"]


def main() -> None:
    draw_parts.person(HERE, (96, 96), BOXES, seed=20_262)
    pcm = draw_parts.voice(18_560, seed=3)
    draw_parts.write_wav(HERE / "voice.wav", pcm)
    person, networks = oracle.Person(HERE), oracle.Networks(ROOT / CHECKPOINT)
    (HERE / "expected").mkdir(exist_ok=True)
    for case in CASES:
        settings = oracle.Settings(case["fps"], case["blur"], case["mask"], tuple(case["cheeks"]))
        sound = pcm[: case["samples"]].astype(np.float32) / 32768
        faces, frames = map(np.stack, zip(*oracle.render(networks, person, sound, settings)))
        sources = np.stack([person.frames[person.cycle(index)] for index in range(len(frames))])
        sheet = (frames - sources)[..., ::-1].reshape(-1, *frames.shape[2:])
        Image.fromarray(sheet).save(HERE / f"expected/{case['name']}.png", optimize=True)
        case |= {
            "frames": len(frames),
            "face_deviation": round(float(faces.std()), 1),
            "face_at_ends": round(float(((faces == 0) | (faces == 255)).mean()), 3),
            "changed_pixels": round(float((frames != sources).any(-1).mean()), 3),
        }
        print(case)
    made_by = {"python": platform.python_version()} | {library: version(library) for library in LIBRARIES}
    lines = ",\n  ".join(json.dumps(case) for case in CASES)
    text = f'{{\n "checkpoint": "{CHECKPOINT}",\n "made_by": {json.dumps(made_by)},\n "cases": [\n  {lines}\n ]\n}}\n'
    (HERE / "cases.json").write_text(text)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
