"""Compares `musetalk render --reference` with the oracle on whole clips, at reduced width and Whisper's real 30 s segments.

    python end_to_end.py --musetalk target/release/musetalk --work DIR [--quick]

Draws a seeded checkpoint (1500 positions, 5 states), packs it, draws a person and voices, and renders every case twice: once with
the command, as PNG, and once with oracle.py.  Prints a table for end_to_end.md.  Takes about ten minutes on two cores that have nothing else to do.

Only pixels that speech changed in either picture are counted: the rest of a frame is footage and proves nothing.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path

import cv2
import numpy as np
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors.torch import save_file
from transformers import WhisperConfig
from transformers.models.whisper.modeling_whisper import WhisperEncoder

import draw_parts
import oracle

CROSS, CROSS_UP = "CrossAttnDownBlock2D", "CrossAttnUpBlock2D"
WHISPER = dict(d_model=48, encoder_layers=4, encoder_attention_heads=3, encoder_ffn_dim=96, num_mel_bins=80, max_source_positions=1500)
UNET = dict(in_channels=8, out_channels=4, sample_size=8, block_out_channels=[16, 32, 32, 32], layers_per_block=1,
            attention_head_dim=4, cross_attention_dim=48, norm_num_groups=4,
            down_block_types=[CROSS, CROSS, CROSS, "DownBlock2D"], up_block_types=["UpBlock2D", CROSS_UP, CROSS_UP, CROSS_UP])
VAE = dict(latent_channels=4, sample_size=64, block_out_channels=[8, 16, 16, 16], layers_per_block=1, norm_num_groups=4,
           scaling_factor=0.18215)
BOXES = [[40, 30, 150, 160], [42, 31, 155, 166], [47, 28, 150, 171], [5, 3, 121, 128], [90, 66, 210, 192], [60, 50, 101, 171], [50, 40, 180, 149]]

CASES = [  # samples, fps, blur, mask, cheeks
    (16_000, 25, "offline", "jaw", (90, 90)),
    (18_560, 25, "offline", "jaw", (90, 90)),
    (36_480, 25, "offline", "jaw", (90, 90)),
    (36_480, 25, "realtime", "jaw", (80, 80)),
    (36_480, 25, "realtime", "raw", (90, 90)),
    (36_480, 25, "offline", "neck", (90, 90)),
    (160_000, 29.97, "offline", "jaw", (90, 90)),
    (160_000, 23.976, "realtime", "jaw", (90, 90)),
    (160_000, 12, "offline", "jaw", (90, 90)),
    (480_000, 25, "offline", "jaw", (90, 90)),
    (480_001, 25, "offline", "jaw", (90, 90)),
    (1_440_000, 25, "offline", "jaw", (90, 90)),
]


def randomise(module: torch.nn.Module, generator: torch.Generator) -> None:
    """Fresh weights that keep the size of what passes through them; norms and biases away from 1 and 0."""
    for name, parameter in module.named_parameters():
        noise = torch.randn(parameter.shape, generator=generator)
        if parameter.ndim == 1:
            value = (1.0 if name.endswith("weight") else 0.0) + 0.2 * noise
        elif "embed_positions" in name:
            value = 0.5 * noise
        else:
            # A mouth that listens: the sound has a strong say.
            gain = 3.0 if "attn2.to_out" in name else 1.3
            value = noise * gain / math.sqrt(parameter[0].numel())
        with torch.no_grad():
            parameter.copy_(value)


def save(module: torch.nn.Module, config: dict, folder: Path, file: str) -> None:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    save_file({name: value.contiguous() for name, value in module.state_dict().items()}, folder / file)


def draw_checkpoint(folder: Path, seed: int) -> None:
    """whisper/, unet/ and vae/ of random weights; the decoder's last layer is scaled until its pictures span a byte."""
    generator = torch.Generator().manual_seed(seed)
    whisper = WhisperEncoder(WhisperConfig(**WHISPER, activation_function="gelu", attn_implementation="eager")).eval()
    unet = UNet2DConditionModel(**UNET).eval()
    blocks = len(VAE["block_out_channels"])
    vae = AutoencoderKL(**VAE, down_block_types=["DownEncoderBlock2D"] * blocks, up_block_types=["UpDecoderBlock2D"] * blocks).eval()
    for network in (whisper, unet, vae):
        randomise(network, generator)
    with torch.inference_mode():
        latent = torch.randn(4, 4, 8, 8, generator=generator)
        spread = vae.decode(latent / VAE["scaling_factor"]).sample.std()
    with torch.no_grad():
        vae.decoder.conv_out.weight *= 0.5 / spread
        vae.decoder.conv_out.bias *= 0.5
    save(whisper, {"model_type": "whisper", "activation_function": "gelu", **WHISPER}, folder / "whisper", "model.safetensors")
    save(unet, dict(unet.config), folder / "unet", "diffusion_pytorch_model.safetensors")
    save(vae, dict(vae.config), folder / "vae", "diffusion_pytorch_model.safetensors")


def compare(networks: oracle.Networks, person: oracle.Person, pcm: np.ndarray, settings: oracle.Settings, rendered: Path) -> dict:
    """Renders with the oracle and reads what the command wrote, frame by frame."""
    counts = dict(frames=0, changed=0, equal=0, near=0, worst=0)
    moments = np.zeros(3)
    previous, motion = {}, []
    for index, (face, expected) in enumerate(oracle.render(networks, person, pcm.astype(np.float32) / 32768, settings)):
        path = rendered / f"{index:08}.png"
        actual = cv2.imread(str(path))
        if actual is None:
            raise SystemExit(f"{path} is missing: the command rendered fewer frames than the oracle")
        source = person.frames[person.cycle(index)]
        changed = (expected != source).any(-1) | (actual != source).any(-1)
        difference = np.abs(expected.astype(int) - actual).max(-1)[changed]
        counts["frames"] += 1
        counts["changed"] += int(changed.sum())
        counts["equal"] += int((difference == 0).sum())
        counts["near"] += int((difference <= 1).sum())
        counts["worst"] = max(counts["worst"], int(difference.max(initial=0)))
        values = face.astype(float)
        moments += (values.size, values.sum(), (values**2).sum())
        at = person.cycle(index)
        if at in previous:
            motion.append(np.abs(values - previous[at]).mean())
        previous[at] = values
    if (rendered / f"{counts['frames']:08}.png").exists():
        raise SystemExit("the command rendered more frames than the oracle")
    mean = moments[1] / moments[0]
    return counts | dict(deviation=math.sqrt(moments[2] / moments[0] - mean**2), motion=float(np.mean(motion)) if motion else 0.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--musetalk", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True, help="a folder that does not exist yet")
    parser.add_argument("--samples", type=int, nargs="*", help="only clips of these lengths")
    given = parser.parse_args()
    work = given.work
    work.mkdir(parents=True)
    draw_checkpoint(work / "checkpoint", seed=5)
    subprocess.run([given.musetalk, "pack", "build", "--from", work / "checkpoint", "--out", work / "pack"], check=True)
    draw_parts.person(work / "parts", (208, 200), BOXES, seed=9)
    networks, person = oracle.Networks(work / "checkpoint"), oracle.Person(work / "parts")

    libraries = ("torch", "diffusers", "transformers", "opencv-python-headless", "pillow", "numpy")
    print(", ".join(f"{name} {version(name)}" for name in libraries), "\n")
    print("| samples | fps | blur | mask | frames | changed pixels | equal | within 1 | worst | faces: deviation, motion |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    failed = False
    for number, (samples, fps, blur, mask, cheeks) in enumerate(CASES):
        if given.samples and samples not in given.samples:
            continue
        pcm = draw_parts.voice(samples, seed=11)
        draw_parts.write_wav(work / "voice.wav", pcm)
        rendered = work / f"rendered-{number}"
        subprocess.run(
            [given.musetalk, "render", "--reference", "--json", "--device", "cpu", "--pack", work / "pack", "--avatar", work / "parts",
             "--audio", work / "voice.wav", "--out", rendered, "--fps", str(fps), "--blur", blur, "--mask", mask,
             "--cheek-width", f"{cheeks[0]},{cheeks[1]}"],
            check=True, stdout=subprocess.DEVNULL)
        found = compare(networks, person, pcm, oracle.Settings(fps, blur, mask, cheeks), rendered)
        shutil.rmtree(rendered)
        share = {key: 100 * found[key] / found["changed"] for key in ("equal", "near")}
        failed |= share["near"] < 99.9 or found["frames"] != oracle.frame_count(samples, fps)
        print(f"| {samples:,} | {fps} | {blur} | {mask} {cheeks[0]}, {cheeks[1]} | {found['frames']} | {found['changed']:,} "
              f"| {share['equal']:.4f} % | {share['near']:.4f} % | {found['worst']} | {found['deviation']:.1f}, {found['motion']:.1f} |", flush=True)
    if failed:
        raise SystemExit("a case misses 99.9 % within 1, or its frame count")


if __name__ == "__main__":
    torch.set_num_threads(1)  # small networks: a second thread only waits
    main()
