"""How well the mouth can be read from the encoder, windowed as in the product.

    python evaluate.py --encoder DIR --heads FILE --data DIR/heldout [--speech real.wav …]

Groups of two frames, audio until 120 ms after the last; frame i is the mean of the
readings at tokens 2 i and 2 i + 1.
"""

import argparse
import json
import wave
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file

import augment
from encoder import load
from features import FRAME, LOOKAHEAD, Utterance
from train_encoder import Heads, read_mouth

NAMES = "open jaw wide round teeth tongue".split()


@torch.no_grad()
def predict(encoder, heads, audio, group=2, batch=16):
    """Mouth parameters [frames, 6] of an utterance."""
    source = Utterance(audio)
    frames = len(source.audio) // FRAME
    out = np.zeros((frames, 6), np.float32)
    starts = list(range(0, frames, group))
    for k in range(0, len(starts), batch):
        some = [(s, min(s + group, frames)) for s in starts[k : k + batch]]
        cut = [source.window(FRAME * g + LOOKAHEAD) for _, g in some]
        y = read_mouth(heads, encoder(torch.stack([m for m, _ in cut])))
        for (s, g), (_, first), values in zip(some, cut, y):
            for i in range(s, g):
                a = 2 * i - first
                out[i] = values[a : a + 2].mean(0).numpy()
    return out


def correlation(a, b):
    return float(np.corrcoef(a, b)[0, 1]) if np.std(a) > 1e-6 and np.std(b) > 1e-6 else float("nan")


def lag(predicted, truth, reach=4):
    """Shift in frames at which the prediction fits best; positive: it comes late."""
    n = len(truth)
    scores = {
        d: correlation(predicted[max(0, d) : n + min(0, d)], truth[max(0, -d) : n - max(0, d)])
        for d in range(-reach, reach + 1)
    }
    return max(scores, key=scores.get)


def envelope(audio):
    """RMS over 50 ms around each frame centre."""
    frames = len(audio) // FRAME
    power = np.concatenate([[0.0], np.cumsum(np.asarray(audio, np.float64) ** 2)])
    centre = np.arange(frames) * FRAME + FRAME // 2
    a, b = np.clip(centre - 400, 0, len(audio)), np.clip(centre + 400, 0, len(audio))
    return np.sqrt((power[b] - power[a]) / (b - a))


def held_out(encoder, heads, folder, limit, degrade=False):
    predicted, truth, rows, closures = [], [], [], []
    rng = np.random.default_rng(2)
    paths = sorted(Path(folder).glob("*.npz"))
    pool = [np.load(p)["audio16k"] for p in paths[:8]]
    for path in paths[:limit]:
        d = np.load(path)
        audio, mouth = d["audio16k"].astype(np.float32) / 32768, d["mouth100"]
        if degrade:
            noise = augment.noise(rng, len(audio), pool)
            audio = audio + noise.astype(np.float32) * np.sqrt(np.mean(audio**2)) * 0.1  # 20 dB
            audio = (audio * 10 ** (rng.uniform(-20, 0) / 20)).astype(np.float32)
        y = predict(encoder, heads, audio)
        want = mouth[2::4][: len(y)]
        y = y[: len(want)]
        predicted.append(y)
        truth.append(want)
        rows.append((str(d["voice"]), correlation(y[:, 0], want[:, 0]), lag(y[:, 0], want[:, 0])))
        for a, b in d["bilabials_ms"]:
            inside = [i for i in range(len(y)) if a <= 40 * i + 20 <= b]
            if inside:
                closures.append(min(y[i, 0] for i in inside))
    p, t = np.concatenate(predicted), np.concatenate(truth)
    high = np.percentile(p[:, 0], 95)
    closures = np.array(closures)
    sealed = t[:, 0] <= 0
    return dict(
        minutes=round(len(p) / 1500, 1),
        correlation={n: round(correlation(p[:, k], t[:, k]), 3) for k, n in enumerate(NAMES)},
        open_mean_abs_error=round(float(np.abs(p[:, 0] - t[:, 0]).mean()), 4),
        open_p95=[round(float(high), 3), round(float(np.percentile(t[:, 0], 95)), 3)],
        lags={str(k): int(sum(r[2] == k for r in rows)) for k in sorted({r[2] for r in rows})},
        worst=sorted(((round(r[1], 3), r[0]) for r in rows))[:4],
        closures=len(closures),
        closures_shut=round(float(np.mean(closures <= 0.05 * high)), 4),
        closures_under_10_percent=round(float(np.mean(closures <= 0.10 * high)), 4),
        shut_frames_read_shut=round(float(np.mean(p[sealed, 0] <= 0.05 * high)), 4),
        open_frames_read_shut=round(float(np.mean(p[t[:, 0] > 0.15, 0] <= 0.05 * high)), 4),
    )


def quiet(encoder, heads):
    """Largest opening over 8 s of things that are not speech."""
    rng = np.random.default_rng(7)
    n = 8 * 16000
    t = np.arange(n) / 16000
    level = 10 ** (-40 / 20)
    sounds = {
        "silence": np.zeros(n),
        "hum 50 Hz -40 dBFS": augment.hum(rng, n) * level,
        "sine 50 Hz -30 dBFS": np.sin(2 * np.pi * 50 * t) * 10 ** (-30 / 20) * 2**0.5,
        "white -40 dBFS": rng.standard_normal(n) * level,
        "white -60 dBFS": rng.standard_normal(n) * 10 ** (-60 / 20),
        "pink -40 dBFS": augment._colour(rng, n, -3.0) * level,
    }
    return {k: round(float(predict(encoder, heads, v.astype(np.float32))[:, 0].max()), 4) for k, v in sounds.items()}


def real_speech(encoder, heads, path):
    with wave.open(str(path)) as f:
        assert f.getframerate() == 16000 and f.getnchannels() == 1
        audio = np.frombuffer(f.readframes(1 << 30), "<i2").astype(np.float32) / 32768
    y = predict(encoder, heads, audio)
    env = envelope(audio)
    return dict(
        envelope_correlation=round(correlation(y[:, 0], env), 3),
        lag=lag(y[:, 0], env),
        open_p50_p95=[round(float(np.percentile(y[:, 0], q)), 3) for q in (50, 95)],
        shut_share=round(float(np.mean(y[:, 0] <= 0.035)), 3),
    )


def main():
    ap = argparse.ArgumentParser(description=__doc__)
    ap.add_argument("--encoder", type=Path, required=True)
    ap.add_argument("--heads", type=Path, required=True)
    ap.add_argument("--data", type=Path, required=True)
    ap.add_argument("--speech", type=Path, nargs="*", default=[])
    ap.add_argument("--limit", type=int, default=1000, help="held-out utterances to use")
    ap.add_argument("--noisy", action="store_true", help="also with noise at 20 dB and a random level")
    args = ap.parse_args()
    torch.set_num_threads(1)
    encoder, heads = load(args.encoder), Heads()
    heads.load_state_dict(load_file(args.heads))
    result = {"quiet": quiet(encoder, heads)}
    for path in args.speech:
        result[path.name] = real_speech(encoder, heads, path)
    result["held out"] = held_out(encoder, heads, args.data, args.limit)
    if args.noisy:
        result["held out, noisy"] = held_out(encoder, heads, args.data, args.limit, degrade=True)
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
