"""A conversation through the official client: what it can do with a server is what real programs will do.

Prints one line for each step; exit code 0 when everything came as a program would expect it.
"""

import base64
import json
import sys

import openai

SILENCE = base64.b64encode(bytes(4800)).decode()
SPEECH = base64.b64encode((4000).to_bytes(2, "little", signed=True) * 2400).decode()


def until(connection, kind):
    """The events up to and with the first of a kind."""
    events = []
    for event in connection:
        events.append(event)
        if event.type == "error":
            raise SystemExit(f"error instead of {kind}: {event.error}")
        if event.type == kind:
            return events
    raise SystemExit(f"the connection ended before {kind}")


def of(events, kind):
    return [event for event in events if event.type == kind]


def expect(step, truth):
    if not truth:
        raise SystemExit(f"{step}: not as expected")
    print(step)


def main(base):
    client = openai.OpenAI(api_key="sk-any", base_url=base.replace("ws://", "http://"), websocket_base_url=base)
    with client.realtime.connect(model="scripted") as talk:
        events = until(talk, "session.created")
        expect("the session is created first", len(events) == 1 and events[0].session.type == "realtime")

        weather = {"type": "function", "name": "weather", "parameters": {"type": "object", "properties": {}}}
        talk.session.update(session={"type": "realtime", "instructions": "Be kind.", "tools": [weather],
                                     "audio": {"input": {"transcription": {"model": "any"}}}})
        session = until(talk, "session.updated")[-1].session
        expect("the session is updated", session.instructions == "Be kind." and session.tools[0].name == "weather")

        part = {"type": "input_text", "text": "What is it like outside?"}
        talk.conversation.item.create(item={"type": "message", "role": "user", "content": [part]})
        talk.response.create()
        call = of(until(talk, "response.done"), "response.function_call_arguments.done")[0]
        expect("a function is called", call.name == "weather" and isinstance(json.loads(call.arguments), dict))

        output = {"type": "function_call_output", "call_id": call.call_id, "output": "rain"}
        talk.conversation.item.create(item=output)
        talk.response.create()
        events = until(talk, "response.done")
        said = "".join(event.delta for event in of(events, "response.output_audio_transcript.delta"))
        sound = b"".join(base64.b64decode(event.delta) for event in of(events, "response.output_audio.delta"))
        expect("its output is spoken of", said == "The function said: rain" and len(sound) % 2 == 0 and sound)
        expect("usage is told", events[-1].response.usage.total_tokens > 0)
        item = of(events, "response.output_item.done")[0].item.id

        talk.conversation.item.truncate(item_id=item, content_index=0, audio_end_ms=500)
        expect("what was not heard is forgotten", until(talk, "conversation.item.truncated")[-1].audio_end_ms == 500)
        talk.conversation.item.delete(item_id=item)
        until(talk, "conversation.item.deleted")

        for _ in range(5):
            talk.input_audio_buffer.append(audio=SPEECH)
        for _ in range(5):
            talk.input_audio_buffer.append(audio=SILENCE)
        kinds = [event.type for event in until(talk, "response.done")]
        order = ["input_audio_buffer.speech_started", "input_audio_buffer.speech_stopped", "input_audio_buffer.committed",
                 "conversation.item.input_audio_transcription.completed", "response.created", "response.done"]
        expect("a spoken turn is found and answered", [kind for kind in kinds if kind in order] == order)

        # Nothing runs any more: an error that names its cause, and the conversation goes on.
        talk.send({"type": "response.cancel", "event_id": "mine"})
        error = next(event for event in talk if event.type == "error").error
        expect("an error names its cause", error.event_id == "mine" and error.code == "response_cancel_not_active")
        talk.response.create(response={"conversation": "none", "output_modalities": ["text"], "metadata": {"topic": "mood"}})
        done = until(talk, "response.done")[-1].response
        expect("an answer beside the conversation", done.metadata == {"topic": "mood"} and done.conversation_id is None)


if __name__ == "__main__":
    main(sys.argv[1])
