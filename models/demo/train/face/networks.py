"""The two networks' shapes, and how a run is saved so that it can go on after any interruption."""
import copy
import json
import os

import numpy as np
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors.torch import load_file, save_file


def make_vae():
    return AutoencoderKL(in_channels=3, out_channels=3, latent_channels=4, down_block_types=["DownEncoderBlock2D"] * 4, up_block_types=["UpDecoderBlock2D"] * 4,
                         block_out_channels=(16, 16, 32, 64), layers_per_block=1, norm_num_groups=8, sample_size=128, scaling_factor=1.0)


def make_unet():
    return UNet2DConditionModel(sample_size=16, in_channels=8, out_channels=4, down_block_types=["CrossAttnDownBlock2D"] * 3 + ["DownBlock2D"], up_block_types=["UpBlock2D"] + ["CrossAttnUpBlock2D"] * 3,
                                block_out_channels=(32, 48, 64, 96), layers_per_block=1, attention_head_dim=4, norm_num_groups=8, cross_attention_dim=128, flip_sin_to_cos=True, freq_shift=0)


class Average:
    """Exponential average of the weights: what is saved for use."""

    def __init__(self, model, decay=0.999):
        self.model, self.decay, self.steps = copy.deepcopy(model).eval().requires_grad_(False), decay, 0

    @torch.no_grad()
    def update(self, model):
        self.steps += 1
        d = min(self.decay, (1 + self.steps) / (10 + self.steps))
        torch._foreach_lerp_(list(self.model.parameters()), list(model.parameters()), 1 - d)


def save_state(path, **parts):
    torch.save(parts, path + ".tmp")
    os.replace(path + ".tmp", path)


def export(model, folder, dtype=torch.float16, **config):
    """config.json + diffusion_pytorch_model.safetensors, every tensor rounded to half."""
    os.makedirs(folder, exist_ok=True)
    model.register_to_config(**config)
    settings = {k: v for k, v in dict(model.config).items() if not k.startswith("_") or k == "_class_name"}
    settings["_class_name"] = type(model).__name__
    with open(f"{folder}/config.json.tmp", "w") as f:
        json.dump(settings, f, indent=2, default=list)
    os.replace(f"{folder}/config.json.tmp", f"{folder}/config.json")
    save_file({k: v.detach().to(dtype).contiguous() for k, v in model.state_dict().items()}, f"{folder}/diffusion_pytorch_model.safetensors.tmp")
    os.replace(f"{folder}/diffusion_pytorch_model.safetensors.tmp", f"{folder}/diffusion_pytorch_model.safetensors")


def load(make, folder):
    model = make()
    model.load_state_dict({k: v.float() for k, v in load_file(f"{folder}/diffusion_pytorch_model.safetensors").items()})
    with open(f"{folder}/config.json") as f:
        model.register_to_config(scaling_factor=json.load(f).get("scaling_factor", 1.0))
    return model


def to_signed(images):
    """uint8 [...,H,W,3] to float [...,3,H,W] in -1...1."""
    x = torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2)
    return x.float() / 127.5 - 1
