"""What the screens read: the journal's list, counts, a person's history, search, and what happened to a card."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from operator_tui.appeals.card import Card, Status
from operator_tui.appeals.deadlines import local_date
from operator_tui.appeals.errors import Refusal
from operator_tui.appeals.hlc import stamp_ms
from operator_tui.appeals.operations import CARD_NOW, Event, Operation, change_of, operation_id
from operator_tui.appeals.promises import Away, attempts_of, parse_away, with_away
from operator_tui.journal import cards, outbox
from operator_tui.journal.finding import digits, match_query, phone_key
from operator_tui.journal.happened import Happened
from operator_tui.journal.migrations import OPEN
from operator_tui.journal.store import Store


def active(store: Store, *, limit: int, offset: int, status: Status | None) -> list[Card]:
    """Appeals that are not finished, or those of one status; the newest first."""
    # Named, because SQLite would rather look up each status and sort what it finds.
    index, which = ("INDEXED BY shown_open", OPEN) if status is None else ("", "status = ?")
    values = () if status is None else (status.value,)
    return _cards(
        store.rows(
            f"SELECT body FROM shown {index} WHERE {which} ORDER BY created DESC, id DESC LIMIT ? OFFSET ?",
            *values,
            limit,
            offset,
        )
    )


def counts(store: Store) -> dict[Status, int]:
    """How many appeals stand in each status; every status is there."""
    found = dict(store.rows("SELECT status, count(*) FROM shown GROUP BY status"))
    return {status: int(found.get(status.value, 0)) for status in Status}


def workers(store: Store) -> dict[int, int]:
    """Users who have appeals in this journal, with how many of them are open, the busiest first."""
    rows = store.rows(
        f"SELECT worker, sum({OPEN}) AS open FROM shown WHERE worker IS NOT NULL GROUP BY worker ORDER BY open DESC"
    )
    return {int(user): int(count) for user, count in rows}


def history(store: Store, *, phone: str, enp: str, limit: int) -> list[Card]:
    """Earlier appeals of a person or from a telephone: the open ones first, then the newest (K-5.1.7.1)."""
    keys = {"phone": phone_key(phone), "enp": digits(enp)}
    given = {column: key for column, key in keys.items() if key}
    if not given:
        return []
    return _cards(
        store.rows(
            f"SELECT body FROM shown WHERE {' OR '.join(f'{column} = ?' for column in given)} "
            f"ORDER BY NOT ({OPEN}), created DESC, id DESC LIMIT ?",
            *given.values(),
            limit,
        )
    )


def begins(store: Store) -> int:
    """The instant (UTC ms) of the oldest appeal, 0 when there is none: the first entry of the index for each status."""
    first = [store.value("SELECT min(created) FROM shown WHERE status = ?", status.value) for status in Status]
    return min((stamp_ms(stamp) for stamp in first if stamp), default=0)


def promised(store: Store, *, limit: int) -> list[Card]:
    """Appeals whose answer was promised, the nearest time first, of those with one time the oldest; those without a
    time last. Where there are more than ``limit``, those that may concern this journal's operator are read besides:
    the broken ones of everybody else do not hide his own.
    """
    nearest = _promised(store, "", (), limit)
    device = store.device()
    if len(nearest) < limit or device is None:
        return _cards((body,) for body, *_ in nearest)
    operator = device.operator
    owners = [operator.user, *(one.user for one in away(store) if one.substitute == operator.user)]
    teams = ["", *operator.groups]
    which = (
        f" AND (worker IN ({', '.join('?' * len(owners))}) OR team IN ({', '.join('?' * len(operator.groups))})"
        f" OR (worker IS NULL AND team IN ({', '.join('?' * len(teams))})))"
    )
    concerned = _promised(store, which, (*owners, *operator.groups, *teams), limit)
    found = sorted({*nearest, *concerned}, key=lambda row: row[1:])
    return _cards((body,) for body, *_ in found)


def _promised(store: Store, which: str, values: Iterable[Any], limit: int) -> list[tuple[Any, ...]]:
    """Bodies with what they are sorted by."""
    return store.rows(
        "SELECT body, promise_due = 0, promise_due, created, id FROM shown INDEXED BY shown_promised "
        f"WHERE status = 'deferred'{which} ORDER BY promise_due = 0, promise_due, created, id LIMIT ?",
        *values,
        limit,
    )


def away(store: Store) -> list[Away]:
    """Who is away, as the administrator has said."""
    return msgspec.json.decode(store.meta(_AWAY, "[]"), type=list[Away])


def note_away(store: Store, x: Mapping[str, Any]) -> None:
    """Take an absence into account; inside ``writing`` only. One this release does not understand changes nothing."""
    try:
        one = parse_away(x)
    except Refusal:
        return
    today = local_date(store.clock.now_ms(), "UTC").isoformat()
    store.set_meta(_AWAY, msgspec.json.encode(with_away(away(store), one, today)).decode())


def forget_away(store: Store) -> None:
    """Nobody is; inside ``writing`` only."""
    store.set_meta(_AWAY, "[]")


_AWAY = "away"


def search(store: Store, text: str, *, limit: int) -> list[Card]:
    """Appeals whose number, names, telephone or texts have every word of ``text`` as a beginning; newest first.

    The index is read from its end: cards came to this desk in the order they were made, but for a few.
    """
    query = match_query(text)
    if not query:
        return []
    return _cards(
        store.rows(
            "SELECT body FROM shown WHERE row IN "
            "(SELECT rowid FROM shown_fts WHERE shown_fts MATCH ? ORDER BY rowid DESC LIMIT ?) "
            "ORDER BY created DESC, id DESC",
            query,
            limit,
        )
    )


def timeline(store: Store, card_id: str) -> list[Happened]:
    """What happened to a card: the server's events in their order, then what it has not answered or has refused."""
    events = [
        msgspec.json.decode(body, type=Event)
        for (body,) in store.rows("SELECT body FROM event WHERE card = ? ORDER BY stream, q", card_id)
    ]
    entries = [_of_event(event) for event in events]
    seen = {entry.op for entry in entries}
    device = store.device()
    by = device.operator.user if device else 0
    own = store.rows("SELECT device, body, state, result FROM outbox WHERE card = ? ORDER BY rowid", card_id)
    for code, body, state, result in own:
        operation = outbox.decode(body)
        op = operation_id(code, operation.n)
        if op not in seen:
            entries.append(_of_operation(operation, op, by, state, result))
    # Calls are facts of this desk; elsewhere they are kept at the centre. A stable sort: the server's order stays.
    calls = [_of_operation(operation, op, by, "", None) for operation, op in _calls(store, card_id)]
    return sorted([*entries, *calls], key=lambda entry: entry.at_ms) if calls else entries


def _calls(store: Store, card_id: str) -> list[tuple[Operation, str]]:
    """What was recorded of the calls of an appeal: the one it came by, and those by which the citizen was called."""
    card = cards.shown(store, card_id)
    if card is None:
        return []
    wanted = [str(card.value("call")), *(attempt.call for attempt in attempts_of(card))]
    wanted = [call for call in wanted if call]
    if not wanted:
        return []
    rows = store.rows(
        "SELECT device, body FROM outbox WHERE kind >= 'call.' AND kind < 'call/' "
        f"AND body ->> '$.x.call' IN ({', '.join('?' * len(wanted))}) ORDER BY rowid",
        *wanted,
    )
    return [(operation := outbox.decode(body), operation_id(device, operation.n)) for device, body in rows]


def _cards(rows: Iterable[tuple[Any, ...]]) -> list[Card]:
    return [cards.decode(body) for (body,) in rows]


def _of_event(event: Event) -> Happened:
    change = change_of(event)
    return Happened(
        op=event.op,
        at_ms=_told_ms(event.at),
        by=event.by,
        kind=event.k,
        act=change.act or (str(event.x.get("act", "")) if event.k == CARD_NOW else ""),
        status=change.status,
        values={**change.set, **change.add},
        lost=change.lost,
        rival=change.rival,
    )


def _of_operation(operation: Operation, op: str, by: int, state: str, result: str | None) -> Happened:
    refused = None
    if state == outbox.REJECTED and result:
        outcome = msgspec.json.decode(result)
        refused = Refusal.from_wire({"code": outcome.get("w", ""), "params": outcome.get("p", {})})
    return Happened(
        op=op,
        at_ms=_told_ms(operation.at),
        by=by,
        kind=operation.k,
        act=str(operation.x.get("act", "")),
        values={key: value for key, value in operation.x.items() if key != "act"},
        pending=state == outbox.PENDING,
        refused=refused,
    )


def _told_ms(stamp: str) -> int:
    try:
        return stamp_ms(stamp)
    except ValueError:
        return 0  # a stamp of a form this release does not know; the entry itself is worth showing
