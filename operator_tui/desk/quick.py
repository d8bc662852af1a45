"""A call without a question: one key sets its class and shows the closing words, and the end of the call closes it.

The keys mean other things on other screens, so a slip must cost nothing: whoever goes on with the card after it has
taken the class back, and a card that says who called or why is closed by a second press only (decision 0047).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from operator_tui.appeals.card import Card
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.quick import quick_fields
from operator_tui.i18n import tr
from operator_tui.phone.line import EndedBy

if TYPE_CHECKING:
    from operator_tui.desk.desk import Desk
    from operator_tui.desk.state import CardAtHand
    from operator_tui.phone.line import Call

# A key that is held repeats: so soon after the press before it is no second one.
HELD_S = 0.6
# What says who calls or why: with any of these it is a call with a question.
_TELLING = ("theme", "surname", "name", "patronymic", "birth_date", "enp")


@dataclass(frozen=True)
class Chosen:
    """A class that was set on a card as it stood then; ``by_call`` whether the end of the call closes it."""

    code: str
    card: CardAtHand
    by_call: bool


class QuickDesk:
    """Quick classes on one desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._chosen: Chosen | None = None
        self._pressed_s = 0.0

    async def press(self, code: str) -> Card | Chosen:
        """The class's key. The first press sets it, the second closes: then the appeal comes back.

        Refusals: NO_CARD_OPEN, MOVE_NOT_ALLOWED for a card that is saved, those of closing.
        """
        card = self._demand()
        before, self._pressed_s = self._pressed_s, self._desk.clock.monotonic()
        again = self._chosen is not None and self._chosen.code == code and self._stands(self._chosen)
        if again and self._pressed_s - before >= HELD_S:
            return await self.close(code)
        talks = any(call.id == card.call for call in self._desk.state.calls)
        empty = card.person is None and not any(card.fields.get(field) for field in _TELLING)
        self._chosen = Chosen(code, card, talks and empty)
        return self._chosen

    async def close(self, code: str) -> Card:
        """Registered with its class and closed at once. Refusals: those of ``press``."""
        desk, card = self._desk, self._demand()
        self._chosen = None
        fields = quick_fields(desk.reference.quick[code], dict(card.fields), desk.catalogue)
        desk.card.put(replace(card, fields=fields, person=None, script="", edition=card.edition + 1))
        return await desk.card.close()

    async def call_ended(self, call: Call) -> None:
        """The call is over: its card is closed with the class that was set, unless somebody went on with the card or
        with the caller."""
        chosen = self._chosen
        if chosen is None or not chosen.by_call or chosen.card.call != call.id:
            return
        self._chosen = None
        if call.ended_by is EndedBy.TRANSFER or not self._stands(chosen):
            return
        try:
            closed = await self.close(chosen.code)
        except Refusal as refusal:
            self._desk.refused(refusal)
            return
        title = self._desk.reference.quick[chosen.code].title
        words = tr("Закрыто: {number}, {title}. Alt+Z в журнале — взять обратно.")
        words = words.format(number=closed.value("number"), title=title)
        self._desk.notice(words + self._desk.card.also_typed(closed))

    def _demand(self) -> CardAtHand:
        card = self._desk.state.card
        if card is None:
            raise Refusal(Code.NO_CARD_OPEN)
        if card.saved is not None:
            raise Refusal(Code.MOVE_NOT_ALLOWED, act="close", status=card.saved.status.value)
        return card

    def _stands(self, chosen: Chosen) -> bool:
        """Whether the card is as it was when the class was set."""
        card = self._desk.state.card
        if card is None or not card.is_of(chosen.card) or card.saved is not None:
            return False
        return _told(card) == _told(chosen.card)


def _told(card: CardAtHand) -> tuple[object, ...]:
    """What the operator has put into a card, files and earlier appeals among it: the class would leave them out."""
    return (card.person, card.typed, card.fields)
