"""The stubs say what the module is."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import musetalk
import pytest
from conftest import PATIENCE

HERE = Path(__file__).parent


@pytest.mark.skipif(not importlib.util.find_spec("mypy"), reason="mypy is not installed: the stubs were not compared")
def test_stubs_and_module_agree():
    allowed = ["--allowlist", str(HERE / "stubtest_allowlist.txt"), "--ignore-unused-allowlist"]
    site = Path(musetalk.__file__).parents[1]
    environment = {"MYPYPATH": str(site), "PYTHONPATH": str(site), "PATH": ""}
    done = subprocess.run(
        [sys.executable, "-m", "mypy.stubtest", "musetalk", "--concise", *allowed],
        capture_output=True, text=True, timeout=PATIENCE * 2, env=environment, cwd=site,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
