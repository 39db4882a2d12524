"""What the official networks compute: diffusers, transformers and face_networks.py, in PyTorch fp32, from the official files.

Each function takes the folder of the checkpoints and gives cases: lists of (inputs by name, outputs by name), both numpy. A network
is freed before the next is loaded.
"""
import json

import numpy as np
import torch

import inputs
import structure
from face_networks import BiSeNet, S3FD

SCALING = 0.18215
SEED = 77
SIZES = ((256, 256), (333, 517), (480, 640), (97, 131), (720, 1280))  # heights and widths of the face detector's pictures


def numbers(tensors):
    return {name: tensor.numpy() for name, tensor in tensors.items()}


def load(path, model, rename=lambda name: name, prefix="", mapped=True):
    """A checkpoint into a module, strictly; unknown names are refused, weights are mapped rather than copied."""
    tensors = torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
    tensors = {rename(name[len(prefix):]): value for name, value in tensors.items() if name.startswith(prefix)}
    model.load_state_dict(tensors, strict=True, assign=True)
    return model.eval()


def new_names(name):
    for new, old in (("to_q.", "query."), ("to_k.", "key."), ("to_v.", "value."), ("to_out.0.", "proj_attn.")):
        name = name.replace("attentions.0." + old, "attentions.0." + new)
    return name


def unet(folder):
    from diffusers import UNet2DConditionModel

    folder = folder / "musetalkV15"
    with torch.device("meta"):
        model = UNet2DConditionModel.from_config(json.loads((folder / "musetalk.json").read_text()))
    model = load(folder / "unet.pth", model)
    structure.check("unet", model.state_dict())
    return model


def vae(folder):
    from diffusers import AutoencoderKL

    model = AutoencoderKL.from_config(json.loads((folder / "sd-vae" / "config.json").read_text()))
    return load(folder / "sd-vae" / "diffusion_pytorch_model.bin", model, new_names)


def whisper(folder):
    from transformers import WhisperConfig
    from transformers.models.whisper.modeling_whisper import WhisperEncoder

    config = WhisperConfig.from_dict(json.loads((folder / "whisper" / "config.json").read_text()))
    return load(folder / "whisper" / "pytorch_model.bin", WhisperEncoder(config), prefix="model.encoder.")


def predict(model, latent, audio):
    return model(latent, torch.zeros(1), encoder_hidden_states=audio + inputs.positions()).sample


def decode(model, latent):
    """Before clamping, 0…255, [B, 3, H, W]."""
    return (model.decode(latent / SCALING).sample / 2 + 0.5) * 255


def bytes_of(picture):
    """As the pack gives it: RGB, [B, H, W, 3], rounded half to even."""
    return picture.clamp(0, 255).permute(0, 2, 3, 1).round().to(torch.uint8)


def audio_encoder(folder):
    mel = inputs.mel(SEED)
    states = whisper(folder)(mel, output_hidden_states=True).hidden_states
    return [({"mel": mel}, {"states": torch.stack(states, dim=2)})]


def generator(folder):
    latent, audio = inputs.latents(SEED, 2, 8), inputs.audio_rows(SEED, 2)
    return [({"latent": latent, "audio": audio}, {"prediction": predict(unet(folder), latent, audio)})]


def encoder(folder):
    image = inputs.face_pair(SEED)
    return [({"image": image}, {"latent": vae(folder).encode(image).latent_dist.mean * SCALING})]


def decoder(folder, prediction):
    """Two pictures: of drawn latents, and of what the generator made."""
    latent = torch.cat([inputs.latents(SEED + 1, 1, 4), prediction])
    picture = decode(vae(folder), latent)
    return [({"latent": latent}, {"picture": picture, "image": bytes_of(picture)})]


def face_parser(folder):
    image = inputs.parsed_picture(SEED, 2)
    model = load(folder / "face-parse-bisent" / "79999_iter.pth", BiSeNet(), mapped=False)
    logits = model(image)
    return [({"image": image}, {"logits": logits, "classes": logits.argmax(1).to(torch.uint8)})]


def face_detector(folder):
    model = load(folder / "s3fd-619a316812.pth", S3FD(), mapped=False)
    cases = []
    for i, (height, width) in enumerate(SIZES):
        image = inputs.detected_picture(SEED + i, height, width)
        levels = model(image)
        found = {f"scores_{k}": scores for k, (scores, _) in enumerate(levels)}
        cases.append(({"image": image}, found | {f"boxes_{k}": boxes for k, (_, boxes) in enumerate(levels)}))
    return cases


def stored(cases, path):
    """Cases as files, so that a second comparison need not wait for PyTorch."""
    arrays = {}
    for i, pair in enumerate(cases):
        for side, tensors in zip(("in", "out"), pair):
            arrays |= {f"{i}.{side}.{name}": value for name, value in numbers(tensors).items()}
    np.savez(path, **arrays)


def read(path):
    cases = []
    with np.load(path) as arrays:
        for key in arrays.files:
            index, side, name = key.split(".")
            while len(cases) <= int(index):
                cases.append(({}, {}))
            cases[int(index)][side == "out"][name] = arrays[key]
    return cases


def all_cases(folder, kept):
    """Files of cases by network; those that `kept` holds already are taken from there."""
    paths = {}
    for make in (audio_encoder, generator, encoder, decoder, face_parser, face_detector):
        path = paths[make.__name__] = kept / f"{make.__name__}.npz"
        if path.is_file():
            print(f"reference of {make.__name__}: found at {path}", flush=True)
            continue
        print(f"reference of {make.__name__}: PyTorch", flush=True)
        more = (torch.from_numpy(read(paths["generator"])[0][1]["prediction"])[:1],) if make is decoder else ()
        with torch.inference_mode():
            stored(make(folder, *more), path)
    return paths
