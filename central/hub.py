"""Wakes waiting requests and open streams. Only a hint: the stream's row in the database is the truth, so all that
somebody waits for is looked up there every few seconds anyway, in one query for all (central/bus.py)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping


class Hub:
    """Belongs to one event loop."""

    def __init__(self) -> None:
        self._bells: dict[str, asyncio.Event] = {}
        self._heads: dict[str, int] = {}
        self.closed = False

    def bell(self, stream: str) -> asyncio.Event:
        """Rings at the stream's next growth. Take it before looking at the stream, or the growth is missed."""
        return self._bells.setdefault(stream, asyncio.Event())

    def ring(self, streams: Iterable[str]) -> None:
        """These streams grew."""
        for stream in streams:
            if bell := self._bells.pop(stream, None):
                bell.set()

    def waited_for(self) -> list[str]:
        """The streams somebody waits for."""
        return list(self._bells)

    def looked(self, heads: Mapping[str, int]) -> None:
        """How far streams have come: those that moved since the last look ring. A move back counts (a restore)."""
        self.ring([stream for stream, head in heads.items() if self._heads.get(stream) != head])
        self._heads.update(heads)

    def close(self) -> None:
        """The server ends: nobody waits any more."""
        self.closed = True
        self.ring(list(self._bells))


async def first_of(bells: Iterable[asyncio.Event], within: float) -> None:
    """Wait for the first of the bells."""
    waiting = [asyncio.ensure_future(bell.wait()) for bell in bells]
    if not waiting:
        await asyncio.sleep(within)
        return
    try:
        await asyncio.wait(waiting, timeout=within, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()
