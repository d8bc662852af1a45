"""Following the centre's registry outlives what goes wrong in a look: a refusal, a disk, a mistake of ours."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.desk.updates import RegistryUpdates


class _Updates(RegistryUpdates):
    """Each look meets the next of ``trouble``; after the last one everything is well."""

    def __init__(self, desk: Any, trouble: list[BaseException]) -> None:
        super().__init__(desk)
        self.trouble = trouble
        self.well = asyncio.Event()

    async def once(self) -> int:
        if self.trouble:
            raise self.trouble.pop(0)
        self.well.set()
        return 0


async def test_a_look_that_fails_is_said_and_followed_by_the_next() -> None:
    said: list[Refusal] = []
    settings = SimpleNamespace(get=lambda _: SimpleNamespace(fetch_minutes=1e-6))
    desk = SimpleNamespace(settings=settings, refused=said.append)
    away, busy = Refusal(Code.SERVER_AWAY), Refusal(Code.REGISTRY_FAULTS)
    updates = _Updates(desk, [away, OSError("disk"), busy, ZeroDivisionError(), asyncio.CancelledError()])
    following = asyncio.create_task(updates.follow())
    async with asyncio.timeout(60):
        await updates.well.wait()
    assert not following.done()
    assert [refusal.code for refusal in said] == [Code.REGISTRY_TRANSFER, busy.code, Code.REGISTRY_TRANSFER]
    assert [said[0].params, said[2].params] == [{"reason": "OSError"}, {"reason": "ZeroDivisionError"}]
    following.cancel()
    with pytest.raises(asyncio.CancelledError):
        await following
