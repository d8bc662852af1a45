"""Which recordings belong to the calls of an appeal.

The desks tell it as ``call.recorded`` in their organisation's work log. It is read out of there when somebody asks,
from where it was read up to the last time: the way of an operation into the log is not a step longer for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from central.files import Files
from central.store import tables as t
from central.store.database import Database
from central.streams import region_of
from operator_tui.appeals.card import Card
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.operations import Kind, stream_for
from operator_tui.appeals.promises import attempts_of
from operator_tui.signin.files import Stored

_AT_ONCE = 2000  # events read in one transaction
_LONGEST = 255  # letters of a call's id: what an index holds


class _Told(msgspec.Struct):
    """What of the operation is used; the rest is the desk's own affair."""

    call: str
    sha256: str
    size: int = 0
    ms: int = 0


def recordings_of(database: Database, card_id: str, organisation: str) -> list[Stored]:
    """The recordings of an appeal, the oldest first. Refusal(UNKNOWN_CARD) for one of another organisation."""
    read_on(database, stream_for(Kind.CALL_RECORDED, organisation))
    with database.read() as connection:
        _, rows = standing(connection, card_id, organisation)
    return [_stored(row, region_of(organisation)) for row in rows]


def standing(connection: sa.Connection, card_id: str, organisation: str) -> tuple[Card, Sequence[sa.Row[Any]]]:
    """An appeal, and what had been read of its recordings by ``read_on``, the oldest first. Refusal(UNKNOWN_CARD) for
    one of another organisation."""
    stream, region = stream_for(Kind.CALL_RECORDED, organisation), region_of(organisation)
    body = connection.execute(
        sa.select(t.card.c.body).where(
            t.card.c.id == card_id, t.card.c.region == region, t.card.c.stream == organisation
        )
    ).scalar_one_or_none()
    if body is None:
        raise Refusal(Code.UNKNOWN_CARD, card=card_id)
    card = msgspec.convert(body, Card)
    rows = connection.execute(
        sa.select(t.recording)
        .where(t.recording.c.region == region, t.recording.c.stream == stream, t.recording.c.call.in_(calls_of(card)))
        .order_by(t.recording.c.at, t.recording.c.op)
    ).all()
    return card, rows


def read_on(database: Database, stream: str) -> None:
    """Take what a work log says of recordings, up to its end."""
    region = region_of(stream)
    while database.write(lambda connection: _read_on(database, connection, region, stream)):
        pass


def calls_of(card: Card) -> Sequence[str]:
    """The call it came by and those by which the citizen was called back."""
    calls = [str(card.value("call")), *(attempt.call for attempt in attempts_of(card))]
    return list(dict.fromkeys(call for call in calls if call))


def _stored(row: sa.Row[Any], region: str) -> Stored:
    try:
        Files(region).open(row.name)
        here = True
    except Refusal:
        here = False
    return Stored(name=row.name, call=row.call, size=row.size, ms=row.ms, at_ms=row.at, by=row.by, here=here)


def _read_on(database: Database, connection: sa.Connection, region: str, stream: str) -> bool:
    """Take the next events of the log; whether there may be more. Who asks meanwhile waits at the row."""
    read = t.recording_read
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    connection.execute(insert(read).values(stream=stream, seq=0).on_conflict_do_nothing())
    known = connection.execute(database.lock(sa.select(read.c.seq).where(read.c.stream == stream))).scalar_one()
    events = connection.execute(
        sa.select(t.event.c.seq, t.event.c.op, t.event.c.at, t.event.c.by, t.event_body.c.body)
        .join_from(t.event, t.event_body, t.ITS_BODY)
        .where(
            t.event.c.region == region,
            t.event.c.stream == stream,
            t.event.c.seq > known,
            # A literal, as in the index: a parameter would hide from the planner that it fits.
            sa.literal_column("event.kind") == sa.literal_column("'call.recorded'"),
        )
        .order_by(t.event.c.seq)
        .limit(_AT_ONCE)
    ).all()
    if not events:
        return False
    if rows := [row for event in events if (row := _row(event, region, stream))]:
        connection.execute(insert(t.recording).on_conflict_do_nothing(), rows)
    connection.execute(sa.update(read).where(read.c.stream == stream).values(seq=events[-1].seq))
    return len(events) == _AT_ONCE


def _row(event: Any, region: str, stream: str) -> dict[str, Any] | None:
    try:
        told = msgspec.json.decode(event.body, type=_Told)
    except msgspec.MsgspecError:
        return None  # of a desk that told it in another form: its file is there all the same
    if len(told.call) > _LONGEST:
        return None
    return {
        "region": region,
        "op": event.op,
        "stream": stream,
        "call": told.call,
        "name": told.sha256,
        "size": told.size,
        "ms": told.ms,
        "at": event.at,
        "by": event.by,
    }
