"""The overlay under every order of messages: what two desks show is what the rules make of the same operations."""

from __future__ import annotations

import contextlib
import random
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from operator_tui.appeals.card import Card
from operator_tui.appeals.catalogue import AppealType
from operator_tui.appeals.clock import ManualClock
from operator_tui.appeals.decide import Actor, apply, decide
from operator_tui.appeals.draft import draft_of
from operator_tui.appeals.errors import Refusal
from operator_tui.appeals.lifecycle import Act
from operator_tui.appeals.operations import CARD_KINDS, Event, Kind, Operation, Outcome, operation_id
from operator_tui.appeals.people import Role
from operator_tui.journal.journal import Journal
from tests.journal.making import STREAM, Server, appeal, enrolled, open_journal

DESKS = ("aaaaaa", "bbbbbb")
DESK = st.sampled_from(DESKS)


class Exchange(RuleBasedStateMachine):
    """Two desks and a server; answers and events wait on a line that delivers them late, twice or never."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="ot-overlay-"))
        self.clock = ManualClock()
        self.server = Server()
        self.desks: dict[str, Journal] = {}
        for number, code in enumerate(DESKS):
            (self.folder / code).mkdir()
            role = (Role.OPERATOR_1, Role.ADMINISTRATOR)[number]
            self.desks[code] = enrolled(
                self.folder / code, clock=self.clock, code=code, user=1 + number, role=role, number=1 + number
            )
        self.made: dict[str, list[Operation]] = {code: [] for code in DESKS}
        self.answers: list[tuple[str, list[Outcome]]] = []
        self.events: list[tuple[str, list[Event]]] = []
        self.count = 0

    def teardown(self) -> None:
        if not hasattr(self, "folder"):
            return
        self._settle_everything()
        for journal in self.desks.values():
            journal.close()
        shutil.rmtree(self.folder)

    # operators

    @rule(desk=DESK, type_=st.sampled_from([AppealType.CONSULTATION, AppealType.COMPLAINT]))
    def new(self, desk: str, type_: AppealType) -> None:
        self.count += 1
        self.desks[desk].save(appeal(type_, text=f"вопрос {self.count}", answers=["S-01"]))
        self._note(desk)

    @rule(
        desk=DESK, place=st.integers(0, 20), field=st.sampled_from(["text", "comment", "address", "answers", "theme"])
    )
    def edit(self, desk: str, place: int, field: str) -> None:
        card = self._some(desk, place)
        if card is None:
            return
        self.count += 1
        draft = draft_of(card)
        if field == "answers":
            draft.fields["answers"] = [*draft.fields.get("answers", []), f"S-{self.count}"]
        elif field == "theme":
            theme = random.Random(self.count).choice(list(self.server.catalogue.themes.values()))
            draft.fields |= {"theme": theme.code, "type": theme.type.value}
        else:
            draft.fields[field] = f"{field} {self.count}"
        with contextlib.suppress(Refusal):
            self.desks[desk].save(draft)
        self._note(desk)

    @rule(
        desk=DESK,
        place=st.integers(0, 20),
        act=st.sampled_from(Act),
        result=st.sampled_from(["R02", "R04", "R05", "R11"]),
    )
    def move(self, desk: str, place: int, act: Act, result: str) -> None:
        card = self._some(desk, place)
        if card is None:
            return
        self.count += 1
        given: dict[str, Any] = {
            "result": result,
            "comment": f"меры {self.count}",
            "operator": 1 + self.count % 2,
            "new_date": "2026-11-15",
            "organisation": "СМО",
            "remark": "замечание",
            "reason": "причина",
        }
        with contextlib.suppress(Refusal):
            self.desks[desk].move(card.id, act, given)
        self._note(desk)

    @rule(desk=DESK)
    def event(self, desk: str) -> None:
        self.desks[desk].record(Kind.SHIFT_BEGUN, {})
        self._note(desk)

    @rule(seconds=st.integers(-30, 300))
    def wait(self, seconds: int) -> None:
        self.clock.advance(seconds)

    @rule(desk=DESK)
    def restart(self, desk: str) -> None:
        self.desks[desk].close()
        self.desks[desk] = open_journal(self.folder / desk, clock=self.clock)

    # the line

    @rule(desk=DESK, limit=st.integers(1, 4))
    def send(self, desk: str, limit: int) -> None:
        journal = self.desks[desk]
        assert journal.device is not None
        self.answers.append((desk, self.server.push(journal.device, journal.outbox(limit))))

    @rule(desk=DESK, skip=st.integers(0, 2), take=st.integers(1, 4))
    def stream(self, desk: str, skip: int, take: int) -> None:
        at = self.desks[desk].cursors().get(STREAM, 0)
        self.events.append((desk, self.server.events_after({STREAM: max(0, at - 1 + skip)})[:take]))

    @precondition(lambda self: self.answers)
    @rule(place=st.integers(0, 50), again=st.booleans())
    def answer_arrives(self, place: int, again: bool) -> None:
        place %= len(self.answers)
        desk, outcomes = self.answers[place] if again else self.answers.pop(place)
        self.desks[desk].settle(outcomes, durable=0)

    @precondition(lambda self: self.events)
    @rule(place=st.integers(0, 50), again=st.booleans())
    def events_arrive(self, place: int, again: bool) -> None:
        place %= len(self.events)
        desk, events = self.events[place] if again else self.events.pop(place)
        self.desks[desk].receive(events)

    # what must hold at every moment

    @invariant()
    def shown_is_the_fold(self) -> None:
        for desk, journal in self.desks.items():
            expected = self._model(desk)
            assert {card.id: card for card in self._all(journal)} == expected

    @invariant()
    def nothing_typed_is_gone(self) -> None:
        for desk, journal in self.desks.items():
            numbers = [operation.n for operation in self.made[desk]]
            assert numbers == list(range(1, len(numbers) + 1))
            pending = {operation.n for operation in journal.outbox(10_000)}
            answered = self.server.answers.get(desk, [])
            for operation in self.made[desk]:
                assert operation.n in pending or operation.n <= len(answered)

    def _model(self, desk: str) -> dict[str, Card]:
        """Apply the events this desk has read, then its own operations that are neither among them nor refused."""
        journal = self.desks[desk]
        assert journal.device is not None
        cards: dict[str, Card] = {}
        read = self.server.streams.get(STREAM, [])[: journal.cursors().get(STREAM, 0)]
        for event in read:
            change = decide_again(event)
            card = apply(cards.get(event.c), change, op=event.op, at=event.at, by=event.by, stream=STREAM)
            assert card is not None
            cards[event.c] = card
        seen = {event.op for event in read}
        refused = {entry.op for entry in journal.attention() if entry.reason is not None}
        who = journal.device.operator
        for operation in self.made[desk]:
            op = operation_id(desk, operation.n)
            if operation.k not in CARD_KINDS or op in seen or op in refused:
                continue
            card_id = operation.c or op
            try:
                change = decide(
                    cards.get(card_id), operation, Actor(who.user, who.role, who.organisation), self.server.catalogue
                )
            except Refusal:
                continue
            card = apply(cards.get(card_id), change, op=op, at=operation.at, by=who.user, stream=STREAM)
            assert card is not None
            cards[card_id] = card
        return cards

    def _settle_everything(self) -> None:
        """The line is good again: both desks and the server must end with the same cards, nothing unsent."""
        for desk, outcomes in self.answers:
            self.desks[desk].settle(outcomes, durable=0)
        for _ in range(2):
            for journal in self.desks.values():
                while journal.unsent():
                    self.server.answer(journal)
                self.server.answer(journal)
        for desk, journal in self.desks.items():
            assert {card.id: card for card in self._all(journal)} == self.server.cards
            refused = {
                operation_id(desk, outcome.n) for outcome in self.server.answers.get(desk, []) if outcome.s != "applied"
            }
            assert {entry.op for entry in journal.attention()} == refused
            assert len(self.server.answers.get(desk, [])) == len(self.made[desk])

    def _note(self, desk: str) -> None:
        known = len(self.made[desk])
        self.made[desk] += [operation for operation in self.desks[desk].outbox(10_000) if operation.n > known]

    def _all(self, journal: Journal) -> list[Card]:
        from operator_tui.appeals.card import Status

        return [card for status in Status for card in journal.active(limit=10_000, status=status)]

    def _some(self, desk: str, place: int) -> Card | None:
        cards = self._all(self.desks[desk])
        return cards[place % len(cards)] if cards else None


def decide_again(event: Event) -> Any:
    """The change an event carries."""
    import msgspec

    from operator_tui.appeals.operations import Change

    return msgspec.convert(event.x, Change)


TestExchange = pytest.mark.timeout(600)(Exchange.TestCase)
TestExchange.settings = settings(
    max_examples=40, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
