"""«Выход» with unsent work: it is tried for a while, then it is sent without him or stays for his next sign-in."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.desk.state import Light
from operator_tui.signin.staying import opens_ms
from operator_tui.sync.settings import FileSettings

if TYPE_CHECKING:
    from operator_tui.desk.desk import Desk
    from operator_tui.journal.files import Sending
    from operator_tui.journal.journal import Journal

TRY_S = 30.0
_log = logging.getLogger(__name__)


class Leaving(StrEnum):
    """What becomes of the unsent work of who goes out. Nothing of it is dropped either way."""

    SEND = "send"  # a sender holds the key until all is sent or the shift ends
    KEEP = "keep"


@dataclass(frozen=True)
class Pile:
    """Files that wait: how many, and how many of their bytes the server has not yet."""

    count: int = 0
    size: int = 0


@dataclass(frozen=True)
class Left:
    """What is unsent: ``records`` operations; ``files`` that a sender can send before its end, and those it can not
    (``later``): by the settings they go at another time, or the server takes none."""

    records: int = 0
    files: Pile = Pile()
    later: Pile = Pile()


class LeavingDesk:
    """The way out of one desk. Where nobody signs in there is nothing to ask: the queue goes on at the next start."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    @property
    def asks(self) -> bool:
        """Whether it matters what is unsent."""
        state = self._desk.state
        return self._desk.parts.signin is not None and state.ready and not state.revoked

    @property
    def server(self) -> Light:
        """How it is with the server: only one that is there is waited for."""
        return self._desk.state.lights.server

    async def left(self) -> Left:
        """What waits, by the journal itself. Files that the settings send at no time are not counted: they stay."""
        with contextlib.suppress(Refusal):
            until_ms = await self.until_ms()
            records, files = await self._desk.on_journal(self._unsent)
            return Left(records, *self._piles(files, until_ms))
        return Left()

    async def until_ms(self) -> int:
        """When a sender would give up (UTC ms)."""
        signin = self._desk.parts.signin
        return await signin.until_ms() if signin is not None else 0

    async def until(self) -> str:
        """The same on the office's clock."""
        at = datetime.fromtimestamp(await self.until_ms() / 1000, UTC)
        return at.astimezone(ZoneInfo(self._desk.promises.zone)).strftime("%H:%M")

    def _unsent(self, journal: Journal) -> tuple[int, list[tuple[Sending, int]]]:
        return journal.unsent(), [(one, self._bytes_left(one)) for one in journal.files_waiting()]

    def _bytes_left(self, one: Sending) -> int:
        size = one.size
        if not size and one.file:  # a paper that no part has gone of
            with contextlib.suppress(OSError):
                size = (self._desk.files.folder(one.kind) / one.file).stat().st_size
        return max(0, size - one.sent)

    def _piles(self, files: Sequence[tuple[Sending, int]], until_ms: int) -> tuple[Pile, Pile]:
        settings, now_ms = self._desk.settings.get(FileSettings), self._desk.clock.now_ms()
        refused = any(one.refusal is not None and one.refusal.code is Code.FILE_STORE_AWAY for one, _ in files)
        going, later = list[int](), list[int]()
        for one, size in files:
            opens = opens_ms(settings, one.kind, now_ms, self._desk.promises.zone)
            if opens is not None:
                (later if refused or opens >= until_ms else going).append(size)
        return Pile(len(going), sum(going)), Pile(len(later), sum(later))

    def hurry(self) -> None:
        """Try to send now."""
        self._desk.parts.kick()

    async def can_send(self) -> bool:
        """Whether a sender could: not where he signed in without the server, nor where somebody has to act first."""
        signin = self._desk.parts.signin
        if signin is None or self.server is Light.TROUBLE:
            return False
        with contextlib.suppress(Refusal):
            return await signin.has_session()
        return False

    async def by_itself(self, left: Left) -> Leaving:
        """What becomes of what is left when nobody is asked: files go by themselves where they can."""
        return Leaving.SEND if left.files.count and await self.can_send() else Leaving.KEEP

    async def go(self, how: Leaving | None) -> None:
        """The seat is left and the parts are closed; with SEND a sender stays, if it can."""
        parts = self._desk.parts
        handed = await parts.hand_over() if how is Leaving.SEND else None
        if handed is None:
            await parts.sign_out()
        await parts.close()
        if handed is not None:
            from operator_tui.signin import apart

            if not await self._desk.run_journal(apart.start, handed):
                _log.warning("no sender", extra={"event": "no sender"})
