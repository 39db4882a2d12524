"""The command `musetalk`, and where the packages lie that it needs."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn


def package_folder(name: str) -> Path | None:
    """The folder of an installed package. Imports nothing."""
    try:
        spec = find_spec(name)
    except (ImportError, ValueError):
        # A module that stands in for a package, as tests make them.
        return None
    folders = list(spec.submodule_search_locations or []) if spec else []
    return Path(folders[0]) if folders else None


def runtime_folder() -> Path | None:
    """The folder in which the `onnxruntime` package keeps its library."""
    folder = package_folder("onnxruntime")
    return folder / "capi" if folder else None


def main() -> NoReturn:
    """Runs the command with the arguments of this process, and ends it."""
    import signal

    from ._native import main as run

    demo = package_folder("musetalk_demo")
    if demo and not os.environ.get("MUSETALK_DEMO"):
        os.environ["MUSETALK_DEMO"] = str(demo)
    # The command listens for Ctrl-C by itself: the first asks, the second insists.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(run(["musetalk", *sys.argv[1:]]))
