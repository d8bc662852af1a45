"""Dense, hash-chained streams: entry q+1 follows entry q, and each carries a digest of everything before it.

A sequence of the database is no cursor: a transaction that took a lower number and commits later is skipped for
ever. Here a stream is one row that is locked last in the transaction and holds the last number given out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from central.store import tables as t
from central.store.database import Database
from operator_tui.appeals.hlc import stamp_ms
from operator_tui.appeals.operations import Event
from operator_tui.sync.protocol import StreamEnd, canonical

EMPTY_HEAD = bytes(32)
_PAGE = 200  # events read at once; the page is cut further by its bytes


@dataclass(frozen=True)
class Draft:
    """An event before it has its place."""

    stream: str
    kind: str
    op: str
    card: str
    by: int
    stamp: str
    zone: str
    body: dict[str, Any]


@dataclass(frozen=True)
class Place:
    """Where a stream stands."""

    seq: int
    head: bytes


def region_of(stream: str) -> str:
    """``26`` of ``26/tf``: the region leads every key."""
    return stream.partition("/")[0]


def take_place(database: Database, connection: sa.Connection, stream: str) -> Place:
    """Lock the stream until the end of the transaction and tell where it stands. To be called last, and for
    several streams in the order of their names, so that two writers never wait for one another."""
    chosen = database.lock(sa.select(t.stream.c.seq, t.stream.c.head).where(t.stream.c.id == stream))
    row = connection.execute(chosen).one_or_none()
    if row is None:
        connection.execute(_new_stream(connection, stream))
        row = connection.execute(chosen).one()
    return Place(row.seq, row.head)


def append(connection: sa.Connection, stream: str, place: Place, drafts: Sequence[Draft], now_ms: int) -> None:
    """Put the events behind ``place`` in their order; the first gets ``place.seq + 1``."""
    head, rows, bodies = place.head, [], []
    region = region_of(stream)
    for seq, draft in enumerate(drafts, place.seq + 1):
        body = canonical(draft.body)
        row = {
            "region": region,
            "stream": stream,
            "seq": seq,
            "kind": draft.kind,
            "op": draft.op,
            "card": draft.card,
            "by": draft.by,
            "stamp": draft.stamp,
            "at": stamp_ms(draft.stamp),
            "zone": draft.zone,
            "received_at": now_ms,
            "body_digest": hashlib.sha256(body).digest(),
        }
        head = chain(head, row)
        rows.append({**row, "hash": head})
        bodies.append({"region": region, "stream": stream, "seq": seq, "body": body.decode()})
    connection.execute(sa.insert(t.event), rows)
    connection.execute(sa.insert(t.event_body), bodies)
    advance(connection, stream, Place(place.seq + len(rows), head))


def advance(connection: sa.Connection, stream: str, place: Place) -> None:
    """The stream now stands at ``place``."""
    connection.execute(sa.update(t.stream).where(t.stream.c.id == stream).values(seq=place.seq, head=place.head))


def chain(head: bytes, row: dict[str, Any]) -> bytes:
    """The hash of an entry: SHA-256 over the hash before it and the entry, digests as hex, keys sorted."""
    plain = {key: value.hex() if isinstance(value, bytes) else value for key, value in row.items()}
    return hashlib.sha256(head + canonical(plain)).digest()


def heads(connection: sa.Connection, streams: Sequence[str]) -> dict[str, StreamEnd]:
    """Where each stream stands; one that has no event yet stands at 0."""
    rows = connection.execute(sa.select(t.stream).where(t.stream.c.id.in_(streams))).all()
    found = {row.id: StreamEnd(row.seq, row.head.hex()) for row in rows}
    return {stream: found.get(stream, StreamEnd(0, EMPTY_HEAD.hex())) for stream in streams}


# Made once: making it costs more than asking it.
_AFTER = (
    sa.select(t.event, t.event_body.c.body)
    .outerjoin(
        t.event_body,
        sa.and_(
            t.event_body.c.region == t.event.c.region,
            t.event_body.c.stream == t.event.c.stream,
            t.event_body.c.seq == t.event.c.seq,
        ),
    )
    .where(
        t.event.c.region == sa.bindparam("region"),
        t.event.c.stream == sa.bindparam("stream"),
        t.event.c.seq > sa.bindparam("cursor"),
        t.event.c.seq <= sa.bindparam("head"),
    )
    .order_by(t.event.c.seq)
    .limit(_PAGE)
)


def after(connection: sa.Connection, stream: str, cursor: int, head: int, budget: int) -> tuple[list[Event], int]:
    """Events behind ``cursor`` up to ``head`` in order, as many as fit ``budget`` bytes (one at least), and the bytes
    they take."""
    rows = connection.execute(_AFTER, {"region": region_of(stream), "stream": stream, "cursor": cursor, "head": head})
    events: list[Event] = []
    used = 0
    for row in rows:
        # A purged card leaves the event without its body: the chain holds, the text is gone.
        body: dict[str, Any] = msgspec.json.decode(row.body) if row.body else {}
        events.append(Event(s=stream, q=row.seq, k=row.kind, op=row.op, by=row.by, at=row.stamp, c=row.card, x=body))
        used += len(row.body or "") + 100
        if used >= budget:
            break
    return events, used


def _new_stream(connection: sa.Connection, stream: str) -> sa.Insert:
    """The first writer makes the row; a second that meets it waits and goes on."""
    values = {"id": stream, "region": region_of(stream), "seq": 0, "head": EMPTY_HEAD}
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    return insert(t.stream).values(values).on_conflict_do_nothing()
