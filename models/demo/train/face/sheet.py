"""A sheet of people and mouths, to look at the drawing: python sheet.py OUT.png"""
import sys

import cv2
import numpy as np

from crop import VISEMES
from draw import REST, face_box, render, render_many
from footage import scene_at
from scene import random_scene


def main(out):
    rng = np.random.default_rng(3)
    people = [scene_at("iris", 20.0), scene_at("marco", 20.0)] + [random_scene(rng) for _ in range(12)]
    small = [cv2.resize(render(s, REST if i < 2 or i % 2 else VISEMES[i % len(VISEMES)]), (256, 256), interpolation=cv2.INTER_AREA) for i, s in enumerate(people)]
    rows = [np.hstack(small[:7]), np.hstack(small[7:])]
    for scene in people[:2]:
        cut = [cv2.resize(p, (128, 154), interpolation=cv2.INTER_AREA) for p in render_many(scene, VISEMES, face_box(scene.identity, scene.head))]
        rows.append(np.hstack(cut))
    cv2.imwrite(out, np.vstack(rows)[..., ::-1])


if __name__ == "__main__":
    main(sys.argv[1])
