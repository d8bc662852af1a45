"""This operator's last calls that are over: his journal knows them where the engine, a new one maybe, does not."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

from operator_tui.appeals.errors import Refusal
from operator_tui.desk import calls
from operator_tui.phone.line import RECENT_CALLS, Call

if TYPE_CHECKING:
    from operator_tui.desk.desk import Desk


class PastCalls:
    """Kept here, so that a key that asks for them waits for no disk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._known: dict[str, Call] = {}

    async def recall(self) -> None:
        """What stands in the journal; what was heard since is not touched by it."""
        with suppress(Refusal):  # without a journal there is nothing to recall
            found = await self._desk.on_journal(lambda journal: journal.last_calls(RECENT_CALLS))
            told = [call for call in map(calls.remembered, found) if call is not None]
            self._known = {**{call.id: call for call in told}, **self._known}

    def ended(self, ended: Iterable[Call]) -> None:
        """These are over."""
        self._known.update((call.id, call) for call in ended)
        self._known = {call.id: call for call in self.last}

    @property
    def last(self) -> list[Call]:
        """The newest first, twenty at most; of hidden numbers too."""
        known = sorted(self._known.values(), key=lambda call: call.ended_ms or call.started_ms, reverse=True)
        return known[:RECENT_CALLS]
