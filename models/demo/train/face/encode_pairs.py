"""Latents of the rendered pairs: LATENTS/NNNN.npy [32,10,4,16,16], 0 = reference, 1 = masked (lower half black), 2... = targets.

    python encode_pairs.py --pairs PAIRS --vae VAE --out LATENTS
"""
import argparse
import glob
import os

import numpy as np
import torch

from networks import load, make_vae, to_signed


@torch.no_grad()
def encode(vae, images, batch=16):
    """uint8 [n,128,128,3] to scaled posterior means [n,4,16,16]."""
    out = [vae.encode(to_signed(images[k:k + batch]).contiguous(memory_format=torch.channels_last)).latent_dist.mean for k in range(0, len(images), batch)]
    return torch.cat(out) * vae.config.scaling_factor


def masked(images):
    out = images.copy()
    out[:, 64:] = 0
    return out


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--pairs", required=True)
    p.add_argument("--vae", required=True)
    p.add_argument("--out", required=True)
    a = p.parse_args()
    torch.set_num_threads(1)
    vae = load(make_vae, a.vae).eval().to(memory_format=torch.channels_last)
    os.makedirs(a.out, exist_ok=True)
    for path in sorted(glob.glob(a.pairs + "/[0-9]*[0-9].npy")):
        target = f"{a.out}/{os.path.basename(path)}"
        if os.path.exists(target):
            continue
        images = np.load(path)
        z = np.empty((len(images), 10, 4, 16, 16), np.float16)
        # Channels scale one another in the norms, never pictures: a batch may mix anything.
        z[:, 0] = encode(vae, images[:, 0])
        z[:, 1] = encode(vae, masked(images[:, 0]))
        z[:, 2:] = encode(vae, images[:, 1:].reshape(-1, 128, 128, 3)).reshape(len(images), 8, 4, 16, 16)
        np.save(target + ".tmp.npy", z)
        os.replace(target + ".tmp.npy", target)


if __name__ == "__main__":
    main()
