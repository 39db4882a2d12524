"""Everything of one picture except the mouth: who, pose, light, gaze, lids."""
from dataclasses import dataclass

import numpy as np

from geometry import Projection
from identity import Identity, random_identity


@dataclass
class Light:
    x: float = 0.4          # -1 from the picture's left ... +1 from its right
    power: float = 1.0
    tint: tuple = (1.0, 1.0, 1.0)


@dataclass
class Scene:
    identity: Identity
    head: Projection
    body: Projection
    light: Light
    gaze: tuple = (0.0, 0.0)
    lid: float = 1.0        # 1 open, 0 shut
    brow: float = 0.0       # lift in pixels


def compose(identity, light, yaw=0.0, pitch=0.0, roll=0.0, scale=1.04, x=256.0, y=236.0, breath=0.0, gaze=(0.0, 0.0), lid=1.0, brow=0.0):
    """The body follows the head a little and rises with the breath."""
    head = Projection(yaw, pitch, roll, scale, x, y)
    body = Projection(0, 0, 0, scale, 256 + (x - 256) * 0.5, 238 + (y - 238) * 0.4 - breath)
    return Scene(identity, head, body, light, gaze, lid, brow)


def random_light(rng):
    warm = rng.normal(0, 0.035)
    level = rng.uniform(0.86, 1.0)
    return Light(float(rng.uniform(-1, 1)), float(rng.uniform(0.7, 1.15)), tuple(np.clip(np.array([1 + warm, 1.0, 1 - warm]) * level, 0, 1)))


def random_scene(rng, identity=None):
    ident = identity or random_identity(rng)
    n = lambda s, m: float(np.clip(rng.normal(0, s), -m, m))
    lid = 1.0 if rng.random() < 0.8 else float(rng.uniform(0, 1))
    return compose(ident, random_light(rng), yaw=n(0.08, 0.2), pitch=n(0.05, 0.12), roll=n(0.035, 0.1), scale=float(rng.uniform(0.94, 1.14)), x=256 + n(8, 20), y=236 + n(6, 14),
                   gaze=(n(2.2, 5.5), n(1.0, 2.4)), lid=lid * float(rng.uniform(0.88, 1.0)), brow=n(1.2, 3))
