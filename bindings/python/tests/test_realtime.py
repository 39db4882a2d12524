"""Whole conversations with the scripted server, through real sockets."""

import asyncio
import time
from typing import Literal

import musetalk
import numpy as np
import pytest
from conftest import PATIENCE
from musetalk import Entry, Event, Heard, Realtime, ScriptedServer, Tool, demo

KEY = "sk-test-0123456789abcdef"


def run(task):
    return asyncio.run(asyncio.wait_for(task, PATIENCE))


async def until(talk: Realtime, kind: type) -> list[Event]:
    events = []
    async for event in talk:
        events.append(event)
        if isinstance(event, kind):
            return events
    pytest.fail(f"the session ended before {kind}: {events}")


def test_a_written_question_is_answered_by_voice():
    server = ScriptedServer(["Hello there."])

    async def conversation():
        text, sound = "", []
        async with Realtime(server.url, key=KEY, instructions="Be brief.") as talk:
            talk.say("Who are you?")
            async for event in talk:
                match event:
                    case Event.Transcript(delta=delta):
                        text += delta
                    case Event.Audio(1, pcm):
                        assert pcm.dtype == np.int16 and not pcm.flags.owndata
                        sound.append(pcm)
                    case Event.ResponseDone(status=status):
                        assert status == "completed"
                        break
            assert talk.posture == "speaking"
            talk.ended(1)
            assert talk.posture == "idle" and talk.usage.responses == 1 and talk.output_rate == 24_000
            assert KEY not in repr(talk)
            said = [entry.text for entry in talk.history if isinstance(entry, Entry.Said)]
            return text, sum(map(len, sound)), said

    text, samples, said = run(conversation())
    assert text == "Hello there." and samples == 12 * 60 * 24 and said == ["Who are you?", "Hello there."]
    end = time.monotonic() + PATIENCE
    while server.closed < 1:
        assert time.monotonic() < end
        time.sleep(0.01)
    assert "Be brief." in str(server.seen[0])


def test_functions_run_by_themselves():
    server = ScriptedServer(calls_functions=True)
    loops = []

    def weather(asked: str = "", unit: Literal["C", "F"] = "C") -> dict:
        """Tells the weather."""
        time.sleep(0.05)
        return {"sky": "rain"}

    async def clock(asked: str = "") -> str:
        loops.append(asyncio.get_running_loop())
        await asyncio.sleep(0.01)
        return "noon"

    def broken(**_: object) -> None:
        raise RuntimeError("on purpose")

    async def conversation():
        async with await Realtime.connect(server.url, tools=[weather, Tool(clock, name="time"), broken]) as talk:
            talk.say("What is it like outside?")
            events = await until(talk, Event.Said)
            assert loops == [asyncio.get_running_loop()], "coroutines run where the conversation does"
            return events

    text = run(conversation())[-1].text
    assert '"sky": "rain"' in text and "noon" in text and "on purpose" in text
    tools = {tool["name"]: tool for tool in server.seen[0]["session"]["tools"]}
    assert tools["weather"]["description"] == "Tells the weather."
    assert tools["weather"]["parameters"]["properties"] == {"asked": {"type": "string"}, "unit": {"enum": ["C", "F"]}}


def test_a_call_that_no_function_takes_is_the_hosts_to_answer():
    async def conversation(talk):
        assert talk.tool_output("call_nobody_made", "42") is False
        talk.tell("The person is called Ada.")
        talk.show(np.zeros((8, 8, 3), dtype=np.uint8), "Look.", detail="low")
        await until(talk, Event.ResponseDone)
        talk.aside("mood", "Name the mood.")
        aside = (await until(talk, Event.Aside))[-1]
        assert (aside.tag, aside.text) == ("mood", "You said: Look.")
        talk.update(modality="text")
        await until(talk, Event.Updated)
        talk.say("In writing, please.")
        wrote = [event for event in await until(talk, Event.ResponseDone) if isinstance(event, Event.Wrote)]
        assert wrote[0].text == "You said: In writing, please."

    async def whole():
        server = ScriptedServer()
        async with Realtime(server.url) as talk:
            await conversation(talk)
        assert "input_image" in str(server.seen)

    run(whole())


def test_an_answer_moves_a_face_and_who_speaks_up_stops_it(engine):
    server = ScriptedServer(["A story about many things."], answer_seconds=30.0)
    avatar = engine.open_avatar(demo.avatar())

    async def conversation():
        async with Realtime(server.url, avatar=avatar, audio_events=False) as talk:
            with pytest.raises(musetalk.ClosedError, match="conversation"):
                avatar.push(np.zeros(10, dtype=np.int16))
            talk.say("Go.")
            heard = 0
            while heard < 8 * 960:
                frame = avatar.paced()
                if frame.utterance:
                    heard = (frame.utterance_frame + 1) * 960
                    talk.heard(Heard(frame.utterance, heard))
                del frame
                await asyncio.sleep(0.002)
            for _ in range(5):
                talk.push_audio(np.full(2_400, 4_000, dtype=np.int16))
            await until(talk, Event.Interrupted)
            assert all(avatar.paced().utterance is None for _ in range(5)), "nothing of a cut answer is shown"
            while not [event for event in server.seen if event["type"] == "conversation.item.truncate"]:
                await asyncio.sleep(0.01)
            return heard

    heard = run(conversation())
    truncated = [event for event in server.seen if event["type"] == "conversation.item.truncate"]
    assert truncated[0]["audio_end_ms"] == heard // 24
    avatar.close()


def test_threads_without_a_loop_wait():
    server = ScriptedServer(["Yes."])
    talk = Realtime(server.url, turn_detection="manual")
    with pytest.raises(musetalk.TimedOutError):
        while True:
            talk.wait(timeout=0.3)
    talk.press()
    talk.push_audio(np.full(4_800, 0.1, dtype=np.float32))
    talk.release()
    while not isinstance(event := talk.wait(timeout=PATIENCE), Event.Said):
        assert event is not None
    assert event.text == "Yes." and server.samples == 4_800
    talk.close()
    last = None
    while (event := talk.wait(timeout=PATIENCE)) is not None:
        last = event
    assert isinstance(last, Event.State) and last.state == "closed" and last.error is None
    with pytest.raises(musetalk.ClosedError):
        talk.say("Still there?")
    with pytest.raises(musetalk.ClosedError, match="is over"):
        talk.push_audio(np.zeros(240, dtype=np.float32))


def test_a_cancelled_task_takes_no_event_with_it():
    async def conversation():
        server = ScriptedServer(["One.", "Two."])
        async with Realtime(server.url) as talk:
            talk.say("Go.")
            events = []
            while not events or not isinstance(events[-1], Event.ResponseDone):
                try:
                    events.append(await asyncio.wait_for(anext(talk), 0.0005))
                except TimeoutError:
                    pass
            assert sum(len(event.pcm) for event in events if isinstance(event, Event.Audio)) == 4 * 60 * 24
            return "".join(event.delta for event in events if isinstance(event, Event.Transcript))

    assert run(conversation()) == "One."


def test_what_cannot_work_is_refused_in_words(monkeypatch, avatar):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(musetalk.UnauthorizedError, match="OPENAI_API_KEY") as caught:
        Realtime()
    assert isinstance(caught.value, PermissionError)
    with pytest.raises(musetalk.InvalidInputError, match="openai, xai"):
        Realtime("nobody")
    for wrong in ({"speed": 9.0}, {"speed": float("nan")}, {"tools": [5]}, {"turn_detection": "x"}, {"modality": "x"}, {"language": "de"}, {"avatar": 1}, {"key": "two words"}):
        with pytest.raises(musetalk.InvalidInputError):
            Realtime("ws://127.0.0.1:9/v1", **wrong)
    with pytest.raises(musetalk.InvalidInputError, match="takes none"):
        Realtime("ws://127.0.0.1:9/v1", tools=[lambda *args: None])
    with pytest.raises(musetalk.InvalidInputError, match="function name"):
        Realtime("ws://127.0.0.1:9/v1", tools=[lambda: None])
    avatar.push(np.zeros(960, dtype=np.int16))
