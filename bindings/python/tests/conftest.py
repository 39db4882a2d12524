"""What the tests share: the bundled pack and person, an engine, a voice."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[3]
os.environ.setdefault("MUSETALK_DEMO", str(ROOT / "models" / "demo"))

import musetalk
from musetalk import demo

#: Nothing takes this long, on the busiest machine.
PATIENCE = 120.0


@pytest.fixture(scope="session")
def engine() -> musetalk.Engine:
    return musetalk.Engine(demo.pack(), device="cpu", threads=2)


@pytest.fixture(scope="session")
def voice() -> np.ndarray:
    return demo.voice()


@pytest.fixture
def avatar(engine: musetalk.Engine):
    with engine.open_avatar(demo.avatar()) as avatar:
        yield avatar


def python(code: str, **kwargs) -> subprocess.CompletedProcess[str]:
    """Runs a program in a Python of its own."""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE, **kwargs)
