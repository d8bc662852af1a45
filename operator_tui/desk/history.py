"""Earlier appeals of the one who calls: what the journal has at once, what only the centre has a moment later."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from operator_tui.appeals.card import OPEN_STATUSES, Card
from operator_tui.appeals.deadlines import local_date
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.desk.state import CardAtHand, Light, Topic
from operator_tui.registry.identifiers import to_e164

if TYPE_CHECKING:
    from operator_tui.appeals.history import Answer
    from operator_tui.desk.desk import Desk


class HistoryDesk:
    """The history beside the card at hand; the state it changes is the desk's own."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._number = ("", "")  # the draft into which a number was typed last, and the number while it is whole

    def number_typed(self, number: str) -> None:
        """A telephone number is written into the card: its earlier appeals are shown as soon as it stands there whole,
        and are taken away when it is another one."""
        card, whole = self._desk.state.card, to_e164(number)
        if card is not None and (card.draft, whole) != self._number:
            self._number = (card.draft, whole)
            self._desk.background(self.show())

    async def show(self) -> None:
        """By the card's telephone and the number of its policy. The centre is asked in the background."""
        desk, card = self._desk, self._desk.state.card
        if card is None:
            return
        asked = _asked(card)
        _, phone, enp = asked
        here = await desk.on_journal(lambda journal: journal.history(phone=phone, enp=enp))
        self._put(asked, here)
        if phone or enp:
            desk.background(self._complete(asked, here))

    def heal(self) -> None:
        """The server is back: what it could not be asked is asked now."""
        card = self._desk.state.card
        if card is not None and card.history_since:
            self._desk.background(self.show())

    async def _complete(self, asked: tuple[str, str, str], here: list[Card]) -> None:
        """With what the centre has beside it; while it is away, since when there is a history here."""
        try:
            answer = await self._ask(*asked[1:])
        except Refusal:
            self._put(asked, here, since=await self._since())
            return
        known = {card.id for card in here}
        there = [card for card in answer.cards if card.id not in known]
        self._put(asked, [*here, *there], there=(card.id for card in there))

    async def _ask(self, phone: str, enp: str) -> Answer:
        """Refusals: SERVER_AWAY, and what the server refuses."""
        import msgspec

        from operator_tui.appeals.history import HISTORY_PATH, VERSION, Answer, Asked

        if self._desk.state.lights.server is not Light.ON:
            raise Refusal(Code.SERVER_AWAY)  # known already: no key waits for a line that is away
        raw = await self._desk.parts.ask(HISTORY_PATH, msgspec.json.encode(Asked(VERSION, enp=enp, phone=phone)))
        try:
            return msgspec.json.decode(raw, type=Answer)
        except msgspec.MsgspecError as error:
            raise Refusal(Code.SERVER_REFUSED, reason="history") from error

    async def _since(self) -> str:
        """The local date (ISO) of the oldest appeal of this journal; of today where there is none."""
        desk = self._desk
        begins = await desk.on_journal(lambda journal: journal.begins())
        return local_date(begins or desk.clock.now_ms(), desk.promises.zone).isoformat()

    def _put(
        self, asked: tuple[str, str, str], cards: Iterable[Card], *, there: Iterable[str] = (), since: str = ""
    ) -> None:
        """Onto the card that was asked for, if it is still the one at hand and about the same caller."""
        card = self._desk.state.card
        if card is None or _asked(card) != asked:
            return
        own = card.saved.id if card.saved else ""
        earlier = sorted((one for one in cards if one.id != own), key=lambda one: one.created, reverse=True)
        earlier.sort(key=lambda one: one.status not in OPEN_STATUSES)
        self._desk.change(
            Topic.CARD,
            card=replace(card, history=tuple(earlier), of_centre=frozenset(there), history_since=since),
        )


def _asked(card: CardAtHand) -> tuple[str, str, str]:
    """What a history is of: the draft, its telephone and its policy."""
    return card.draft, str(card.fields.get("phone") or ""), str(card.fields.get("enp") or "")
