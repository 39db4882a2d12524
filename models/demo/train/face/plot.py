"""Loss curves of both runs: python plot.py VAE_RUN/loss.csv UNET_RUN/loss.csv OUT.png"""
import csv
import sys

import cv2
import numpy as np


def curve(image, x, y, left, color, label):
    h, w = image.shape[0], image.shape[1] // 2
    ly = np.log10(np.maximum(y, 1e-4))
    px = left + 40 + (np.asarray(x) - x[0]) / max(1, x[-1] - x[0]) * (w - 60)
    lo, hi = ly.min() - 0.05, ly.max() + 0.05
    py = h - 30 - (ly - lo) / (hi - lo) * (h - 60)
    cv2.polylines(image, [np.stack([px, py], 1).astype(np.int32)], False, color, 1, cv2.LINE_AA)
    cv2.putText(image, f"{label}: {y[0]:.3f} to {y[-1]:.3f}, steps {int(x[0])} to {int(x[-1])} (log)", (left + 10, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.38, color, 1, cv2.LINE_AA)


def main(vae, unet, out):
    image = np.full((220, 840, 3), 255, np.uint8)
    read = lambda p: sorted({float(r[0]): r for r in csv.reader(open(p))}.values(), key=lambda r: float(r[0]))
    v, u = read(vae), read(unet)
    curve(image, [float(r[0]) for r in v], np.array([float(r[4]) for r in v]), 0, (180, 90, 20), "autoencoder, L1")
    curve(image, [float(r[0]) for r in u], np.array([float(r[5]) for r in u]), 420, (40, 40, 190), "UNet, latent L1 at the mouth")
    cv2.imwrite(out, image)


if __name__ == "__main__":
    main(*sys.argv[1:])
