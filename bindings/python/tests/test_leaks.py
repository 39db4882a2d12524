"""A thousand avatars, conversations and pictures later, nothing has grown."""

import gc
import os
import sys
import threading
from pathlib import Path

import pytest
from musetalk import Event, Realtime, ScriptedServer, demo

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def now() -> tuple[int, int, int]:
    """Memory in KiB, threads, handles."""
    gc.collect()
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmRSS"].split()[0]), int(status["Threads"]), len(os.listdir("/proc/self/fd"))


def grows(one, count: int) -> str | None:
    """What leaks grows in every round; what an allocator keeps, does not."""
    one(count // 10)
    seen = [now()]
    for _ in range(4):
        one(count)
        seen.append(now())
        grown = [after - before for before, after in zip(*seen[-2:])]
        print(f"memory in KiB, threads, handles: {seen[-2]}, after {count} more {seen[-1]}")
        if grown[0] < 2 * 1024 and grown[1] <= 0 and grown[2] <= 0:
            return None
    return f"memory in KiB, threads, handles after each {count}: {seen}"


def test_a_thousand_avatars_leave_nothing(engine, voice):
    def one(count: int) -> None:
        for _ in range(count):
            with engine.open_avatar(demo.avatar(), buffer_seconds=1) as avatar:
                avatar.push(voice[:960])
                avatar.finish()
                next(avatar)

    assert not grows(one, 1000)


def test_dropping_without_closing_leaves_nothing(engine, voice):
    def one(count: int) -> None:
        for _ in range(count):
            avatar = engine.open_avatar(demo.avatar(), buffer_seconds=1)
            ears, face = avatar.split()
            ears.push(voice[:960])
            del ears
            image = next(face).image
            del face, image

    assert not grows(one, 50)


def test_pictures_and_refusals_leave_nothing(avatar, voice):
    def one(count: int) -> None:
        for _ in range(count):
            frame = avatar.paced()
            frame.image, frame.audio, memoryview(frame), frame.region, avatar.stats, avatar.asset.base_frame(1)
            try:
                avatar.push("no samples")
            except ValueError:
                pass

    assert not grows(one, 5000)


def test_conversations_leave_no_threads_or_handles():
    def one(count: int) -> None:
        for _ in range(count):
            server = ScriptedServer(["Yes."])
            talk = Realtime(server.url)
            talk.say("Go.")
            while not isinstance(talk.wait(30.0), Event.ResponseDone):
                pass
            talk.close()
            while talk.wait(30.0) is not None:
                pass

    python_threads = threading.active_count()
    assert not grows(one, 20)
    assert threading.active_count() == python_threads
