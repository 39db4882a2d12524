"""Trains the autoencoder on crops rendered ahead (render_set.py).

    python train_vae.py --data CROPS --out RUN --size 64 --minutes 30        first: small cuts, mostly of the lower face (only that is ever shown)
    python train_vae.py --data CROPS --out RUN --size 128 --minutes 10       then: whole crops, as it will be used

Stops by the clock, saves every two minutes and resumes from RUN/state.pt.
"""
import argparse
import csv
import glob
import math
import os
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F

from networks import Average, export, make_vae, save_state, to_signed

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from muon import Both  # noqa: E402


class Crops:
    """Batches from the rendered chunks; chunks that appear while training are taken in."""

    def __init__(self, folders, size, seed):
        self.folders, self.size, self.rng, self.seen, self.data = folders, size, np.random.default_rng(seed), set(), []
        self.refresh()

    def refresh(self):
        for p in sorted(p for folder in self.folders for p in glob.glob(folder + "/[0-9]*[0-9].npy")):
            if p not in self.seen:
                self.seen.add(p)
                self.data.append((os.path.dirname(p), np.load(p).reshape(-1, 128, 128, 3)))

    def batch(self, n):
        r, s, out = self.rng, self.size, []
        for _ in range(n):
            # The last folder named holds what will be shown most.
            name, chunk = self.data[r.integers(len(self.data))]
            while name != self.folders[-1] and r.random() < 0.7:
                name, chunk = self.data[r.integers(len(self.data))]
            image = chunk[r.integers(len(chunk))]
            if s < 128:
                kind = r.random()
                cx, cy = (64, 90) if kind < 0.85 else (64 + 24 * r.choice([-1, 1]), 48) if kind < 0.9 else (r.integers(32, 97), r.integers(32, 97))
                x, y = (int(np.clip(c + r.integers(-d, d + 1) - s // 2, 0, 128 - s)) for c, d in ((cx, 26), (cy, 10)))
                image = image[y:y + s, x:x + s]
            if r.random() < 0.5:
                image = image[:, ::-1]
            if r.random() < 0.08:                       # the masked input: lower half black
                image = image.copy()
                image[r.choice([s // 2, s // 4 * 3]) if s < 128 else 64:] = 0
            out.append(image)
        return to_signed(np.stack(out))


def picture_loss(y, x, weight=None):
    """L1, L1 of differences (edges) and L1 at a quarter of the size."""
    w = 1.0 if weight is None else weight
    d = (y - x)
    loss = (d.abs() * w).mean()
    gx, gy = d[..., 1:] - d[..., :-1], d[..., 1:, :] - d[..., :-1, :]
    wx, wy = (1.0, 1.0) if weight is None else (weight[..., 1:], weight[..., 1:, :])
    loss = loss + 0.5 * ((gx.abs() * wx).mean() + (gy.abs() * wy).mean())
    wide = F.avg_pool2d(d, 4).abs()
    return loss + 0.5 * (wide if weight is None else wide * F.avg_pool2d(weight, 4)).mean()


def mouth_weight():
    """More weight where the mouth is, for whole crops."""
    y, x = torch.meshgrid(torch.arange(128.0), torch.arange(128.0), indexing="ij")
    return (0.7 + 2.0 * torch.exp(-(((x - 64) / 24) ** 2 + ((y - 87) / 15) ** 2)))[None, None]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--data", required=True, nargs="+")
    p.add_argument("--out", required=True)
    p.add_argument("--size", type=int, default=64)
    p.add_argument("--minutes", type=float, default=30)
    p.add_argument("--batch", type=int, default=16)
    p.add_argument("--lr", type=float, default=2e-3)
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--seed", type=int, default=1)
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(a.seed)
    os.makedirs(a.out, exist_ok=True)
    model = make_vae().to(memory_format=torch.channels_last)
    average = Average(model)
    optimizer = Both((model, a.lr))
    step, state = 0, f"{a.out}/state.pt"
    if os.path.exists(state):
        s = torch.load(state, weights_only=True)
        model.load_state_dict(s["model"]); average.model.load_state_dict(s["average"])
        if isinstance(s["optimizer"], list):
            optimizer.load_state_dict(s["optimizer"])
        step, average.steps = s["step"], s["step"]
    data = Crops(a.data, a.size, [a.seed, step])
    weight = mouth_weight() if a.size == 128 else None
    log = open(f"{a.out}/loss.csv", "a", newline="")
    write = csv.writer(log)
    begin = saved = time.time()
    total = recon = count = 0.0

    def save():
        save_state(state, model=model.state_dict(), average=average.model.state_dict(), optimizer=optimizer.state_dict(), step=step)

    while True:
        spent = (time.time() - begin) / (a.minutes * 60)
        if spent >= 1:
            break
        lr = min(1, (step + 1) / 100) * (0.03 + 0.97 * 0.5 * (1 + math.cos(math.pi * spent)))
        optimizer.rate(lr)
        x = data.batch(a.batch).contiguous(memory_format=torch.channels_last)
        q = model.encode(x).latent_dist
        y = model.decode(q.sample()).sample
        loss = picture_loss(y, x, weight)
        kl = (0.5 * (q.mean ** 2 + q.var - 1 - q.logvar)).mean()
        optimizer.zero_grad()
        (loss + 2e-4 * kl).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        average.update(model)
        step += 1
        total += loss.item(); recon += (y - x).detach().abs().mean().item(); count += 1
        if step % 50 == 0:
            write.writerow([step, a.size, round(time.time() - begin, 1), round(total / count, 5), round(recon / count, 5), round(kl.item(), 3), lr]); log.flush()
            print(step, a.size, f"{(time.time() - begin) / count * 1000 if step <= 50 else 0:.0f}", f"{time.time() - begin:.0f}s loss {total / count:.4f} L1 {recon / count:.4f} kl {kl.item():.2f}", flush=True)
            total = recon = count = 0.0
        if time.time() - saved > 120:
            save(); data.refresh(); saved = time.time()
    save()
    # Latents of unit deviation: the scaling factor.
    with torch.no_grad():
        data.size = 128
        z = torch.cat([average.model.encode(data.batch(16)).latent_dist.mean for _ in range(8)])
    export(average.model, f"{a.out}/vae", scaling_factor=round(1.0 / z.std().item(), 5))


if __name__ == "__main__":
    main()
