"""A copy that went astray heals: once a day the sums of the cards are compared, and only days that differ are fetched.

What could lead it astray is a mistake of ours or a disk's; no wipe and no full sync follows (design 1.5, rule 4).
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec

from operator_tui.appeals.clock import Clock
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.sums import DAY_MS
from operator_tui.journal.journal import Journal
from operator_tui.sync.protocol import (
    DAY_PATH,
    PROTOCOL_VERSION,
    SUMS_PATH,
    DayAnswer,
    DayRequest,
    SumsAnswer,
    SumsRequest,
)

_log = logging.getLogger(__name__)
_EVERY_MS = DAY_MS
_DAYS = 60  # back; older cards seldom change
_AT_ONCE = 3  # days fetched in one go: the rest the next time


class Healing:
    """``ask`` sends a question and gives the answer's JSON."""

    def __init__(
        self,
        journal: Journal,
        ask: Callable[[str, msgspec.Struct], Awaitable[bytes]],
        *,
        run: Callable[..., Awaitable[Any]],
        clock: Clock,
        on_cards: Callable[[Sequence[str]], None],
    ) -> None:
        self._journal = journal
        self._ask = ask
        self._run = run
        self._clock = clock
        self._on_cards = on_cards

    async def when_due(self) -> None:
        """Compare if a day has passed since the last time. Only a line that is away is not put up with."""
        now = self._clock.now_ms()
        if abs(now - await self._run(self._journal.checked_ms)) < _EVERY_MS:
            return
        try:
            if not await self.heal(now):
                return
        except Refusal as refusal:
            if refusal.code is Code.SERVER_AWAY:
                raise
        except msgspec.MsgspecError:
            _log.warning("sums: not an answer of ours")
        await self._run(self._journal.checked_ms, now)

    async def heal(self, now_ms: int) -> bool:
        """Compare and mend. Whether both ends stood at the same event and are even now."""
        since = now_ms // DAY_MS - _DAYS
        stream, cursor, ours = await self._run(self._journal.sums, since)
        asked = SumsRequest(PROTOCOL_VERSION, stream, cursor, since)
        answer = msgspec.json.decode(await self._ask(SUMS_PATH, asked), type=SumsAnswer)
        if answer.head != cursor:
            return False  # something happened meanwhile: at the next round
        days = [day for day in ours.keys() | answer.days.keys() if ours.get(day) != answer.days.get(day)]
        mended = 0
        for day in sorted(days, reverse=True)[:_AT_ONCE]:
            raw = await self._ask(DAY_PATH, DayRequest(PROTOCOL_VERSION, stream, day))
            found = msgspec.json.decode(raw, type=DayAnswer)
            changed: list[str] | None = await self._run(self._journal.take_day, stream, day, found.head, found.cards)
            if changed is None:
                return False
            _log.warning("healed %d cards of day %d", len(changed), day)
            mended += len(changed)
            if changed:
                self._on_cards(changed)
        # Days that differ and have nothing to mend would differ at the next round too, and the next.
        return len(days) <= _AT_ONCE or not mended
