"""Takes devices' operations: exactly once, in order, decided by the rules of operator_tui/appeals.

One transaction does it all (design 1.5, rules 1 and 2): lock the devices' rows; an operation that was here before
gets the answer it got then; the next one is decided, stored and answered; a refused one uses up its number, is
stored whole and comes back with its reason; behind a gap nothing is taken. Several devices may share a transaction:
each gets what it would have got alone, in the order they are given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import sqlalchemy as sa

from central import audit, streams
from central.devices import Device
from central.moved import Moved, known_ids, load_moved, log_regions, old_id, taken_elsewhere, under_known_ids
from central.moving import moving
from central.reference import Book, references
from central.steps import OF_CARDS, REJECTED, Cards, Step, number, register, take_step, text
from central.store import tables as t
from central.store.bulk import insert_rows, update_rows
from central.store.database import Database
from operator_tui.appeals.card import Card
from operator_tui.appeals.catalogue import Catalogue
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.history import enp_key, phone_key
from operator_tui.appeals.number import register_number
from operator_tui.appeals.operations import Kind, Outcome, operation_id
from operator_tui.sync.protocol import canonical, operation_digest

__all__ = ["REJECTED", "Push", "Pushed", "push", "push_all", "standing", "together"]


# Made once: making a statement costs more than asking it. Locked in the order of their ids: two transactions that share
# devices or cards wait, and never for one another.
_DEVICES: sa.Select[Any] = sa.select(t.device.c.id, t.device.c.last_n, t.device.c.durable_n).where(
    t.device.c.id.in_(sa.bindparam("devices", expanding=True))
)
_DEVICES_LOCKED = _DEVICES.order_by(t.device.c.id).with_for_update()
_CARDS_LOCKED = (
    sa.select(t.card.c.id, t.card.c.body)
    .where(
        t.card.c.id.in_(sa.bindparam("cards", expanding=True)),
        t.card.c.region.in_(sa.bindparam("regions", expanding=True)),
    )
    .order_by(t.card.c.id)
    .with_for_update()
)


@dataclass(frozen=True)
class Push:
    """What one device sends."""

    device: Device
    operations: Sequence[dict[str, Any]]


@dataclass(frozen=True)
class Pushed:
    """What became of a push: ``next`` is the n the server waits for; ``touched`` are the streams that grew."""

    next: int
    durable: int
    outcomes: list[Outcome]
    touched: frozenset[str] = frozenset()


@dataclass
class _Batch:
    """One device's push on its way through the transaction: ``before`` are the answers to what was here before,
    ``fresh`` what is new, ``last_n`` where the device stood."""

    device: Device
    last_n: int
    durable: int
    before: list[Outcome]
    fresh: list[dict[str, Any]]
    moved: Moved
    steps: list[Step] = field(default_factory=list)


def push(
    database: Database, device: Device, operations: Sequence[dict[str, Any]], now_ms: int, catalogue: Catalogue
) -> Pushed:
    """Take the operations of one request. Refusal(FORK) when one of them differs from what was received under its
    number before, BAD_REQUEST when one has no number, REGION_MOVES, TOKEN_INVALID when the device is here no more;
    nothing of the request is stored then."""
    (done,) = push_all(database, [Push(device, operations)], now_ms, catalogue)
    if isinstance(done, Refusal):
        raise done
    return done


def push_all(
    database: Database,
    pushes: Sequence[Push],
    now_ms: int,
    catalogue: Catalogue,
    *,
    patience_ms: int | None = None,
) -> list[Pushed | Refusal]:
    """Take the operations of several devices in one transaction, durable when this returns. ``pushes`` must be
    such as ``together`` puts together. A refusal of one (see ``push``) leaves the others alone; any other failure
    is raised, and nothing of any of them is stored. ``patience_ms``: see ``Database.write``."""
    done = database.write(
        lambda connection: _push_all(database, connection, pushes, now_ms, catalogue), patience_ms=patience_ms
    )
    references(database, catalogue).forget(
        stream for what in done if isinstance(what, Pushed) for stream in what.touched
    )
    for pushed, what in zip(pushes, done, strict=True):
        if isinstance(what, Refusal) and what.code is Code.FORK:
            _record_fork(database, pushed.device, what, now_ms)
    return done


def together(pushes: Sequence[Push]) -> list[list[int]]:
    """Which of them may share a transaction, as places in ``pushes``. A device has one push in each; one that comes
    again under another number goes alone, because what is known of it is looked up before the first is decided."""
    groups: list[list[int]] = []
    open_: list[int] = []
    devices: set[str] = set()
    for place, each in enumerate(pushes):
        if any(map(old_id, each.operations)):
            groups += [open_, [place]] if open_ else [[place]]
            open_, devices = [], set()
        elif each.device.id in devices:
            groups.append(open_)
            open_, devices = [place], {each.device.id}
        else:
            open_.append(place)
            devices.add(each.device.id)
    return [*groups, open_] if open_ else groups


def standing(connection: sa.Connection, devices: Sequence[Device]) -> dict[str, Pushed]:
    """What desks that send nothing are told, by device; one that is here no more is left out."""
    rows = connection.execute(_DEVICES, {"devices": [device.id for device in devices]})
    return {row.id: Pushed(row.last_n + 1, row.durable_n, []) for row in rows}


def _push_all(
    database: Database, connection: sa.Connection, pushes: Sequence[Push], now_ms: int, catalogue: Catalogue
) -> list[Pushed | Refusal]:
    away = moving(connection, {each.device.region for each in pushes})
    staying = [each for each in pushes if each.device.region not in away]
    done = iter(_push_staying(database, connection, staying, now_ms, catalogue) if staying else [])
    return [
        Refusal(Code.REGION_MOVES, region=each.device.region) if each.device.region in away else next(done)
        for each in pushes
    ]


def _push_staying(
    database: Database, connection: sa.Connection, pushes: Sequence[Push], now_ms: int, catalogue: Catalogue
) -> list[Pushed | Refusal]:
    devices = {"devices": [each.device.id for each in pushes]}
    rows = {row.id: row for row in connection.execute(_DEVICES_LOCKED, devices)}
    here = [each for each in pushes if each.device.id in rows]
    done = iter(_push_here(database, connection, here, rows, now_ms, catalogue) if here else [])
    # A device whose region went to another server since it was admitted.
    return [next(done) if each.device.id in rows else Refusal(Code.TOKEN_INVALID) for each in pushes]


def _push_here(
    database: Database,
    connection: sa.Connection,
    pushes: Sequence[Push],
    rows: Mapping[str, sa.Row[Any]],
    now_ms: int,
    catalogue: Catalogue,
) -> list[Pushed | Refusal]:
    pushed = [(each.device, rows[each.device.id].last_n, each.operations) for each in pushes]
    known = known_ids(connection, pushed)
    elsewhere = taken_elsewhere(connection, pushed)
    batches = [_begin(connection, each, rows[each.device.id], known, elsewhere) for each in pushes]
    growing = [batch for batch in batches if isinstance(batch, _Batch) and batch.fresh]
    touched = _take(database, connection, growing, now_ms, catalogue) if growing else {}
    return [batch if isinstance(batch, Refusal) else _answer(batch, touched) for batch in batches]


def _answer(batch: _Batch, touched: dict[str, frozenset[str]]) -> Pushed:
    outcomes = batch.before + [step.outcome for step in batch.steps]
    last_n = batch.last_n + len(batch.fresh)
    return Pushed(last_n + 1, batch.durable, outcomes, touched.get(batch.device.id, frozenset()))


def _begin(
    connection: sa.Connection, push: Push, row: sa.Row[Any], known: dict[str, str], elsewhere: Moved
) -> _Batch | Refusal:
    """What of it is new; the refusal of a request of which nothing may be stored."""
    device = push.device
    moved = load_moved(connection, device, push.operations) | elsewhere
    operations = under_known_ids(device, push.operations, known, moved)
    try:
        before, fresh = _sort_out(connection, device, row.last_n, operations)
    except Refusal as refusal:
        return refusal
    return _Batch(device, row.last_n, row.durable_n, before, fresh, moved)


def _take(
    database: Database, connection: sa.Connection, batches: Sequence[_Batch], now_ms: int, catalogue: Catalogue
) -> dict[str, frozenset[str]]:
    """Decide and store what is new; the streams that grew by each device."""
    regions = sorted({batch.device.region for batch in batches})
    cards = _load_cards(connection, [plain for batch in batches for plain in batch.fresh], regions)
    book = Book(database, connection, catalogue, [(batch.device, batch.fresh) for batch in batches])
    for batch in batches:
        for plain in batch.fresh:
            batch.steps.append(_step(plain, batch, cards, now_ms, book))
    by_stream = _by_stream([step for batch in batches for step in batch.steps])
    # Locked last and in this order (see streams.take_places); from here to the commit nobody else writes to them.
    places = streams.take_places(connection, by_stream)
    with database.together(connection):
        _store_events(connection, by_stream, places, now_ms, cards, batches)
        _store_cards(connection, cards)
        stood = [{"id": b.device.id, "last_n": b.last_n + len(b.fresh), "last_seen": now_ms} for b in batches]
        update_rows(connection, t.device, stood)
        insert_rows(connection, t.op_log, [_log_row(b.device, step, now_ms) for b in batches for step in b.steps])
    return {batch.device.id: frozenset(_by_stream(batch.steps)) for batch in batches}


def _step(plain: dict[str, Any], batch: _Batch, cards: Cards, now_ms: int, book: Book) -> Step:
    """One operation by the newest reference data: one of a desk that is ahead of this process is not refused for it."""
    device = batch.device
    step = take_step(plain, device, cards, batch.moved, now_ms, book.of(device))
    if step.outcome.s == REJECTED and not step.was and book.renewed(device):
        step = take_step(plain, device, cards, batch.moved, now_ms, book.of(device))
    if step.outcome.s != REJECTED:
        book.took(device, plain, operation_id(device.id, step.outcome.n))
    return step


def _sort_out(
    connection: sa.Connection, device: Device, last_n: int, operations: Sequence[dict[str, Any]]
) -> tuple[list[Outcome], list[dict[str, Any]]]:
    """The answers of those that were here before, and those that are new, up to the first gap."""
    numbered = {number(plain): plain for plain in operations}
    known = _answers(connection, device, [n for n in numbered if n <= last_n])
    before: list[Outcome] = []
    fresh: list[dict[str, Any]] = []
    for plain in operations:
        n = number(plain)
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


def _answers(connection: sa.Connection, device: Device, numbers: Sequence[int]) -> dict[int, tuple[bytes, Outcome]]:
    if not numbers:
        return {}
    rows = connection.execute(
        sa.select(t.op_log.c.n, t.op_log.c.hash, t.op_log.c.result).where(
            t.op_log.c.device == device.id, t.op_log.c.n.in_(numbers), t.op_log.c.region.in_(log_regions([device]))
        )
    )
    return {row.n: (row.hash, msgspec.json.decode(row.result, type=Outcome)) for row in rows}


def _load_cards(connection: sa.Connection, fresh: Sequence[dict[str, Any]], regions: Sequence[str]) -> Cards:
    ids = {text(plain, "c") for plain in fresh if plain.get("c") and text(plain, "k") in OF_CARDS}
    if not ids:
        return Cards({}, frozenset())
    rows = connection.execute(_CARDS_LOCKED, {"cards": list(ids), "regions": regions})
    found = {row.id: msgspec.convert(row.body, Card) for row in rows}
    return Cards(found, frozenset(found), _manned(connection, fresh))


def _manned(connection: sa.Connection, fresh: Sequence[dict[str, Any]]) -> frozenset[str]:
    said = [plain["x"].get("to") for plain in fresh if isinstance(plain.get("x"), dict)]
    named = {to.replace("\0", "") for to in said if isinstance(to, str)}
    if not named:
        return frozenset()
    chosen = sa.select(t.operator.c.organisation).where(t.operator.c.organisation.in_(named)).distinct()
    return frozenset(connection.execute(chosen).scalars())


def _by_stream(steps: Sequence[Step]) -> dict[str, list[tuple[Step, streams.Draft]]]:
    by_stream: dict[str, list[tuple[Step, streams.Draft]]] = {}
    for step in steps:
        for draft in ([step.draft] if step.draft else []) + step.more:
            by_stream.setdefault(draft.stream, []).append((step, draft))
    return by_stream


def _store_events(
    connection: sa.Connection,
    by_stream: dict[str, list[tuple[Step, streams.Draft]]],
    places: dict[str, streams.Place],
    now_ms: int,
    cards: Cards,
    batches: Sequence[_Batch],
) -> None:
    steps = [step for batch in batches for step in batch.steps]
    for stream, place in places.items():
        for seq, (step, draft) in enumerate(by_stream[stream], place.seq + 1):
            if draft is step.draft:
                step.outcome = msgspec.structs.replace(step.outcome, q=seq)
                if draft.kind == Kind.CARD_NEW:
                    register(draft, cards, register_number(stream, seq), steps)
    drafts = {stream: [draft for _, draft in grown] for stream, grown in by_stream.items()}
    streams.append(connection, places, drafts, now_ms)


def _store_cards(connection: sa.Connection, cards: Cards) -> None:
    rows = {card.id: _card_row(card) for card in cards.changed.values()}
    insert_rows(connection, t.card, [row for id_, row in rows.items() if id_ not in cards.stored])
    update_rows(connection, t.card, [row for id_, row in rows.items() if id_ in cards.stored])


def _card_row(card: Card) -> dict[str, Any]:
    return {
        "id": card.id,
        "region": streams.region_of(card.stream),
        "stream": card.stream,
        "rev": card.rev,
        "status": card.status.value,
        "worker": card.worker,
        "deadline": card.deadline,
        "created": card.created,
        "body": msgspec.to_builtins(card),
        "enp": enp_key(card.value("enp")) or None,
        "phone": phone_key(card.value("phone")) or None,
    }


def _log_row(device: Device, step: Step, now_ms: int) -> dict[str, Any]:
    return {
        "device": device.id,
        "region": device.region,
        "n": step.outcome.n,
        "was": step.was or None,
        "hash": step.digest,
        "operator": device.operator.user,
        "received_at": now_ms,
        "stamp": text(step.plain, "at"),
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
