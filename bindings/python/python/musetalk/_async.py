"""What waits in an event loop.

Whoever waits looks, and when there is nothing, sleeps until the library rings. So a task that is cancelled takes nothing with it.
"""

from __future__ import annotations

import asyncio
from typing import Any

from ._native import ClosedError, Event


def resolve(future: asyncio.Future[None]) -> None:
    """Ends a future in its own loop, unless its task was cancelled meanwhile."""
    if not future.done():
        future.set_result(None)


async def _next(end: Any) -> Any:
    while True:
        found = end._poll()
        if found is not None:
            return found
        await end._news()


async def next_frame(end: Any) -> Any:
    """The next frame of an avatar or a reader."""
    return await _next(end)


async def next_event(talk: Any) -> Any:
    """The next event of a conversation."""
    return await _next(talk)


async def ready(talk: Any) -> None:
    """Waits until the server has taken the session."""
    while not talk._is_ready():
        try:
            event = await _next(talk)
        except StopAsyncIteration:
            raise ClosedError("the session is over; open another") from None
        if isinstance(event, Event.State) and event.state == "closed" and event.error is not None:
            raise event.error


async def connected(talk: Any) -> Any:
    """The conversation, once it is ready; closed if that fails or is cancelled."""
    try:
        await ready(talk)
    except BaseException:
        talk.close()
        raise
    return talk


async def closed(talk: Any) -> None:
    """Ends the conversation."""
    talk.close()
