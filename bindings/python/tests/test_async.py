"""`async for`: the same session, the same order, and no thread that waits."""

import asyncio
import threading

import musetalk
import pytest
from conftest import PATIENCE
from musetalk import demo


def run(task):
    return asyncio.run(asyncio.wait_for(task, PATIENCE))


def test_async_for_gives_what_a_loop_gives(avatar, voice):
    async def talk():
        avatar.push(voice[:24_000])
        avatar.finish()
        return [(frame.utterance, frame.utterance_frame) async for frame in avatar]

    assert run(talk()) == [(1, frame) for frame in range(25)]


def test_a_task_pushes_while_another_reads(avatar, voice):
    ears, face = avatar.split()

    async def speak():
        for chunk in range(0, 24_000, 480):
            ears.push(voice[chunk : chunk + 480])
            await asyncio.sleep(0)
        ears.finish()

    async def talk():
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(speak())
            return [frame.utterance_frame async for frame in face]

    assert run(talk()) == list(range(25))


def test_a_cancelled_task_takes_no_frame_with_it(avatar, voice):
    ears, face = avatar.split()

    async def talk():
        seen = []
        ears.begin()
        for chunk in range(0, 12_000, 240):
            ears.push(voice[chunk : chunk + 240])
            try:
                seen.append((await asyncio.wait_for(anext(face), 0.002)).utterance_frame)
            except TimeoutError:
                pass
        ears.finish()
        return seen + [frame.utterance_frame async for frame in face]

    frames = []

    async def all_of_it():
        frames.extend(await talk())

    run(all_of_it())
    assert frames == sorted(set(frames)) and frames[-1] == 12


def test_twenty_faces_in_one_loop_need_no_threads(engine, voice):
    avatars = [engine.open_avatar(demo.avatar()) for _ in range(20)]

    async def read(avatar):
        return [frame.utterance_frame async for frame in avatar]

    async def talk():
        readers = [asyncio.create_task(read(avatar)) for avatar in avatars]
        await asyncio.sleep(0.05)
        waiting = threading.active_count()
        for avatar in avatars:
            avatar.push(voice[:2_880])
            avatar.finish()
        return waiting, await asyncio.gather(*readers)

    before = threading.active_count()
    waiting, frames = run(talk())
    assert waiting == before and frames == [[0, 1, 2]] * 20
    for avatar in avatars:
        avatar.close()


def test_closing_wakes_who_waits(avatar):
    async def talk():
        waiting = asyncio.create_task(anext(aiter(avatar)))
        await asyncio.sleep(0.05)
        avatar.close()
        with pytest.raises(musetalk.ClosedError):
            await waiting

    run(talk())


def test_outside_a_loop_it_is_an_error_and_not_a_crash(avatar):
    coroutine = avatar.__anext__()
    with pytest.raises((RuntimeError, StopIteration)):
        coroutine.send(None)
    coroutine.close()
