"""Packs and avatars made from Python, watched and cancelled."""

import json
import pathlib
import shutil
import subprocess
import sys

import musetalk
import numpy as np
import pytest
from conftest import ROOT
from musetalk import demo

CHECKPOINT = ROOT / "models" / "demo" / "checkpoint"


def test_a_pack_is_built_and_told_of(tmp_path):
    told: list[musetalk.Progress] = []
    built = musetalk.build_pack(CHECKPOINT, tmp_path / "pack", name="mine", precision="fp16", progress=told.append)
    assert built.folder == tmp_path / "pack" and built.parameters > 1_000_000 and built.bytes > built.parameters
    steps = {progress.step for progress in told}
    assert {"generator", "decoder"} <= steps and all(0 <= p.done <= p.total for p in told)
    assert musetalk.Engine(built.folder, device="cpu").pack.name == "mine"
    with pytest.raises(musetalk.InvalidInputError):
        musetalk.build_pack(CHECKPOINT, tmp_path / "pack")
    with pytest.raises(musetalk.NotFoundError):
        musetalk.build_pack(tmp_path / "nothing", tmp_path / "other")


def test_what_the_callback_raises_cancels_and_leaves_nothing(tmp_path):
    class Enough(Exception):
        pass

    def stop(progress: musetalk.Progress) -> None:
        if progress.step == "generator":
            raise Enough(progress.step)

    with pytest.raises(Enough, match="generator"):
        musetalk.build_pack(CHECKPOINT, tmp_path / "pack", progress=stop)
    assert list(tmp_path.iterdir()) == []


def pack_with_faces(folder):
    """The demonstration pack with two small face networks, which lie beside the project."""
    for above in pathlib.Path(__file__).resolve().parents:
        faces = above / "shared" / "data" / "face"
        if faces.is_dir():
            break
    else:
        pytest.skip("shared/data does not lie beside the project")
    pack = folder / "faces.pack"
    command = [sys.executable, "-m", "musetalk", "pack", "add-face", "--pack", demo.pack(), "--out", pack]
    command += ["--detector", faces / "ultraface-rfb-320.onnx", "--landmarks", faces / "pfld-68.onnx"]
    subprocess.run([str(word) for word in command], check=True, capture_output=True)
    return pack, faces.parent / "media" / "yongen.mp4"


def test_footage_becomes_an_avatar(engine, tmp_path):
    if shutil.which("ffmpeg") is None:
        pytest.skip("ffmpeg is not installed")
    pack, clip = pack_with_faces(tmp_path)
    out = tmp_path / "y.avatar"

    def stop(progress):
        if progress.step == "looking" and progress.done == 2:
            raise KeyError("enough")

    with pytest.raises(KeyError, match="enough"):
        musetalk.create_avatar_from_footage(pack, clip, out, max_frames=8, progress=stop)
    assert not out.exists()
    steps = set()
    report = json.loads(
        musetalk.create_avatar_from_footage(pack, clip, out, max_frames=8, progress=lambda p: steps.add(p.step))
    )
    assert steps == {"looking", "writing"} and len(report["each"]) == 8
    with musetalk.Engine(pack).open_avatar(out) as avatar:
        assert avatar.asset.clips == ["idle"] and not avatar.asset.has_alpha
        avatar.request_clip("idle")
        with pytest.raises(musetalk.InvalidInputError, match="it has idle"):
            avatar.request_clip("dance")
        assert avatar.paced().clip == 0
    with pytest.raises(musetalk.InvalidInputError, match="idle is"):
        musetalk.create_avatar_from_footage(pack, clip, out, idle="asleep")
    with pytest.raises(musetalk.MuseTalkError, match="nowhere"):
        musetalk.create_avatar_from_footage(pack, "nowhere.mp4", out)


def parts(engine):
    with engine.open_avatar(demo.avatar()) as avatar:
        asset = avatar.asset
        frames = [asset.base_frame(index) for index in range(4)]
        boxes = [asset.face_box(index) for index in range(4)]
    masks = []
    for x1, y1, x2, y2 in boxes:
        side = 2 * (max(x2 - x1, y2 - y1) // 2 * 3 // 2)
        mask = np.zeros((side, side), dtype=np.uint8)
        mask[side // 2 : side * 5 // 6, side // 4 : side * 3 // 4] = 255
        masks.append(mask)
    return frames, boxes, masks


def test_an_avatar_is_made_and_speaks(engine, tmp_path, voice):
    frames, boxes, masks = parts(engine)
    told: list[musetalk.Progress] = []
    made = musetalk.create_avatar(
        engine, tmp_path / "x.avatar", frames=frames, boxes=boxes, masks=masks, name="x", progress=told.append
    )
    assert (made.name, made.frames, made.width) == ("x", 4, 512)
    assert [progress.step for progress in told] == ["frames"] * 4 + ["masks"] * 4 + ["latents"]
    with engine.open_avatar(tmp_path / "x.avatar") as avatar:
        avatar.push(voice[:4_800])
        avatar.finish()
        assert sum(1 for _ in avatar) == 5


def test_parts_that_do_not_fit_are_refused_and_leave_nothing(engine, tmp_path):
    frames, boxes, masks = parts(engine)
    out = tmp_path / "x.avatar"
    for wrong in (
        {"frames": frames[:3]},
        {"frames": [*frames[:3], frames[3][:100]]},
        {"frames": [frame[..., 0] for frame in frames]},
        {"frames": [frame.astype(np.float32) for frame in frames]},
        {"boxes": [(0, 0, 9999, 9999)] * 4},
        {"masks": [mask[:10] for mask in masks]},
    ):
        with pytest.raises(musetalk.InvalidInputError):
            musetalk.create_avatar(engine, out, **({"frames": frames, "boxes": boxes, "masks": masks} | wrong))
    with pytest.raises(ZeroDivisionError):
        musetalk.create_avatar(engine, out, frames=frames, boxes=boxes, masks=masks, progress=lambda _: 1 / 0)
    assert list(tmp_path.iterdir()) == []
