"""What a stranger tries: odd arrays, misplaced objects, forks, cancellations, the end of everything."""

import array
import asyncio
import copy
import ctypes
import gc
import multiprocessing
import pickle
import threading
import weakref
from array import array as numbers

import musetalk
import numpy as np
import pytest
from conftest import PATIENCE, python
from musetalk import Heard, Realtime, ScriptedServer, demo


def spoken(engine, pcm) -> tuple[np.ndarray, list[bytes]]:
    """Sound and pictures that come of it."""
    with engine.open_avatar(demo.avatar()) as avatar:
        avatar.push(pcm)
        avatar.finish()
        told = [(frame.audio.copy(), bytes(frame)) for frame in avatar]
    return np.concatenate([sound for sound, _ in told]), [picture for _, picture in told]


def test_samples_are_read_however_they_lie_in_memory(engine, voice):
    ints = np.ascontiguousarray(voice[12_000:13_920])
    floats = ints / np.float32(32_768)
    stereo = np.stack([floats, -floats], axis=1)
    sound, pictures = spoken(engine, ints)
    assert np.array_equal(sound, floats)
    for pcm in (
        stereo[:, 0],
        np.asfortranarray(stereo)[:, 0],
        floats[::-1][::-1],
        ints[::-1].copy()[::-1],
        np.stack([ints, ints])[0],
        numbers("h", ints.tobytes()),
        numbers("f", floats.tobytes()),
        memoryview(ints.tobytes())[:],
        memoryview(np.repeat(np.frombuffer(ints.tobytes(), np.uint8), 2))[::2],
    ):
        theirs = spoken(engine, pcm)
        assert np.array_equal(theirs[0], sound) and theirs[1] == pictures, pcm


@pytest.mark.parametrize(
    ("pcm", "said"),
    [
        (np.zeros(8, dtype=">f4"), ">f4"),
        (np.zeros(8, dtype=">i2"), ">i2"),
        (np.zeros(8, dtype=np.uint8), "uint8"),
        (np.zeros(8, dtype=np.uint16), "uint16"),
        (np.zeros(8, dtype=np.float16), "float16"),
        (np.zeros(8, dtype=bool), "bool"),
        (np.zeros(8, dtype=np.complex64), "complex64"),
        (np.zeros(8, dtype="M8[s]"), "datetime64"),
        (np.zeros(8, dtype=[("left", "f4")]), "left"),
        (np.zeros(8, dtype=object), "object"),
        (np.zeros(8, dtype="V0"), "V"),
        (np.frombuffer(bytes(33), dtype=np.float32, offset=1, count=8), "unaligned array of float32"),
        (np.asfortranarray(np.zeros((480, 2), dtype=np.float32)), r"2 dimensions, \[480, 2\]"),
        (np.zeros((480, 1), dtype=np.int16), "mono"),
        (np.array(1.0, dtype=np.float32), "0 dimensions"),
        (bytes(7), "7 bytes.*odd one"),
        (bytearray(1), "1 byte"),
        (b"", "empty"),
        (array.array("d", [0.0]), "array"),
        (memoryview(bytes(8)).cast("i"), "memoryview"),
        ((ctypes.c_float * 8)(), "c_float_Array_8"),
        (object(), "object"),
    ],
)
def test_what_is_no_sound_is_refused_in_words(avatar, pcm, said):
    for push in (avatar.push, lambda pcm: ScriptedServer(voice=pcm) if len(pcm) else avatar.push(pcm)):
        if isinstance(pcm, object().__class__) and not hasattr(pcm, "__len__") and push is not avatar.push:
            continue
        if getattr(pcm, "ndim", 1) == 0 and push is not avatar.push:
            continue
        with pytest.raises(musetalk.InvalidInputError, match=said):
            push(pcm)
    assert avatar.stats.made == 0


def test_a_buffer_that_is_held_may_not_shrink_under_the_library(avatar):
    sound = bytearray(960)
    avatar.push(sound)
    sound.extend(bytes(960))
    avatar.push(sound)
    view = memoryview(sound)
    view.release()
    with pytest.raises(musetalk.InvalidInputError):
        avatar.push(view)


def test_more_than_any_machine_has_is_refused_before_it_is_copied(avatar):
    endless = np.lib.stride_tricks.as_strided(np.zeros(1, dtype=np.float32), shape=(1 << 40,), strides=(0,))
    with pytest.raises(musetalk.InvalidInputError, match="in parts.*buffer_seconds"):
        avatar.push(endless)
    with pytest.raises(musetalk.MuseTalkError, match="too large"):
        with_server(lambda talk: talk.show(np.lib.stride_tricks.as_strided(np.zeros(1, np.uint8), (1 << 20, 1 << 20, 3), (0, 0, 0))))
    with pytest.raises(musetalk.MuseTalkError):
        with_server(lambda talk: talk.push_audio(endless))


def with_server(ask):
    server = ScriptedServer(["Yes."])
    talk = Realtime(server.url)
    try:
        return ask(talk)
    finally:
        talk.close()


def test_pictures_are_read_however_they_lie_in_memory(engine, tmp_path):
    """The same person from rows, columns, slices and views: the same file."""
    with engine.open_avatar(demo.avatar()) as avatar:
        frame, box = avatar.asset.base_frame(0), avatar.asset.face_box(0)
    side = 2 * (max(box[2] - box[0], box[3] - box[1]) // 2 * 3 // 2)
    mask = np.zeros((side, side), dtype=np.uint8)
    mask[side // 2 : side * 5 // 6, side // 4 : side // 2] = 255
    padded = np.zeros((512, 600, 4), dtype=np.uint8)
    padded[:, :512, :3] = frame
    files = set()
    for index, (picture, hides) in enumerate(
        [
            (frame, mask),
            (np.asfortranarray(frame), np.asfortranarray(mask)),
            (padded[:, :512, :3], np.pad(mask, 3)[3:-3, 3:-3]),
            (frame[::-1].copy()[::-1], mask[:, ::-1].copy()[:, ::-1]),
            (np.ascontiguousarray(frame.transpose(2, 0, 1)).transpose(1, 2, 0), np.ascontiguousarray(mask.T).T),
            (memoryview(frame), memoryview(mask)),
        ]
    ):
        out = tmp_path / f"{index}.avatar"
        musetalk.create_avatar(engine, out, frames=[picture], boxes=[box], masks=[hides], name="x")
        files.add(out.read_bytes())
    assert len(files) == 1
    for wrong, said in (
        (frame.astype(np.float32), "frame 0 is an array of float32; give an array of uint8"),
        (frame.astype(np.int8), "int8"),
        (np.zeros((512, 512, 4), np.uint8), r"\[512, 512, 4\]"),
        ("a.png", "str"),
        (None, "NoneType"),
    ):
        with pytest.raises(musetalk.InvalidInputError, match=said):
            musetalk.create_avatar(engine, tmp_path / "no.avatar", frames=[wrong], boxes=[box], masks=[mask])


def test_objects_are_not_made_subclassed_or_sent_away(engine, avatar, voice):
    avatar.push(voice[:4_800])
    avatar.finish()
    frame = next(avatar)
    for thing in (engine, avatar, frame, avatar.stats, avatar.asset, avatar.interrupter()):
        for send in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError, match="pickle"):
                send(thing)
        with pytest.raises(TypeError):
            type("Mine", (type(thing),), {})
        with pytest.raises(AttributeError):
            thing.anything = 1
    for kind in (musetalk.Avatar, musetalk.Frame, musetalk.PcmWriter, musetalk.FrameReader, musetalk.Region, musetalk.Stats):
        with pytest.raises(TypeError):
            kind()
        with pytest.raises(TypeError):
            object.__new__(kind)
    heard = Heard(3, 960)
    for other in (pickle.loads(pickle.dumps(heard)), copy.copy(heard), copy.deepcopy(heard)):
        assert other == heard and hash(other) == hash(heard)


def test_errors_travel_between_processes():
    for name, kind in vars(musetalk).items():
        if isinstance(kind, type) and issubclass(kind, musetalk.MuseTalkError):
            back = pickle.loads(pickle.dumps(kind("why")))
            assert type(back) is kind and str(back) == "why", name


def test_what_is_not_referred_to_is_gone(engine, voice):
    avatar = engine.open_avatar(demo.avatar())
    avatar.push(voice[:4_800])
    avatar.finish()
    frame = next(avatar)
    ears, face = avatar.split()
    gone = [weakref.ref(thing) for thing in (avatar, frame, ears, face)]
    assert weakref.ref(engine)() is engine
    del avatar, frame, ears, face
    assert [there() for there in gone] == [None] * 4


def test_futures_of_cancelled_tasks_do_not_pile_up(avatar):
    def futures() -> int:
        gc.collect()
        return sum(isinstance(thing, asyncio.Future) for thing in gc.get_objects())

    async def talk() -> int:
        before = futures()
        for _ in range(200):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(avatar), 0.0001)
        return futures() - before

    assert asyncio.run(talk()) < 20
    server = ScriptedServer()

    async def listen() -> int:
        async with Realtime(server.url) as quiet:
            with pytest.raises(TimeoutError):
                while True:
                    await asyncio.wait_for(anext(quiet), 0.3)
            before = futures()
            for _ in range(200):
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(anext(quiet), 0.0001)
            return futures() - before

    assert asyncio.run(listen()) < 20


def test_a_loop_that_was_left_waiting_lets_its_avatar_go(engine):
    """A task that still waits when its loop is closed holds the avatar, and the avatar rings it: the collector sees through."""
    gone = []

    def leave() -> None:
        avatar = engine.open_avatar(demo.avatar())
        gone.append(weakref.ref(avatar))
        loop = asyncio.new_event_loop()
        task = loop.create_task(avatar.__anext__())
        loop.run_until_complete(asyncio.sleep(0.02))
        task._log_destroy_pending = False
        loop.close()

    leave()
    gc.collect()
    assert gone[0]() is None


def test_a_tool_that_holds_its_conversation_keeps_it_no_longer_than_others_do():
    server = ScriptedServer(calls_functions=True)
    calls, gone = [], []

    def converse() -> None:
        def stop(asked: str = "") -> str:
            calls.append(talk.posture)
            return "stopped"

        talk = Realtime(server.url, tools=[stop])
        gone.append(weakref.ref(talk))
        talk.say("Go.")
        while not isinstance(talk.wait(PATIENCE), musetalk.Event.Said):
            pass

    converse()
    assert calls
    gc.collect()
    assert gone[0]() is None
    assert ended(server), "and its session is closed"


def ended(server: ScriptedServer) -> bool:
    until = threading.Event()
    for _ in range(int(PATIENCE * 100)):
        if server.closed == server.connections:
            return True
        until.wait(0.01)
    return False


def test_a_conversation_that_could_not_begin_leaves_the_face_to_others(engine, voice):
    with engine.open_avatar(demo.avatar()) as avatar:
        with pytest.raises(musetalk.InvalidInputError):
            # Found when all else is ready: the key stands in the address.
            Realtime("ws://127.0.0.1:9/v1?k=abcdefghijklmnop", key="abcdefghijklmnop", avatar=avatar)
        avatar.push(voice[:960])
        avatar.finish()
        assert sum(1 for _ in avatar) == 1


def test_a_face_speaks_for_one_conversation_after_the_other_and_by_hand(engine, voice):
    server = ScriptedServer(["Yes."])
    avatar = engine.open_avatar(demo.avatar())
    for number in (1, 2):

        async def once():
            async with Realtime(server.url, avatar=avatar) as talk:
                with pytest.raises(musetalk.ClosedError, match="over"):
                    Realtime(server.url, avatar=avatar)
                with pytest.raises(musetalk.ClosedError, match="over"):
                    avatar.push(voice[:960])
                talk.say("Well?")
                async for event in talk:
                    if isinstance(event, musetalk.Event.ResponseDone):
                        break
            async for _ in talk:
                pass
            return talk

        kept = asyncio.run(asyncio.wait_for(once(), PATIENCE))
        frames = list_of(avatar)
        assert {utterance for utterance, _ in frames} == {2 * number - 1}
        avatar.push(voice[:960])
        avatar.finish()
        assert list_of(avatar) == [(2 * number, 0)], kept
    ears, face = avatar.split()
    with Ended(server, ears) as talk:
        ears.close()
        talk.close()
    with pytest.raises(musetalk.ClosedError):
        ears.push(voice[:960])
    with pytest.raises(musetalk.ClosedError, match="writer"):
        face.next_frame(PATIENCE)


class Ended:
    """A conversation that is over when the block is left."""

    def __init__(self, server, avatar):
        self.talk = Realtime(server.url, avatar=avatar)

    def __enter__(self):
        return self.talk

    def __exit__(self, *_):
        while self.talk.wait(PATIENCE) is not None:
            pass


def list_of(avatar):
    return [(frame.utterance, frame.utterance_frame) for frame in avatar]


def test_another_rate_than_the_answers_have_is_refused_before_a_word(engine, voice):
    server = ScriptedServer(["Yes."])
    with engine.open_avatar(demo.avatar(), sample_rate=16_000) as avatar:
        with pytest.raises(musetalk.InvalidInputError, match="sample_rate=24000"):
            Realtime(server.url, avatar=avatar)
        avatar.push(voice[:640])
        avatar.finish()
        assert sum(1 for _ in avatar) == 1
    assert server.connections == 0


def test_everything_after_close_says_closed(engine, voice):
    avatar = engine.open_avatar(demo.avatar())
    avatar.push(voice[:9_600])
    frame = avatar.next_frame(PATIENCE)
    image, sound = frame.image, frame.audio
    avatar.close()
    avatar.close()
    for ask in (
        lambda: avatar.push(voice[:960]),
        avatar.begin,
        avatar.finish,
        avatar.paced,
        avatar.ready,
        avatar.next_frame,
        lambda: avatar.latest_at(None),
        lambda: next(avatar),
        lambda: asyncio.run(anext(aiter(avatar))),
        lambda: Realtime(ScriptedServer().url, avatar=avatar),
    ):
        with pytest.raises(musetalk.ClosedError):
            ask()
    assert avatar.interrupt() is None or True
    assert image.shape == (512, 512, 3) and len(sound) == 960 and avatar.asset.name and avatar.stats.shown == 1
    halves = avatar.split()
    with pytest.raises(musetalk.ClosedError):
        halves[1].paced()


def test_two_threads_close_and_split_and_read_at_once(engine, voice):
    """Whatever comes first, nothing but `ClosedError` comes of it."""
    for _ in range(20):
        avatar = engine.open_avatar(demo.avatar(), buffer_seconds=1)
        wrong: list[BaseException] = []

        def attempt(ask) -> None:
            for _ in range(20):
                try:
                    ask()
                except musetalk.ClosedError:
                    pass
                except BaseException as error:
                    wrong.append(error)

        asks = [
            lambda: avatar.push(voice[:48]),
            avatar.paced,
            lambda: avatar.latest_at(None),
            lambda: avatar.stats,
            lambda: avatar.interrupter().interrupt() and avatar.begin(),
            avatar.close,
        ]
        threads = [threading.Thread(target=attempt, args=(ask,)) for ask in asks]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
        wrong = [error for error in wrong if not isinstance(error, musetalk.InterruptedError | musetalk.BufferFullError)]
        assert not wrong


def test_a_fork_says_so_and_does_not_hang():
    """Threads do not survive a fork: the child is told, the parent goes on."""
    done = python(
        "import os, sys, musetalk\nfrom musetalk import demo\n"
        "engine = musetalk.Engine(demo.pack(), device='cpu', threads=1)\navatar = engine.open_avatar(demo.avatar())\n"
        "avatar.push(demo.voice()[:960]); avatar.finish(); assert len(list(avatar)) == 1\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "  for ask in (lambda: avatar.push(demo.voice()[:960]), lambda: avatar.next_frame(5), lambda: avatar.latest_at(None), avatar.paced,\n"
        "              lambda: engine.open_avatar(demo.avatar()), lambda: musetalk.Engine(demo.pack()),\n"
        "              lambda: musetalk.ScriptedServer(), lambda: musetalk.Realtime('ws://127.0.0.1:9/v1')):\n"
        "    try: ask()\n"
        "    except musetalk.UnsupportedError as error: assert 'fork' in str(error), error\n"
        "    else: print('not told', flush=True)\n"
        "  avatar.close()\n"
        "  sys.stdout.flush(); os._exit(7)\n"
        "_, status = os.waitpid(child, 0)\n"
        "avatar.push(demo.voice()[:960]); avatar.finish(); assert len(list(avatar)) == 1\n"
        "print('child', os.waitstatus_to_exitcode(status))"
    )
    assert (done.returncode, done.stdout) == (0, "child 7\n"), done.stderr


def speak_elsewhere(queue) -> None:
    engine = musetalk.Engine(demo.pack(), device="cpu", threads=1)
    with engine.open_avatar(demo.avatar()) as avatar:
        avatar.push(demo.voice()[:960])
        avatar.finish()
        queue.put([frame.image.copy() for frame in avatar])


def test_a_process_of_its_own_speaks(engine, voice):
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=speak_elsewhere, args=(queue,))
    process.start()
    pictures = queue.get(timeout=PATIENCE)
    process.join(PATIENCE)
    assert process.exitcode == 0
    assert [picture.tobytes() for picture in pictures] == spoken(engine, voice[:960])[1]
