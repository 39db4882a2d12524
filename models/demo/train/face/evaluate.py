"""Judges the whole chain on voices and languages never trained on, against true drawings of the true mouths.

    python evaluate.py --checkpoint CHECKPOINT --data SPEECH [--wav REAL.wav] [--sheet OUT.png] [--utterances 8] [--seconds 6]

Pictures are made as inference makes them (contexts of groups of two frames, one scene per utterance as base frame) and
measured by measure.py, network and drawing alike.
"""
import argparse
import glob
import json
import os
import sys

import cv2
import numpy as np
import torch

from crop import crops
from draw import REST
from encode_pairs import encode, masked
from footage import scene_at
from measure import opening
from networks import load, make_unet, make_vae
from samples import position_code
from scene import random_scene

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "speech"))
from encoder import load as load_encoder  # noqa: E402
from features import FRAME, all_contexts  # noqa: E402

WHOLE = (0, 0, 128, 128)


class Chain:
    def __init__(self, checkpoint):
        self.encoder = load_encoder(f"{checkpoint}/whisper")
        self.vae = load(make_vae, f"{checkpoint}/vae").eval().to(memory_format=torch.channels_last)
        self.unet = load(make_unet, f"{checkpoint}/unet").eval().to(memory_format=torch.channels_last)
        self.code = position_code()

    @torch.no_grad()
    def pictures(self, base, audio, first=0, last=None):
        """uint8 [frames,128,128,3] for audio on one base crop."""
        z = torch.cat([encode(self.vae, masked(base[None])), encode(self.vae, base[None])], 1)
        contexts = all_contexts(self.encoder, audio)[first:last] + self.code
        out = []
        for k in range(0, len(contexts), 16):
            c = contexts[k:k + 16]
            y = self.unet(z.expand(len(c), -1, -1, -1), torch.zeros(1), c).sample
            image = self.vae.decode(y / self.vae.config.scaling_factor).sample
            out.append(((image.clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy())
        return np.concatenate(out)


def lag(a, b, most=4):
    """Frames by which a follows b."""
    best = [(np.corrcoef(a[max(0, s):len(a) + min(0, s)], b[max(0, -s):len(b) - max(0, s)])[0, 1], s) for s in range(-most, most + 1)]
    return max(best)[1]


def bases(rng):
    """The demo's avatars in turn with people never seen."""
    while True:
        for name in ("iris", "marco"):
            yield name, scene_at(name, float(rng.uniform(0, 124)))
            yield "unseen", random_scene(rng)


def speech(chain, data, utterances, seconds, rng):
    per, rows, everyone = {}, [], bases(rng)
    paths = sorted(glob.glob(f"{data}/heldout/*.npz"))
    for path in rng.permutation(paths)[:utterances]:
        d = np.load(path)
        audio, mouth = d["audio16k"].astype(np.float32) / 32768, d["mouth100"]
        n = min(len(audio) // FRAME, (len(mouth) - 3) // 4, int(seconds * 25))
        name, scene = next(everyone)
        wanted = mouth[4 * np.arange(n) + 2]
        drawn = crops(scene, [np.array(REST, np.float32)] + list(wanted))
        base, truth = drawn[0], drawn[1:]
        made = chain.pictures(base, audio, 0, n)
        rest = opening(chain.pictures(base, np.zeros(6400, np.float32))[3], base, WHOLE)
        m = np.array([opening(f, base, WHOLE) for f in made])
        t = np.array([opening(f, base, WHOLE) for f in truth])
        p95 = np.percentile(m, 95)
        centre = (np.arange(n) + 0.5) * 40
        events = [m[(centre >= a - 1) & (centre <= b + 1)] for a, b in d["bilabials_ms"]]
        shut = [e.min() <= 0.05 * p95 for e in events if len(e)]
        shut_truth = [e.min() <= 0.05 * np.percentile(t, 95) for e in (t[(centre >= a - 1) & (centre <= b + 1)] for a, b in d["bilabials_ms"]) if len(e)]
        per.setdefault(name, []).append((m, t, wanted[:, 0], lag(m, t), shut, shut_truth, rest / max(p95, 1e-6), np.abs(made[:, 64:].astype(int) - truth[:, 64:]).mean()))
        rows.append((path, base, made, truth, m, t))
    report = {}
    for name, items in list(per.items()) + [("all", sum(per.values(), []))]:
        report[name] = dict(
            correlation_per_utterance=round(float(np.mean([np.corrcoef(m, t)[0, 1] for m, t, *_ in items])), 3),
            with_parameter=round(float(np.mean([np.corrcoef(m, o)[0, 1] for m, _, o, *_ in items])), 3),
            lags=[i[3] for i in items], closed=round(float(np.mean(sum((i[4] for i in items), []))), 3), closed_in_drawing=round(float(np.mean(sum((i[5] for i in items), []))), 3),
            bilabials=len(sum((i[4] for i in items), [])), rest_of_p95=round(float(np.mean([i[6] for i in items])), 3), lower_half_error_255=round(float(np.mean([i[7] for i in items])), 2), p95=[round(float(np.percentile(i[0], 95)), 4) for i in items])
    return report, rows


def noises(chain, p95, rng):
    """Silence, hum and white noise at -40 dBFS: how far the mouth opens and how much any pixel of the lower face moves."""
    base = crops(scene_at("iris", 20.0), [np.array(REST, np.float32)])[0]
    n, out = 32000, {}
    t = np.arange(n) / 16000
    hum = np.sin(2 * np.pi * 50 * t) + 0.5 * np.sin(2 * np.pi * 150 * t)
    for name, x in (("silence", np.zeros(n)), ("hum", hum / np.sqrt((hum ** 2).mean()) * 0.01), ("white", rng.normal(0, 0.01, n))):
        y = chain.pictures(base, x.astype(np.float32))
        m = [opening(f, base, WHOLE) for f in y]
        out[name] = dict(opening_of_p95=round(max(m) / p95, 3), pixel_motion_255=int(np.percentile(np.abs(np.diff(y[:, 64:].astype(int), axis=0)), 99.9)), error_255=round(float(np.abs(y[:, 64:].astype(int) - base[64:]).mean()), 2))
    return out


def real(chain, wav):
    import wave
    with wave.open(wav) as f:
        rate, channels = f.getframerate(), f.getnchannels()
        x = np.frombuffer(f.readframes(f.getnframes()), np.int16).reshape(-1, channels).mean(1) / 32768
    if rate != 16000:
        from math import gcd
        from scipy.signal import resample_poly
        x = resample_poly(x, 16000 // gcd(rate, 16000), rate // gcd(rate, 16000))
    x = x.astype(np.float32)[:16000 * 12]
    base = crops(scene_at("iris", 20.0), [np.array(REST, np.float32)])[0]
    y = chain.pictures(base, x)
    m = np.array([opening(f, base, WHOLE) for f in y])
    e = np.array([np.sqrt(np.mean(x[max(0, int(640 * (i + 0.5)) - 400):int(640 * (i + 0.5)) + 400] ** 2)) for i in range(len(m))])
    return round(float(np.corrcoef(m, e)[0, 1]), 3)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--checkpoint", required=True)
    p.add_argument("--data", required=True)
    p.add_argument("--wav")
    p.add_argument("--sheet")
    p.add_argument("--utterances", type=int, default=8)
    p.add_argument("--seconds", type=float, default=6)
    a = p.parse_args()
    torch.set_num_threads(1)
    rng = np.random.default_rng(77)
    chain = Chain(a.checkpoint)
    report, rows = speech(chain, a.data, a.utterances, a.seconds, rng)
    report["noises"] = noises(chain, report["iris"]["p95"][0], rng)
    if a.wav:
        report["real_voice_envelope"] = real(chain, a.wav)
    print(json.dumps(report, indent=1))
    if a.sheet:
        strips = []
        for _, base, made, truth, m, t in rows[:6]:
            at = np.linspace(0, len(made) - 1, 10).astype(int)
            strips += [np.hstack(list(truth[at])), np.hstack(list(made[at]))]
        cv2.imwrite(a.sheet, np.vstack(strips)[..., ::-1])


if __name__ == "__main__":
    main()
