"""Fetching something long over a line that drops: what has arrived counts, and only standing still is given up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from operator_tui.appeals.errors import Code, Refusal

TRIES, WAIT_S = 5, 2.0  # tries without a byte of progress, and the first pause between two (it doubles)


async def until_whole(
    more: Callable[[], Awaitable[None]],
    here: Callable[[], Awaitable[int]],
    whole: Callable[[int], Awaitable[bool]],
    *,
    wait_s: float,
) -> None:
    """Ask for ``more`` until ``whole(here())``. Refusals: SERVER_AWAY after five tries without a byte, and whatever
    ``more`` refuses but the line."""
    pause, tries = wait_s, 0
    while not await whole(before := await here()):
        try:
            await more()
        except Refusal as refusal:
            if refusal.code is not Code.SERVER_AWAY:
                raise
        if await here() > before:
            pause, tries = wait_s, 0
            continue
        tries += 1
        if tries == TRIES:
            raise Refusal(Code.SERVER_AWAY)
        await asyncio.sleep(pause)
        pause *= 2
