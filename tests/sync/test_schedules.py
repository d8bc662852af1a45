"""Two desks on a line that loses, doubles, delays and cuts, with kills at both ends: nothing lost, nothing doubled.

The real sender, the real journal and the real server over real SQL; only the line is made up. A schedule is a seed.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import msgspec
import pytest
import sqlalchemy as sa

from central.auth.sessions import authenticated
from central.devices import enrol, enrolment_code
from central.exchange import exchange
from central.forks import fork
from central.store import tables as t
from central.store.database import Database
from operator_tui.appeals.card import Card
from operator_tui.appeals.catalogue import AppealType
from operator_tui.appeals.clock import SystemClock
from operator_tui.appeals.draft import draft_of, new_draft
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.lifecycle import Act
from operator_tui.appeals.operations import Kind
from operator_tui.appeals.people import Operator, Role
from operator_tui.journal.device import DeviceIdentity
from operator_tui.journal.journal import Journal
from operator_tui.reference import packaged_catalogue
from operator_tui.sync.packing import write_answer
from operator_tui.sync.protocol import FORK_PATH
from operator_tui.sync.sender import Sender, ServerLight
from tests.sync.conftest import run

CATALOGUE = packaged_catalogue()
THEME = CATALOGUE.themes_of(AppealType.CONSULTATION)[0]
STEPS = 40
SCHEDULES = 12


@dataclass
class Line:
    """Stands where the Link stands. While ``bad`` it does to a request what a line can do."""

    server: Server
    dice: random.Random
    bad: bool = True
    late: list[tuple[bytes, str]] = field(default_factory=list)

    @asynccontextmanager
    async def post(
        self, path: str, body: bytes, *, token: str = "", packed: bool = True
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        if path == FORK_PATH:
            yield self._chunks(self.server.forked(token), cut=False)
            return
        fate = self.dice.random() if self.bad else 1.0
        if fate < 0.15:
            raise Refusal(Code.SERVER_AWAY)  # the request was lost
        if fate < 0.25:
            self.late.append((body, token))  # it will arrive, but nobody waits for it any more
            raise Refusal(Code.SERVER_AWAY)
        if fate < 0.35:
            self.server.answer(body, token)  # doubled on the way
        if fate < 0.45 and self.late:
            self.server.answer(*self.late.pop(self.dice.randrange(len(self.late))))
        answer = self.server.answer(body, token)
        if fate < 0.65:
            answer = answer[: self.dice.randrange(len(answer))]  # lost or cut
        yield self._chunks(answer, cut=fate < 0.65)

    async def _chunks(self, answer: bytes, *, cut: bool) -> AsyncIterator[bytes]:
        while answer:
            size = self.dice.randint(1, 400)
            yield answer[:size]
            answer = answer[size:]
        if cut:
            raise Refusal(Code.SERVER_AWAY)


class Server:
    """The central server without its HTTP."""

    def __init__(self, open_database: Callable[[], Database]) -> None:
        self._open = open_database
        self.database = open_database()
        self.clock = SystemClock()

    def restart(self) -> None:
        self.database.close()
        self.database = self._open()

    def answer(self, body: bytes, token: str) -> bytes:
        now = self.clock.now_ms()
        _, answer = exchange(self.database, token, body, packed=True, now_ms=now, catalogue=CATALOGUE)
        return b"".join(write_answer(answer.head, answer.outcomes, answer.events, answer.end))

    def forked(self, token: str) -> bytes:
        now = self.clock.now_ms()
        return msgspec.json.encode(fork(self.database, authenticated(self.database, token, now), now))

    def device(self, name: str, role: Role) -> DeviceIdentity:
        operator = Operator(user=0, name=name, role=role, extension="1", organisation="26/tf")
        code = enrolment_code(self.database, operator, self.clock.now_ms())
        answer = enrol(self.database, code, self.clock.now_ms())
        return DeviceIdentity(answer.device, answer.number, answer.token, answer.epoch, answer.operator)

    def rows(self, table: sa.Table) -> list[sa.Row[tuple[object, ...]]]:
        with self.database.read() as connection:
            return list(connection.execute(sa.select(table).order_by(*table.primary_key.columns)))


class DeskAtWork:
    """A journal, its sender, and an operator who does what comes to his mind."""

    def __init__(self, open_journal: Callable[[str], Journal], name: str, role: Role, line: Line) -> None:
        self._open = lambda: open_journal(name)
        self.journal = self._open()
        self.journal.enrol(line.server.device(name, role))
        self.line = line
        self.made = 0
        self._begin()

    def _begin(self) -> None:
        self.sender = Sender(self.journal, self.line, run=run, clock=SystemClock())  # type: ignore[arg-type]  # made up

    def restart(self) -> None:
        self.journal.close()
        self.journal = self._open()
        self._begin()

    def act(self, dice: random.Random) -> None:
        before = self.journal.unsent()
        cards = self.journal.active()
        try:
            choice = dice.randrange(5)
            if choice == 0 or not cards:
                fields = {"type": THEME.type.value, "theme": THEME.code, "text": f"вопрос {dice.random()}"}
                self.journal.save(new_draft(fields=fields))
            elif choice == 1:
                self.journal.record(Kind.CALL_OFFERED, {"call": str(dice.random())})
            elif choice in (2, 3):
                draft = draft_of(dice.choice(cards))
                draft.fields[dice.choice(["phone", "text", "comment"])] = f"{dice.random()}"
                self.journal.save(draft)
            else:
                self.journal.move(dice.choice(cards).id, Act.TAKE, {})
        except Refusal:
            pass  # the desk refuses by the same rules; nothing was written
        self.made += self.journal.unsent() - before


@pytest.mark.parametrize("seed", range(SCHEDULES))
async def test_nothing_is_lost_and_nothing_doubled(
    open_database: Callable[[], Database], open_journal: Callable[[str], Journal], seed: int
) -> None:
    dice = random.Random(seed)
    server = Server(open_database)
    line = Line(server, dice)
    desks = [
        DeskAtWork(open_journal, "Первая", Role.OPERATOR_2, line),
        DeskAtWork(open_journal, "Вторая", Role.ADMINISTRATOR, line),
    ]
    for _ in range(STEPS):
        desk = dice.choice(desks)
        match dice.randrange(10):
            case 0:
                desk.restart()
            case 1:
                server.restart()
            case 2 | 3 | 4:
                await desk.sender.round()
            case _:
                desk.act(dice)
    line.bad = False
    for desk in [*desks, *desks]:
        await desk.sender.round()
    _even(server, desks)
    server.database.close()


def _even(server: Server, desks: list[DeskAtWork]) -> None:
    log = server.rows(t.op_log)
    events = server.rows(t.event)
    for desk in desks:
        code = desk.journal.device.code if desk.journal.device else ""
        assert desk.sender.state.light is ServerLight.ON
        assert desk.journal.unsent() == 0
        taken = [row for row in log if row.device == code]
        assert [row.n for row in taken] == list(range(1, desk.made + 1)), "each operation once, none missing"
        applied = {f"{code}:{row.n}" for row in taken if msgspec.json.decode(row.result)["s"] != "rejected"}
        assert sorted(event.op for event in events if event.op.startswith(f"{code}:")) == sorted(applied)
    for stream in {event.stream for event in events}:
        places = [event.seq for event in events if event.stream == stream]
        assert places == list(range(1, len(places) + 1)), "dense"
    for row in server.rows(t.card):
        for desk in desks:
            shown = desk.journal.card(row.id)
            assert shown == msgspec.convert(row.body, Card), "both desks show what the server has"
