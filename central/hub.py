"""Wakes waiting requests when a stream grows. Only a hint: the stream's row in the database is the truth, so a
waiter that missed a call (another server process made it) looks there every few seconds anyway."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable


class Hub:
    """Belongs to one event loop."""

    def __init__(self) -> None:
        self._bells: dict[str, asyncio.Event] = {}
        self.closed = False

    def bell(self, stream: str) -> asyncio.Event:
        """Rings at the stream's next growth. Take it before looking at the stream, or the growth is missed."""
        return self._bells.setdefault(stream, asyncio.Event())

    def ring(self, streams: Iterable[str]) -> None:
        """These streams grew."""
        for stream in streams:
            if bell := self._bells.pop(stream, None):
                bell.set()

    def close(self) -> None:
        """The server ends: nobody waits any more."""
        self.closed = True
        self.ring(list(self._bells))
