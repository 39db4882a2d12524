"""Three ways to read, interruption, and two halves."""

import time

import musetalk
import numpy as np
import pytest
from conftest import PATIENCE
from musetalk import Heard, demo


def until(look, what: str):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.005)
    pytest.fail(f"{what} did not happen")


def test_the_sound_is_the_clock(avatar, voice):
    ears, face = avatar.split()
    assert face.latest_at(None).utterance is None, "there is always a face"
    number = ears.begin()
    ears.push(voice[:48_000])

    def walk():
        face.latest_at(None)
        return face.ready()

    ready = until(walk, "readiness")
    assert ready.utterance == number == 1 and ready.samples >= 3 * 960
    frame = until(lambda: face.latest_at(Heard(number, 960)), "a picture")
    assert frame.utterance == 1 and frame.utterance_frame == 1
    assert face.latest_at(Heard(number, 961)) is None, "the one on screen is still right"
    ears.close()
    face.close()


def test_an_interruption_cuts_what_was_pushed(avatar, voice):
    avatar.push(voice[:240_000])
    next(avatar)
    assert avatar.interrupter().interrupt() == 1
    assert avatar.interrupt() is None, "there is nothing left to cut"
    with pytest.raises(musetalk.InterruptedError):
        avatar.push(voice[:960])
    with pytest.raises(musetalk.InterruptedError):
        avatar.finish()
    assert list(avatar) == []
    assert avatar.begin() == 2
    avatar.push(voice[:960])
    avatar.finish()
    assert [frame.utterance for frame in avatar] == [2]


def test_paced_gives_every_period_its_samples(avatar, voice):
    avatar.push(voice[:9_600])
    avatar.finish()
    heard, end = [], time.monotonic() + PATIENCE
    while sum(map(len, heard)) < 9_600:
        frame = avatar.paced()
        assert len(frame.audio) == 960
        if frame.utterance:
            heard.append(frame.audio.copy())
        assert time.monotonic() < end
    assert np.array_equal(np.concatenate(heard), voice[:9_600] / np.float32(32_768))


def test_a_split_avatar_is_used_up_and_a_closed_one_says_so(engine, voice):
    avatar = engine.open_avatar(demo.avatar())
    ears, face = avatar.split()
    with pytest.raises(musetalk.ClosedError, match="split"):
        avatar.push(voice[:960])
    with ears:
        ears.push(voice[:960])
    with pytest.raises(musetalk.ClosedError):
        ears.push(voice[:960])
    assert [frame.utterance_frame for frame in face] == [0]
    with pytest.raises(musetalk.ClosedError, match="writer"):
        next(face)
    face.close()
    for ask in (face.paced, face.ready, lambda: face.latest_at(None), lambda: next(face)):
        with pytest.raises(musetalk.ClosedError):
            ask()
    avatar.close()


def test_a_timeout_loses_nothing(avatar, voice):
    avatar.begin()
    ears, face = avatar.split()
    with pytest.raises(musetalk.TimedOutError) as caught:
        face.next_frame(timeout=0.01)
    assert isinstance(caught.value, TimeoutError)
    ears.push(voice[:4_800])
    ears.finish()
    frames = []
    while len(frames) < 6:
        try:
            frame = face.next_frame(timeout=0.001)
        except musetalk.TimedOutError:
            continue
        frames.append(frame.utterance_frame if frame else None)
    assert frames == [0, 1, 2, 3, 4, None]


def test_who_pushes_and_reads_does_not_wait_for_himself(avatar, voice):
    avatar.push(voice[:4_800])
    with pytest.raises(musetalk.InvalidInputError, match="finish the utterance"):
        for _ in avatar:
            pass
    avatar.finish()
    assert sum(1 for _ in avatar) > 0
