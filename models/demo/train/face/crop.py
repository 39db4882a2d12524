"""Training crops, cut exactly as the inference cuts them, and mouths drawn at random for the autoencoder."""
import cv2
import numpy as np

from draw import SIZE, face_box, render_many

CROP = 128
# open, jaw, wide, round, teeth, tongue
VISEMES = np.array([
    (0, 0, 0, 0, 0, 0), (0, 0.05, -0.1, 0.1, 0, 0), (0.70, 0.60, 0.05, 0, 0.1, 0), (1.0, 0.9, 0, 0, 0.1, 0), (0.35, 0.25, 0.9, 0, 0.8, 0), (0.45, 0.4, 0.5, 0, 0.4, 0),
    (0.50, 0.45, -0.3, 0.7, 0, 0), (0.20, 0.15, -0.4, 1.0, 0, 0), (0.10, 0.06, 0.0, 0.0, 1.0, 0), (0.14, 0.08, 0.5, 0, 1.0, 0), (0.18, 0.1, -0.2, 0.6, 0.7, 0),
    (0.32, 0.25, 0.1, 0, 0.4, 1.0), (0.20, 0.15, 0.2, 0, 0.6, 0.8), (0.28, 0.2, 0.1, 0, 0.2, 0.1)], np.float32)


def random_mouth(rng):
    """A point between two visemes, as coarticulation makes them, with a little noise; one in six is exactly at rest or sealed."""
    if rng.random() < 0.16:
        return VISEMES[0] if rng.random() < 0.6 else VISEMES[1] * np.float32(rng.random())
    a, b = VISEMES[rng.integers(len(VISEMES), size=2)]
    m = a + (b - a) * rng.beta(0.6, 0.6)
    m = m * rng.uniform(0.7, 1.15) + rng.normal(0, 0.04, 6) * (m != 0)
    return np.clip(m, (0, 0, -1, 0, 0, 0), 1).astype(np.float32)


def jitter(box, rng, most=3):
    """Landmark detectors are not exact to the pixel; the networks must not depend on it."""
    x1, y1, x2, y2 = (int(v + rng.integers(-most, most + 1)) for v in box)
    return max(0, x1), max(0, y1), min(SIZE, x2), min(SIZE, y2)


def cut(pixels):
    """The face box's pixels to the network's 128x128 (inference uses the same operator)."""
    return cv2.resize(pixels, (CROP, CROP), interpolation=cv2.INTER_LANCZOS4)


def crops(scene, mouths, rng=None):
    """uint8 [len(mouths),128,128,3] of one scene."""
    box = face_box(scene.identity, scene.head)
    if rng is not None:
        box = jitter(box, rng)
    return np.stack([cut(p) for p in render_many(scene, mouths, box)])
