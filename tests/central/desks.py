"""Desks as the server sees them: they keep count, send what they are told to and read the answer."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

import msgspec
import sqlalchemy as sa
from httpx import Response
from litestar.testing import TestClient

from central.devices import enrolment_code
from central.store import tables as t
from central.store.database import Database
from operator_tui.appeals.catalogue import AppealType
from operator_tui.appeals.clock import ManualClock
from operator_tui.appeals.hlc import next_stamp
from operator_tui.appeals.operations import Event, Operation, Outcome
from operator_tui.appeals.people import Operator, Role
from operator_tui.reference import packaged_catalogue
from operator_tui.sync.packing import FrameReader, pack
from operator_tui.sync.protocol import (
    ENROL_PATH,
    SYNC_PATH,
    SYNC_VERSION,
    End,
    EnrolAnswer,
    Head,
    Results,
    SyncRequest,
    plain_operation,
)

ORGANISATION = "26/tf"
CONSULTATION = packaged_catalogue().themes_of(AppealType.CONSULTATION)[0]


@dataclass
class Answer:
    """An answer of ``/v1/sync``, read."""

    status: int
    raw: Response
    head: Head = field(default_factory=lambda: Head("", 0, 0))
    outcomes: list[Outcome] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    end: End = field(default_factory=lambda: End({}))

    @property
    def refusal(self) -> dict[str, Any]:
        refusal: dict[str, Any] = self.raw.json()
        return refusal

    @property
    def states(self) -> list[str]:
        return [outcome.s for outcome in self.outcomes]


def operator(name: str, role: Role = Role.OPERATOR_1, organisation: str = ORGANISATION) -> Operator:
    return Operator(user=0, name=name, role=role, extension="2001", organisation=organisation)


class Desk:
    """One enrolled device. ``cursor`` is its place in its organisation's stream."""

    def __init__(self, client: TestClient[Any], clock: ManualClock, identity: EnrolAnswer) -> None:
        self.client = client
        self.clock = clock
        self.identity = identity
        self.cursor = 0
        self._numbers = itertools.count(1)
        self._stamp = ""

    @property
    def code(self) -> str:
        return self.identity.device

    def operation(self, kind: str, x: dict[str, Any] | None = None, *, card: str = "", **more: Any) -> Operation:
        """The next operation of this desk; ``more`` sets other fields, ``n`` too."""
        self._stamp = next_stamp(self._stamp, self.clock.now_ms())
        given = {"n": next(self._numbers), "k": kind, "at": self._stamp, "c": card, "x": x or {}, **more}
        return Operation(**given)

    def new_card(self, **fields: Any) -> Operation:
        given = {"type": CONSULTATION.type.value, "theme": CONSULTATION.code, "phone": "+7 8652 000001", **fields}
        return self.operation("card.new", given)

    def card_id(self, operation: Operation) -> str:
        return f"{self.code}:{operation.n}"

    def send(self, *operations: Operation | dict[str, Any], **request: Any) -> Answer:
        """Send operations from the desk's cursor and move it on by what comes back."""
        plain = [each if isinstance(each, dict) else plain_operation(each) for each in operations]
        stream = self.identity.operator.organisation
        given = {"v": SYNC_VERSION, "d": self.code, "c": {stream: self.cursor}, "o": plain, **request}
        answer = self.post(pack(SyncRequest(**given)))
        if own := [event.q for event in answer.events if event.s == stream]:
            self.cursor = own[-1]
        return answer

    def post(self, body: bytes, **headers: str) -> Answer:
        """Any body, as this desk."""
        given = {"Authorization": f"Bearer {self.identity.token}", "Content-Encoding": "zstd", **headers}
        with self.client.stream("POST", SYNC_PATH, content=body, headers=given) as response:
            raw = b"".join(response.iter_raw())
            if response.status_code != 200:
                return Answer(response.status_code, Response(response.status_code, content=raw))
            answer = Answer(200, response)
        for frame in FrameReader().feed(raw):
            match frame:
                case Head():
                    answer.head = frame
                case Results():
                    answer.outcomes += frame.r
                case Event():
                    answer.events.append(frame)
                case End():
                    answer.end = frame
        return answer


class Office:
    """The server, and how to get desks of it and look into its tables."""

    def __init__(self, database: Database, client: TestClient[Any], clock: ManualClock) -> None:
        self.database = database
        self.client = client
        self.clock = clock

    def desk(self, name: str, role: Role = Role.OPERATOR_1, organisation: str = ORGANISATION) -> Desk:
        code = enrolment_code(self.database, operator(name, role, organisation), self.clock.now_ms())
        answer = self.client.post(ENROL_PATH, json={"v": 1, "code": code})
        assert answer.status_code == 200, answer.text
        return Desk(self.client, self.clock, msgspec.json.decode(answer.content, type=EnrolAnswer))

    def rows(self, table: sa.Table, **where: Any) -> list[Any]:
        """Rows of a table, by its primary key."""
        chosen = sa.select(table).where(*(table.c[name] == value for name, value in where.items()))
        with self.database.read() as connection:
            return list(connection.execute(chosen.order_by(*table.primary_key.columns)))

    def card(self, card_id: str) -> dict[str, Any]:
        """The card's body as stored."""
        (row,) = self.rows(t.card, id=card_id)
        body: dict[str, Any] = row.body
        return body
