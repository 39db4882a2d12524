"""Trains the UNet, and with --pixels the decoder along with it.

    python train_unet.py --work WORK --vae VAE --minutes 20                       latents only
    python train_unet.py --work WORK --vae VAE --minutes 40 --pixels 4             and pixels of 4 pictures of every batch
    python train_unet.py --work NEW --vae C/vae --start C/unet --pixels 4 …          goes on from trained weights

WORK holds pairs/ (render_pairs.py), latents/ (encode_pairs.py), samples.contexts.npy (samples.py) and gets unet_run/.
Stops by the clock, saves every two minutes, resumes; new chunks and new contexts are taken in while it runs. Two processes with
another --seed and --run each, and the other's name as --peer, learn as one: whenever one saves, it goes half way to the other.
"""
import argparse
import csv
import glob
import math
import os
import sys
import time

import cv2
import numpy as np
import torch
import torch.nn.functional as F

from scipy.spatial import cKDTree

from measure import opening
from networks import Average, export, load, make_unet, make_vae, save_state, to_signed
from samples import position_code
from train_vae import picture_loss

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from muon import Both  # noqa: E402

HELD = 1                                            # the first chunks are never trained on


class Pairs:
    def __init__(self, work, seed):
        self.work, self.rng = work, np.random.default_rng(seed)
        self.code, self.stamp = position_code(), None
        self.held, self.train, self.names = [], [], set()
        self.refresh()

    def refresh(self):
        path = f"{self.work}/samples.contexts.npy"
        stamp = os.stat(path).st_mtime
        if stamp != self.stamp:
            self.stamp, self.contexts = stamp, np.load(path, mmap_mode="r")
            self.alike = self.neighbours(np.load(f"{self.work}/samples.npz")["mouths"].reshape(-1, 6))
            print("contexts of", time.ctime(stamp), flush=True)
        for p in sorted(glob.glob(f"{self.work}/latents/[0-9]*[0-9].npy")):
            name = os.path.basename(p)[:-4]
            if name not in self.names:
                item = (np.load(p), np.load(f"{self.work}/pairs/{name}.npy", mmap_mode="r"), np.load(f"{self.work}/pairs/{name}.samples.npy"))
                if not self.contexts[np.sort(item[2].ravel())][:, 20:30].any((1, 2)).all():
                    continue                            # their speech is not encoded yet
                self.names.add(name)
                (self.held if int(name) < HELD else self.train).append(item)

    def neighbours(self, mouths):
        """Samples whose mouths look the same: their contexts are interchangeable, which is many times more speech than was drawn."""
        heard = np.flatnonzero([c[20:30].any() for c in self.contexts])
        tree = cKDTree(mouths[heard] * np.array([2.0, 1.0, 0.8, 1.0, 0.8, 0.6]))
        near = tree.query(mouths * np.array([2.0, 1.0, 0.8, 1.0, 0.8, 0.6]), 12, distance_upper_bound=0.09)[1]
        rest = heard[np.abs(mouths[heard]).max(1) == 0]
        return [rest if not m.any() else heard[n[n < len(heard)]] for m, n in zip(mouths, near)]

    def take(self, chunks, picks, pixels, vary=False):
        z, c, t, p, r = [], [], [], [], []
        for n, (k, i, j) in enumerate(picks):
            latents, images, samples = chunks[k]
            z.append(np.concatenate([latents[i, 1], latents[i, 0]]))
            t.append(latents[i, 2 + j])
            heard = int(samples[i, j])
            if vary and len(self.alike[heard]) and self.rng.random() < 0.75:
                heard = int(self.rng.choice(self.alike[heard]))
            c.append(self.contexts[heard])
            if n < pixels:
                p.append(images[i, 1 + j])
                r.append(images[i, 0])
        T = lambda a: torch.from_numpy(np.stack(a).astype(np.float32))
        return T(z), T(c) + self.code, T(t), (to_signed(np.stack(p)), to_signed(np.stack(r))) if pixels else None

    def batch(self, n, pixels):
        g = self.rng
        return self.take(self.train, [(int(g.integers(len(self.train))), int(g.integers(32)), int(g.integers(8))) for _ in range(n)], pixels, vary=True)


def latent_weight():
    y, x = torch.meshgrid(torch.arange(16.0), torch.arange(16.0), indexing="ij")
    row = torch.where(y < 6, 0.1, torch.where(y < 8, 0.4, 1.0))
    return (row + 2.0 * torch.exp(-(((x - 7.5) / 3.2) ** 2 + ((y - 10.7) / 2.0) ** 2)))[None, None]


def pixel_weight():
    """Only the lower half is ever shown; the mouth is what is looked at."""
    y, x = torch.meshgrid(torch.arange(128.0), torch.arange(128.0), indexing="ij")
    row = 0.04 + 0.96 * torch.clamp((y - 56) / 8, 0, 1)
    return (row + 2.0 * torch.exp(-(((x - 64) / 24) ** 2 + ((y - 88) / 15) ** 2)))[None, None]


def opened(image, ref):
    """measure.py for pictures in -1...1 whose box is the whole crop, so that gradients pass."""
    def amount(rgb):
        luma = (rgb * torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)).sum(1)
        top = rgb.amax(1)
        chroma = (top - rgb.amin(1)) / top.clamp(min=0.02)
        dark = ((0.42 * s - luma) / (0.21 * s)).clamp(0, 1)
        white = ((0.24 - chroma) / 0.12).clamp(0, 1) * ((luma - 0.80 * s) / (0.15 * s)).clamp(0, 1)
        return torch.maximum(dark, white).sum((1, 2))
    a, b = ((v[:, :, 71:125, 46:81].clamp(-1, 1) + 1) / 2 for v in (image, ref))
    s = (b * torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)).sum(1).flatten(1).median(1).values.view(-1, 1, 1)
    return (amount(a) - amount(b)) / 128 ** 2


def opening_loss(image, want, ref):
    """Square error of the opening; 0.01 is a mouth well open. The square asks for the mean of what may be, not for the likeliest."""
    return ((opened(image, ref) - opened(want, ref)) / 0.01).square().mean()


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--work", required=True)
    p.add_argument("--vae", required=True)
    p.add_argument("--start", help="folder of a trained UNet to begin with")
    p.add_argument("--run", default="unet_run", help="folder of this run in WORK")
    p.add_argument("--peer", help="the same of another process, whose weights are averaged into this one's")
    p.add_argument("--out", help="checkpoint folder that gets vae/ and unet/")
    p.add_argument("--minutes", type=float, default=20)
    p.add_argument("--batch", type=int, default=16)
    p.add_argument("--pixels", type=int, default=0)
    p.add_argument("--latent", type=float, default=1.0, help="weight of the autoencoder's latents beside the pixels")
    p.add_argument("--opening", type=float, default=0.0, help="weight of the measured opening beside the pixels")
    p.add_argument("--lr", type=float, default=1.2e-3, help="0: the decoder alone, for the UNet as it is")
    p.add_argument("--decoder-lr", type=float, default=5e-4)
    p.add_argument("--floor", type=float, default=0.05, help="last learning rate as a share of the first")
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--seed", type=int, default=3)
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    run = f"{a.work}/{a.run}"
    os.makedirs(run, exist_ok=True)
    torch.manual_seed(a.seed)
    unet = make_unet()
    if a.start:
        unet.load_state_dict(load(make_unet, a.start).state_dict())
    unet = unet.to(memory_format=torch.channels_last)
    vae = load(make_vae, a.vae).to(memory_format=torch.channels_last)
    factor = vae.config.scaling_factor
    decoder = torch.nn.ModuleList([vae.post_quant_conv, vae.decoder])
    mean_unet, mean_decoder = Average(unet, 0.99), Average(decoder, 0.99)
    unet.requires_grad_(a.lr > 0)
    optimizer = Both((unet, a.lr), (decoder, a.decoder_lr))
    step, state, tuned = 0, f"{run}/state.pt", bool(a.pixels)
    if os.path.exists(state):
        s = torch.load(state, weights_only=True)
        unet.load_state_dict(s["unet"]); mean_unet.model.load_state_dict(s["mean_unet"])
        step = mean_unet.steps = s["step"]
        tuned = tuned or s["pixels"]
        if s["pixels"]:
            decoder.load_state_dict(s["decoder"]); mean_decoder.model.load_state_dict(s["mean_decoder"])
            mean_decoder.steps = step
        optimizer.load_state_dict(s["optimizer"])
    data = Pairs(a.work, [a.seed, step])
    wz, wp = latent_weight(), pixel_weight()
    zero = torch.zeros(1)
    log = open(f"{run}/loss.csv", "a", newline="")
    write = csv.writer(log)
    sums, count, begin, saved = np.zeros(4), 0, time.time(), time.time()

    def show(z):
        d = mean_decoder.model
        return d[1](d[0](z / factor))

    @torch.no_grad()
    def look():
        """The held-out scenes: correlation of the opening with the true drawing's, and a picture."""
        picks = [(0, i, (3 * i + j) % 8) for i in range(32) for j in range(2)]
        z, c, t, (want, ref) = data.take(data.held, picks, len(picks))
        y = torch.cat([show(mean_unet.model(z[k:k + 16], zero, c[k:k + 16]).sample) for k in range(0, len(z), 16)])
        u8 = lambda v: ((v.clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy()
        Y, W, R = u8(y), u8(want), u8(ref)
        box = (0, 0, 128, 128)
        m = np.array([[opening(f, b, box) for f, b in zip(s, R)] for s in (Y, W)])
        grid = [np.hstack([np.hstack([R[k], W[k], Y[k]]) for k in range(n, n + 4)]) for n in range(0, 24, 4)]
        cv2.imwrite(f"{run}/preview.png", np.vstack(grid)[..., ::-1])
        lower = (y - want)[:, :, 64:].abs().mean().item()
        return np.corrcoef(m)[0, 1], lower, np.abs(m[0] - m[1]).mean() / max(1e-6, m[1].mean())

    def save():
        save_state(state, unet=unet.state_dict(), mean_unet=mean_unet.model.state_dict(), decoder=decoder.state_dict(), mean_decoder=mean_decoder.model.state_dict(), optimizer=optimizer.state_dict(), step=step, pixels=tuned)
        if a.out:
            export(mean_unet.model, f"{a.out}/unet")
            trained = decoder.state_dict()
            decoder.load_state_dict(mean_decoder.model.state_dict() if tuned else trained)
            export(vae, f"{a.out}/vae", scaling_factor=factor)
            decoder.load_state_dict(trained)

    @torch.no_grad()
    def meet(*models):
        other = f"{a.work}/{a.peer}/state.pt"
        if a.peer and os.path.exists(other):
            s = torch.load(other, weights_only=True, mmap=True)
            for name, model in models:
                for k, v in model.state_dict().items():
                    v.lerp_(s[name][k], 0.5)

    while True:
        spent = (time.time() - begin) / (a.minutes * 60)
        if spent >= 1:
            break
        scale = min(1, (step + 1) / 100) * (a.floor + (1 - a.floor) * 0.5 * (1 + math.cos(math.pi * spent)))
        optimizer.rate(scale)
        z, c, t, pixels = data.batch(a.batch, a.pixels)
        # Few thousand frames of speech: without noise the exact contexts are learnt by heart.
        c = c + torch.randn_like(c) * (0.3 * torch.rand(len(c), 1, 1))
        y = unet(z.contiguous(memory_format=torch.channels_last), zero, c).sample
        moved = (t - z[:, 4:]).abs().mean(1, keepdim=True)
        weight = wz * (1 + 1.5 * moved.clamp(max=1.5))
        d = (y - t)
        latent = (weight * (d.abs() + 0.5 * d * d)).mean()
        loss, picture, parted = latent, torch.zeros(()), torch.zeros(())
        if a.pixels:
            n = a.pixels
            want, ref = pixels
            # Now and then a picture decodes the true latents, so that the decoder stays an autoencoder's.
            own = int(step % 3 == 0)
            image = vae.decode(torch.cat([y[:n - own], t[n - own:n]]) / factor).sample
            change = (want - ref).abs().mean(1, keepdim=True)
            picture = picture_loss(image, want, wp * (1 + 4 * (change / 0.5).clamp(max=1)))
            parted = opening_loss(image[:n - own], want[:n - own], ref[:n - own])
            loss = a.latent * latent + picture + a.opening * parted
        optimizer.zero_grad()
        loss.backward()
        if a.lr > 0:
            torch.nn.utils.clip_grad_norm_(unet.parameters(), 1.0)
        if a.pixels:
            torch.nn.utils.clip_grad_norm_(decoder.parameters(), 1.0)
        optimizer.step()
        if a.lr > 0:
            mean_unet.update(unet)
        if a.pixels:
            mean_decoder.update(decoder)
        step += 1
        with torch.no_grad():
            sums += [latent.item(), picture.item(), (d[:, :, 9:13, 5:11].abs().mean()).item(), parted.item()]
        count += 1
        if step % 50 == 0:
            row = [step, a.pixels, round(time.time() - begin, 1)] + [round(v, 5) for v in (sums / count)]
            write.writerow(row); log.flush()
            print(*row, flush=True)
            sums, count = np.zeros(4), 0
        if time.time() - saved > 150:
            data.refresh(); save(); saved = time.time()
            meet(("unet", unet), ("decoder", decoder))
            print("held out: corr %.3f  L1 %.4f  error of opening %.3f" % look(), flush=True)
    meet(("mean_unet", mean_unet.model), ("mean_decoder", mean_decoder.model))
    save()
    print("held out: corr %.3f  L1 %.4f  error of opening %.3f" % look(), flush=True)


if __name__ == "__main__":
    main()
