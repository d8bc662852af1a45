"""Takes a device's operations: exactly once, in order, decided by the rules of operator_tui/appeals.

One transaction does it all (design 1.5, rules 1 and 2): lock the device's row; an operation that was here before
gets the answer it got then; the next one is decided, stored and answered; a refused one uses up its number, is
stored whole and comes back with its reason; behind a gap nothing is taken.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import sqlalchemy as sa

from central import audit, streams
from central.devices import Device
from central.log import log_failure
from central.moved import Moved, known_ids, load_moved, old_id, under_known_ids
from central.store import tables as t
from central.store.database import Database
from operator_tui.appeals.card import Card
from operator_tui.appeals.catalogue import Catalogue
from operator_tui.appeals.decide import Actor, apply, decide
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.hlc import clamp_stamp
from operator_tui.appeals.number import REGISTER, register_number
from operator_tui.appeals.operations import (
    CARD_KINDS,
    CARD_NOW,
    Change,
    Kind,
    Operation,
    Outcome,
    operation_id,
    stream_for,
)
from operator_tui.appeals.organisations import shared_after, told
from operator_tui.sync.protocol import canonical, operation_digest

APPLIED, MERGED, REJECTED = "applied", "merged", "rejected"
_CARD_KINDS = frozenset(kind.value for kind in CARD_KINDS)
_STAMP = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True)
class Pushed:
    """What became of a push: ``next`` is the n the server waits for; ``touched`` are the streams that grew."""

    next: int
    durable: int
    outcomes: list[Outcome]
    touched: frozenset[str] = frozenset()


@dataclass
class _Step:
    """One operation on its way through the transaction."""

    plain: dict[str, Any]
    digest: bytes
    outcome: Outcome
    draft: streams.Draft | None = None
    more: list[streams.Draft] = field(default_factory=list)  # what other organisations are told of it
    was: str = ""  # the id it had before a fork, when it was not known under that id


@dataclass
class _Cards:
    """The cards of the batch as they stand after each step, locked from the start."""

    now: dict[str, Card]
    stored: frozenset[str]
    manned: frozenset[str] = frozenset()  # of the organisations named, those that have operators
    changed: dict[str, Card] = field(default_factory=dict)

    def put(self, card: Card) -> None:
        self.now[card.id] = self.changed[card.id] = card


def push(
    database: Database, device: Device, operations: Sequence[dict[str, Any]], now_ms: int, catalogue: Catalogue
) -> Pushed:
    """Take the operations of one request. Refusal(FORK) when one of them differs from what was received under its
    number before, BAD_REQUEST when one has no number; nothing of the request is stored then."""
    try:
        return database.write(lambda connection: _push(database, connection, device, operations, now_ms, catalogue))
    except Refusal as refusal:
        if refusal.code is Code.FORK:
            _record_fork(database, device, refusal, now_ms)
        raise


def standing(connection: sa.Connection, device: Device) -> Pushed:
    """What a desk that sends nothing is told."""
    row = connection.execute(sa.select(t.device.c.last_n, t.device.c.durable_n).where(t.device.c.id == device.id)).one()
    return Pushed(row.last_n + 1, row.durable_n, [])


def _push(
    database: Database,
    connection: sa.Connection,
    device: Device,
    operations: Sequence[dict[str, Any]],
    now_ms: int,
    catalogue: Catalogue,
) -> Pushed:
    row = connection.execute(
        database.lock(sa.select(t.device.c.last_n, t.device.c.durable_n).where(t.device.c.id == device.id))
    ).one()
    moved = load_moved(connection, device, operations)
    operations = under_known_ids(device, operations, known_ids(connection, device, operations), moved)
    before, fresh = _sort_out(connection, device, row.last_n, operations)
    if not fresh:
        return Pushed(row.last_n + 1, row.durable_n, before)
    cards = _load_cards(database, connection, fresh)
    steps: list[_Step] = []
    for plain in fresh:
        step = _known_before(plain, moved) or _decide(plain, device, cards, now_ms, catalogue)
        if step.was:
            moved[step.was, step.digest] = step.outcome
        steps.append(step)
    last_n = row.last_n + len(fresh)
    by_stream = _by_stream(steps)
    # Locked last and in this order (see streams.take_place); from here to the commit nobody else writes to them.
    places = {stream: streams.take_place(database, connection, stream) for stream in sorted(by_stream)}
    with database.together(connection):
        touched = _store_events(connection, by_stream, places, now_ms, cards, steps)
        _store_cards(connection, cards)
        connection.execute(
            sa.update(t.device).where(t.device.c.id == device.id).values(last_n=last_n, last_seen=now_ms)
        )
        connection.execute(sa.insert(t.op_log), [_log_row(device, step, now_ms) for step in steps])
    return Pushed(last_n + 1, row.durable_n, before + [step.outcome for step in steps], frozenset(touched))


def _sort_out(
    connection: sa.Connection, device: Device, last_n: int, operations: Sequence[dict[str, Any]]
) -> tuple[list[Outcome], list[dict[str, Any]]]:
    """The answers of those that were here before, and those that are new, up to the first gap."""
    numbered = {_number(plain): plain for plain in operations}
    known = _answers(connection, device, [n for n in numbered if n <= last_n])
    before: list[Outcome] = []
    fresh: list[dict[str, Any]] = []
    for plain in operations:
        n = _number(plain)
        if n <= last_n:
            digest, outcome = known[n]
            if digest != operation_digest(plain):
                raise Refusal(Code.FORK, n=n)
            before.append(outcome)
        elif n == last_n + len(fresh) + 1:
            fresh.append(plain)
        elif n <= last_n + len(fresh):
            if operation_digest(plain) != operation_digest(fresh[n - last_n - 1]):
                raise Refusal(Code.FORK, n=n)
        else:
            break
    return before, fresh


def _number(plain: dict[str, Any]) -> int:
    n = plain.get("n")
    if not isinstance(n, int) or isinstance(n, bool) or not 0 < n < 1 << 53:
        raise Refusal(Code.BAD_REQUEST, reason="n")
    return n


def _answers(connection: sa.Connection, device: Device, numbers: Sequence[int]) -> dict[int, tuple[bytes, Outcome]]:
    if not numbers:
        return {}
    rows = connection.execute(
        sa.select(t.op_log.c.n, t.op_log.c.hash, t.op_log.c.result).where(
            t.op_log.c.device == device.id, t.op_log.c.n.in_(numbers)
        )
    )
    return {row.n: (row.hash, msgspec.json.decode(row.result, type=Outcome)) for row in rows}


def _load_cards(database: Database, connection: sa.Connection, fresh: Sequence[dict[str, Any]]) -> _Cards:
    ids = {_text(plain, "c") for plain in fresh if plain.get("c") and _text(plain, "k") in _CARD_KINDS}
    if not ids:
        return _Cards({}, frozenset())
    # In the order of their ids: two batches that share cards wait, and never for one another.
    chosen = sa.select(t.card.c.id, t.card.c.body).where(t.card.c.id.in_(ids)).order_by(t.card.c.id)
    found = {row.id: msgspec.convert(row.body, Card) for row in connection.execute(database.lock(chosen))}
    return _Cards(found, frozenset(found), _manned(connection, fresh))


def _manned(connection: sa.Connection, fresh: Sequence[dict[str, Any]]) -> frozenset[str]:
    said = [plain["x"].get("to") for plain in fresh if isinstance(plain.get("x"), dict)]
    named = {to.replace("\0", "") for to in said if isinstance(to, str)}
    if not named:
        return frozenset()
    chosen = sa.select(t.operator.c.organisation).where(t.operator.c.organisation.in_(named)).distinct()
    return frozenset(connection.execute(chosen).scalars())


def _known_before(plain: dict[str, Any], moved: Moved) -> _Step | None:
    digest = operation_digest(plain)
    outcome = moved.get((old_id(plain), digest))
    return _Step(plain, digest, msgspec.structs.replace(outcome, n=_number(plain))) if outcome else None


def _decide(plain: dict[str, Any], device: Device, cards: _Cards, now_ms: int, catalogue: Catalogue) -> _Step:
    digest = operation_digest(plain)
    n = _number(plain)
    op_id = operation_id(device.id, n)
    card: Card | None = None
    try:
        operation = _read(plain, now_ms)
        card = cards.now.get(op_id if operation.k == Kind.CARD_NEW else operation.c)
        change, draft = _rule(operation, op_id, card, device, catalogue)
        _demand_manned(change, cards)
    except Refusal as refusal:
        current: dict[str, Any] = {}
        if card is not None and card.stream == device.operator.organisation:
            current = msgspec.to_builtins(card)
        outcome = Outcome(n, REJECTED, w=refusal.code.value, p=refusal.params, cur=current)
        return _Step(plain, digest, outcome, was=old_id(plain))
    more: list[streams.Draft] = []
    if operation.k in _CARD_KINDS:
        after = apply(
            card, change, op=op_id, at=operation.at, by=device.operator.user, stream=device.operator.organisation
        )
        if after is not None:
            after = msgspec.structs.replace(after, shared=shared_after(card, after))
            cards.put(after)
            others = told(card, after, device.operator.organisation)
            more = [_now(draft, stream, seen) for stream, seen in others.items()]
    state = MERGED if change.rival or change.lost else APPLIED
    return _Step(plain, digest, Outcome(n, state), draft, more, old_id(plain))


def _demand_manned(change: Change, cards: _Cards) -> None:
    """An appeal is not sent where nobody would see it."""
    if change.home and change.home not in cards.manned:
        raise Refusal(Code.ORGANISATION_UNKNOWN, organisation=change.home)


def _now(draft: streams.Draft, stream: str, seen: Card) -> streams.Draft:
    """The card as it is now, to another organisation, beside the event that changed it."""
    body = {"card": msgspec.to_builtins(seen)}
    return replace(draft, stream=stream, kind=CARD_NOW, op=f"{draft.op}>{stream}", card=seen.id, body=body)


def _read(plain: dict[str, Any], now_ms: int) -> Operation:
    """The operation as the rules want it, its stamp clamped. Refusal(FIELD_INVALID) names what is not right."""
    try:
        operation = msgspec.convert(plain, Operation)
    except msgspec.ValidationError:
        raise Refusal(Code.FIELD_INVALID, field="operation") from None
    if not _STAMP.fullmatch(operation.at):
        raise Refusal(Code.FIELD_INVALID, field="at")
    operation = msgspec.structs.replace(operation, at=clamp_stamp(operation.at, now_ms))
    try:
        ZoneInfo(operation.z or "UTC")
    except (ValueError, OSError, KeyError):  # ZoneInfoNotFoundError is a KeyError; a folder's name is an OSError
        raise Refusal(Code.FIELD_INVALID, field="z") from None
    if _has_nul(plain):
        # PostgreSQL cannot keep U+0000 in JSONB; the log keeps the operation whole, as escaped text.
        raise Refusal(Code.FIELD_INVALID, field="x")
    return operation


def _rule(
    operation: Operation, op_id: str, card: Card | None, device: Device, catalogue: Catalogue
) -> tuple[Change, streams.Draft]:
    who = device.operator
    try:
        change = decide(card, operation, Actor(who.user, who.role, who.organisation, who.groups), catalogue)
    except Refusal:
        raise
    except Exception as error:
        # Our own mistake costs this one operation, which is stored whole, and never the queue behind it (rule 2).
        log_failure("rule failed", error, device=device.id)
        raise Refusal(Code.SERVER_REFUSED, reason=type(error).__name__) from error
    of_card = operation.k in _CARD_KINDS
    return change, streams.Draft(
        stream=stream_for(operation.k, who.organisation),
        kind=operation.k,
        op=op_id,
        card=op_id if operation.k == Kind.CARD_NEW else operation.c,
        by=who.user,
        stamp=operation.at,
        zone=operation.z or who.zone,
        body=msgspec.to_builtins(change) if of_card else operation.x,
    )


def _text(plain: dict[str, Any], key: str) -> str:
    """A field as a column can hold it, whatever came; the body beside it keeps it as it came."""
    return str(plain.get(key, "")).replace("\0", "")


def _has_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any(_has_nul(key) or _has_nul(item) for key, item in value.items())
    return isinstance(value, list) and any(map(_has_nul, value))


def _store_cards(connection: sa.Connection, cards: _Cards) -> None:
    rows = {card.id: _card_row(card) for card in cards.changed.values()}
    if new := [row for id_, row in rows.items() if id_ not in cards.stored]:
        connection.execute(sa.insert(t.card), new)
    if old := [{**row, "which": id_} for id_, row in rows.items() if id_ in cards.stored]:
        connection.execute(sa.update(t.card).where(t.card.c.id == sa.bindparam("which")), old)


def _card_row(card: Card) -> dict[str, Any]:
    return {
        "id": card.id,
        "region": streams.region_of(card.stream),
        "stream": card.stream,
        "rev": card.rev,
        "status": card.status.value,
        "worker": card.worker,
        "deadline": card.deadline,
        "body": msgspec.to_builtins(card),
    }


def _by_stream(steps: Sequence[_Step]) -> dict[str, list[tuple[_Step, streams.Draft]]]:
    by_stream: dict[str, list[tuple[_Step, streams.Draft]]] = {}
    for step in steps:
        for draft in ([step.draft] if step.draft else []) + step.more:
            by_stream.setdefault(draft.stream, []).append((step, draft))
    return by_stream


def _register(draft: streams.Draft, cards: _Cards, number: str, steps: Sequence[_Step]) -> None:
    """Write the fund's number into the event that makes the appeal, the appeal, and what others are told of it."""
    draft.body.setdefault("set", {})[REGISTER] = number
    made = cards.changed[draft.card]
    written = {**made.stamps, REGISTER: (draft.op, draft.stamp)}
    cards.put(msgspec.structs.replace(made, fields={**made.fields, REGISTER: number}, stamps=written))
    for told_of in (more for step in steps for more in step.more if more.card == draft.card):
        seen = told_of.body["card"]
        seen["fields"] = {**seen["fields"], REGISTER: number}


def _store_events(
    connection: sa.Connection,
    by_stream: dict[str, list[tuple[_Step, streams.Draft]]],
    places: dict[str, streams.Place],
    now_ms: int,
    cards: _Cards,
    steps: Sequence[_Step],
) -> set[str]:
    for stream, place in places.items():
        for seq, (step, draft) in enumerate(by_stream[stream], place.seq + 1):
            if draft is step.draft:
                step.outcome = msgspec.structs.replace(step.outcome, q=seq)
                if draft.kind == Kind.CARD_NEW:
                    _register(draft, cards, register_number(stream, seq), steps)
    for stream, place in places.items():
        streams.append(connection, stream, place, [draft for _, draft in by_stream[stream]], now_ms)
    return set(by_stream)


def _log_row(device: Device, step: _Step, now_ms: int) -> dict[str, Any]:
    return {
        "device": device.id,
        "n": step.outcome.n,
        "was": step.was or None,
        "hash": step.digest,
        "operator": device.operator.user,
        "received_at": now_ms,
        "stamp": _text(step.plain, "at"),
        "body": canonical(step.plain).decode(),
        "result": canonical(step.outcome).decode(),
    }


def _record_fork(database: Database, device: Device, refusal: Refusal, now_ms: int) -> None:
    database.write(
        lambda connection: audit.record(
            database,
            connection,
            region=streams.region_of(device.operator.organisation),
            at=now_ms,
            actor=device.operator.user,
            device=device.id,
            action="device.forked",
            object=device.id,
            detail=refusal.params,
        )
    )
