"""Which talks there were about an appeal, as the desks have told them in their work log. No HTTP in here.

Nothing is kept for it, and the way of an operation into the log is not a step longer: a desk tells the facts of a call
close to one another, and close to the appeal that is made of it or to what is known of its recording
(central/recordings.py). What is read there counts by its call alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from central.recordings import calls_of, read_on, standing
from central.store import tables as t
from central.store.database import Database
from central.streams import region_of
from operator_tui.appeals.operations import Kind, stream_for
from operator_tui.appeals.talks import Talk

# Operations of a desk between the end of a call and what is known of it, either way: some thirty in a busy talk.
_NEAR = 100
_MOST_PLACES = 10
_DAY_MS = 86_400_000
_FACTS = (Kind.CALL_RINGING, Kind.CALL_ANSWERED, Kind.CALL_ENDED)


class _Fact(msgspec.Struct):
    """What of the operation is used; the rest is the desk's own affair."""

    call: str
    ms: int = 0
    talk_ms: int = 0
    by: str = ""
    out: bool = False


def talks_about(database: Database, card_id: str, organisation: str) -> list[Talk]:
    """The talks of an appeal, in the order they began. Refusal(UNKNOWN_CARD) for one of another organisation."""
    stream, region = stream_for(Kind.CALL_ENDED, organisation), region_of(organisation)
    read_on(database, stream)
    with database.read() as connection:
        card, kept = standing(connection, card_id, organisation)
        calls = calls_of(card)
        if not calls:
            return []
        recorded = {call: [row for row in kept if row.call == call] for call in calls}
        places = [card_id, *(row.op for row in kept[-_MOST_PLACES:])]
        facts = _facts(connection, region, stream, places, calls)
    found = (_talk(call, facts.get(call, {}), recorded[call], out=call != card.value("call")) for call in calls)
    return sorted((talk for talk in found if talk is not None), key=lambda talk: talk.at_ms)


def _talk(call: str, told: dict[str, tuple[Any, _Fact]], kept: Sequence[Any], *, out: bool) -> Talk | None:
    """None for a call in which nobody talked, as far as is known. ``out`` where the desk's own word is missing."""
    rang, answered, ended = (told.get(kind) for kind in _FACTS)
    length = ended[1].talk_ms if ended is not None else 0
    last = ended[0] if ended is not None else kept[0] if kept else None
    if last is None or not (length > 0 or kept):
        return None
    began = answered or ended
    at_ms = int(last.at)
    if began is not None:
        said = began[1].ms - (0 if answered else length)
        # The clock of the desk's telephone; one that can not be meant gives way to when it was written down.
        at_ms = said if abs(said - began[0].at) < _DAY_MS else int(began[0].at)
    return Talk(
        call=call,
        at_ms=at_ms,
        by=int(last.by),
        ms=length if length > 0 else max(int(row.ms) for row in kept),
        out=rang[1].out if rang is not None else out,
        ended=ended[1].by if ended is not None else "",
        recorded=bool(kept),
    )


def _facts(
    connection: sa.Connection, region: str, stream: str, places: Sequence[str], calls: Sequence[str]
) -> dict[str, dict[str, tuple[Any, _Fact]]]:
    """By call and kind: the event and what it says."""
    rows = connection.execute(
        sa.select(t.event.c.op, t.event.c.kind, t.event.c.at, t.event.c.by, t.event_body.c.body)
        .join_from(t.event, t.event_body, t.ITS_BODY)
        .where(
            t.event.c.region == region,
            t.event.c.op.in_(sorted(_near(places))),  # by the index that says an operation has one event
            t.event.c.stream == stream,
            t.event.c.kind.in_([kind.value for kind in _FACTS]),
        )
        .order_by(t.event.c.seq)
    ).all()
    found: dict[str, dict[str, tuple[Any, _Fact]]] = {}
    for row in rows:
        try:
            fact = msgspec.json.decode(row.body, type=_Fact)
        except msgspec.MsgspecError:
            continue  # of a desk that told it in another form
        if fact.call in calls:
            found.setdefault(fact.call, {})[row.kind] = (row, fact)
    return found


def _near(places: Iterable[str]) -> set[str]:
    found: set[str] = set()
    for op in places:
        device, _, n = op.rpartition(":")
        if n.isdigit():
            found |= {f"{device}:{near}" for near in range(max(1, int(n) - _NEAR), int(n) + _NEAR + 1)}
    return found
