"""Footage of the demo avatars: frames, face boxes and blending masks, as an avatar's parts folder.

    python footage.py OUT [name ...]

25 fps, 5 s. Played there and back, so every motion is slow at both ends; the mouth is closed throughout.
"""
import json
import math
import os
import sys

import cv2
import numpy as np

from draw import SIZE, face_box, outline, render
from identity import named
from scene import Light, compose

FPS, FRAMES = 25, 125
LIGHTS = {"iris": Light(0.5, 1.0, (1.0, 0.985, 0.965)), "marco": Light(-0.45, 1.0, (0.985, 0.99, 1.0))}
BLINKS = {"iris": (1.15, 3.5), "marco": (0.9, 2.2, 3.9)}


def _lid(t, blinks):
    """A blink closes in 80 ms, stays shut for 40 ms and opens in 140 ms."""
    lid = 0.98
    for b in blinks:
        d = t - b
        if 0 <= d < 0.08:
            lid = min(lid, 1 - d / 0.08)
        elif 0.08 <= d < 0.12:
            lid = 0.0
        elif 0.12 <= d < 0.26:
            lid = min(lid, (d - 0.12) / 0.14)
    return max(0.0, lid)


def _glance(t, moves):
    """Gaze jumps (30-60 ms) between resting points."""
    x, y = moves[0][1:]
    for at, nx, ny in moves[1:]:
        k = min(1.0, max(0.0, (t - at) / 0.06))
        x, y = x + (nx - x) * k, y + (ny - y) * k
    return x, y


def scene_at(name, i):
    """The scene of footage frame i. All slow motions are cosines that stand still at both ends of the clip."""
    u = i / (FRAMES - 1)
    t = i / FPS
    c = lambda n, phase=0.0: math.cos(math.pi * n * u)
    s = lambda n: math.sin(math.pi * n * u) * math.sin(math.pi * u)
    if name == "iris":
        pose = dict(yaw=0.045 * c(1) + 0.018 * s(3), pitch=0.018 * c(2) - 0.012 * s(2), roll=0.014 * c(1) + 0.008 * s(2), x=256 + 2.2 * c(1) + 1.0 * s(3), y=237 + 0.8 * c(2))
        gaze = _glance(t, [(0, 0.2, 0.2), (1.2, -1.0, 0.1), (2.4, 0.8, 0.3), (3.55, 0.0, 0.0)])
    else:
        pose = dict(yaw=-0.04 * c(1) - 0.016 * s(2), pitch=0.014 * c(2) + 0.010 * s(3), roll=-0.012 * c(1), x=256 - 1.8 * c(1) + 0.9 * s(2), y=238 + 0.9 * c(2))
        gaze = _glance(t, [(0, -0.2, 0.0), (0.95, 0.9, 0.2), (2.25, -0.6, 0.0), (3.95, 0.1, 0.1)])
    brow = 0.7 * s(2)
    breath = 1.6 * (0.5 - 0.5 * math.cos(2 * math.pi * 2 * u))
    return compose(named(name), LIGHTS[name], scale=1.05, breath=breath, gaze=gaze, lid=_lid(t, BLINKS[name]), brow=brow, **pose)


def crop_box(box, expand=1.5):
    x, y, x1, y1 = box
    xc, yc = (x + x1) // 2, (y + y1) // 2
    s = int((max(x1 - x, y1 - y) // 2) * expand)
    return xc - s, yc - s, xc + s, yc + s


def blend_mask(scene, box):
    """Grey [2s,2s] of the crop box (spec 7.1): the face's skin, with room for the chin to drop, below the box's middle, blurred."""
    xs, ys, xe, ye = crop_box(box)
    side = xe - xs
    mask = np.zeros((side, side), np.uint8)
    for jaw in (0.0, 1.0):
        ring = scene.head(outline(scene.identity, jaw), lift=4) - np.array([xs, ys])
        cv2.fillPoly(mask, [np.round(_dense(ring) * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    mask = cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (7, 7)))
    keep = np.zeros_like(mask)
    x, y, x1, y1 = box
    keep[y - ys:y1 - ys, x - xs:x1 - xs] = mask[y - ys:y1 - ys, x - xs:x1 - xs]
    keep[:side // 2] = 0
    kernel = int(0.1 * side // 2 * 2) + 1
    return cv2.GaussianBlur(keep, (kernel, kernel), 0)


def _dense(ring):
    t = np.linspace(0, 1, 6, endpoint=False)[:, None]
    a, b, c, d = np.roll(ring, 1, 0), ring, np.roll(ring, -1, 0), np.roll(ring, -2, 0)
    parts = [0.5 * (2 * b[i] + (c[i] - a[i]) * t + (2 * a[i] - 5 * b[i] + 4 * c[i] - d[i]) * t ** 2 + (3 * b[i] - a[i] - 3 * c[i] + d[i]) * t ** 3) for i in range(len(ring))]
    return np.vstack(parts)


def steady_boxes(boxes):
    """Boxes smoothed over time and of constant size, so that the crop does not tremble by whole pixels."""
    b = np.asarray(boxes, float)
    centre = np.stack([(b[:, 0] + b[:, 2]) / 2, (b[:, 1] + b[:, 3]) / 2], 1)
    n = 9
    padded = np.pad(centre, ((n, n), (0, 0)), mode="symmetric")
    window = np.hanning(2 * n + 1)
    window /= window.sum()
    centre = np.stack([np.convolve(padded[:, k], window, "valid") for k in (0, 1)], 1)
    w, h = int(round(np.median(b[:, 2] - b[:, 0]))), int(round(np.median(b[:, 3] - b[:, 1])))
    x1, y1 = np.round(centre[:, 0] - w / 2).astype(int), np.round(centre[:, 1] - h / 2).astype(int)
    return [[int(x), int(y), int(x) + w, int(y) + h] for x, y in zip(x1, y1)]


def write(out, name):
    folder = f"{out}/{name}"
    for part in ("frames", "masks"):
        os.makedirs(f"{folder}/{part}", exist_ok=True)
    scenes = [scene_at(name, i) for i in range(FRAMES)]
    boxes = steady_boxes([face_box(s.identity, s.head) for s in scenes])
    for i, (scene, box) in enumerate(zip(scenes, boxes)):
        cv2.imwrite(f"{folder}/frames/{i:08d}.png", render(scene)[..., ::-1])
        cv2.imwrite(f"{folder}/masks/{i:08d}.png", blend_mask(scene, box))
    with open(f"{folder}/boxes.json", "w") as f:
        json.dump(boxes, f)


if __name__ == "__main__":
    for each in sys.argv[2:] or ("iris", "marco"):
        write(sys.argv[1], each)
