"""Renders crops ahead of the autoencoder's training: chunks of 32 scenes, each at rest and with five random mouths.

    python render_set.py OUT --from 0 --to 40
"""
import argparse
import os

import numpy as np

from crop import crops, random_mouth
from draw import REST
from scene import random_scene

SCENES, MOUTHS = 32, 6


def chunk(number):
    rng = np.random.default_rng([7, number])
    images = np.empty((SCENES, MOUTHS, 128, 128, 3), np.uint8)
    for i in range(SCENES):
        scene = random_scene(rng)
        mouths = [np.array(REST, np.float32)] + [random_mouth(rng) for _ in range(MOUTHS - 1)]
        images[i] = crops(scene, mouths, rng)
    return images


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out")
    parser.add_argument("--from", dest="first", type=int, default=0)
    parser.add_argument("--to", dest="last", type=int, default=40)
    a = parser.parse_args()
    os.makedirs(a.out, exist_ok=True)
    for n in range(a.first, a.last):
        path = f"{a.out}/{n:04d}.npy"
        if not os.path.exists(path):
            np.save(path + ".tmp.npy", chunk(n))
            os.rename(path + ".tmp.npy", path)


if __name__ == "__main__":
    main()
