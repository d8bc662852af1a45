"""Dense, hash-chained streams: entry q+1 follows entry q, and each carries a digest of everything before it.

A sequence of the database is no cursor: a transaction that took a lower number and commits later is skipped for
ever. Here a stream is one row that is locked last in the transaction and holds the last number given out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from central.moving import demand_still
from central.store import tables as t
from central.store.bulk import insert_rows, update_rows
from operator_tui.appeals.hlc import stamp_ms
from operator_tui.appeals.operations import Event, Proof
from operator_tui.sync.protocol import StreamEnd, canonical

EMPTY_HEAD = bytes(32)
_PAGE = 64  # events read at once: some 16 KB, what a desk asks for
_MOST = 200  # events told at once; what is told is cut further by its bytes


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


# Made once: making a statement costs more than asking it. SQLite has no FOR UPDATE, SQLAlchemy leaves it out there.
_PLACES = sa.select(t.stream.c.id, t.stream.c.seq, t.stream.c.head).where(
    t.stream.c.id.in_(sa.bindparam("streams", expanding=True))
)
_LOCKED = _PLACES.order_by(t.stream.c.id).with_for_update()


def region_of(stream: str) -> str:
    """``26`` of ``26/tf``: the region leads every key."""
    return stream.partition("/")[0]


def audit_stream(region: str) -> str:
    """``26/audit``: its entries lie in a table of their own (central/audit.py)."""
    return f"{region}/audit"


def is_audit(stream: str) -> bool:
    """Whether it is the audit of its region."""
    return stream == audit_stream(region_of(stream))


def take_place(connection: sa.Connection, stream: str) -> Place:
    """``take_places`` of one stream."""
    return take_places(connection, [stream])[stream]


def take_places(connection: sa.Connection, streams: Iterable[str]) -> dict[str, Place]:
    """Lock the streams until the end of the transaction and tell where they stand. To be called last; they are locked
    in the order of their names, so that two writers never wait for one another (but for the first writers of a stream:
    ``Database.write`` begins again then). Refusal(REGION_MOVES) at once for one of a region that moves."""
    wanted = sorted(streams)
    demand_still(connection, map(region_of, wanted))
    found = {row.id: Place(row.seq, row.head) for row in connection.execute(_LOCKED, {"streams": wanted})}
    if missing := [stream for stream in wanted if stream not in found]:
        connection.execute(_new_streams(connection, missing))
        found = {row.id: Place(row.seq, row.head) for row in connection.execute(_LOCKED, {"streams": wanted})}
    return {stream: found[stream] for stream in wanted}


def append(
    connection: sa.Connection, places: Mapping[str, Place], drafts: Mapping[str, Sequence[Draft]], now_ms: int
) -> None:
    """Put each stream's events behind its place in their order; the first gets ``place.seq + 1``."""
    rows: list[dict[str, Any]] = []
    bodies: list[dict[str, Any]] = []
    stands: list[dict[str, Any]] = []
    for stream, place in places.items():
        head, region = place.head, region_of(stream)
        for seq, draft in enumerate(drafts[stream], place.seq + 1):
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
        stands.append({"id": stream, "seq": place.seq + len(drafts[stream]), "head": head})
    insert_rows(connection, t.event, rows)
    insert_rows(connection, t.event_body, bodies)
    update_rows(connection, t.stream, stands)


def advance(connection: sa.Connection, stream: str, place: Place) -> None:
    """The stream now stands at ``place``."""
    connection.execute(sa.update(t.stream).where(t.stream.c.id == stream).values(seq=place.seq, head=place.head))


def chain(head: bytes, row: dict[str, Any]) -> bytes:
    """The hash of an entry: SHA-256 over the hash before it and the entry, digests as hex, keys sorted."""
    plain = {key: value.hex() if isinstance(value, bytes) else value for key, value in row.items()}
    return hashlib.sha256(head + canonical(plain)).digest()


def heads(connection: sa.Connection, streams: Sequence[str]) -> dict[str, StreamEnd]:
    """Where each stream stands; one that has no event yet stands at 0."""
    rows = connection.execute(_PLACES, {"streams": list(streams)})
    found = {row.id: StreamEnd(row.seq, row.head.hex()) for row in rows}
    return {stream: found.get(stream, StreamEnd(0, EMPTY_HEAD.hex())) for stream in streams}


_BODY = t.event_body.c
_EVENT = t.event.c
# The bounds stand for both tables: the planner would read the bodies of
# the stream from its beginning to join them by order.
_PAGE_OF = (
    sa.select(_EVENT.seq, _EVENT.kind, _EVENT.op, _EVENT.by, _EVENT.stamp, _EVENT.card, _BODY.body)
    .select_from(
        t.event.outerjoin(
            t.event_body,
            sa.and_(
                t.ITS_BODY,
                _BODY.seq >= sa.bindparam("first"),
                _BODY.seq <= sa.bindparam("last"),
            ),
        )
    )
    .where(
        _EVENT.region == sa.bindparam("region"),
        _EVENT.stream == sa.bindparam("stream"),
        _EVENT.seq >= sa.bindparam("first"),
        _EVENT.seq <= sa.bindparam("last"),
    )
    .order_by(_EVENT.seq)
)
_PROVEN_PAGE_OF = _PAGE_OF.add_columns(_EVENT.zone, _EVENT.received_at, _EVENT.body_digest, _EVENT.hash)

_AUDIT = t.audit.c
_AUDIT_PAGE_OF = (
    sa.select(t.audit)
    .where(
        _AUDIT.region == sa.bindparam("region"),
        _AUDIT.seq >= sa.bindparam("first"),
        _AUDIT.seq <= sa.bindparam("last"),
    )
    .order_by(_AUDIT.seq)
)


class Reading:
    """Events for desks that are answered together: a page that one of them was read serves those that stand near.
    ``proven``: with what their hashes are taken of."""

    def __init__(self, connection: sa.Connection, *, proven: bool = False) -> None:
        self._connection = connection
        self._proven = proven
        self._known: dict[str, dict[int, tuple[Event, int]]] = {}

    def after(self, stream: str, cursor: int, head: int, budget: int) -> tuple[list[Event], int]:
        """Events behind ``cursor`` up to ``head`` in order, as many as fit ``budget`` bytes (one at least) and _MOST,
        and the bytes they take."""
        known = self._known.setdefault(stream, {})
        events: list[Event] = []
        used = 0
        for seq in range(cursor + 1, min(head, cursor + _MOST) + 1):
            if seq not in known:
                known |= self._page(stream, seq, min(head, seq + _PAGE - 1))
            if seq not in known:
                break  # a stream that has less than its row says is told as far as it goes (central verify finds it)
            event, size = known[seq]
            events.append(event)
            used += size
            if used >= budget:
                break
        return events, used

    def _page(self, stream: str, first: int, last: int) -> dict[int, tuple[Event, int]]:
        if is_audit(stream):
            return self._audit_page(stream, first, last)
        asked = {"region": region_of(stream), "stream": stream, "first": first, "last": last}
        page: dict[int, tuple[Event, int]] = {}
        for row in self._connection.execute(_PROVEN_PAGE_OF if self._proven else _PAGE_OF, asked):
            # A purged card leaves the event without its body: the chain holds, the text is gone.
            body: dict[str, Any] = msgspec.json.decode(row.body) if row.body else {}
            proof = Proof(row.zone, row.received_at, row.body_digest.hex(), row.hash.hex()) if self._proven else None
            event = Event(
                s=stream, q=row.seq, k=row.kind, op=row.op, by=row.by, at=row.stamp, c=row.card, x=body, p=proof
            )
            page[row.seq] = event, len(row.body or "") + 100
        return page

    def _audit_page(self, stream: str, first: int, last: int) -> dict[int, tuple[Event, int]]:
        """Entries of the audit as events: ``k`` the action, ``op`` the object, ``by`` the actor (0 for the server
        itself), ``c`` the device, ``x`` the detail."""
        page: dict[int, tuple[Event, int]] = {}
        asked = {"region": region_of(stream), "first": first, "last": last}
        for row in self._connection.execute(_AUDIT_PAGE_OF, asked):
            detail: dict[str, Any] = msgspec.json.decode(row.detail)
            proof = Proof("", row.at, "", row.hash.hex())
            said = {"k": row.action, "op": row.object, "by": row.actor or 0, "c": row.device, "x": detail}
            event = Event(s=stream, q=row.seq, at="", p=proof, **said)
            page[row.seq] = event, len(row.detail) + 100
        return page


def _new_streams(connection: sa.Connection, streams: Sequence[str]) -> sa.Insert:
    """The first writer makes the rows; a second that meets them waits and goes on."""
    values = [{"id": stream, "region": region_of(stream), "seq": 0, "head": EMPTY_HEAD} for stream in streams]
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    return insert(t.stream).values(values).on_conflict_do_nothing()
