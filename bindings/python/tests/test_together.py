"""Beside `onnxruntime` in one process, with one library, and light to import."""

import pytest
from conftest import python

RUN_ONE = """
import onnxruntime, numpy as np
session = onnxruntime.InferenceSession(str(demo.pack() / "decoder.onnx"), providers=["CPUExecutionProvider"])
given = session.get_inputs()[0]
shape = [size if isinstance(size, int) else 1 for size in given.shape]
one = session.run(None, {given.name: np.zeros(shape, dtype=np.float32)})[0]
assert one.size > 1000
"""
RUN_OTHER = """
engine = musetalk.Engine(demo.pack(), device="cpu")
with engine.open_avatar(demo.avatar()) as avatar:
    avatar.push(demo.voice()[:4800])
    avatar.finish()
    assert len([frame.index for frame in avatar]) == 5
"""


@pytest.mark.parametrize("order", [(RUN_ONE, RUN_OTHER), (RUN_OTHER, RUN_ONE), (RUN_ONE, RUN_OTHER, RUN_ONE, RUN_OTHER)])
def test_both_run_in_one_process_in_any_order(order):
    code = "import musetalk\nfrom musetalk import demo\n" + "".join(order)
    code += "\nprint(engine.runtime_library.parent.parent.name, engine.runtime_version == onnxruntime.__version__)"
    done = python(code)
    assert (done.returncode, done.stdout) == (0, "onnxruntime True\n"), done.stderr


def test_the_library_is_found_without_importing_its_package():
    done = python(
        "import sys, musetalk\nfrom musetalk import demo\nmusetalk.Engine(demo.pack(), device='cpu')\n"
        "print('onnxruntime' in sys.modules)"
    )
    assert done.stdout == "False\n", done.stderr


def test_importing_it_imports_nothing_heavy():
    done = python("import sys, musetalk; print({'numpy', 'asyncio', 'onnxruntime', 'inspect', 'json'} & set(sys.modules))")
    assert done.stdout == "set()\n", done.stderr
