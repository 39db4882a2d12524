"""Trains the audio encoder: hidden states from which the mouth can be read linearly.

    nice -n 5 python train_encoder.py --data DIR --run DIR --minutes 50
    nice -n 5 python train_encoder.py --data DIR --run NEW --minutes 20 --start WHISPER --rate 5e-4     goes on from trained weights

Windows are cut as at run time (features.py) and the loss sits on the tokens that the
product will use, just before the end of the audio.  The first half runs mostly on
crops of 96 tokens (as many useful tokens at a third of the cost), the second half on
whole windows.  Heads are for training and evaluation only.  Resumes from its last
checkpoint; the schedule follows time spent, so it fits any machine.
"""

import argparse
import csv
import json
import sys
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn

import augment
from encoder import LAYERS, Encoder, load, save
from features import FRAME, LOOKAHEAD, TOKEN, TOKENS, Utterance
from phonemes import CLASSES

sys.path.append(str(Path(__file__).resolve().parent.parent))
from muon import Muon  # noqa: E402

POSITIVE = [0, 1, 3, 4, 5]
# How much each of open, jaw, wide, round, teeth, tongue counts.
WEIGHTS = torch.tensor([3.0, 1.0, 0.7, 1.2, 0.8, 0.7])
CROP = 96
BUFFER = 48


class Heads(nn.Module):
    """Linear readings of every layer: six mouth parameters and the viseme class."""

    def __init__(self):
        super().__init__()
        self.read = nn.ModuleList(nn.Linear(128, 6 + len(CLASSES)) for _ in range(LAYERS))

    def forward(self, states):
        return [h(states[:, :, i + 1]) for i, h in enumerate(self.read)]


def read_mouth(heads, states):
    """Mouth parameters [b, tokens, 6] from the final states; one-sided ones cut at 0."""
    y = heads.read[-1](states[:, :, -1])[..., :6].clone()
    y[..., POSITIVE] = y[..., POSITIVE].clamp(min=0)
    return y


class Item:
    """One augmented utterance, ready to be cut."""

    def __init__(self, audio, mouth, labels):
        self.source = Utterance(audio)
        tokens = -(-(len(audio) + LOOKAHEAD) // TOKEN) + 2
        at = 2 * np.arange(tokens) + 1
        inside = at < len(mouth)
        self.mouth = np.zeros((tokens, 6), np.float32)
        self.labels = np.zeros(tokens, np.int64)
        self.mouth[inside] = mouth[at[inside]]
        self.labels[inside] = labels[at[inside]]
        self.frames = max(1, len(audio) // FRAME)


class Source:
    """A buffer of augmented utterances, renewed bit by bit."""

    def __init__(self, folders, seed):
        self.rng = np.random.default_rng(seed)
        self.clips = []
        for folder in folders:
            for path in sorted(Path(folder).glob("*.npz")):
                d = np.load(path)
                n = len(d["audio16k"]) // 1600 * 1600
                labels = d["viseme100"].astype(np.int64)
                for a, b in d["bilabials_ms"] / 10:
                    labels[int(np.ceil(a)) : int(b) + 1] = CLASSES.index("p")
                k = n // 160
                self.clips.append((d["audio16k"][:n], d["mouth100"][:k], labels[:k]))
        self.pool = [c[0] for c in self.clips[::5]]
        self.items = [self.make() for _ in range(BUFFER)]

    def make(self):
        rng = self.rng
        if rng.random() < 0.09:
            audio = augment.nobody(rng, rng.uniform(3, 9), self.pool)
            return Item(audio, np.zeros((0, 6), np.float32), np.zeros(0, np.int64))
        audio, mouth, labels = self.clips[int(rng.integers(len(self.clips)))]
        audio = audio.astype(np.float32) / 32768
        if rng.random() < 0.2:
            k = int(rng.integers(1, 40)) * 10
            audio = np.concatenate([np.zeros(k * 160, np.float32), audio])
            mouth = np.concatenate([np.zeros((k, 6), np.float32), mouth])
            labels = np.concatenate([np.zeros(k, np.int64), labels])
        return Item(*augment.recorded(rng, audio, mouth, labels, self.pool))

    def renew(self, count):
        for _ in range(count):
            self.items[int(self.rng.integers(BUFFER))] = self.make()

    def batch(self, size, crop):
        """mel, first position, targets, labels, weights; crops of `crop` tokens or whole windows."""
        rng = self.rng
        mels, firsts, mouths, labels, weights = [], [], [], [], []
        for _ in range(size):
            item = self.items[int(rng.integers(BUFFER))]
            early = rng.random() < 0.5 or item.frames <= 125
            g = int(rng.integers(1, min(item.frames, 125) + 1) if early else rng.integers(126, item.frames + 1))
            end = FRAME * g + LOOKAHEAD
            mel, first = item.source.window(end)
            valid = end // TOKEN - first
            mouth = np.zeros((TOKENS, 6), np.float32)
            label = np.zeros(TOKENS, np.int64)
            seen = min(valid, len(item.labels) - first)
            mouth[:seen] = item.mouth[first : first + seen]
            label[:seen] = item.labels[first : first + seen]
            weight = np.zeros(TOKENS, np.float32)
            back = valid - np.arange(TOKENS)  # tokens until the end of the audio
            weight[back > 0] = 0.4 if crop else 0.15
            weight[(back > 0) & (back < 3)] = 0.1
            weight[(back >= 3) & (back <= 14)] = 0.7
            weight[(back >= 5) & (back <= 12)] = 1.0
            at = 0
            if crop:
                right = min(TOKENS, max(crop, valid + int(rng.integers(6, 24))))
                at = right - crop
            stop = at + (crop or TOKENS)
            mels.append(mel[:, 2 * at : 2 * stop])
            firsts.append(at)
            mouths.append(mouth[at:stop])
            labels.append(label[at:stop])
            weights.append(weight[at:stop])
        t = lambda x: torch.from_numpy(np.stack(x))
        return torch.stack(mels), torch.tensor(firsts), t(mouths), t(labels), t(weights)


def mouth_loss(y, target):
    """Robust regression.  Where a one-sided parameter is 0, anything below 0 is right.

    So the linear reading has room to say "surely shut" instead of hovering at 0.
    """
    off = torch.zeros_like(y, dtype=torch.bool)
    off[..., POSITIVE] = target[..., POSITIVE] <= 0
    y = torch.where(off, F.relu(y + 0.04), y)
    error = F.smooth_l1_loss(y, target, beta=0.08, reduction="none")
    weight = WEIGHTS.to(y).expand_as(y).clone()
    # Lip closures are short and must be right.
    weight[..., 0] = torch.where(target[..., 0] < 0.02, weight[..., 0] * 1.8, weight[..., 0])
    return (error * weight).sum(-1)


def loss_of(encoder, heads, batch):
    mel, first, mouth, labels, weights = batch
    states = encoder(mel, first)
    total, parts = 0.0, []
    norm = weights.sum()
    for i, out in enumerate(heads(states)):
        a = (mouth_loss(out[..., :6], mouth) * weights).sum() / norm
        b = F.cross_entropy(out[..., 6:].transpose(1, 2), labels, reduction="none", label_smoothing=0.05)
        b = (b * weights).sum() / norm
        share = 1.0 if i == LAYERS - 1 else 0.25
        total = total + share * (4 * a + 0.25 * b)
        parts = [a.item(), b.item()]
    # States are mixed with a unit-amplitude positional code later: keep them near 1.
    rms = states[:, :, 1:4].square().mean((0, 1, 3)).sqrt()
    return total + 0.05 * F.relu(rms - 1.2).square().sum(), parts


def fit_heads(encoder, heads, source, batches=60, steps=1500):
    """Readings for an encoder that came without: trained alone on states made once."""
    kept = []
    with torch.no_grad():
        for _ in range(batches):
            source.renew(2)
            mel, first, *targets = source.batch(24, CROP)
            kept.append((encoder(mel, first), *targets))
    still = torch.optim.Adam(heads.parameters(), 3e-3)
    for k in range(steps):
        for group in still.param_groups:
            group["lr"] = 3e-3 * (1 - k / steps)
        states, *targets = kept[k % batches]
        loss, _ = loss_of(lambda *_: states, heads, (None, None, *targets))
        still.zero_grad()
        loss.backward()
        still.step()


class Exam:
    """Fixed held-out windows for a quick look: frames read as the product reads them."""

    def __init__(self, folder, count=240):
        rng = np.random.default_rng(5)
        paths = sorted(Path(folder).glob("*.npz"))
        self.mels, self.at, truth = [], [], []
        data = {}
        for _ in range(count):
            path = paths[int(rng.integers(len(paths)))]
            if path not in data:
                d = np.load(path)
                data[path] = (Utterance(d["audio16k"]), d["mouth100"])
            source, mouth = data[path]
            i = int(rng.integers(0, min(len(source.audio) // FRAME, (len(mouth) - 3) // 4)))
            mel, first = source.window(FRAME * (i + int(rng.integers(1, 3))) + LOOKAHEAD)
            self.mels.append(mel)
            self.at.append(2 * i - first)
            truth.append(mouth[4 * i + 2])
        self.truth = np.stack(truth)

    @torch.no_grad()
    def __call__(self, encoder, heads):
        out = []
        for k in range(0, len(self.mels), 24):
            y = read_mouth(heads, encoder(torch.stack(self.mels[k : k + 24])))
            out += [y[j, a : a + 2].mean(0).numpy() for j, a in enumerate(self.at[k : k + 24])]
        out = np.stack(out)
        corr = [np.corrcoef(out[:, p], self.truth[:, p])[0, 1] for p in range(6)]
        shut = self.truth[:, 0] <= 0
        return corr, float(np.mean(out[shut, 0] <= 0.035))


def average(into, model, decay):
    with torch.no_grad():
        for a, b in zip(into.state_dict().values(), model.state_dict().values()):
            if a.dtype.is_floating_point:
                a.lerp_(b, 1 - decay)


def write_checkpoint(path, **state):
    part = path.with_suffix(".part")
    torch.save(state, part)
    part.rename(path)


def main():
    ap = argparse.ArgumentParser(description=__doc__)
    ap.add_argument("--data", type=Path, required=True)
    ap.add_argument("--run", type=Path, required=True)
    ap.add_argument("--minutes", type=float, default=50)
    ap.add_argument("--start", type=Path, help="folder of trained weights to begin with; without heads, these are fitted first")
    ap.add_argument("--rate", type=float, default=1.5e-3)
    ap.add_argument("--seed", type=int, default=1)
    args = ap.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    args.run.mkdir(parents=True, exist_ok=True)
    encoder, heads = load(args.start) if args.start else Encoder(), Heads()
    slow_encoder, slow_heads = Encoder(), Heads()
    slow_encoder.load_state_dict(encoder.state_dict())
    slow_heads.load_state_dict(heads.state_dict())
    params = [p for m in (encoder, heads) for p in m.parameters() if p.requires_grad]
    matrices = [p for n, p in encoder.named_parameters() if n.startswith("layers.") and p.ndim == 2]
    chosen = {id(p) for p in matrices}
    others = [p for p in params if id(p) not in chosen]
    optimisers = [
        Muon(matrices, lr=1.5 * args.rate),
        torch.optim.AdamW(others, lr=args.rate, betas=(0.9, 0.98), weight_decay=0.01),
    ]
    for o in optimisers:
        for group in o.param_groups:
            group["peak"] = group["lr"]
    step, spent = 0, 0.0
    saved = args.run / "checkpoint.pt"
    if saved.exists():
        c = torch.load(saved, weights_only=False)
        encoder.load_state_dict(c["encoder"])
        heads.load_state_dict(c["heads"])
        slow_encoder.load_state_dict(c["slow_encoder"])
        slow_heads.load_state_dict(c["slow_heads"])
        for o, state in zip(optimisers, c["optimisers"]):
            o.load_state_dict(state)
        step, spent = c["step"], c["spent"]
    source = Source([args.data / part for part in ("train", "extra", "wide")], args.seed + step)
    if args.start and step == 0:
        fit_heads(encoder, heads, source)
        slow_heads.load_state_dict(heads.state_dict())
    exam = Exam(args.data / "heldout")
    log = open(args.run / "loss.csv", "a", newline="")
    rows = csv.writer(log)
    if step == 0:
        rows.writerow("step seconds mouth class open jaw wide round teeth tongue shut".split())
    budget = args.minutes * 60
    started, last_save, last_exam = time.time() - spent, time.time(), 0.0
    recent = []

    def checkpoint():
        write_checkpoint(
            saved, encoder=encoder.state_dict(), heads=heads.state_dict(), slow_encoder=slow_encoder.state_dict(),
            slow_heads=slow_heads.state_dict(), optimisers=[o.state_dict() for o in optimisers], step=step, spent=time.time() - started,
        )
        save(args.run / "encoder", slow_encoder)
        part = args.run / "heads.part"
        save_file({k: v.contiguous() for k, v in slow_heads.state_dict().items()}, part)
        part.rename(args.run / "heads.safetensors")

    while (elapsed := time.time() - started) < budget:
        progress = elapsed / budget
        rate = min(1.0, (step + 1) / 150) * (0.02 + 0.98 * 0.5 * (1 + np.cos(np.pi * progress)))
        for o in optimisers:
            for group in o.param_groups:
                group["lr"] = group["peak"] * rate
        short = source.rng.random() < ((0.6 if args.start else 0.85) if progress < 0.5 else 0.25)
        source.renew(1 if short or step % 2 else 2)
        batch = source.batch(24, CROP) if short else source.batch(12, 0)
        loss, parts = loss_of(encoder, heads, batch)
        for o in optimisers:
            o.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(params, 1.0)
        for o in optimisers:
            o.step()
        step += 1
        decay = min(0.998, 1 - 1 / (step + 1) ** 0.8)
        if args.start:
            decay = 0.995
        average(slow_encoder, encoder, decay)
        average(slow_heads, heads, decay)
        recent.append(parts)
        if step % 50 == 0:
            mouth, classes = np.mean(recent, 0)
            recent = []
            row = [step, round(elapsed), f"{mouth:.4f}", f"{classes:.3f}"]
            if time.time() - last_exam > 100:
                corr, shut = exam(slow_encoder, slow_heads)
                row += [f"{c:.3f}" for c in corr] + [f"{shut:.3f}"]
                last_exam = time.time()
                print(*row, flush=True)
            rows.writerow(row)
            log.flush()
        if time.time() - last_save > 120:
            checkpoint()
            last_save = time.time()
    checkpoint()
    print(json.dumps({"steps": step, "seconds": round(time.time() - started)}))


if __name__ == "__main__":
    main()
