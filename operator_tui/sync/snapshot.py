"""Catching up: a desk far behind takes the appeals as they stand, and single ones that it turns out to lack.

The bytes come beside the operations and never before one; a cut goes on where it was.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import itertools
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any

import msgspec
import zstandard

from operator_tui.appeals.card import Card
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.journal.journal import Journal
from operator_tui.sync.link import Link
from operator_tui.sync.persistence import WAIT_S, until_whole
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
_PART = 64 << 10  # bytes kept at once: what a killed desk asks for again
_REFUSED = 3  # refusals one after another, until the stream is read instead
_WAIT_S = WAIT_S
_MOST_BYTES = 256 << 20
_WINDOW = 8 << 20
_SMALL = 64 << 10  # bytes that are hashed and unpacked sooner than a thread is woken


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
        self._refused = 0
        self._ended = False  # the last answer came to its end
        self._look = False  # nobody has looked yet what was here before
        self.unread = False  # events came meanwhile that were not taken: an open stream does not bring them again

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
        """Ask for single cards that something happened to and that are not here. Refusals: SERVER_AWAY; another one is
        the matter of these cards alone, and they are asked for again."""
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
            self._known = not _unknown(refusal)
            _log.warning("no single cards: %s", refusal.code)
            return
        changed: list[str] | None = await self._run(self._journal.take_missing, ids, answer.head, answer.cards)
        if changed:
            self._on_cards(changed)

    async def _catch_up(self, stream: str, epoch: str, done: Callable[[], None]) -> None:
        try:
            await self._fetch(stream)
            await self._take(stream, epoch, await self._run(self._journal.snapshot_content))
            self._refused = 0
        except Refusal as refusal:
            if refusal.code is not Code.SERVER_AWAY:
                _log.warning("no snapshot: %s", refusal.code)
                await self._not_now(for_good=_unknown(refusal))
        except (zstandard.ZstdError, msgspec.MsgspecError, ValueError):
            _log.warning("not a snapshot of ours")
            await self._not_now(for_good=False)
        finally:
            self._task = None
            self.unread = True
            done()

    async def _not_now(self, *, for_good: bool) -> None:
        """The next round tries again; a server that has none, or that fails again and again, is asked no more, and the
        stream is read event by event."""
        self._refused += 1
        if for_good or self._refused >= _REFUSED:
            self._known = False
            await self._run(self._journal.give_up_snapshot)
        else:
            await self._run(self._journal.drop_snapshot)

    async def _fetch(self, stream: str) -> None:
        """All of it into the journal, verified by its tag. Refusals: those of ``until_whole``."""

        async def more() -> None:
            await self._signed_in(lambda token: self._more(stream, token))

        async def here() -> int:
            size: int = (await self._run(self._journal.snapshot_arrived))[1]
            return size

        self._look = True
        await until_whole(more, here, self._whole, wait_s=_WAIT_S)

    async def _whole(self, size: int) -> bool:
        """Whether it is; what came to its end and is not what its tag says is thrown away."""
        ended, look = self._ended, self._look
        self._ended = self._look = False
        if not size or not (ended or look):
            return False
        tag, _ = await self._run(self._journal.snapshot_arrived)
        content: bytes = await self._run(self._journal.snapshot_content)
        if await _aside(content, _digest, content) == tag:
            return True
        if ended:
            await self._run(self._journal.drop_snapshot)
        return False

    async def _more(self, stream: str, token: str) -> None:
        """What the line gives until it ends or drops, behind what is here."""
        path = f"{SNAPSHOT_PATH}/{stream}"
        tag, here = await self._run(self._journal.snapshot_arrived)
        async with self._link.tagged(path, token=token, start=here, tag=tag) as (first, found, chunks):
            waiting = bytearray()
            try:
                async for chunk in chunks:
                    waiting += chunk
                    if first + len(waiting) > _MOST_BYTES:
                        raise Refusal(Code.SERVER_REFUSED, reason="snapshot")
                    if len(waiting) >= _PART:
                        first = await self._keep(found, first, waiting)
                self._ended = True
            finally:
                # Also of a line that broke off: it is gone on with behind this.
                if waiting:
                    await self._keep(found, first, waiting)

    async def _keep(self, tag: str, start: int, waiting: bytearray) -> int:
        part = bytes(waiting)
        waiting.clear()
        await self._run(self._journal.keep_snapshot, tag, start, part)
        return start + len(part)

    async def _take(self, stream: str, epoch: str, content: bytes) -> None:
        lines = _lines(content)
        first: list[bytes] = await _aside(content, _some, lines, 1)
        if not first:
            raise ValueError("empty")
        top = msgspec.json.decode(first[0], type=Top)
        if (top.s, top.e) != (stream, epoch):
            await self._run(self._journal.drop_snapshot)
            raise Refusal(Code.SERVER_AWAY)  # the server became another meanwhile
        await self._run(self._journal.begin_snapshot, stream, epoch)
        while part := await _aside(content, _cards, lines, _AT_ONCE):
            changed = await self._run(self._journal.put_snapshot, part, top.q)
            self._on_cards(changed)
        if late := await self._run(self._journal.end_snapshot, stream, top.q):
            self._on_cards(late)


def _unknown(refusal: Refusal) -> bool:
    """Whether a server of the version before said it: it has no such address."""
    return refusal.code is Code.BAD_REQUEST and refusal.params.get("reason") == "http"


async def _aside(content: bytes, work: Callable[..., Any], *given: Any) -> Any:
    """What is done with a large content goes on a thread: keys are pressed meanwhile."""
    return await asyncio.to_thread(work, *given) if len(content) > _SMALL else work(*given)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _cards(lines: Iterator[bytes], most: int) -> list[Card]:
    return [msgspec.json.decode(line, type=Card) for line in _some(lines, most)]


def _some(lines: Iterator[bytes], most: int) -> list[bytes]:
    return list(itertools.islice(lines, most))


def _lines(content: bytes) -> Iterator[bytes]:
    unpacker = zstandard.ZstdDecompressor(max_window_size=_WINDOW)
    with unpacker.stream_reader(io.BytesIO(content)) as reader:
        for line in io.BufferedReader(reader, 1 << 16):
            if line.strip():
                yield line
