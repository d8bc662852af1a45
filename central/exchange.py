"""One exchange with a desk: its operations in, their outcomes and what it has not seen out. No HTTP in here."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec
import sqlalchemy as sa

from central import streams
from central.apply import push, standing
from central.auth.sessions import admitted
from central.devices import Device
from central.store.database import Database
from operator_tui.appeals.catalogue import Catalogue
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.operations import Event, Outcome
from operator_tui.appeals.people import Operator
from operator_tui.sync.dictionary import dictionaries
from operator_tui.sync.protocol import (
    MAX_OPERATIONS,
    MAX_PAGE,
    MAX_PLAIN,
    End,
    Head,
    StreamEnd,
    SyncRequest,
    demand_version,
    unpack,
)


class _Version(msgspec.Struct):
    v: int


@dataclass(frozen=True)
class Answer:
    """What the desk is told, and what the log and other desks' waiting requests are."""

    device: str
    head: Head
    outcomes: list[Outcome] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    end: End = field(default_factory=lambda: End({}))
    touched: frozenset[str] = frozenset()


def followed(operator: Operator) -> list[str]:
    """The streams the operator may see; every event sent passes here."""
    return [operator.organisation]


def read_request(body: bytes, *, packed: bool) -> SyncRequest:
    """The request of a body. Refusals: PROTOCOL_VERSION, BAD_REQUEST."""
    plain = unpack(body, dictionaries=dictionaries().values()) if packed else body
    if len(plain) > MAX_PLAIN:
        raise Refusal(Code.BAD_REQUEST, reason="too_large", limit=MAX_PLAIN)
    try:
        demand_version(msgspec.json.decode(plain, type=_Version).v)
        request = msgspec.json.decode(plain, type=SyncRequest)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise Refusal(Code.BAD_REQUEST, reason="json") from None
    if len(request.o) > MAX_OPERATIONS:
        raise Refusal(Code.BAD_REQUEST, reason="too_many", limit=MAX_OPERATIONS)
    return request


def exchange(
    database: Database, token: str, body: bytes, *, packed: bool, now_ms: int, catalogue: Catalogue
) -> tuple[SyncRequest, Answer]:
    """Check who it is, take the operations, tell what is new. Everything stored is on disk when this returns."""
    device, here = admitted(database, token, now_ms)
    request = read_request(body, packed=packed)
    if request.d != device.id:
        raise Refusal(Code.DEVICE_OTHER)
    # A desk that knows another lineage first resets its cursors and its queue: nothing it says holds here (rule 7).
    strange = bool(request.e) and request.e != here
    taken = push(database, device, request.o, now_ms, catalogue) if request.o and not strange else None
    with database.read() as connection:
        pushed = taken or standing(connection, device)
        head = Head(e=here, t=now_ms, next=pushed.next, durable=pushed.durable)
        if strange:
            return request, Answer(device.id, head)
        events, end = pull(connection, device, request)
        if request.quiet:
            events, end = [], msgspec.structs.replace(end, more=False)
    return request, Answer(device.id, head, pushed.outcomes, events, end, pushed.touched)


def grown(database: Database, end: End) -> bool:
    """Whether one of the streams has gone on since this was told."""
    with database.read() as connection:
        now = streams.heads(connection, list(end.end))
    return any(now[stream].head != told.head for stream, told in end.end.items())


def pull(connection: sa.Connection, device: Device, request: SyncRequest) -> tuple[list[Event], End]:
    """Events behind the desk's cursors, up to the bytes it asked for, and where its streams stand."""
    events: list[Event] = []
    budget = max(1, min(request.max, MAX_PAGE))
    reached = {stream: max(0, request.c.get(stream, 0)) for stream in followed(device.operator)}
    ends: dict[str, StreamEnd] = streams.heads(connection, list(reached))
    for stream, cursor in reached.items():
        if budget > 0 and cursor < ends[stream].head:
            found, used = streams.after(connection, stream, cursor, ends[stream].head, budget)
            events += found
            budget -= used
            reached[stream] = found[-1].q if found else cursor
    more = any(ends[stream].head > place for stream, place in reached.items())
    return events, End(ends, more)
