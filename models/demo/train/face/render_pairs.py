"""Renders the UNet's pictures: scenes at rest (reference) and with the mouths of eight chosen frames of speech (targets).

    python render_pairs.py SAMPLES.npz OUT --from 0 --to 40

More than half of the scenes are the demo's own avatars in poses of their footage, the rest are people nobody will see again.
A chunk holds images [32,9,128,128,3] (0 = reference) and samples [32,8], numbers into the flattened samples.
"""
import argparse
import os

import numpy as np

from crop import crops
from draw import REST
from footage import FRAMES, scene_at
from scene import random_scene

SCENES, MOUTHS, OWN = 32, 8, 0.6


def any_scene(rng):
    if rng.random() < OWN:
        return scene_at(("iris", "marco")[int(rng.integers(2))], float(rng.uniform(0, FRAMES - 1)))
    return random_scene(rng)


def chunk(number, mouths, order):
    rng = np.random.default_rng([23, number])
    images = np.empty((SCENES, 1 + MOUTHS, 128, 128, 3), np.uint8)
    size = SCENES * MOUTHS
    picked = np.take(order, np.arange(number * size, (number + 1) * size), mode="wrap").reshape(SCENES, MOUTHS)
    for i in range(SCENES):
        wanted = mouths[picked[i]]
        moving = np.flatnonzero(np.abs(wanted).max(1) > 0)
        drawn = crops(any_scene(rng), [np.array(REST, np.float32)] + [wanted[j] for j in moving], rng)
        images[i] = drawn[0]
        images[i, 1 + moving] = drawn[1:]
    return images, picked


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("samples")
    p.add_argument("out")
    p.add_argument("--from", dest="first", type=int, default=0)
    p.add_argument("--to", dest="last", type=int, default=60)
    a = p.parse_args()
    os.makedirs(a.out, exist_ok=True)
    mouths = np.load(a.samples)["mouths"].reshape(-1, 6)
    order = np.random.default_rng(31).permutation(len(mouths))
    for n in range(a.first, a.last):
        path = f"{a.out}/{n:04d}"
        if not os.path.exists(path + ".npy"):
            images, picked = chunk(n, mouths, order)
            np.save(path + ".samples.npy", picked)
            np.save(path + ".tmp.npy", images)
            os.rename(path + ".tmp.npy", path + ".npy")


if __name__ == "__main__":
    main()
