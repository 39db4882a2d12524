"""The stubs say what the module is."""

import ast
import functools
import importlib.util
import inspect
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


def documented(node: ast.AST, name: str) -> dict[str, str]:
    """Every name in the stub that is documented, with what it says."""
    found = {}
    for child in node.body:
        if isinstance(child, ast.ClassDef | ast.FunctionDef):
            full = f"{name}.{child.name}" if name else child.name
            if ast.get_docstring(child):
                found[full] = ast.get_docstring(child)
            if isinstance(child, ast.ClassDef):
                found |= documented(child, full)
    return found


def test_help_says_what_the_stubs_say():
    stub = ast.parse((Path(musetalk.__file__).parent / "__init__.pyi").read_text())
    wrong = []
    for name, doc in documented(stub, "").items():
        thing = functools.reduce(getattr, name.split("."), musetalk)
        if name != "Tool" and inspect.cleandoc(thing.__doc__ or "") != doc:
            wrong.append(f"{name}: {thing.__doc__!r}")
    assert not wrong, "\n".join(wrong)
