"""«Выход» with unsent work: it is tried for a while, then it is sent without him or stays for his next sign-in."""

from __future__ import annotations

import contextlib
import logging
from enum import StrEnum
from typing import TYPE_CHECKING

from operator_tui.appeals.errors import Refusal
from operator_tui.desk.state import Light

if TYPE_CHECKING:
    from operator_tui.desk.desk import Desk

TRY_S = 30.0
_log = logging.getLogger(__name__)


class Leaving(StrEnum):
    """What becomes of the unsent work of who goes out. Nothing of it is dropped either way."""

    SEND = "send"  # a sender holds the key until the queue is empty or the shift ends
    KEEP = "keep"


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

    async def unsent(self) -> int:
        """How many operations wait, by the journal itself."""
        with contextlib.suppress(Refusal):
            return await self._desk.on_journal(lambda journal: journal.unsent())
        return 0

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
