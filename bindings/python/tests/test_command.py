"""The command `musetalk`, inside Python."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from conftest import PATIENCE

COMMAND = [sys.executable, "-m", "musetalk"]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=PATIENCE)


def test_it_answers_as_the_program_does():
    assert run("--version").stdout.startswith("musetalk ")
    assert "musetalk demo" in run("--help").stdout
    wrong = run("no-such-command")
    assert wrong.returncode == 2 and "no-such-command" in wrong.stderr
    demo = os.environ["MUSETALK_DEMO"]
    inspected = run("pack", "inspect", f"{demo}/pack", "--json")
    assert inspected.returncode == 0 and json.loads(inspected.stdout)
    failed = run("pack", "inspect", f"{demo}/nothing")
    assert failed.returncode == 1 and "nothing" in failed.stderr and "Traceback" not in failed.stderr


def test_the_demo_becomes_a_video(tmp_path):
    done = run("demo", "--json", "--out", str(tmp_path / "out.avi"))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out.avi").stat().st_size > 100_000


@pytest.mark.skipif(sys.platform == "win32", reason="SIGINT goes to a whole console there")
def test_ctrl_c_ends_it_and_leaves_nothing(tmp_path):
    program = subprocess.Popen(
        [*COMMAND, "bench", "--seconds", "600"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path
    )
    time.sleep(3.0)
    assert program.poll() is None, program.stderr.read()
    program.send_signal(signal.SIGINT)
    _, error = program.communicate(timeout=PATIENCE)
    assert program.returncode == 1 and "cancelled" in error and list(tmp_path.iterdir()) == []
