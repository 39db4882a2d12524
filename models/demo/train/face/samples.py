"""What the UNet hears and what the mouth does then: frames of speech with the windows that inference would encode.

    python samples.py choose DATA OUT --items 640         once: utterances as recorded by some microphone, chosen frames, their mouths
    python samples.py encode OUT --encoder CHECKPOINT      again for every encoder: contexts [n,50,128]

Frames are chosen, not drawn evenly: lips sealed, teeth on the lip, wide open and at rest come more often than in speech.
"""
import argparse
import glob
import os
import sys

import numpy as np
import torch

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(HERE, "..", "speech"))
import augment  # noqa: E402
from features import FRAME, Utterance, context_for_frame, encoder_window  # noqa: E402

PER_ITEM = 24


def choose_frames(rng, mouth, frames, count):
    """Frame numbers by kind; a fifth of them at rest, if there is any rest."""
    at = mouth[np.minimum(4 * np.arange(frames) + 2, len(mouth) - 1)]
    rest = np.abs(at).max(1) == 0
    kinds = [(rest, 0.18), ((at[:, 0] <= 0.01) & ~rest, 0.17), ((at[:, 4] > 0.55) & (at[:, 0] < 0.25), 0.12), (at[:, 0] > 0.55, 0.18), (at[:, 3] > 0.5, 0.08), (np.ones(frames, bool), 0.27)]
    out = []
    for chosen, share in kinds:
        pool = np.flatnonzero(chosen)
        if len(pool):
            out += rng.choice(pool, max(1, round(share * count)), replace=len(pool) < share * count).tolist()
    while len(out) < count:
        out.append(int(rng.integers(frames)))
    return np.array(out[:count]), at


def choose(data, out, items, seed):
    rng = np.random.default_rng(seed)
    paths = sorted(glob.glob(f"{data}/train/*.npz"))
    for more in ("extra", "wide"):
        paths += sorted(glob.glob(f"{data}/{more}/*.npz"))
    rng.shuffle(paths)
    pool = [np.load(p)["audio16k"] for p in paths[:40]]
    audios, frames, groups, mouths = [], [], [], []
    for n in range(items):
        if rng.random() < 0.08:
            audio, mouth = augment.nobody(rng, rng.uniform(3, 9), pool), None
        else:
            d = np.load(paths[n % len(paths)])
            size = len(d["audio16k"]) // 1600 * 1600
            audio = d["audio16k"][:size].astype(np.float32) / 32768
            mouth = d["mouth100"][:size // 160]
            if rng.random() < 0.75:
                audio, mouth, _ = augment.recorded(rng, audio, mouth, np.zeros(len(mouth), np.int64), pool)
        count = len(audio) // FRAME
        if mouth is None or not len(mouth):
            mouth = np.zeros((count * 4 + 4, 6), np.float32)
        count = min(count, (len(mouth) - 3) // 4)
        at, values = choose_frames(rng, mouth, count, PER_ITEM)
        audios.append((np.clip(audio, -1, 1) * 32767).astype(np.int16))
        frames.append(at)
        groups.append(np.minimum(at + rng.integers(1, 3, PER_ITEM), count))
        mouths.append(values[at])
    np.savez(out, audio=np.concatenate(audios), lengths=[len(a) for a in audios], frames=np.stack(frames), groups=np.stack(groups), mouths=np.stack(mouths).astype(np.float32))


def position_code():
    """Sinusoidal code of the 50 rows (spec 1.6), d_model 128."""
    r = torch.arange(50.0)[:, None]
    k = torch.exp(torch.arange(0, 128, 2.0) * (-np.log(10000.0) / 128))
    code = torch.zeros(50, 128)
    code[:, 0::2], code[:, 1::2] = torch.sin(r * k), torch.cos(r * k)
    return code


@torch.no_grad()
def encode(path, encoder, used=None):
    """Contexts without the position code, half precision, in the order of `frames`; only of the `used` samples if given."""
    d = np.load(path)
    starts = np.concatenate([[0], np.cumsum(d["lengths"])])
    audio, out = d["audio"], []
    for n, (frames, groups) in enumerate(zip(d["frames"], d["groups"])):
        wanted = [k for k in range(len(frames)) if used is None or n * len(frames) + k in used]
        out.append(np.zeros((len(frames), 50, 128), np.float16))
        if not wanted:
            continue
        source = Utterance(audio[starts[n]:starts[n + 1]])
        windows = {int(g): encoder_window(source, int(g)) for g in set(groups[wanted].tolist())}
        order = sorted(windows)
        states = {g: s for k in range(0, len(order), 8) for g, s in zip(order[k:k + 8], encoder(torch.stack([windows[g][0] for g in order[k:k + 8]])))}
        for k in wanted:
            g = int(groups[k])
            out[-1][k] = context_for_frame(states[g], int(frames[k]), windows[g][1]).numpy()
    return np.concatenate(out)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("what", choices=("choose", "encode"))
    p.add_argument("paths", nargs="+")
    p.add_argument("--items", type=int, default=640)
    p.add_argument("--seed", type=int, default=11)
    p.add_argument("--encoder")
    p.add_argument("--pairs", help="encode only the samples that these pairs use")
    p.add_argument("--more", action="store_true", help="keep what this encoder has encoded already")
    p.add_argument("--chunks", type=int, help="of these pairs, only the first so many")
    a = p.parse_args()
    torch.set_num_threads(1)
    if a.what == "choose":
        choose(a.paths[0], a.paths[1], a.items, a.seed)
    else:
        from encoder import load as load_encoder
        used = {int(v) for f in sorted(glob.glob(f"{a.pairs}/*.samples.npy"))[:a.chunks] for v in np.load(f).ravel()} if a.pairs else None
        target = a.paths[0].replace(".npz", ".contexts.npy")
        done = np.load(target) if a.more else None
        if a.more:
            used -= set(np.flatnonzero(done[:, 20:30].any((1, 2))).tolist())
        contexts = encode(a.paths[0], load_encoder(a.encoder).eval(), used)
        if a.more:
            contexts += done
        np.save(target + ".tmp.npy", contexts)
        os.replace(target + ".tmp.npy", target)


if __name__ == "__main__":
    main()
