"""The virtual environment of the parity suite: made on first use beside the checkout's other caches, from requirements.txt.

`MUSETALK_PARITY_VENV` names another one to use as it is.
"""
import os
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
REQUIREMENTS = HERE / "requirements.txt"


def enter():
    """Goes on in the environment; returns at once when it already runs there."""
    chosen = os.environ.get("MUSETALK_PARITY_VENV")
    folder = Path(chosen) if chosen else HERE.parents[1] / ".cache" / "parity-venv"
    if Path(sys.prefix).resolve() == folder.resolve():
        return
    python = folder / "bin" / "python"
    stamp = folder / "requirements.txt"
    if not chosen and (not stamp.is_file() or stamp.read_bytes() != REQUIREMENTS.read_bytes()):
        print(f"making the environment {folder} (some minutes, about 6 GB)", file=sys.stderr)
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--requirement", REQUIREMENTS], check=True)
        stamp.write_bytes(REQUIREMENTS.read_bytes())
    os.execv(python, [str(python), *sys.argv])
