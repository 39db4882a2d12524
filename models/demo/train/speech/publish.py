"""Rounds a trained encoder to half precision, as it is shipped, and writes it out.

    python publish.py RUN/encoder OUT/whisper
"""

import json
import sys
from pathlib import Path

from safetensors.torch import load_file, save_file


def main():
    source, out = map(Path, sys.argv[1:3])
    out.mkdir(parents=True, exist_ok=True)
    tensors = {k: v.half() for k, v in load_file(source / "model.safetensors").items()}
    config = json.loads((source / "config.json").read_text())
    config["torch_dtype"] = "float16"
    (out / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    part = out / "model.safetensors.part"
    save_file(tensors, part, {"format": "pt"})
    part.rename(out / "model.safetensors")
    print(sum(v.numel() for v in tensors.values()), "parameters")


if __name__ == "__main__":
    main()
