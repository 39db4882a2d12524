"""Writes full-size checkpoints with random weights in MuseTalk's official layout and file formats.

    python make_official.py --out DIR [--seed N] [--v1] [--old-vae-names] [--only NAME …]

Shapes, names, number types, file formats and their habits (storages marked as of a GPU, `_metadata` on the dictionaries, legacy
files where the publisher's are older than PyTorch 1.6) are the published ones; the numbers are random, scaled so that every
network works in its real range at full depth. Prints what those ranges are. About 4 GB on disk, 7.5 GB with `--v1`.
"""
import argparse
import json
import resource
import sys
import time
from collections import OrderedDict
from pathlib import Path

import environment

environment.enter()

import torch  # noqa: E402

import inputs  # noqa: E402
import structure  # noqa: E402
from calibration import Calibration, draw  # noqa: E402
from face_networks import BiSeNet, S3FD  # noqa: E402

CROSS_DOWN, CROSS_UP = "CrossAttnDownBlock2D", "CrossAttnUpBlock2D"
UNET = {
    "_class_name": "UNet2DConditionModel", "_diffusers_version": "0.6.0.dev0", "act_fn": "silu", "attention_head_dim": 8,
    "block_out_channels": [320, 640, 1280, 1280], "center_input_sample": False, "cross_attention_dim": 384,
    "down_block_types": [CROSS_DOWN, CROSS_DOWN, CROSS_DOWN, "DownBlock2D"], "downsample_padding": 1,
    "flip_sin_to_cos": True, "freq_shift": 0, "in_channels": 8, "layers_per_block": 2, "mid_block_scale_factor": 1,
    "norm_eps": 1e-05, "norm_num_groups": 32, "out_channels": 4, "sample_size": 64,
    "up_block_types": ["UpBlock2D", CROSS_UP, CROSS_UP, CROSS_UP],
}
VAE = {
    "_class_name": "AutoencoderKL", "_diffusers_version": "0.4.2", "act_fn": "silu",
    "block_out_channels": [128, 256, 512, 512], "down_block_types": ["DownEncoderBlock2D"] * 4, "in_channels": 3,
    "latent_channels": 4, "layers_per_block": 2, "norm_num_groups": 32, "out_channels": 3, "sample_size": 256,
    "up_block_types": ["UpDecoderBlock2D"] * 4,
}
WHISPER = {
    "activation_function": "gelu", "architectures": ["WhisperForConditionalGeneration"], "d_model": 384,
    "decoder_attention_heads": 6, "decoder_ffn_dim": 1536, "decoder_layers": 4, "encoder_attention_heads": 6,
    "encoder_ffn_dim": 1536, "encoder_layers": 4, "is_encoder_decoder": True, "max_source_positions": 1500,
    "max_target_positions": 448, "model_type": "whisper", "num_hidden_layers": 4, "num_mel_bins": 80,
    "scale_embedding": False, "torch_dtype": "float32", "vocab_size": 51865,
}
OLD_NAMES = (("to_q.", "query."), ("to_k.", "key."), ("to_v.", "value."), ("to_out.0.", "proj_attn."))


def span(name, tensor):
    x = tensor.flatten()
    print(f"  {name:34} deviation {x.std():8.3f}  mean {x.mean():8.3f}  range {x.min():9.2f} … {x.max():9.2f}", flush=True)


def by_ending(table, otherwise=1.0):
    """The wanted deviation of a layer: the first entry that its name ends with."""
    return lambda name: next((value for ending, value in table.items() if name.endswith(ending)), otherwise)


def save(path, tensors, legacy=False):
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(tensors, path, _use_new_zipfile_serialization=not legacy)
    print(f"  {path}: {len(tensors)} tensors, {path.stat().st_size / 1e6:.1f} MB", flush=True)


def write_json(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=2) + "\n")


def renamed(tensors, rename):
    """A state dict under other names, its `_metadata` kept."""
    result = OrderedDict((rename(name), value) for name, value in tensors.items())
    result._metadata = getattr(tensors, "_metadata", OrderedDict())
    return result


def unet(out, seed, folder, file):
    from diffusers import UNet2DConditionModel

    generator = inputs.generator(seed)
    with torch.device("meta"):
        model = UNet2DConditionModel.from_config(UNET)
    model = model.to_empty(device="cpu").eval()
    draw(model, generator)
    wanted = by_ending({"attn1.to_q": 1.4, "attn1.to_k": 1.4, "attn2.to_q": 1.3, "attn2.to_k": 1.3, "to_out.0": 0.6,
                        "net.0.proj": 1.2, "net.2": 0.8, "time_emb_proj": 0.5, "conv_in": 2.0, "conv2": 2.0, "proj_out": 2.0,
                        "conv_shortcut": 3.0, "downsamplers.0.conv": 4.0, "upsamplers.0.conv": 4.0, "conv_out": 1.0})
    with Calibration(model, wanted, generator) as pass_, torch.no_grad():
        audio = inputs.audio_rows(seed + 1, 1) + inputs.positions()
        model(inputs.latents(seed, 1, 8), torch.zeros(1), encoder_hidden_states=audio)
    with torch.no_grad():
        audio = inputs.audio_rows(seed + 3, 1) + inputs.positions()
        span("latents made", model(inputs.latents(seed + 2, 1, 8), torch.zeros(1), encoder_hidden_states=audio).sample)
    print(f"  largest activation {pass_.largest[0]:.1f} at {pass_.largest[1]}")
    structure.check("unet", model.state_dict())
    save(out / folder / file, model.state_dict())
    write_json(out / folder / "musetalk.json", UNET)


def vae(out, seed, old_names):
    from diffusers import AutoencoderKL

    generator = inputs.generator(seed)
    model = AutoencoderKL.from_config(VAE).eval()
    draw(model, generator)
    # 5.5 × 0.18215 = 1; a picture's deviation of 50 of 255 is 0.4 in -1…1.
    wanted = by_ending({"encoder.conv_out": 5.5, "post_quant_conv": 5.5, "quant_conv": 5.5, "decoder.conv_out": 0.4,
                        "to_q": 1.4, "to_k": 1.4, "conv_in": 6.0, "conv2": 6.0, "to_out.0": 6.0, "conv_shortcut": 12.0,
                        "downsamplers.0.conv": 10.0, "upsamplers.0.conv": 10.0})
    with Calibration(model, wanted, generator) as pass_, torch.no_grad():
        model.encode(inputs.face_pair(seed))
        model.decode(inputs.latents(seed, 1, 4) / 0.18215)
    with torch.no_grad():
        span("latents of pictures", model.encode(inputs.face_pair(seed + 1)).latent_dist.mean * 0.18215)
        picture = (model.decode(inputs.latents(seed + 1, 1, 4) / 0.18215).sample / 2 + 0.5) * 255
        span("pictures before clamping", picture)
        print(f"  {((picture < 0) | (picture > 255)).float().mean():.2%} of the pixels are clamped")
    print(f"  largest activation {pass_.largest[0]:.1f} at {pass_.largest[1]}")
    tensors = model.state_dict()
    structure.check("vae", tensors)
    if old_names:
        def rename(name):
            for new, old in OLD_NAMES:
                name = name.replace("attentions.0." + new, "attentions.0." + old)
            return name

        tensors = renamed(tensors, rename)
    save(out / "sd-vae" / "diffusion_pytorch_model.bin", tensors)
    write_json(out / "sd-vae" / "config.json", VAE)


def whisper(out, seed):
    from transformers import WhisperConfig, WhisperFeatureExtractor, WhisperModel

    generator = inputs.generator(seed)
    model = WhisperModel(WhisperConfig.from_dict(WHISPER)).eval()
    sinusoids = model.encoder.embed_positions.weight.clone()
    draw(model, generator)
    model.encoder.embed_positions.weight.data.copy_(sinusoids)
    wanted = by_ending({"q_proj": 1.5, "k_proj": 1.5, "out_proj": 0.8, "fc1": 1.2, "fc2": 0.8, "conv2": 0.8})
    with Calibration(model.encoder, wanted, generator) as pass_, torch.no_grad():
        model.encoder(inputs.mel(seed))
    with torch.no_grad():
        for i, state in enumerate(model.encoder(inputs.mel(seed + 1), output_hidden_states=True).hidden_states):
            span(f"hidden state {i}", state)
    print(f"  largest activation {pass_.largest[0]:.1f} at {pass_.largest[1]}")
    tensors = model.state_dict()
    structure.check("whisper", {k.removeprefix("encoder."): v for k, v in tensors.items() if k.startswith("encoder.")})
    save(out / "whisper" / "pytorch_model.bin", renamed(tensors, lambda name: "model." + name))
    write_json(out / "whisper" / "config.json", WHISPER)
    write_json(out / "whisper" / "preprocessor_config.json", WhisperFeatureExtractor().to_dict())


def bisenet(out, seed):
    generator = inputs.generator(seed)
    model = BiSeNet().eval()
    draw(model, generator)
    with Calibration(model, by_ending({"conv_out.conv_out": 3.0}), generator) as pass_, torch.no_grad():
        kept = {}
        handle = model.conv_out.conv.register_forward_hook(lambda _, __, x: kept.update(mean=x.mean((0, 2, 3))))
        # What all places have in common decides nothing: taken out of the last layer, so that classes vary by place.
        model.conv_out.conv_out.register_forward_pre_hook(lambda part, _: without(part.weight, kept["mean"]))
        picture = inputs.parsed_picture(seed, 4)
        model(picture)
        handle.remove()
        model.conv_out.conv_out._forward_pre_hooks.clear()
        for head, x in zip((model.conv_out16, model.conv_out32), auxiliary(model, picture)):
            head(x)
    with torch.no_grad():
        logits = model(inputs.parsed_picture(seed + 1))
        span("logits", logits)
        share = torch.bincount(logits.argmax(1).flatten(), minlength=19) / logits[0, 0].numel()
        print(f"  {(share > 0.005).sum()} of 19 classes on more than 0.5 % of the picture, the largest on {share.max():.0%}")
    print(f"  largest activation {pass_.largest[0]:.1f} at {pass_.largest[1]}")
    structure.check("bisenet", model.state_dict())
    save(out / "face-parse-bisent" / "79999_iter.pth", model.state_dict(), legacy=True)


def without(weight, mean):
    direction = mean / mean.norm()
    rows = weight.flatten(1)
    rows.sub_(0.95 * (rows @ direction)[:, None] * direction)


def auxiliary(model, picture):
    """What the training heads see: they are in the checkpoint, so their statistics are sensible too."""
    _, context = model.cp(picture)
    return context, torch.nn.functional.avg_pool2d(context, 2)


def s3fd(out, seed):
    generator = inputs.generator(seed)
    model = S3FD().eval()
    draw(model, generator)
    with torch.no_grad():
        for name, level in zip(model.LEVELS[:3], (10.0, 8.0, 5.0)):
            part = getattr(model, name)
            part.weight.normal_(generator=generator).mul_(0.1 * level).add_(level)
    # Pixels enter as they are, so a trained VGG works in the tens and hundreds.
    with Calibration(model, by_ending({"mbox_conf": 2.0, "mbox_loc": 1.0}, 60.0), generator) as pass_, torch.no_grad():
        model(inputs.detected_picture(seed, 480, 640))
    with torch.no_grad():
        for i, (scores, boxes) in enumerate(model(inputs.detected_picture(seed + 1, 480, 640))):
            span(f"scores {i}", scores)
            span(f"boxes {i}", boxes)
    print(f"  largest activation {pass_.largest[0]:.1f} at {pass_.largest[1]}")
    structure.check("s3fd", model.state_dict())
    save(out / "s3fd-619a316812.pth", model.state_dict(), legacy=True)


def dwpose(out, seed):
    """No weights of ours: a small graph with the published names and shapes, so that packing it can be tried."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    generator = inputs.generator(seed)

    def weight(name, *shape):
        values = torch.randn(*shape, generator=generator) / shape[-1] ** 0.5
        return numpy_helper.from_array(values.numpy(), name)

    def value(name, *shape):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", *shape])

    shape = numpy_helper.from_array(torch.tensor([0, 133, 108]).numpy(), "shape")
    nodes = [
        helper.make_node("AveragePool", ["input"], ["pooled"], kernel_shape=[32, 32], strides=[32, 32]),
        helper.make_node("Conv", ["pooled", "points"], ["maps"]),
        helper.make_node("Reshape", ["maps", "shape"], ["rows"]),
        helper.make_node("MatMul", ["rows", "across"], ["simcc_x"]),
        helper.make_node("MatMul", ["rows", "down"], ["simcc_y"]),
    ]
    graph = helper.make_graph(
        nodes, "stand-in for dw-ll_ucoco_384", [value("input", 3, 384, 288)],
        [value("simcc_x", 133, 576), value("simcc_y", 133, 768)],
        [weight("points", 133, 3, 1, 1), weight("across", 108, 576), weight("down", 108, 768), shape])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=6, producer_name="stand-in")
    onnx.checker.check_model(model, full_check=True)
    path = out / "dwpose" / "dw-ll_ucoco_384.onnx"
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, path)
    print(f"  {path}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--v1", action="store_true", help="the UNet of MuseTalk 1.0 too")
    parser.add_argument("--old-vae-names", action="store_true", help="the VAE's attention as named before diffusers 0.14")
    parser.add_argument("--only", nargs="+", metavar="NAME")
    args = parser.parse_args()
    # Published weights were saved on a GPU and say so; nothing that reads them may mind.
    torch.serialization.register_package(0, lambda _: "cuda:0", lambda *_: None)
    out, seed = args.out, args.seed
    recipes = {
        "vae": lambda: vae(out, seed + 100, args.old_vae_names),
        "whisper": lambda: whisper(out, seed + 200),
        "bisenet": lambda: bisenet(out, seed + 300),
        "s3fd": lambda: s3fd(out, seed + 400),
        "dwpose": lambda: dwpose(out, seed + 500),
        "unet": lambda: unet(out, seed, "musetalkV15", "unet.pth"),
    }
    if args.v1:
        recipes["unet 1.0"] = lambda: unet(out, seed + 600, "musetalk", "pytorch_model.bin")
    if unknown := set(args.only or ()) - recipes.keys():
        sys.exit(f"no network is called {', '.join(unknown)}; there are {', '.join(recipes)}")
    for name, make in recipes.items():
        if not args.only or name in args.only:
            start = time.monotonic()
            print(f"{name}:", flush=True)
            make()
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
            print(f"  {time.monotonic() - start:.0f} s, peak resident so far {peak:.1f} GiB", flush=True)


if __name__ == "__main__":
    main()
