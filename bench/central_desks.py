"""Desks without a face for bench.central: they send, read the whole answer and move their cursors as a desk does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Self

from central.devices import enrol, enrolment_code
from central.store.database import Database
from operator_tui.appeals.catalogue import AppealType
from operator_tui.appeals.clock import SystemClock
from operator_tui.appeals.hlc import next_stamp
from operator_tui.appeals.operations import Event, Kind, Operation
from operator_tui.appeals.people import Operator, Role
from operator_tui.reference import packaged_catalogue
from operator_tui.sync.dictionary import current, dictionary_of
from operator_tui.sync.packing import FrameReader, pack
from operator_tui.sync.protocol import SYNC_PATH, EnrolAnswer, Results, SyncRequest, plain_operation

ORGANISATION = "26/tf"
Batch = list[dict[str, Any]]
_THEME = packaged_catalogue().themes_of(AppealType.CONSULTATION)[0]
_RESULT = packaged_catalogue().default_result(_THEME)
_TEXT = "Обратившийся спросил, как заменить полис после перемены фамилии и куда прийти с документами."


def enrolled(database: Database, count: int) -> list[EnrolAnswer]:
    """That many operators of one organisation, each with a device."""
    now_ms = SystemClock().now_ms()
    people = (
        Operator(0, f"Оператор {number}", Role.OPERATOR_1, str(2000 + number), ORGANISATION) for number in range(count)
    )
    return [enrol(database, enrolment_code(database, one, now_ms), now_ms) for one in people]


class _Making:
    """Operations of one device with their numbers and stamps."""

    def __init__(self) -> None:
        self.n = 0
        self._stamp = ""

    def __call__(
        self, kind: Kind, x: dict[str, Any], card: str = "", b: dict[str, str] | None = None
    ) -> dict[str, Any]:
        self.n += 1
        self._stamp = next_stamp(self._stamp, SystemClock().now_ms())
        return plain_operation(Operation(n=self.n, k=kind, at=self._stamp, z="Europe/Moscow", c=card, x=x, b=b or {}))


def _card(device: str, number: int) -> dict[str, Any]:
    return {
        "type": _THEME.type.value,
        "theme": _THEME.code,
        "phone": f"+7 8652 {number % 1_000_000:06d}",
        "number": f"{device}-{number}",
        "surname": "Иванова",
        "name": "Мария",
        "text": _TEXT,
    }


def new_cards(device: EnrolAnswer, count: int, batch: int) -> list[Batch]:
    """New cards in batches."""
    make = _Making()
    made = [make(Kind.CARD_NEW, _card(device.device, number)) for number in range(count)]
    return [made[start : start + batch] for start in range(0, count, batch)]


def calls_of_a_day(device: EnrolAnswer, calls: int) -> list[Batch]:
    """What one operator's day sends: a batch for each call, a card in it, closed."""
    make = _Making()
    return [list(_one_call(make, device.device, number)) for number in range(calls)]


def _one_call(make: _Making, device: str, number: int) -> Iterator[dict[str, Any]]:
    call = {"call": f"{device}-{number}"}
    yield make(Kind.CALL_OFFERED, {**call, "queue": "oms"})
    yield make(Kind.CALL_RINGING, call)
    yield make(Kind.CALL_ANSWERED, {**call, "wait_ms": 4_000})
    new = make(Kind.CARD_NEW, {**_card(device, number), **call})
    card = f"{device}:{make.n}"
    yield new
    yield make(Kind.ANSWER_USED, {"script": "polis-smena"}, card)
    yield make(
        Kind.CARD_MOVE,
        {"act": "close", "result": _RESULT.code, "comment": "Разъяснён порядок замены полиса."},
        card,
        {"status": card},
    )
    yield make(Kind.CALL_ENDED, {**call, "by": "caller", "talk_ms": 180_000})


class Desk:
    """One connection that is kept, one request at a time."""

    def __init__(self, port: int, device: EnrolAnswer | None, batches: Sequence[Batch], path: str = SYNC_PATH) -> None:
        self._port, self._device, self._batches, self._path = port, device, batches, path
        self._cursor = 0
        self.refused = 0
        self.operations = sum(map(len, batches))

    @classmethod
    def plain(cls, port: int, records: Sequence[Batch]) -> Self:
        """A desk of the plain REST peer: one record as JSON for each request."""
        return cls(port, None, records, "/records")

    async def send_all(self) -> None:
        """Send everything; AssertionError when the server does not take it."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        for batch in self._batches:
            body = self._body(batch)
            writer.write(self._head(len(body)) + body)
            self._take(await _read(reader))
        writer.close()
        await writer.wait_closed()

    def _body(self, batch: Batch) -> bytes:
        if self._device is None:
            return pack(batch[0])
        cursors = {ORGANISATION: self._cursor}
        request = SyncRequest(v=1, d=self._device.device, e=self._device.epoch, c=cursors, o=batch)
        return pack(request, current())

    def _head(self, length: int) -> bytes:
        token = f"Authorization: Bearer {self._device.token}\r\n" if self._device else ""
        return (
            f"POST {self._path} HTTP/1.1\r\nHost: centre\r\nContent-Encoding: zstd\r\n{token}"
            f"Content-Length: {length}\r\n\r\n"
        ).encode()

    def _take(self, body: bytes) -> None:
        if self._device is None:
            return
        for frame in FrameReader(find=dictionary_of).feed(body):
            if isinstance(frame, Event):
                self._cursor = frame.q
            elif isinstance(frame, Results):
                self.refused += sum(outcome.s == "rejected" for outcome in frame.r)


async def _read(reader: asyncio.StreamReader) -> bytes:
    """One answer's body. AssertionError for a status that is no success."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
    body = await reader.readexactly(length)
    assert head.startswith(b"http/1.1 2"), body
    return body


@asynccontextmanager
async def events_open(port: int, people: Sequence[EnrolAnswer]) -> AsyncIterator[None]:
    """An open event stream for each, every one of which has said something."""
    writers: list[asyncio.StreamWriter] = []

    async def one(device: EnrolAnswer) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writers.append(writer)
        writer.write(
            f"GET /v1/events?c={ORGANISATION}:0 HTTP/1.1\r\nHost: centre\r\n"
            f"Authorization: Bearer {device.token}\r\nAccept: text/event-stream\r\n\r\n".encode()
        )
        head = await reader.readuntil(b"\r\n\r\n")
        assert b" 200 " in head, head
        await reader.readuntil(b"\n\n")

    try:
        for start in range(0, len(people), 50):
            await asyncio.gather(*map(one, people[start : start + 50]))
        yield
    finally:
        for writer in writers:
            writer.close()
