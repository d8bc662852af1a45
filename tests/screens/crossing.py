"""A key and an event that cross, by hand: what the engine tells and what a slow line brings, in the order of a test."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from msgspec.structs import replace
from textual.events import Key

from operator_tui.phone.line import Call, CallChanged, CallState, EndedBy, Snapshot
from tests.screens.page import PATIENCE_S, DeskPage
from tests.screens.test_call import answered
from tests.screens.test_two_calls import ringing_beside

WITH_A_SECOND = {"simulated_waiting_seconds": 0.3}
FOR_EVER_S = 600.0


async def so(condition: Callable[[], object]) -> None:
    """Wait without the pilot, who would wait for a screen that has something to do."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110  # what a key has come to is no event
            await asyncio.sleep(0.01)


async def hung_up_there(desk: DeskPage, call: Call) -> None:
    """What the engine tells when the other end hangs up; the simulated one still believes that he is there."""
    following = desk.desk.phone.following
    take = following.take

    async def of_the_others(event: Any) -> None:
        if not isinstance(event, Snapshot) and not (isinstance(event, CallChanged) and event.call.id == call.id):
            await take(event)

    following.take = of_the_others  # type: ignore[method-assign]  # the engine's picture is older than the truth
    over = replace(call, state=CallState.ENDED, ended_ms=desk.desk.clock.now_ms(), ended_by=EndedBy.THERE)
    await take(CallChanged(over))


async def two_talks(desk: DeskPage) -> tuple[Call, Call]:
    """Two callers who were answered: the one talked to, and the one who waits."""
    await answered(desk)
    await ringing_beside(desk)
    await desk.press("f2")
    await desk.until(lambda: any(call.held for call in desk.desk.state.others), "the first one waits")
    await desk.until_talking()
    front, (waits,) = desk.desk.state.call, desk.desk.state.others
    assert front is not None
    return front, waits


def packet(desk: DeskPage, *keys: str) -> None:
    """Keys that a slow line brings together."""
    for key in keys:
        desk.app.post_message(Key(key, key if len(key) == 1 else None))
