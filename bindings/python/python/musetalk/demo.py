"""The bundled pack, avatars and voice: `pip install "musetalk[demo]"`, or the sources.

A small demonstration network and drawn faces; they show the chain, and convince nobody.
"""

from __future__ import annotations

import os
import wave
from pathlib import Path
from typing import TYPE_CHECKING

from ._command import package_folder
from ._native import InvalidInputError, NotFoundError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


def folder() -> Path:
    """Where the files lie: `MUSETALK_DEMO`, else the package `musetalk-demo`.

    Raises:
        NotFoundError: neither is there.
    """
    named = os.environ.get("MUSETALK_DEMO")
    found = Path(named) if named else package_folder("musetalk_demo")
    if found is None or not (found / "pack" / "pack.json").is_file():
        where = f" in MUSETALK_DEMO: {named}" if named else ""
        raise NotFoundError(f'the demo files are not there{where}; run: pip install "musetalk[demo]"')
    return found


def pack() -> Path:
    """The folder of the pack."""
    return folder() / "pack"


def avatar(name: str = "iris") -> Path:
    """The file of an avatar: `iris` or `marco`.

    Raises:
        InvalidInputError: there is no such avatar.
    """
    path = folder() / f"{name}.avatar"
    if not path.is_file():
        names = ", ".join(sorted(file.stem for file in folder().glob("*.avatar")))
        raise InvalidInputError(f"no bundled avatar is called {name!r}; there are: {names}")
    return path


def voice() -> npt.NDArray[np.int16]:
    """Twelve seconds of speech, mono, 24 000 Hz."""
    import numpy as np

    with wave.open(str(folder() / "voice.wav"), "rb") as file:
        return np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
