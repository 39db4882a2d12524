"""Milliseconds per frame of UNet and VAE decoder: ONNX Runtime on an fp32 pack, the product on that pack, and PyTorch.

    python throughput.py --from DIR --pack PACK [--musetalk BIN] [--rounds N] [--threads N]

All take turns in one run on the same number of threads, so that what else the machine does falls on all alike; figures are medians
over the rounds. PyTorch is eager, in inference mode, fp32 and, for information, bf16. With `--musetalk`, a release build of the
product renders ten frames in each round. Writes the section "Throughput" of results.md; exit code 1 when the pack is slower than
PyTorch fp32.
"""
import argparse
import gc
import json
import os
import statistics
import sys
import tempfile
import time
import wave
from pathlib import Path

import environment

environment.enter()

import numpy as np  # noqa: E402
import torch  # noqa: E402
from PIL import Image  # noqa: E402

import inputs  # noqa: E402
import reference  # noqa: E402
import report  # noqa: E402
import watch  # noqa: E402
from packs import Pack  # noqa: E402

SEED = 5
FRAMES = 10
NOTE = ("PyTorch is slower while ONNX Runtime lives in the same process, for a reason not found. The comparison with the product, "
        "which is a process of its own, is the fair one; each row of a pack is compared with the PyTorch that took turns with it.")


class Torch:
    """UNet and decoder of the official files, eager."""

    def __init__(self, folder, kind):
        self.kind = kind
        self.unet = reference.unet(folder).to(kind)
        self.vae = reference.vae(folder).to(kind)
        self.vae.encoder = None
        self.zero, self.positions = torch.zeros(1, dtype=kind), inputs.positions().to(kind)
        self.latent = inputs.latents(SEED, 1, 8).to(kind)
        self.audio = inputs.audio_rows(SEED, 1).to(kind)

    def frame(self):
        """Seconds of the UNet and of the decoder, up to bytes."""
        with torch.inference_mode():
            start = time.perf_counter()
            made = self.unet(self.latent, self.zero, encoder_hidden_states=self.audio + self.positions).sample
            middle = time.perf_counter()
            reference.bytes_of(reference.decode(self.vae, made).float())
            return middle - start, time.perf_counter() - middle


class Runtime:
    """A pack's graphs through ONNX Runtime's own Python package, at the pack's optimisation levels."""

    def __init__(self, pack, threads):
        sessions = (pack.session(role, pack.graphs(role)[0][-1], threads) for role in ("generator", "decoder"))
        self.generator, self.decoder = sessions
        self.latent, self.audio = inputs.latents(SEED, 1, 8).numpy(), inputs.audio_rows(SEED, 1).numpy()

    def frame(self):
        start = time.perf_counter()
        made = self.generator.run(None, {"latent": self.latent, "audio": self.audio})[0]
        middle = time.perf_counter()
        self.decoder.run(None, {"latent": made})
        return middle - start, time.perf_counter() - middle


class Product:
    """`musetalk render` of ten frames; the times are its own, per frame that went through the networks."""

    def __init__(self, musetalk, pack, threads, folder):
        self.folder, self.avatar = folder, folder / "cloud.avatar"
        self.command = [musetalk, "render", "--pack", pack, "--avatar", self.avatar, "--audio", folder / "voice.wav",
                        "--out", folder / "frames", "--overwrite", "--device", "cpu", "--threads", threads, "--json"]
        with wave.open(str(folder / "voice.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(16000)
            file.writeframes((inputs.voice(SEED, FRAMES / 25) * 20000).astype("<i2").tobytes())
        parts = folder / "parts"
        for name in ("frames", "masks"):
            (parts / name).mkdir(parents=True)
        picture = inputs.pictures(SEED, 1, 512, 512)[0].permute(1, 2, 0).to(torch.uint8).numpy()
        Image.fromarray(picture).save(parts / "frames" / "00000000.png")
        # A face of 256 pixels lies in a crop of 384: half of it times 1.5, to both sides.
        mask = np.zeros((384, 384), np.uint8)
        mask[192:320, 64:320] = 255
        Image.fromarray(mask).save(parts / "masks" / "00000000.png")
        (parts / "boxes.json").write_text("[[128, 128, 384, 384]]")
        watch.succeed([musetalk, "avatar", "from-parts", parts, "--pack", pack, "--out", self.avatar])

    def frame(self):
        figures = json.loads(watch.succeed(self.command).output.splitlines()[-1])
        made = figures["measured_frames"] - figures["still_frames"]
        if made < 1:
            raise SystemExit("the product found only silence in the voice")
        return tuple(figures["stages"][stage]["total_ms"] / 1000 / made for stage in ("generate", "decode"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--from", dest="source", type=Path, required=True)
    parser.add_argument("--pack", type=Path, required=True)
    parser.add_argument("--musetalk")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    args = parser.parse_args()
    origin = report.origin(("torch", "diffusers", "onnxruntime"))
    torch.set_num_threads(args.threads)
    times = {}

    def turns(ways):
        for way in ways.values():
            way.frame()  # the first call sets up
        for turn in range(args.rounds):
            for name, way in ways.items():
                times.setdefault(name, []).append(way.frame())
                print(f"round {turn + 1}, {name}: {' + '.join(f'{1000 * t:.0f}' for t in times[name][-1])} ms", flush=True)

    with tempfile.TemporaryDirectory(dir=args.pack.parent) as scratch:
        ways = {"PyTorch fp32": Torch(args.source, torch.float32),
                "ONNX Runtime, fp32 pack": Runtime(Pack(args.pack), args.threads)}
        turns(ways)
        # 3.4 GB each: never more than two at a time.
        ways.pop("ONNX Runtime, fp32 pack")
        gc.collect()
        if args.musetalk:
            ways = {"PyTorch fp32 beside the product": ways.pop("PyTorch fp32"),
                    "musetalk render, fp32 pack": Product(args.musetalk, args.pack, args.threads, Path(scratch))}
            turns(ways)
        ways.clear()
        gc.collect()
        turns({"PyTorch bf16": Torch(args.source, torch.bfloat16)})

    medians = {name: [1000 * statistics.median(part) for part in zip(*found)] for name, found in times.items()}
    totals = {name: 1000 * statistics.median(map(sum, found)) for name, found in times.items()}

    def ratio(name):
        beside = f"PyTorch fp32{' beside the product' if 'render' in name else ''}"
        return totals[beside] / totals[name]

    lines = []
    for name, (unet, decoder) in medians.items():
        spread = [1000 * sum(t) for t in times[name]]
        verdict = ""
        if "pack" in name:
            verdict = f"≥ 1: {'met' if ratio(name) >= 1 else '**missed**'}"
        lines.append([name, f"{unet:.0f}", f"{decoder:.0f}", f"{totals[name]:.0f} ({min(spread):.0f} … {max(spread):.0f})",
                      f"{ratio(name):.2f}", verdict])
    head = ["what", "UNet, ms", "decoder, ms", "frame, ms (all rounds)", "× PyTorch fp32", "aim"]
    report.write("Throughput", f"{origin} {args.threads} threads, {args.rounds} rounds, one frame at a time.\n\n"
                               f"{report.table(head, lines)}\n\n{NOTE}")
    sys.exit(0 if all(ratio(name) >= 1 for name in totals if "pack" in name) else 1)


if __name__ == "__main__":
    main()
