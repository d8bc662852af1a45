"""Catching up: a desk far behind takes the appeals as they stand, and single ones that it turns out to lack.

The bytes come beside the operations and never before one; a cut goes on where it was.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any

import msgspec
import zstandard

from operator_tui.appeals.card import Card
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.journal.journal import Journal
from operator_tui.sync.link import Link
from operator_tui.sync.protocol import (
    CARDS_PATH,
    MOST_CARDS,
    PROTOCOL_VERSION,
    SNAPSHOT_PATH,
    CardsAnswer,
    CardsRequest,
    Top,
)

_log = logging.getLogger(__name__)

FAR_BEHIND = 2_000  # events: some two minutes of a line of 64 kbit/s
_AT_ONCE = 50  # cards in one transaction: a save waits for one of them
_TRIES, _WAIT_S = 5, 2.0  # tries without a byte of progress, and the first pause between two (it doubles)
_MOST_BYTES = 256 << 20
_WINDOW = 8 << 20


class CatchingUp:
    """``signed_in(work)`` runs ``work(token)`` as whoever sits here, ``ask`` sends a question and gives its answer."""

    def __init__(
        self,
        journal: Journal,
        link: Link,
        *,
        run: Callable[..., Awaitable[Any]],
        ask: Callable[[str, msgspec.Struct], Awaitable[bytes]],
        signed_in: Callable[[Callable[[str], Awaitable[Any]]], Awaitable[Any]],
        on_cards: Callable[[Sequence[str]], None],
    ) -> None:
        self._journal = journal
        self._link = link
        self._run = run
        self._ask = ask
        self._signed_in = signed_in
        self._on_cards = on_cards
        self._task: asyncio.Task[None] | None = None
        self._known = True  # whether the server has any
        self._tag = ""

    @property
    def going_on(self) -> bool:
        """Whether one is on its way: then no events are asked for."""
        return self._task is not None

    def look(self, stream: str, behind: int, epoch: str, *, begun: bool, done: Callable[[], None]) -> None:
        """Begin if it is worth it, or was ``begun`` before this desk was started. ``done`` is called at its end."""
        if self._task is None and ((behind > FAR_BEHIND and self._known) or begun):
            self._task = asyncio.create_task(self._catch_up(stream, epoch, done))

    async def stop(self) -> None:
        """Let go; what was not taken whole is taken at the next start."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def fill_in(self) -> None:
        """Ask for single cards that something happened to and that are not here."""
        ids: list[str] = (await self._run(self._journal.missing_cards))[:MOST_CARDS]
        device = await self._run(lambda: self._journal.device)
        if not ids or device is None or not self._known:
            return
        asked = CardsRequest(PROTOCOL_VERSION, device.operator.organisation, ids)
        try:
            answer = msgspec.json.decode(await self._ask(CARDS_PATH, asked), type=CardsAnswer)
        except Refusal as refusal:
            if refusal.code is Code.SERVER_AWAY:
                raise
            self._known = False  # a server of the version before
            return
        changed: list[str] | None = await self._run(self._journal.take_missing, ids, answer.head, answer.cards)
        if changed:
            self._on_cards(changed)

    async def _catch_up(self, stream: str, epoch: str, done: Callable[[], None]) -> None:
        try:
            content = await self._fetch(stream)
            await self._take(stream, epoch, content)
        except Refusal as refusal:
            if refusal.code is not Code.SERVER_AWAY:
                _log.warning("no snapshot: %s", refusal.code)
                self._known = False
                await self._run(self._journal.give_up_snapshot)
        except (zstandard.ZstdError, msgspec.MsgspecError, ValueError):
            _log.warning("not a snapshot of ours")
            self._known = False
            await self._run(self._journal.give_up_snapshot)
        finally:
            self._task = None
            done()

    async def _fetch(self, stream: str) -> bytes:
        """All of it, verified by its tag. Refusals: SERVER_AWAY after five tries without a byte, what is refused."""
        content, pause, tries = bytearray(), _WAIT_S, 0
        self._tag = ""
        while True:
            before = len(content)
            try:
                await self._signed_in(lambda token: self._more(stream, token, content))
                if hashlib.sha256(content).hexdigest() == self._tag:
                    return bytes(content)
                content.clear()
            except Refusal as refusal:
                if refusal.code is not Code.SERVER_AWAY:
                    raise
            if len(content) > before:
                pause, tries = _WAIT_S, 0
                continue
            tries += 1
            if tries == _TRIES:
                raise Refusal(Code.SERVER_AWAY)
            await asyncio.sleep(pause)
            pause *= 2

    async def _more(self, stream: str, token: str, content: bytearray) -> None:
        """What the line gives until it ends or drops, behind what is here."""
        path = f"{SNAPSHOT_PATH}/{stream}"
        async with self._link.tagged(path, token=token, start=len(content), tag=self._tag) as (first, found, chunks):
            self._tag = found
            del content[first:]
            async for chunk in chunks:
                content += chunk
                if len(content) > _MOST_BYTES:
                    raise Refusal(Code.SERVER_REFUSED, reason="snapshot")

    async def _take(self, stream: str, epoch: str, content: bytes) -> None:
        lines = _lines(content)
        top = msgspec.json.decode(next(lines), type=Top)
        if (top.s, top.e) != (stream, epoch):
            raise Refusal(Code.SERVER_AWAY)  # the server became another meanwhile
        await self._run(self._journal.begin_snapshot, stream)
        while part := [msgspec.json.decode(line, type=Card) for _, line in zip(range(_AT_ONCE), lines, strict=False)]:
            changed = await self._run(self._journal.put_snapshot, part, top.q)
            self._on_cards(changed)
        if late := await self._run(self._journal.end_snapshot, stream, top.q):
            self._on_cards(late)


def _lines(content: bytes) -> Iterator[bytes]:
    unpacker = zstandard.ZstdDecompressor(max_window_size=_WINDOW)
    with unpacker.stream_reader(io.BytesIO(content)) as reader:
        for line in io.BufferedReader(reader, 1 << 16):
            if line.strip():
                yield line
