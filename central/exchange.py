"""Exchanges with desks: their operations in, the outcomes and what each has not seen out. No HTTP in here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec
import sqlalchemy as sa

from central import streams
from central.apply import Push, Pushed, push_all, standing, together
from central.auth.admitted import admitted_all
from central.devices import Device
from central.store import tables as t
from central.store.database import LOCKED, Database
from operator_tui.appeals.catalogue import Catalogue
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.operations import Event, Outcome, reference_stream
from operator_tui.appeals.organisations import is_organisation
from operator_tui.appeals.people import Operator
from operator_tui.sync.dictionary import dictionaries
from operator_tui.sync.packing import unpack
from operator_tui.sync.protocol import (
    MAX_OPERATIONS,
    MAX_PAGE,
    MAX_PLAIN,
    WITH_REFERENCE,
    End,
    Head,
    StreamEnd,
    SyncRequest,
    demand_version,
)

_ALONE_MS = 500  # 32 of a group, after the ten seconds it waited, end before a desk gives up (60 s)


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


def followed(operator: Operator, version: int) -> list[str]:
    """The streams the operator may see, what is told first in front; every event sent to a desk passes here. A desk
    that speaks version 1 knows nothing of the reference data."""
    own = operator.organisation
    return [own] if version < WITH_REFERENCE else [own, reference_stream(own)]


def _told_to(connection: sa.Connection, device: Device, version: int) -> list[str]:
    """The streams of a device: to a collector the appeals of every organisation of its region and its audit, never the
    work logs."""
    if not device.reads_only:
        return followed(device.operator, version)
    here = connection.execute(sa.select(t.stream.c.id).where(t.stream.c.region == device.region)).scalars()
    return [*sorted(filter(is_organisation, here)), *_beside(device.region)]


def is_collected(stream: str, region: str) -> bool:
    """Whether a collector of the region is told of that stream."""
    return stream in _beside(region) or (is_organisation(stream) and streams.region_of(stream) == region)


def _beside(region: str) -> list[str]:
    return [reference_stream(region), streams.audit_stream(region)]


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


@dataclass(frozen=True)
class Asked:
    """A request as it came: who says he is its desk, and what it says, or why it cannot be read."""

    token: str
    request: SyncRequest | Refusal


Told = tuple[SyncRequest, Answer] | Exception


def asked(token: str, body: bytes, *, packed: bool) -> Asked:
    """The request of a body. What is wrong with it is told only to a desk that is known."""
    try:
        return Asked(token, read_request(body, packed=packed))
    except Refusal as refusal:
        return Asked(token, refusal)


def exchange(
    database: Database, token: str, body: bytes, *, packed: bool, now_ms: int, catalogue: Catalogue
) -> tuple[SyncRequest, Answer]:
    """Check who it is, take the operations, tell what is new. Everything stored is on disk when this returns."""
    (told,) = exchange_all(database, [asked(token, body, packed=packed)], now_ms, catalogue)
    if isinstance(told, Exception):
        raise told
    return told


def exchange_all(database: Database, asking: Sequence[Asked], now_ms: int, catalogue: Catalogue) -> list[Told]:
    """The same for requests that came while the disk was busy: one transaction for their operations where that changes
    nothing for any of them, in their order. What is wrong with one is its own answer; what is raised is for all."""
    admitted = admitted_all(database, [each.token for each in asking], now_ms)
    callers = [_demanded(each, who) for each, who in zip(asking, admitted, strict=True)]
    sending = {place: caller for place, caller in enumerate(callers) if isinstance(caller, _Caller) and caller.sends}
    taken = _take(database, sending, now_ms, catalogue)
    answers: list[Told] = []
    with database.read() as connection:
        heard = [each for each in callers if isinstance(each, _Caller)]
        pulls = iter(pull_all(connection, [(each.device, each.request) for each in heard if not each.strange]))
        # After the reading: whose region has gone to another server meanwhile has read nothing.
        silent = [each.device for place, each in enumerate(callers) if isinstance(each, _Caller) and place not in taken]
        stands = standing(connection, silent) if silent else {}
        for place, caller in enumerate(callers):
            if isinstance(caller, Exception):
                answers.append(caller)
                continue
            pulled = None if caller.strange else next(pulls)
            pushed = taken[place] if place in taken else stands.get(caller.device.id, Refusal(Code.TOKEN_INVALID))
            if isinstance(pushed, Exception):
                answers.append(pushed)
            else:
                answers.append((caller.request, _answer(caller, pushed, pulled, now_ms)))
    return answers


@dataclass(frozen=True)
class _Caller:
    """A desk that is known. ``strange``: it knows another lineage and first resets its cursors and its queue: nothing
    it says holds here (rule 7)."""

    device: Device
    request: SyncRequest
    here: str

    @property
    def strange(self) -> bool:
        return bool(self.request.e) and self.request.e != self.here

    @property
    def sends(self) -> bool:
        return bool(self.request.o) and not self.strange


def _demanded(asked: Asked, who: tuple[Device, str] | Refusal) -> _Caller | Refusal:
    if isinstance(who, Refusal):
        return who
    device, here = who
    if isinstance(asked.request, Refusal):
        return asked.request
    if asked.request.d != device.id:
        return Refusal(Code.DEVICE_OTHER)
    if asked.request.o and device.reads_only:
        return Refusal(Code.READ_ONLY)
    return _Caller(device, asked.request, here)


def _take(
    database: Database, sending: Mapping[int, _Caller], now_ms: int, catalogue: Catalogue
) -> dict[int, Pushed | Exception]:
    places = list(sending)
    pushes = [Push(caller.device, caller.request.o) for caller in sending.values()]
    taken: dict[int, Pushed | Exception] = {}
    for group in together(pushes):
        try:
            done: Sequence[Pushed | Exception] = push_all(database, [pushes[i] for i in group], now_ms, catalogue)
        except Exception as error:
            if len(group) == 1 or _the_same_for_each(error):
                done = [error] * len(group)
            else:
                done = [_alone(database, pushes[i], now_ms, catalogue) for i in group]
        taken |= zip((places[i] for i in group), done, strict=True)
    return taken


def _the_same_for_each(error: Exception) -> bool:
    """A database that is away is away for every one of a group; a row that somebody holds concerns who needs it, and a
    region that moves who writes to it."""
    return isinstance(error, Refusal) and error.params != LOCKED and error.code is not Code.REGION_MOVES


def _alone(database: Database, push: Push, now_ms: int, catalogue: Catalogue) -> Pushed | Exception:
    """One of a group that failed: it fails no other but itself, and is waited for no longer than those can bear."""
    try:
        return push_all(database, [push], now_ms, catalogue, patience_ms=_ALONE_MS)[0]
    except Exception as error:
        return error


def _answer(caller: _Caller, pushed: Pushed, pulled: tuple[list[Event], End] | None, now_ms: int) -> Answer:
    head = Head(e=caller.here, t=now_ms, next=pushed.next, durable=pushed.durable)
    if pulled is None:
        return Answer(caller.device.id, head)
    events, end = pulled
    return Answer(caller.device.id, head, pushed.outcomes, events, end, pushed.touched)


def grown(database: Database, end: End) -> bool:
    """Whether one of the streams has gone on since this was told."""
    with database.read() as connection:
        now = streams.heads(connection, list(end.end))
    return any(now[stream].head != told.head for stream, told in end.end.items())


def pull(connection: sa.Connection, device: Device, request: SyncRequest) -> tuple[list[Event], End]:
    """Events behind the desk's cursors, up to the bytes it asked for, and where its streams stand."""
    return pull_all(connection, [(device, request)])[0]


def pull_all(connection: sa.Connection, asking: Sequence[tuple[Device, SyncRequest]]) -> list[tuple[list[Event], End]]:
    """The same for several desks."""
    told = [_told_to(connection, device, request.v) for device, request in asking]
    wanted = {stream for names in told for stream in names}
    heads = streams.heads(connection, sorted(wanted)) if wanted else {}
    desks, collectors = streams.Reading(connection), streams.Reading(connection, proven=True)
    return [
        _pull(collectors if device.reads_only else desks, heads, names, request)
        for (device, request), names in zip(asking, told, strict=True)
    ]


def _pull(
    reading: streams.Reading, heads: Mapping[str, StreamEnd], told: Sequence[str], request: SyncRequest
) -> tuple[list[Event], End]:
    events: list[Event] = []
    budget = max(1, min(request.max, MAX_PAGE))
    reached = {stream: max(0, request.c.get(stream, 0)) for stream in told}
    ends = {stream: heads[stream] for stream in reached}
    if request.quiet:
        return [], End(ends)  # they come by an open stream
    for stream, cursor in reached.items():
        if budget > 0 and cursor < ends[stream].head:
            found, used = reading.after(stream, cursor, ends[stream].head, budget)
            events += found
            budget -= used
            reached[stream] = found[-1].q if found else cursor
    more = any(ends[stream].head > place for stream, place in reached.items())
    return events, End(ends, more)
