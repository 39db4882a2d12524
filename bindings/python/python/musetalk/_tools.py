"""Functions that a model may call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

from ._native import InvalidInputError

# What only a conversation needs is imported when there is one: `import musetalk` stays short.
if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Coroutine, Mapping

_TYPES = {str: "string", int: "integer", float: "number", bool: "boolean", list: "array", dict: "object"}


@final
class Tool:
    """A function that the model may call, plain or a coroutine.

    Name, description and parameters come from the function where they are not given: its name, its docstring, its annotations.
    The function gets the arguments as keywords; what it returns is told to the model, as it is if it is text, else as JSON.
    """

    __slots__ = ("description", "function", "name", "parameters", "reply")

    def __init__(
        self,
        function: Callable[..., object],
        *,
        name: str | None = None,
        description: str | None = None,
        parameters: Mapping[str, Any] | None = None,
        reply: bool = True,
    ) -> None:
        import inspect

        if not callable(function):
            raise InvalidInputError(f"a tool is a function or a Tool, and {function!r} is neither")
        self.function = function
        self.name: str = name if name is not None else getattr(function, "__name__", "")
        self.description: str = description if description is not None else inspect.getdoc(function) or ""
        self.parameters: Mapping[str, Any] = parameters if parameters is not None else schema_of(function)
        self.reply = reply


def schema_of(function: Callable[..., object]) -> dict[str, Any]:
    """The JSON Schema of a function's keywords, from its annotations."""
    import inspect
    import typing

    hints = typing.get_type_hints(function)
    properties: dict[str, Any] = {}
    required = []
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.VAR_POSITIONAL):
            raise InvalidInputError(f"the model gives keywords, and {name} of {function!r} takes none; give parameters=")
        if parameter.kind is parameter.VAR_KEYWORD:
            continue
        properties[name] = _schema(hints.get(name, Any))
        if parameter.default is parameter.empty:
            required.append(name)
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _schema(hint: Any) -> dict[str, Any]:
    import types
    import typing

    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return {"enum": list(arguments)}
    if origin in (typing.Union, types.UnionType):
        wanted = [argument for argument in arguments if argument is not type(None)]
        return _schema(wanted[0]) if len(wanted) == 1 else {"anyOf": [_schema(argument) for argument in wanted]}
    if origin is list and arguments:
        return {"type": "array", "items": _schema(arguments[0])}
    kind = _TYPES.get(origin or hint)
    return {"type": kind} if kind else {}


def prepared(tool: Tool | Callable[..., object]) -> tuple[str, str, str, Callable[..., tuple[str, bool]]]:
    """What the library takes: name, description, parameters as JSON, and what to call with JSON and a loop."""
    import inspect
    import json

    tool = tool if isinstance(tool, Tool) else Tool(tool)

    def run(arguments: str, loop: asyncio.AbstractEventLoop | None) -> tuple[str, bool]:
        answer = tool.function(**json.loads(arguments))
        if inspect.isawaitable(answer):
            answer = _awaited(answer, loop)
        text = answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False, default=str)
        return text, tool.reply

    return tool.name, tool.description, json.dumps(tool.parameters), run


def _awaited(answer: Any, loop: asyncio.AbstractEventLoop | None) -> object:
    """On a thread of the library: runs a coroutine in the loop that the conversation was opened in, else in one of its own."""
    import asyncio

    async def wait() -> object:
        return await answer

    waiting: Coroutine[Any, Any, object] = wait()
    if loop is None or loop.is_closed():
        return asyncio.run(waiting)
    return asyncio.run_coroutine_threadsafe(waiting, loop).result()


def current_loop() -> asyncio.AbstractEventLoop | None:
    """The loop that runs now, if one does."""
    import asyncio

    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
