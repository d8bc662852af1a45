"""The outbox: every operation of this desk, in the order it was made, kept until the server has it safe."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.hlc import next_stamp, stamp_ms
from operator_tui.appeals.operations import CARD_KINDS, Kind, Operation, operation_id
from operator_tui.journal import files
from operator_tui.journal.store import Store

_LONGEST_CALL_MS = 86_400_000
PENDING, APPLIED, MERGED, REJECTED = "pending", "applied", "merged", "rejected"


def upcoming(store: Store) -> tuple[str, int]:
    """The device's code and the number the next operation will have."""
    return store.demand_device().code, int(store.meta("next_n", "1"))


def append(
    store: Store, kind: Kind, x: dict[str, Any], *, card: str = "", b: dict[str, str] | None = None
) -> Operation:
    """Write one operation; inside ``writing`` only. Takes its number and its stamp there (DESIGN rule 14).

    ``card`` is empty for CARD_NEW: the card's id will be that of the operation.
    """
    device = store.demand_device()
    _, n = upcoming(store)
    now_ms = store.clock.now_ms()
    operation = Operation(
        n=n,
        k=kind.value,
        at=next_stamp(store.meta("hlc"), now_ms),
        c=card,
        z=device.operator.zone,
        b=b or {},
        x=x,
    )
    about = operation_id(device.code, n) if kind is Kind.CARD_NEW else card
    store.db.execute(
        "INSERT INTO outbox(device, n, card, kind, body, at_ms) VALUES (?, ?, ?, ?, ?, ?)",
        [device.code, n, about, kind.value, msgspec.json.encode(operation).decode(), now_ms],
    )
    files.note(store, kind, x, about, now_ms)
    store.set_meta("next_n", str(n + 1))
    store.set_meta("hlc", operation.at)
    store.appended += 1
    return operation


def pending(store: Store, limit: int) -> list[Operation]:
    """The oldest operations the server has not answered for, in order."""
    device = store.device()
    if device is None:
        return []
    rows = store.rows(
        "SELECT body FROM outbox WHERE device = ? AND state = 'pending' ORDER BY n LIMIT ?", device.code, limit
    )
    return [decode(body) for (body,) in rows]


def unsent(store: Store) -> int:
    """How many of them there are."""
    return int(store.value("SELECT count(*) FROM outbox WHERE state = 'pending'"))


def recorded(store: Store, call: str, *, since_ms: int) -> set[Kind]:
    """Which facts of a call stand here already, of those written since then."""
    rows = store.rows(
        "SELECT DISTINCT kind FROM outbox WHERE kind LIKE 'call.%' AND at_ms >= ? AND body ->> '$.x.call' = ?",
        since_ms,
        call,
    )
    return {Kind(kind) for (kind,) in rows}


def recorded_at_pbx(store: Store, calls: Sequence[str]) -> list[str]:
    """Which of these calls the PBX has recorded, as this desk was told."""
    query = "SELECT body ->> '$.x.call' FROM outbox WHERE kind = ? AND body ->> '$.x.sha256' LIKE 'pbx/%'"
    told = {str(call) for (call,) in store.rows(query, Kind.CALL_RECORDED.value)}
    return [call for call in calls if call in told]


def news_read(store: Store) -> frozenset[str]:
    """Marks of announcements read here; beside the operations, which are dropped once they are safe."""
    return frozenset(msgspec.json.decode(store.meta("news_read", "[]"), type=list[str]))


def read_news(store: Store, mark: str) -> None:
    """One more was read; of an announcement that was changed the newest mark stays; inside ``writing`` only."""
    code = mark.partition("@")[0]
    kept = {one for one in news_read(store) if one.partition("@")[0] != code}
    store.set_meta("news_read", msgspec.json.encode(sorted({*kept, mark})).decode())


def shift_began(store: Store) -> int | None:
    """When the last «Начало работы» was, if no «Завершить» came after it."""
    query = "SELECT kind, at_ms FROM outbox WHERE kind IN ('shift.begun', 'shift.ended') ORDER BY rowid DESC LIMIT 1"
    rows = list(store.rows(query))
    return int(rows[0][1]) if rows and rows[0][0] == Kind.SHIFT_BEGUN else None


def calls_without_card(store: Store, *, since_ms: int) -> list[tuple[str, str, int]]:
    """Callers answered here since then of whom there is neither a card nor a draft: call, number, when (UTC ms)."""
    rows = store.rows(
        "SELECT a.body ->> '$.x.call', o.body ->> '$.x.number', a.at_ms FROM outbox a "
        "JOIN outbox o ON o.kind = 'call.offered' AND o.at_ms >= ? AND o.body ->> '$.x.call' = a.body ->> '$.x.call' "
        "WHERE a.kind = 'call.answered' AND a.at_ms >= ? AND NOT EXISTS "
        "(SELECT 1 FROM outbox c WHERE c.kind = 'card.new' AND c.at_ms >= ? "
        "AND c.body ->> '$.x.call' = a.body ->> '$.x.call') "
        "AND NOT EXISTS (SELECT 1 FROM draft d WHERE d.call = a.body ->> '$.x.call') "
        # or it was bound to the appeal of another call
        "AND NOT EXISTS (SELECT 1 FROM outbox c, json_each(c.body, '$.x.calls') j WHERE c.kind LIKE 'card.%' "
        "AND c.at_ms >= ? AND j.value ->> '$.call' = a.body ->> '$.x.call') "
        "AND NOT EXISTS (SELECT 1 FROM draft d, json_each(d.body, '$.fields.calls') j "
        "WHERE j.value ->> '$.call' = a.body ->> '$.x.call') ORDER BY a.at_ms",
        since_ms,
        since_ms,
        since_ms,
        since_ms,
    )
    return [(str(call), str(number or ""), int(at)) for call, number, at in rows]


def last_calls(store: Store, limit: int) -> list[list[tuple[Kind, dict[str, Any]]]]:
    """The facts of the calls whose ends were written last, the newest first."""
    ends = store.rows(
        "SELECT body ->> '$.x.call', at_ms FROM outbox WHERE kind IN ('call.ended', 'call.abandoned') "
        "ORDER BY rowid DESC LIMIT ?",
        limit,
    )
    if not ends:
        return []
    found: dict[str, list[tuple[Kind, dict[str, Any]]]] = {str(call): [] for call, _ in ends}
    rows = store.rows(
        "SELECT kind, body FROM outbox WHERE at_ms >= ? AND kind IN ('call.offered', 'call.ringing', 'call.answered', "
        "'call.transferred', 'call.ended', 'call.abandoned') ORDER BY rowid",
        min(at for _, at in ends) - _LONGEST_CALL_MS,
    )
    for kind, body in rows:
        x = decode(body).x
        if (call := str(x.get("call", ""))) in found:
            found[call].append((Kind(kind), x))
    return list(found.values())


def decode(body: str) -> Operation:
    """An operation as it was written, whatever release wrote it."""
    return msgspec.json.decode(body, type=Operation)


def split_id(op: str) -> tuple[str, int]:
    """``k7q2mx:41`` -> (``k7q2mx``, 41). Refusal(BAD_REQUEST) for what is no operation id."""
    device, _, n = op.rpartition(":")
    if not device or not n.isdigit():
        raise Refusal(Code.BAD_REQUEST, field="op")
    return device, int(n)


def judge_anew(store: Store) -> None:
    """What waits has not been judged in the lineage of the server that is followed now: no refusal of another one is
    asked about; what the operator has dealt with stays dealt with. Inside ``writing`` only."""
    store.db.execute(
        "DELETE FROM attention WHERE done = 0 AND op IN (SELECT device || ':' || n FROM outbox WHERE state = 'pending')"
    )


def forget_durable(store: Store, *, before_ms: int) -> None:
    """Drop what the server keeps safely and no card or question needs any more; inside ``writing`` only.

    An operation that is not durable is never dropped (design 1.5, rule 6).
    """
    device = store.demand_device()
    store.db.execute(
        """DELETE FROM outbox WHERE device = ? AND n <= ? AND at_ms < ? AND state != 'pending'
           AND (confirmed = 1 OR state = 'rejected')
           AND NOT EXISTS (SELECT 1 FROM attention WHERE op = outbox.device || ':' || outbox.n AND done = 0)""",
        [device.code, int(store.meta("durable", "0")), before_ms],
    )


def follows_stream(kind: str) -> bool:
    """Whether desks get the events of this kind back: those of cards only."""
    return kind in CARD_KINDS


def saw_stamp(store: Store, stamp: str) -> None:
    """Stamps made from now on are later than one received (hybrid logical clock); inside ``writing`` only.

    A stamp far ahead of this desk's clock is not followed: the server clamps those (design 1.5, rule 3).
    """
    try:
        ahead = stamp_ms(stamp) > store.clock.now_ms() + 300_000
    except ValueError:
        return
    if not ahead and stamp > store.meta("hlc"):
        store.set_meta("hlc", stamp)
