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


def test_a_thousand_avatars_leave_nothing(engine, voice):
    def one(count: int) -> None:
        for _ in range(count):
            with engine.open_avatar(demo.avatar(), buffer_seconds=1) as avatar:
                avatar.push(voice[:960])
                avatar.finish()
                next(avatar)

    one(100)
    before = now()
    one(1000)
    after = now()
    assert after[1] <= before[1] and after[2] <= before[2] and after[0] - before[0] < 8 * 1024, (before, after)


def test_dropping_without_closing_leaves_nothing(engine, voice):
    def one(count: int) -> None:
        for _ in range(count):
            avatar = engine.open_avatar(demo.avatar(), buffer_seconds=1)
            ears, face = avatar.split()
            ears.push(voice[:960])
            del ears
            image = next(face).image
            del face, image

    one(20)
    before = now()
    one(200)
    after = now()
    assert after[1] <= before[1] and after[2] <= before[2] and after[0] - before[0] < 8 * 1024, (before, after)


def test_pictures_and_refusals_leave_nothing(avatar, voice):
    def one(count: int) -> None:
        for _ in range(count):
            frame = avatar.paced()
            frame.image, frame.audio, memoryview(frame), frame.region, avatar.stats, avatar.asset.base_frame(1)
            try:
                avatar.push("no samples")
            except ValueError:
                pass

    one(500)
    before = now()
    one(5000)
    after = now()
    assert after[1] <= before[1] and after[2] <= before[2] and after[0] - before[0] < 4 * 1024, (before, after)


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

    one(5)
    python_threads, before = threading.active_count(), now()
    one(50)
    after = now()
    assert threading.active_count() == python_threads
    assert after[1] <= before[1] + 1 and after[2] <= before[2] + 8 and after[0] - before[0] < 16 * 1024, (before, after)
