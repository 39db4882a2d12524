"""Threads, signals, and the end of the process."""

import contextlib
import signal
import subprocess
import sys
import threading
import time

import musetalk
import pytest
from conftest import PATIENCE, python
from musetalk import demo

OPEN = (
    "import musetalk, signal, sys, threading, time\nfrom musetalk import demo\n"
    # A process that is started in the background inherits a Ctrl-C that is ignored.
    "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    "avatar = musetalk.Engine(demo.pack(), device='cpu', threads=1).open_avatar(demo.avatar())\n"
)


def test_a_reader_that_waits_lets_others_run(avatar, voice):
    frames: list[int] = []
    reader = threading.Thread(target=lambda: frames.extend(frame.index for frame in avatar))
    reader.start()
    ticks, end = 0, time.monotonic() + 0.3
    while time.monotonic() < end:
        ticks += 1
    assert ticks > 1_000, "the interpreter was free"
    avatar.push(voice[:24_000])
    avatar.finish()
    reader.join(PATIENCE)
    assert frames == list(range(25))


def test_many_threads_in_one_end_take_turns(avatar, voice):
    def push():
        for _ in range(20):
            avatar.push(voice[:240])

    pushing = [threading.Thread(target=push) for _ in range(4)]
    for thread in pushing:
        thread.start()
    for thread in pushing:
        thread.join(PATIENCE)
    avatar.finish()
    frames: list[int] = []

    def read():
        with contextlib.suppress(musetalk.ClosedError):
            for frame in avatar:
                frames.append(frame.utterance_frame)

    reading = [threading.Thread(target=read, daemon=True) for _ in range(3)]
    for thread in reading:
        thread.start()
    end = time.monotonic() + PATIENCE
    while len(frames) < 20 and time.monotonic() < end:
        time.sleep(0.01)
    assert sorted(frames) == list(range(20))
    avatar.close()
    for thread in reading:
        thread.join(PATIENCE)


def test_closing_from_another_thread_wakes_the_reader(avatar):
    errors: list[BaseException] = []

    def read():
        try:
            next(avatar)
        except BaseException as error:
            errors.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    time.sleep(0.1)
    avatar.close()
    reader.join(PATIENCE)
    assert isinstance(errors[0], musetalk.ClosedError)


def test_who_looks_is_let_in_while_another_waits(avatar):
    _, face = avatar.split()
    waiting = threading.Thread(target=wait_for_ever, args=(face,))
    waiting.start()
    time.sleep(0.1)
    looks, end = 0, time.monotonic() + PATIENCE
    while looks < 50 and time.monotonic() < end:
        face.paced()
        looks += 1
    assert looks == 50
    took = PATIENCE - (end - time.monotonic())
    face.close()
    waiting.join(PATIENCE)
    assert took < PATIENCE / 4, f"50 pictures took {took:.1f} s beside a reader that waits"


def wait_for_ever(face):
    with contextlib.suppress(musetalk.ClosedError):
        face.next_frame()


@pytest.mark.skipif(sys.platform == "win32", reason="SIGINT goes to a whole console there")
@pytest.mark.parametrize(
    "waits",
    [
        "next(avatar)",
        "ears, face = avatar.split(); face.next_frame()",
        "server = musetalk.ScriptedServer(); talk = musetalk.Realtime(server.url)\nwhile True: talk.wait()",
        "import asyncio; asyncio.run(anext(aiter(avatar)))",
        "import asyncio, socket; silent = socket.create_server(('127.0.0.1', 0))\n"
        "asyncio.run(musetalk.Realtime.connect(f'ws://127.0.0.1:{silent.getsockname()[1]}/v1'))",
        "while True: musetalk.Engine(demo.pack(), device='cpu', threads=1)",
        "ears, face = avatar.split(); threading.Thread(target=face.next_frame, daemon=True).start()\nwhile True: face.latest_at(None)",
        "picture = avatar.asset.base_frame(0); side = 3 * 512\nimport numpy; mask = numpy.full((side, side), 255, numpy.uint8)\n"
        "engine = musetalk.Engine(demo.pack(), device='cpu', threads=1); count = 200\n"
        "musetalk.create_avatar(engine, out, frames=[picture] * count, boxes=[(0, 0, 512, 512)] * count, masks=[mask] * count)",
    ],
)
def test_ctrl_c_ends_a_wait(waits, tmp_path):
    code = f"{OPEN}out = {str(tmp_path / 'out.avatar')!r}\nprint('waiting', flush=True)\ntry:\n  " + waits.replace("\n", "\n  ")
    code += "\nexcept KeyboardInterrupt: print('interrupted')"
    program = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert program.stdout.readline() == "waiting\n", program.stderr.read()
    time.sleep(0.4)
    program.send_signal(signal.SIGINT)
    out, error = program.communicate(timeout=PATIENCE)
    assert (out, program.returncode) == ("interrupted\n", 0), error


def test_a_daemon_that_waits_does_not_disturb_the_end():
    code = OPEN + (
        "threading.Thread(target=lambda: next(avatar), daemon=True).start()\n"
        "server = musetalk.ScriptedServer(); talk = musetalk.Realtime(server.url)\n"
        "threading.Thread(target=lambda: [talk.wait() for _ in range(99)], daemon=True).start()\n"
        "time.sleep(0.2); print('over')"
    )
    for _ in range(3):
        done = python(code)
        assert (done.returncode, done.stdout, done.stderr) == (0, "over\n", "")


def test_the_process_may_end_in_the_middle_of_anything():
    for rest in ("avatar.push(demo.voice()); next(avatar)", "frame = None; avatar.push(demo.voice()); frame = next(avatar).image"):
        done = python(OPEN + rest)
        assert (done.returncode, done.stderr) == (0, "")
