"""What happens elsewhere: a colleague's desk and the server, from where the real exchange stood still.

The desk's own sender is stopped, and a server of the same rules goes on in its place, so that a test says in which
order two people's words arrive.
"""

from __future__ import annotations

from typing import Any

import msgspec

from operator_tui.appeals.card import Card
from operator_tui.appeals.decide import Actor, apply, decide
from operator_tui.appeals.errors import Refusal
from operator_tui.appeals.hlc import next_stamp
from operator_tui.appeals.operations import CARD_KINDS, Event, Kind, Operation, Outcome, operation_id, stream_for
from operator_tui.appeals.people import Role
from operator_tui.desk.state import Topic
from operator_tui.journal.journal import Journal
from tests.screens.page import DeskPage

COLLEAGUE = Actor(1945, Role.OPERATOR_1, "26/tf")


class Elsewhere:
    """The rest of the centre."""

    def __init__(self, page: DeskPage) -> None:
        self._desk = page.desk
        self._page = page
        self._n = 0
        self.cards: dict[str, Card] = {}

    @classmethod
    async def of(cls, page: DeskPage) -> Elsewhere:
        """Wait until everything is sent and confirmed, then stop the desk's own exchange."""
        elsewhere = cls(page)

        async def quiet() -> bool:
            return await page.desk.on_journal(_all_confirmed)

        while not await quiet():
            await page.pilot.pause(0.02)
        sender = page.desk.parts._sender
        assert sender is not None
        await sender.stop()
        for card in await page.desk.on_journal(lambda journal: journal.active()):
            elsewhere.cards[card.id] = card
        return elsewhere

    async def does(
        self, who: Actor, kind: Kind, x: dict[str, Any], card: str = "", *, unseen: bool = False, ago_ms: int = 0
    ) -> str:
        """An operation of somebody else, ``ago_ms`` ago, applied at once; the card's id. ``unseen``: he saw none of
        the fields."""
        self._n += 1
        now = next_stamp("", self._desk.clock.now_ms() - ago_ms)
        known = self.cards.get(card)
        b: dict[str, str] = {}
        if known is not None and not unseen:
            fields = ("status",) if kind is Kind.CARD_MOVE else tuple(x)
            b = {field: known.stamps[field][0] for field in fields if field in known.stamps}
        operation = Operation(n=self._n, k=kind.value, at=now, c=card, z="Europe/Moscow", b=b, x=x)
        event = await self._apply("zzzzzz", operation, who)
        await self._desk.on_journal(lambda journal: journal.receive([event]))
        await self._desk.refresh_journal()
        return event.c

    async def closed(self, who: Actor, result: str, *, theme: str = "К-01.3", **given: Any) -> str:
        """An appeal that ``who`` has made and closed with that result; its id."""
        type_ = self._desk.catalogue.theme(theme).type.value
        made = {"type": type_, "theme": theme, "number": f"13-{self._n:05d}-1", "zone": "Europe/Moscow"}
        card = await self.does(who, Kind.CARD_NEW, made)
        closing = {"act": "close", "result": result, "comment": "Меры приняты", **given}
        await self.does(who, Kind.CARD_MOVE, closing, card)
        return card

    async def answers(self) -> list[Outcome]:
        """The server takes what the desk has sent, and answers."""
        desk = self._desk
        operator = desk.state.operator
        assert operator is not None
        who = Actor(operator.user, operator.role, operator.organisation)
        device = await desk.on_journal(lambda journal: journal.device)
        assert device is not None
        outcomes: list[Outcome] = []
        events: list[Event] = []
        for operation in await desk.on_journal(lambda journal: journal.outbox(100)):
            try:
                event = await self._apply(device.code, operation, who, ahead=len(events))
            except Refusal as refusal:
                outcomes.append(Outcome(operation.n, "rejected", w=refusal.code.value, p=refusal.params))
                continue
            if operation.k not in CARD_KINDS:
                outcomes.append(Outcome(operation.n, "applied", q=1))
                continue
            merged = event.x.get("rival") or event.x.get("lost")
            outcomes.append(Outcome(operation.n, "merged" if merged else "applied", q=event.q))
            events.append(event)
        await desk.on_journal(lambda journal: journal.receive(events))
        await desk.on_journal(lambda journal: journal.settle(outcomes, durable=0))
        await desk.refresh_journal()
        return outcomes

    async def _apply(self, device: str, operation: Operation, who: Actor, *, ahead: int = 0) -> Event:
        op = operation_id(device, operation.n)
        card_id = op if operation.k == Kind.CARD_NEW else operation.c
        change = decide(self.cards.get(card_id), operation, who, self._desk.catalogue)
        if operation.k in CARD_KINDS:
            after = apply(self.cards.get(card_id), change, op=op, at=operation.at, by=who.user, stream=who.organisation)
            assert after is not None
            self.cards[card_id] = after
        stream = stream_for(operation.k, who.organisation)
        at = (await self._desk.on_journal(lambda journal: journal.cursors())).get(stream, 0)
        x = msgspec.to_builtins(change) if operation.k in CARD_KINDS else operation.x
        return Event(stream, at + ahead + 1, operation.k, op, who.user, operation.at, card_id, x)


async def become(page: DeskPage, role: Role) -> Elsewhere:
    """The same desk with an operator of another role, and the rest of the centre around it."""
    elsewhere = await Elsewhere.of(page)
    device = await page.desk.on_journal(lambda journal: journal.device)
    assert device is not None
    operator = msgspec.structs.replace(device.operator, role=role)
    identity = msgspec.structs.replace(device, operator=operator)
    await page.desk.on_journal(lambda journal: journal.enrol(identity))
    page.desk.change(Topic.PHONE, operator=operator)
    return elsewhere


def _all_confirmed(journal: Journal) -> bool:
    with journal._store.reading():
        waiting = journal._store.value("SELECT count(*) FROM outbox WHERE card != '' AND confirmed = 0")
    return journal.unsent() == 0 and not waiting
