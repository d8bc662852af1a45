"""Ending tasks for good."""

from __future__ import annotations

import asyncio
from typing import Any

_AGAIN_SECONDS = 0.05


async def ended(*tasks: asyncio.Task[Any] | None) -> None:
    """Returns when all are done, however they took it.

    One ``cancel`` is not enough: up to CPython 3.11 an ``asyncio.wait_for`` that has just got its answer swallows it
    (python/cpython issue 86296), and a loop around it would go on for ever.
    """
    living = {task for task in tasks if task is not None and not task.done()}
    while living:
        for task in living:
            task.cancel()
        _, living = await asyncio.wait(living, timeout=_AGAIN_SECONDS)
