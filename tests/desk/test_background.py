"""What a desk does beside its keys ends with it, whenever it ends."""

from __future__ import annotations

import asyncio
import gc
import warnings
from types import SimpleNamespace
from typing import Any

from operator_tui.desk.desk import Desk


async def test_a_desk_that_stops_forgets_no_work_that_has_not_begun() -> None:
    begun: list[str] = []

    async def work() -> None:
        begun.append("begun")

    desk: Any = SimpleNamespace(_tasks=set())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Desk.background(desk, work())
        await Desk._end_tasks(desk)
        gc.collect()
    assert not begun
    assert not desk._tasks


async def test_what_has_begun_is_done() -> None:
    done = asyncio.Event()

    async def work() -> None:
        await asyncio.sleep(0)
        done.set()

    desk: Any = SimpleNamespace(_tasks=set())
    Desk.background(desk, work())
    async with asyncio.timeout(60):
        await done.wait()
