"""Every kind is a class, and says what to do."""

import ast
import builtins
import re
from pathlib import Path

import musetalk
import pytest
from conftest import ROOT, python
from musetalk import _native, demo


def kinds_of_rust() -> set[str]:
    kinds = set()
    for crate in ("musetalk-core", "realtime-client"):
        source = (ROOT / crate / "src" / "error.rs").read_text()
        body = re.search(r"pub enum ErrorKind \{(.*?)\n\}", source, re.DOTALL)[1]
        kinds |= set(re.findall(r"^    (\w+),", body, re.MULTILINE))
    assert {"BufferFull", "Quota"} <= kinds
    return kinds


def classes() -> dict[str, type]:
    found = {name: value for name, value in vars(_native).items() if isinstance(value, type)}
    return {name: value for name, value in found.items() if issubclass(value, musetalk.MuseTalkError)}


def test_every_kind_of_rust_is_a_class_and_no_other():
    expected = {f"{kind}Error" for kind in kinds_of_rust()} | {"MuseTalkError"}
    assert set(classes()) == expected
    for name, value in classes().items():
        assert getattr(musetalk, name) is value and value.__module__ == "musetalk" and value.__doc__
        if name != "MuseTalkError":
            assert re.sub("_(.)", lambda m: m[1].upper(), "_" + value.kind) + "Error" == name


def test_the_stub_says_the_same_of_them():
    stub = ast.parse((Path(musetalk.__file__).parent / "__init__.pyi").read_text())
    stated = {node.name: node for node in stub.body if isinstance(node, ast.ClassDef) and node.name.endswith("Error")}
    assert set(stated) == set(classes())
    for name, node in stated.items():
        bases = [getattr(musetalk, base.id, None) or getattr(builtins, base.id) for base in node.bases]
        assert tuple(bases) == classes()[name].__bases__
        assert ast.get_docstring(node) == classes()[name].__doc__


def test_errors_name_what_is_wrong(engine, tmp_path):
    with pytest.raises(musetalk.NotFoundError, match=re.escape(str(tmp_path / "none"))) as caught:
        musetalk.Engine(tmp_path / "none", device="cpu")
    assert caught.value.kind == "not_found"
    with pytest.raises(musetalk.NotFoundError, match="none.avatar"):
        engine.open_avatar(tmp_path / "none.avatar")
    (tmp_path / "bad.avatar").write_bytes(b"no avatar")
    with pytest.raises(musetalk.CorruptError, match="bad.avatar"):
        engine.open_avatar(tmp_path / "bad.avatar")
    for wrong in ({"sample_rate": 1}, {"format": "yuv"}, {"frames_lent": 0}, {"frames_ahead": 2000}, {"buffer_seconds": 0}):
        with pytest.raises(musetalk.InvalidInputError, match=r"|".join(map(str, wrong.values()))):
            engine.open_avatar(demo.avatar(), **wrong)
    with pytest.raises(musetalk.InvalidInputError, match="gpu"):
        musetalk.Engine(demo.pack(), device="gpu")
    with pytest.raises(musetalk.InvalidInputError):
        musetalk.Engine(demo.pack(), threads=0)
    for wrong in (-1, 2**64, 1.5, "x"):
        with pytest.raises((OverflowError, TypeError)):
            engine.open_avatar(demo.avatar(), sample_rate=wrong)
    with pytest.raises(musetalk.InvalidInputError):
        musetalk.Heard(0, 1)
    for wrong in (float("nan"), -1.0):
        with engine.open_avatar(demo.avatar()) as avatar, pytest.raises(musetalk.InvalidInputError, match="timeout"):
            avatar.next_frame(timeout=wrong)


def test_a_missing_runtime_is_explained_with_what_to_type(tmp_path):
    code = (
        "import sys; sys.modules['onnxruntime'] = None\n"
        "import musetalk\nfrom musetalk import demo\n"
        "try: musetalk.Engine(demo.pack())\n"
        "except musetalk.NotFoundError as e: print(e, *e.__notes__)\n"
    )
    import os

    kept = {"VIRTUAL_ENV", "CONDA_PREFIX", "ORT_DYLIB_PATH"}
    environment = {key: value for key, value in os.environ.items() if key not in kept} | {"MUSETALK_CACHE": str(tmp_path)}
    done = python(code, env=environment)
    if 'pip install "musetalk[cpu]"' not in done.stdout:
        assert "libonnxruntime" in done.stdout + done.stderr or not done.stderr, done.stderr
    assert "Looked at" in done.stdout, done.stdout + done.stderr
