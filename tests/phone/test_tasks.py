"""A task that swallows its first cancellation is ended all the same."""

from __future__ import annotations

import asyncio
import contextlib

from operator_tui.phone.tasks import ended


async def test_one_swallowed_cancellation_does_not_save_a_loop() -> None:
    swallowed = 0

    async def stubborn() -> None:
        nonlocal swallowed
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(60)
        swallowed += 1
        await asyncio.sleep(60)

    task, done = asyncio.create_task(stubborn()), asyncio.create_task(asyncio.sleep(0))
    await asyncio.sleep(0)
    await asyncio.wait_for(ended(task, done, None), 60)
    assert swallowed == 1
    assert task.cancelled()
