"""A voice in, pictures out, without a copy."""

import ctypes
import gc
import hashlib
import re
from datetime import timedelta
from fractions import Fraction

import musetalk
import numpy as np
import pytest
from conftest import ROOT, python
from musetalk import demo


def test_the_example_of_the_readme_runs():
    text = (ROOT / "bindings" / "python" / "README.md").read_text()
    example = re.search(r"```python\n(.*?)```", text, re.DOTALL)[1]
    assert len(example.strip().splitlines()) <= 11
    done = python(example)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0].startswith("(512, 512, 3)")
    assert len(done.stdout.splitlines()) == -(-len(demo.voice()) // 960)


def test_a_voice_becomes_the_frames_it_owes(engine, avatar, voice):
    assert avatar.fps == Fraction(25) == engine.fps
    avatar.push(voice[:24_001])
    avatar.finish()
    frames = 0
    samples = []
    for frame in avatar:
        assert (frame.index, frame.utterance, frame.utterance_frame) == (frames, 1, frames)
        assert frame.pts == timedelta(milliseconds=40 * frames)
        samples.append(frame.audio.copy())
        frames += 1
    assert frames == 26
    heard = np.concatenate(samples)
    assert heard.dtype == np.float32
    assert np.array_equal(heard, voice[:24_001] / np.float32(32_768))
    assert list(avatar) == [], "nothing was begun since"
    assert avatar.stats.made + avatar.stats.still == 26 == avatar.stats.shown


def test_every_kind_of_samples_gives_the_same_frames(engine, voice):
    ints = voice[12_000:24_000]
    floats = ints / np.float32(32_768)
    kinds = [ints, floats, ints.tobytes(), bytearray(ints.tobytes()), memoryview(ints), np.repeat(ints, 2)[::2]]
    hashes = set()
    for pcm in kinds:
        with engine.open_avatar(demo.avatar()) as avatar:
            avatar.push(pcm)
            avatar.finish()
            hashes.add(hashlib.sha256(b"".join(bytes(frame) for frame in avatar)).hexdigest())
    assert len(hashes) == 1


def test_pictures_are_read_only_views_that_keep_their_memory(avatar, voice):
    avatar.push(voice[:4_800])
    avatar.finish()
    frame = next(avatar)
    image = frame.image
    assert (image.shape, image.dtype) == ((frame.height, frame.width, 3), np.uint8)
    assert not image.flags.owndata and not image.flags.writeable
    assert np.shares_memory(image, np.asarray(frame)) and np.shares_memory(image, memoryview(frame))
    with pytest.raises(ValueError):
        image.flags.writeable = True
    with pytest.raises(ValueError):
        image[0, 0, 0] = 1
    before = image.copy()
    del frame
    gc.collect()
    rest = [other.index for other in avatar]
    assert len(rest) == 4
    assert np.array_equal(image, before), "no other frame was drawn over it"
    with pytest.raises(TypeError, match="not writable"):
        ctypes.c_char.from_buffer(image)


def test_frames_outlive_their_avatar_and_engine(voice):
    done = python(
        "import musetalk\nfrom musetalk import demo\n"
        "avatar = musetalk.Engine(demo.pack(), device='cpu').open_avatar(demo.avatar())\n"
        "avatar.push(demo.voice()[:4800]); avatar.finish(); image = next(avatar).image\n"
        "avatar.close(); del avatar; import gc; gc.collect(); print(image.sum() > 0)"
    )
    assert done.stdout == "True\n", done.stderr


@pytest.mark.parametrize(("name", "channels"), [("rgb8", 3), ("rgba8", 4), ("bgra8", 4)])
def test_formats_differ_in_the_order_of_bytes_alone(engine, voice, name, channels):
    with engine.open_avatar(demo.avatar(), format=name) as avatar:
        avatar.push(voice[:4_800])
        avatar.finish()
        frame = next(avatar)
        assert frame.format == name and frame.image.shape == (512, 512, channels)
        base = avatar.asset.base_frame(frame.cycle_index, format=name)
        region = frame.region
        outside = frame.image.copy()
        outside[region.y : region.y + region.height, region.x : region.x + region.width] = base[
            region.y : region.y + region.height, region.x : region.x + region.width
        ]
        assert np.array_equal(outside, base), "what differs lies in the region"
        if channels == 4:
            assert (frame.image[..., 3] == 255).all()
        assert not frame.changed_since(frame.index) and frame.changed_since(frame.index + 1).height == 512


@pytest.mark.parametrize(
    ("pcm", "said"),
    [
        (np.zeros(3), "float64"),
        (np.zeros((2, 3), dtype=np.float32), "2 dimensions"),
        (np.zeros(0, dtype=np.float32), "empty"),
        (np.array([0, np.nan], dtype=np.float32), "NaN"),
        (b"odd", "3 bytes"),
        ([0.0, 1.0], "list"),
        ("text", "str"),
        (None, "None"),
        (np.float32(1), "float32"),
    ],
)
def test_what_are_no_mono_samples_is_refused_in_words(avatar, pcm, said):
    with pytest.raises(musetalk.InvalidInputError, match=said) as caught:
        avatar.push(pcm)
    assert isinstance(caught.value, ValueError)


def test_holding_too_many_frames_is_told(engine, voice):
    with engine.open_avatar(demo.avatar(), frames_lent=2) as avatar:
        avatar.push(voice[:24_000])
        avatar.finish()
        held = []
        with pytest.raises(musetalk.BufferFullError):
            held.extend(avatar)
        while len(held) < 4:
            try:
                held.append(next(avatar))
            except musetalk.BufferFullError:
                break
        assert 2 <= len(held) <= 3
        next_one = held.pop().index + 1
        assert next(avatar).index == next_one, "nothing was lost"


def test_more_than_there_is_room_for_is_refused_whole(engine):
    with engine.open_avatar(demo.avatar(), buffer_seconds=1) as avatar:
        with pytest.raises(musetalk.InvalidInputError, match="at most 24000.*in parts.*buffer_seconds"):
            avatar.push(np.zeros(24_001, dtype=np.int16))
        avatar.push(np.zeros(24_000, dtype=np.int16))
        avatar.finish()
        assert sum(1 for _ in avatar) == 25
