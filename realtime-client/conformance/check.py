"""Holds events against the types of the official package: unknown, missing, null, and what the types do not say."""

import base64
import collections.abc
import json
import sys
import types
import typing

import pydantic
import typing_extensions
from openai.types.realtime import RealtimeServerEvent
from openai.types.realtime.realtime_client_event_param import RealtimeClientEventParam
from openai.types.realtime.response_create_event_with_references_param import ResponseCreateEventWithReferencesParam

# What servers send although no type declares it.
EXTRAS = {"id", "object", "expires_at"}
# What may be null by the package's own text, although its types do not say so.
NULLABLE = {"event.session.audio.input.noise_reduction", "event.session.audio.input.transcription"}


def members(annotation):
    """The members of a union, in any spelling; one member for everything else."""
    annotation = bare(annotation)
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return [leaf for member in typing.get_args(annotation) for leaf in members(member)]
    return [annotation]


def bare(annotation):
    while True:
        origin = typing.get_origin(annotation)
        if origin is typing.Annotated or origin in (typing_extensions.Required, typing_extensions.NotRequired):
            annotation = typing.get_args(annotation)[0]
        elif isinstance(annotation, typing_extensions.TypeAliasType):
            annotation = annotation.__value__
        else:
            return annotation


def fields(kind):
    """Name → (annotation, required) of a record; None for anything else."""
    if isinstance(kind, type) and issubclass(kind, pydantic.BaseModel):
        return {(f.alias or name): (f.annotation, f.is_required()) for name, f in kind.model_fields.items()}
    if typing_extensions.is_typeddict(kind):
        hints = typing_extensions.get_type_hints(kind, include_extras=True)
        # The package's annotations are text, so `__required_keys__` does not see `Required`.
        required = lambda hint: typing.get_origin(hint) is typing_extensions.Required
        return {name: (hint, required(hint)) for name, hint in hints.items()}
    return None


def faults(annotation, value, path, server):
    """What is wrong with a value, as lines; the kindest reading of a union counts."""
    kinds = members(annotation)
    if value is None:
        nullable = any(kind in (type(None), typing.Any, object) for kind in kinds)
        return [] if nullable or path in NULLABLE else [f"{path}: null is not allowed"]
    kinds = [kind for kind in kinds if kind is not type(None)]
    if isinstance(value, dict):
        kinds = discriminated(kinds, value)
    best = min((faults_of(kind, value, path, server) for kind in kinds), key=len, default=[f"{path}: no type fits"])
    return best


def discriminated(kinds, value):
    """Those whose `type` and `role` are the value's, where there are such."""

    def fits(kind):
        for key in ("type", "role"):
            annotation = (fields(kind) or {}).get(key, (None, False))[0]
            literals = [a for m in members(annotation) if typing.get_origin(m) is typing.Literal for a in typing.get_args(m)]
            if literals and value.get(key) not in literals:
                return False
        return True

    return [kind for kind in kinds if fits(kind)] or kinds


def faults_of(kind, value, path, server):
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    known = fields(kind)
    if known is not None:
        if not isinstance(value, dict):
            return [f"{path}: {type(value).__name__} instead of an object"]
        found = [f"{path}.{name}: missing" for name, (_, required) in known.items() if required and name not in value]
        for name, inner in value.items():
            if name in known:
                found += faults(known[name][0], inner, f"{path}.{name}", server)
            elif not (server and path.endswith(".session") and name in EXTRAS):
                found.append(f"{path}.{name}: unknown field")
        return found
    if origin is typing.Literal:
        return [] if value in arguments else [f"{path}: {value!r} is none of {arguments}"]
    if origin in (list, collections.abc.Iterable, collections.abc.Sequence) or "Sequence" in str(origin):
        if not isinstance(value, list):
            return [f"{path}: {type(value).__name__} instead of a list"]
        return [f for i, inner in enumerate(value) for f in faults(arguments[0], inner, f"{path}[{i}]", server)]
    if origin is dict:
        if not isinstance(value, dict):
            return [f"{path}: {type(value).__name__} instead of an object"]
        return [f for key, inner in value.items() for f in faults(arguments[1], inner, f"{path}.{key}", server)]
    if kind in (typing.Any, object):
        return []
    if kind is float:
        fits = isinstance(value, (int, float)) and not isinstance(value, bool)
    elif kind is int:
        fits = isinstance(value, int) and not isinstance(value, bool)
    else:
        fits = isinstance(kind, type) and isinstance(value, kind)
    return [] if fits else [f"{path}: {value!r} is no {kind}"]


def rules(event, server):
    """What the types do not say."""

    def walk(value, path):
        if isinstance(value, dict):
            for key, inner in value.items():
                yield from rule(key, inner, value, f"{path}.{key}")
                yield from walk(inner, f"{path}.{key}")
        elif isinstance(value, list):
            for index, inner in enumerate(value):
                yield from walk(inner, f"{path}[{index}]")

    def rule(key, value, around, path):
        is_sound = key == "audio" and isinstance(value, str)
        is_sound |= key == "delta" and event["type"] == "response.output_audio.delta"
        if is_sound:
            try:
                sound = base64.b64decode(value, validate=True)
            except ValueError as e:
                yield f"{path}: no base64: {e}"
            else:
                if len(sound) % 2:
                    yield f"{path}: an odd number of bytes"
                if len(value) > 15 << 20:
                    yield f"{path}: more than 15 MiB"
        if key == "output_modalities" and isinstance(value, list) and len(value) != 1:
            yield f"{path}: one modality, not {len(value)}"
        if key == "image_url" and not str(value).startswith(("data:image/png;base64,", "data:image/jpeg;base64,")):
            yield f"{path}: no data URI of a PNG or JPEG"
        if key == "speed" and value is not None and not 0.25 <= value <= 1.5:
            yield f"{path}: {value} is not 0.25 to 1.5"
        if key == "threshold" and value is not None and not 0 <= value <= 1:
            yield f"{path}: {value} is not 0 to 1"
        if key == "idle_timeout_ms" and value is not None and not 5000 <= value <= 30000:
            yield f"{path}: {value} is not 5000 to 30000"
        if not server and key in ("id", "call_id", "item_id") and len(str(value)) > 32:
            yield f"{path}: more than 32 characters"
        if key == "event_id" and value is not None and len(str(value)) > 512:
            yield f"{path}: more than 512 characters"
        if key == "metadata" and isinstance(value, dict) and not path.endswith(".tracing.metadata"):
            if len(value) > 16 or any(len(k) > 64 or len(v) > 512 for k, v in value.items()):
                yield f"{path}: too much metadata"

    yield from walk(event, "event")


def check(event, server):
    union = RealtimeServerEvent if server else typing.Union[RealtimeClientEventParam, ResponseCreateEventWithReferencesParam]
    kinds = [kind for kind in members(union) if event.get("type") in typing.get_args(bare(fields(kind)["type"][0]))]
    if not kinds:
        return [f"event.type: {event.get('type')!r} is no event"]
    return min((faults_of(kind, event, "event", server) for kind in kinds), key=len) + list(rules(event, server))


def reachable(annotation, found):
    """Every record that a value of this type may hold, by its class."""
    for kind in members(annotation):
        known = fields(kind)
        if known is None:
            for inner in typing.get_args(kind) if typing.get_origin(kind) is not typing.Literal else ():
                reachable(inner, found)
        elif kind not in found:
            found.add(kind)
            for inner, _ in known.values():
                reachable(inner, found)
    return found


def note(annotation, value, seen):
    """Remembers which fields of which records were there, and which were not."""
    kinds = [kind for kind in members(annotation) if kind is not type(None)]
    if isinstance(value, dict):
        kinds = discriminated(kinds, value)
    kind = min(kinds, key=lambda kind: len(faults_of(kind, value, "", False)), default=None)
    known = fields(kind)
    if known is not None and isinstance(value, dict):
        for name, (inner, _) in known.items():
            seen.setdefault((kind, name), set()).add(name in value)
            if value.get(name) is not None:
                note(inner, value[name], seen)
    elif isinstance(value, dict) and typing.get_origin(kind) is dict:
        for inner in value.values():
            note(typing.get_args(kind)[1], inner, seen)
    elif isinstance(value, list):
        for inner in value:
            note((typing.get_args(kind) or (typing.Any,))[0], inner, seen)


def name_of(kind):
    """Its file, where many are called the same, and its class."""
    return kind.__module__.rsplit(".", 1)[-1] + "." + kind.__name__


def uncovered(events):
    """Fields of the package's client events that were never there, and optional ones that were always there."""
    union = typing.Union[RealtimeClientEventParam, ResponseCreateEventWithReferencesParam]
    seen = {}
    for event in events:
        note(union, event, seen)
    lines = []
    for kind in sorted(reachable(union, set()), key=name_of):
        for name, (_, required) in fields(kind).items():
            states = seen.get((kind, name), set())
            if True not in states:
                lines.append(f"{name_of(kind)}.{name}: never sent")
            elif not required and False not in states:
                lines.append(f"{name_of(kind)}.{name}: always sent")
    return lines


def self_test():
    """Every one of these is wrong, and plain validation lets most of them pass."""
    session = lambda **keys: {"type": "session.update", "session": {"type": "realtime", **keys}}
    item = lambda **keys: {"type": "conversation.item.create", "item": {"type": "message", **keys}}
    wrong = [
        {"type": "session.update", "session": {"modalities": ["text"]}},
        session(output_modalities=["text", "audio"]),
        session(temperature=0.8),
        session(audio={"output": {"speed": 2.0}}),
        session(audio={"input": {"turn_detection": {"type": "semantic_vad", "idle_timeout_ms": 6000}}}),
        session(tools=[{"type": "function", "name": "f", "strict": True}]),
        {"type": "input_audio_buffer.append", "audio": "AAAAAAA"},
        {"type": "input_audio_buffer.append", "audio": "_-AA"},
        {"type": "input_audio_buffer.append", "audio": "AAAA"},
        item(role="assistant", content=[{"type": "text", "text": "x"}]),
        item(role="user", content=[{"type": "input_image", "image_url": {"url": "data:image/png;base64,AA=="}}]),
        item(role="user", id="x" * 33, content=[]),
        {"type": "response.create", "response": None},
        {"type": "response.create", "response": {"modalities": ["audio"]}},
        {"type": "conversation.item.truncate", "item_id": "i", "content_index": 0},
        {"type": "no.such.event"},
    ]
    right = [
        session(instructions="x", audio={"input": {"turn_detection": None, "noise_reduction": None}}),
        {"type": "input_audio_buffer.append", "audio": "AAAAAAAA"},
        {"type": "response.create", "response": {"input": [{"type": "item_reference", "id": "i"}]}},
    ]
    missed = [event for event in wrong if not check(event, server=False)]
    refused = [(event, check(event, server=False)) for event in right if check(event, server=False)]
    for event in missed:
        print("not found:", json.dumps(event))
    for event, why in refused:
        print("wrongly refused:", json.dumps(event), why)
    print(f"{len(wrong) - len(missed)} of {len(wrong)} faults found")
    return not missed and not refused


def main():
    if sys.argv[1] == "self-test":
        sys.exit(not self_test())
    if sys.argv[1] == "uncovered":
        lines = uncovered(json.loads(line) for line in open(sys.argv[2], encoding="utf-8"))
        print("\n".join(lines))
        return
    direction, path = sys.argv[1:]
    kinds, bad = set(), 0
    for number, line in enumerate(open(path, encoding="utf-8"), 1):
        event = json.loads(line)
        kinds.add(event["type"])
        for fault in check(event, server=direction == "server"):
            bad += 1
            print(f"line {number}, {event['type']}: {fault}: {line[:300].rstrip()}")
    print(f"{number} events of {len(kinds)} kinds, {bad} faults")
    sys.exit(bad > 0)


if __name__ == "__main__":
    main()
