"""The bus works as long as the server does."""

from __future__ import annotations

import asyncio
import contextlib
from types import SimpleNamespace
from typing import Any

import pytest

from central.bus import Bus, presence_bell
from central.hub import Hub
from operator_tui.appeals.clock import ManualClock


async def test_a_mistake_ends_none_of_its_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("central.bus.LOOK_S", 0.01)
    asked: list[float] = []

    def expire(now: float) -> set[str]:
        asked.append(now)
        if len(asked) == 1:
            raise RuntimeError("ours")
        return {"26"}

    hub = Hub()
    database = SimpleNamespace(engine=SimpleNamespace(dialect=SimpleNamespace(name="sqlite")))
    service: Any = SimpleNamespace(
        database=database, hub=hub, clock=ManualClock(), presences=SimpleNamespace(expire=expire)
    )

    async def heads(work: Any) -> dict[str, int]:
        return {}

    service.run = heads
    bell = hub.bell(presence_bell("26"))
    running = asyncio.create_task(Bus(service).run())
    try:
        async with asyncio.timeout(60):
            await bell.wait()
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
    assert len(asked) > 1
