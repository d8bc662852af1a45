"""Requests that come while the disk is busy share the next transaction (group commit).

A commit waits for the disk, and for the standby's where there is one; each stream has one writer at a time. So one
commit for each operation is as fast as the disk turns, whatever the machine. Here whoever comes while a transaction is
under way waits for it and goes with all who came meanwhile: nobody waits for others to come, and an answer still goes
out only after its commit. docs/decisions/0027-central-server-at-work.md has the figures.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence

from central.exchange import Answer, Asked, Told
from central.log import log_failure
from operator_tui.sync.protocol import SyncRequest

_REQUESTS = 32  # in one transaction
_OPERATIONS = 400

Run = Callable[[Callable[[], list[Told]]], Awaitable[list[Told]]]
ExchangeAll = Callable[[Sequence[Asked]], list[Told]]


class Gathering:
    """Belongs to one event loop. ``run`` runs a function beside it; ``exchange_all`` is central.exchange's; ``grew`` is
    told the streams that grew, whether or not who wrote to them still waits."""

    def __init__(self, run: Run, exchange_all: ExchangeAll, grew: Callable[[Iterable[str]], None]) -> None:
        self._run = run
        self._exchange_all = exchange_all
        self._grew = grew
        self._waiting: deque[tuple[Asked, asyncio.Future[Told]]] = deque()
        self._writer: asyncio.Task[None] | None = None

    async def exchange(self, asked: Asked) -> tuple[SyncRequest, Answer]:
        """One request answered; what it stored is on disk. Refusals: those of central.exchange."""
        if not _operations(asked):  # who stores nothing waits for nobody's disk
            return _told((await self._run(lambda: self._exchange_all([asked])))[0])
        future: asyncio.Future[Told] = asyncio.get_running_loop().create_future()
        self._waiting.append((asked, future))
        # One transaction at a time: a second would wait for the same streams, and for the interpreter.
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        return _told(await future)

    async def _write(self) -> None:
        while self._waiting:
            group = self._next()
            try:
                told = await self._run(lambda group=group: self._exchange_all([asked for asked, _ in group]))  # type: ignore[misc]  # mypy knows no defaults in a lambda
            except Exception as error:
                told = [error] * len(group)
            for (_, future), what in zip(group, told, strict=True):
                if not future.done():  # else who asked is gone; he asks again, and what was taken is taken once
                    future.set_result(what)
            self._hint({stream for what in told if not isinstance(what, Exception) for stream in what[1].touched})

    def _hint(self, streams: set[str]) -> None:
        try:
            self._grew(streams)
        except Exception as error:  # a hint that is lost costs time; those who wait here must not wait for ever
            log_failure("hint failed", error)

    def _next(self) -> list[tuple[Asked, asyncio.Future[Told]]]:
        """Who goes now: the first in any case."""
        group = [self._waiting.popleft()]
        operations = _operations(group[0][0])
        while self._waiting and len(group) < _REQUESTS:
            operations += _operations(self._waiting[0][0])
            if operations > _OPERATIONS:
                break
            group.append(self._waiting.popleft())
        return group


def _told(what: Told) -> tuple[SyncRequest, Answer]:
    if isinstance(what, Exception):
        raise what
    return what


def _operations(asked: Asked) -> int:
    return len(asked.request.o) if isinstance(asked.request, SyncRequest) else 0
