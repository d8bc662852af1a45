"""Journals, devices and a server of one list for the tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from operator_tui.appeals.card import Card
from operator_tui.appeals.catalogue import AppealType, Catalogue, catalogue_of
from operator_tui.appeals.clock import Clock, ManualClock
from operator_tui.appeals.decide import Actor, apply, decide
from operator_tui.appeals.draft import Draft, new_draft
from operator_tui.appeals.errors import Refusal
from operator_tui.appeals.operations import CARD_KINDS, Event, Kind, Operation, Outcome, operation_id, stream_for
from operator_tui.appeals.people import Operator, Role
from operator_tui.journal.device import DeviceIdentity
from operator_tui.journal.journal import Journal
from operator_tui.reference import packaged_catalogue

KEY = bytes(range(32))
STREAM = "26/tf"


def identity(
    code: str = "k7q2mx", *, user: int = 1944, role: Role = Role.OPERATOR_1, number: int = 12
) -> DeviceIdentity:
    operator = Operator(user, "Петрова А. В.", role, "1001", STREAM)
    return DeviceIdentity(code, number, "token", "epoch-1", operator)


def open_journal(folder: Path, *, key: bytes = KEY, clock: Clock | None = None) -> Journal:
    return Journal.open(folder / "journal.db", key, catalogue=packaged_catalogue(), clock=clock or ManualClock())


def enrolled(folder: Path, *, clock: Clock | None = None, **who: Any) -> Journal:
    journal = open_journal(folder, clock=clock)
    journal.enrol(identity(**who))
    return journal


def appeal(type_: AppealType = AppealType.CONSULTATION, place: int = 0, *, call: str = "", **fields: Any) -> Draft:
    theme = packaged_catalogue().themes_of(type_)[place]
    return new_draft(call=call, fields={"type": type_.value, "theme": theme.code, **fields})


class Server:
    """The central server as far as a journal can tell: exactly once, dense streams, refusals come back."""

    def __init__(self, catalogue: Catalogue | None = None) -> None:
        self.catalogue = catalogue or packaged_catalogue()
        self.cards: dict[str, Card] = {}
        self.streams: dict[str, list[Event]] = {}
        self.answers: dict[str, list[Outcome]] = {}

    def push(self, device: DeviceIdentity, operations: list[Operation]) -> list[Outcome]:
        """Answers to a batch; operations it has had are answered as before, one after a gap is not taken."""
        answers = self.answers.setdefault(device.code, [])
        given: list[Outcome] = []
        for operation in operations:
            operation = msgspec.json.decode(msgspec.json.encode(operation), type=Operation)
            if operation.n == len(answers) + 1:
                answers.append(self._take(device, operation))
            if operation.n <= len(answers):
                given.append(answers[operation.n - 1])
        return given

    def events_after(self, cursors: dict[str, int]) -> list[Event]:
        return [event for stream, at in cursors.items() for event in self.streams.get(stream, [])[at:]]

    def answer(self, journal: Journal) -> None:
        """One whole exchange in which nothing goes wrong."""
        device = journal.device
        assert device is not None
        journal.settle(self.push(device, journal.outbox(100)), durable=len(self.answers.get(device.code, [])))
        journal.receive(self.events_after(journal.cursors()))

    def _take(self, device: DeviceIdentity, operation: Operation) -> Outcome:
        who = device.operator
        op = operation_id(device.code, operation.n)
        card_id = op if operation.k == Kind.CARD_NEW else operation.c
        card = self.cards.get(card_id)
        try:
            change = decide(card, operation, Actor(who.user, who.role, who.organisation), self.catalogue)
        except Refusal as refusal:
            current = {} if card is None else msgspec.to_builtins(card)
            return Outcome(operation.n, "rejected", w=refusal.code.value, p=refusal.params, cur=current)
        x = operation.x
        if operation.k in CARD_KINDS:
            after = apply(card, change, op=op, at=operation.at, by=who.user, stream=who.organisation)
            assert after is not None
            self.cards[card_id] = after
            x = msgspec.to_builtins(change)
        if operation.k == Kind.REFERENCE_SET:
            changed = self.catalogue.reference.changed([(x["list"], x["rows"], op)])
            self.catalogue = catalogue_of(changed)
        stream = self.streams.setdefault(stream_for(operation.k, who.organisation), [])
        event = Event(
            stream_for(operation.k, who.organisation),
            len(stream) + 1,
            operation.k,
            op,
            who.user,
            operation.at,
            card_id,
            x,
        )
        stream.append(msgspec.json.decode(msgspec.json.encode(event), type=Event))
        return Outcome(operation.n, "merged" if change.rival or change.lost else "applied", q=event.q)
