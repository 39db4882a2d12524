"""What the published checkpoints hold: how many tensors and parameters, and, beside a checkout that has it, every name and shape."""
import functools
import importlib.util
from pathlib import Path

COUNTS = {  # tensors, parameters (without the buffers of batch norms)
    "unet": (686, 849_947_844),
    "vae": (248, 83_653_863),
    "whisper": (67, 8_208_384),
    "bisenet": (191, 13_300_416),
    "s3fd": (65, 22_459_110),
}
LIST = Path(__file__).resolve().parents[3] / "shared/spec/flops.py"


@functools.cache
def lists():
    if not LIST.is_file():
        print(f"  no list of names at {LIST}: only counts are checked")
        return None
    spec = importlib.util.spec_from_file_location("flops", LIST)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return {name: getattr(module, name)().t for name in COUNTS}


def check(network, tensors):
    """Stops at the first difference in names, shapes or counts."""
    buffers = ("running_mean", "running_var", "num_batches_tracked")
    count = len(tensors), sum(value.numel() for name, value in tensors.items() if not name.endswith(buffers))
    if count != COUNTS[network]:
        raise SystemExit(f"{network}: {count} tensors and parameters, published are {COUNTS[network]}")
    if expected := lists():
        shapes = {name: tuple(value.shape) for name, value in tensors.items()}
        wanted = {name: shape for name, (shape, _) in expected[network].items()}
        if shapes != wanted:
            raise SystemExit(f"{network}: differs at {sorted(shapes.items() ^ wanted.items())[:4]}")
    print(f"  {count[0]} tensors, {count[1]:,} parameters{': every name and shape as published' if expected else ''}")
