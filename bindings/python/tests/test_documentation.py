"""Every program in the manual runs."""

import asyncio
import contextlib
import io
import re
import shutil
import threading
import time

import musetalk
import numpy as np
import pytest
from conftest import PATIENCE, ROOT
from musetalk import demo
from test_create import CHECKPOINT, pack_with_faces

MANUAL = (ROOT / "docs" / "hosts" / "python.md").read_text()
#: A word that each block of Python has and no other has.
BLOCKS = {
    "hello": "show(frame.image, frame.pts",
    "live": "threading.Thread(target=listen)",
    "asyncio": "await send(",
    "conversation": "async with Realtime(",
    "clips": "request_clip(",
    "making": "build_pack(",
}


def blocks() -> list[str]:
    return re.findall(r"```python\n(.*?)```", MANUAL, re.DOTALL)


def block(name: str) -> str:
    found = [block for block in blocks() if BLOCKS[name] in block]
    assert len(found) == 1, name
    return found[0]


def run(name: str, instead: tuple[str, str] = ("", ""), **given) -> tuple[dict, str]:
    """Its names, and what it printed. `instead` is what does not run as it stands."""
    names = {"__name__": "__main__"} | given
    program = block(name)
    assert instead[0] in program
    with contextlib.redirect_stdout(io.StringIO()) as said:
        exec(compile(program.replace(*instead) if instead[0] else program, f"python.md: {name}", "exec"), names)
    return names, said.getvalue()


def test_every_block_is_run_here():
    assert len(blocks()) == len(BLOCKS)


def test_hello():
    shown = []
    def show(image, pts, audio):
        shown.append((image.shape, len(audio)))

    run("hello", ("demo.voice()", "demo.voice()[:48_000]"), show=show)
    assert shown == [((512, 512, 3), 960)] * 50


def test_the_live_loop_comes_to_its_end():
    before = threading.active_count()
    names, said = run("live")
    # Two seconds are 50 pictures; a busy machine shows fewer.
    assert int(said.split()[0]) == names["pictures"] >= 3
    until = time.monotonic() + PATIENCE
    while threading.active_count() > before and time.monotonic() < until:
        time.sleep(0.01)
    assert threading.active_count() == before


def test_asyncio():
    sent = []

    async def send(image: np.ndarray, audio: np.ndarray) -> None:
        sent.append(len(audio))
        await asyncio.sleep(0)

    run("asyncio", send=send)
    assert sum(sent) == 48_000


def test_the_conversation(engine):
    played: list[int] = []

    class Loudspeaker:
        def play(self, pcm: np.ndarray) -> None:
            played.append(len(pcm))

        def stop(self) -> None:
            played.clear()

    server = musetalk.ScriptedServer(["I am Iris."])
    names: dict = {"loudspeaker": Loudspeaker(), "server": server}
    names, _ = run("conversation", ('Realtime("openai", ', "Realtime(server.url, "), **names)
    with contextlib.redirect_stdout(io.StringIO()) as said, engine.open_avatar(demo.avatar()) as avatar:

        async def until_it_has_answered() -> None:
            task = asyncio.create_task(names["main"](avatar))
            end = time.monotonic() + PATIENCE
            while said.getvalue() != "I am Iris." and time.monotonic() < end and not task.done():
                await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        asyncio.run(until_it_has_answered())
    assert said.getvalue() == "I am Iris." and played
    tools = server.seen[0]["session"]["tools"]
    assert [tool["name"] for tool in tools] == ["weather"]


def test_clips():
    with musetalk.Engine(demo.pack(), device="cpu").open_avatar(demo.avatar()) as avatar:
        first = avatar.asset.clips[0]
    assert run("clips")[1] == f"now {first}\n"


def test_packs_and_avatars_are_made(tmp_path, monkeypatch):
    if shutil.which("ffmpeg") is None:
        pytest.skip("ffmpeg is not installed")
    pack, clip = pack_with_faces(tmp_path)
    monkeypatch.chdir(tmp_path)
    shutil.copy(clip, "me.mp4")
    _, said = run("making", ("max_frames=25", "max_frames=4"), checkpoints=CHECKPOINT, pack_with_faces=pack)
    assert said.endswith("4 frames were looked at\n") and 'Progress(step="looking"' in said
    assert (tmp_path / "my.pack" / "pack.json").is_file() and (tmp_path / "me.avatar").is_file()
