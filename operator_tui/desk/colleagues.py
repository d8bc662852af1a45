"""Colleagues: who they are, what this operator does is told to them, what those on his screen do is shown, and who has
his card open.

The server knows breaks and wrap-up, the PBX the line alone: the server's word goes first where somebody sits at a desk.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from operator_tui.appeals.presence import State
from operator_tui.colleagues.settings import ColleaguesSettings
from operator_tui.desk.settings import ShiftSettings
from operator_tui.desk.state import Topic
from operator_tui.i18n import tr

if TYPE_CHECKING:
    from operator_tui.colleagues.directory import Colleague
    from operator_tui.desk.desk import Desk
    from operator_tui.sync.presence import PresenceTeller

_TELLING = frozenset({Topic.PHONE, Topic.CARD})


class Colleagues:
    """The desk's side of presence; without a server it knows what the PBX says."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._teller: PresenceTeller | None = None
        self._said: list[str] = []

    def attach(self, teller: PresenceTeller) -> None:
        """There is a server to tell it to."""
        if self._teller is None:
            self._desk.listen(self._tell)
        self._teller = teller
        self._tell(Topic.PHONE)

    def watch(self, numbers: Iterable[str]) -> None:
        """The numbers on the screen; none when it is left."""
        if self._teller is not None:
            self._teller.watch(numbers)

    def state(self, number: str) -> str | None:
        """What the person at a number does (appeals.presence.State), None when nobody knows."""
        operator = self._desk.state.operator
        if operator is not None and number == operator.extension:
            return self._desk.state.presence.state.value  # nobody tells a desk of itself
        pbx = self._desk.state.colleagues.get(number)
        known = self._teller.states.get(number) if self._teller is not None else None
        # Who sits at no desk may have a telephone all the same.
        return pbx if known in (None, State.OFFLINE) and pbx else known

    def everybody(self) -> tuple[Colleague, ...]:
        """The telephone directory, at once: the next key is its screen's. Refusal(FILE_UNREADABLE | ROW_INVALID)."""
        from operator_tui.colleagues.directory import colleagues_of, parse_colleagues
        from operator_tui.reference import text_of

        file = self._desk.settings.get(ColleaguesSettings).file
        if not file:
            return colleagues_of(self._desk.catalogue.reference.open("directory").values())
        return parse_colleagues(text_of(file), file=file)

    def outside(self) -> tuple[Colleague, ...]:
        """Whom callers may be given to outside the centre, by the administration's list. Refusals as above."""
        from operator_tui.colleagues.directory import outside_of, parse_outside
        from operator_tui.reference import text_of

        file = self._desk.settings.get(ShiftSettings).outside
        if not file:
            return outside_of(self._desk.catalogue.reference.open("outside").values())
        return parse_outside(text_of(file), file=file)

    def heard(self) -> None:
        """The stream brought something."""
        beside = self._teller.beside if self._teller is not None else []
        if beside and beside != self._said:
            self._desk.notice(tr("Это обращение открыто и у других: {numbers}.").format(numbers=", ".join(beside)))
        self._said = list(beside)

    def _tell(self, topic: Topic) -> None:
        if self._teller is None or topic not in _TELLING:
            return
        state = self._desk.state
        card = state.card.saved.id if state.card is not None and state.card.saved is not None else ""
        self._teller.tell(state.presence.state.value, card)
