"""Computes the hash chains of all streams and of the audit anew: history that was rewritten or lost shows itself."""

from __future__ import annotations

import hashlib
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass

import sqlalchemy as sa

from central.store import tables as t
from central.store.database import Database
from central.streams import EMPTY_HEAD, chain, is_audit, region_of

_ENTRY = [column for column in t.event.columns if column.name != "hash"]
_AUDIT_ENTRY = [column for column in t.audit.columns if column.name != "hash"]
_FEW = {"yield_per": 1000}  # a stream of years does not fit the memory


@dataclass(frozen=True)
class Fault:
    """The first entry of a stream that is not what its chain says. ``what``: gap, hash, body, head; partition where the
    tables of its region are not where they belong."""

    stream: str
    seq: int
    what: str


@dataclass(frozen=True)
class Verified:
    """``entries`` that were looked at, and the first fault of each stream that has one."""

    entries: int
    faults: tuple[Fault, ...]


def verify(database: Database) -> Verified:
    """Look at every entry, as of one moment; the server may work meanwhile."""
    with database.one_moment() as connection:
        return verify_on(connection)


def verify_on(connection: sa.Connection) -> Verified:
    """Look at every entry that a transaction sees."""
    entries, faults = 0, []
    apart = _apart(connection) if connection.dialect.name == "postgresql" else set()
    for row in connection.execute(sa.select(t.stream).order_by(t.stream.c.id)).all():
        entries += row.seq
        if row.region in apart:
            faults.append(Fault(row.id, row.seq, "partition"))
        elif fault := _fault(connection, row.id, row.seq, row.head):
            faults.append(fault)
    return Verified(entries, tuple(faults))


def _apart(connection: sa.Connection) -> set[str]:
    """The regions of streams one of whose partitions is not attached: nothing of theirs would be seen."""
    attached = sa.text(
        "SELECT s.region FROM (SELECT DISTINCT region FROM stream) AS s CROSS JOIN unnest(CAST(:big AS text[])) AS big "
        "WHERE NOT EXISTS (SELECT FROM pg_inherits i WHERE i.inhparent = to_regclass(quote_ident(big)) "
        "AND i.inhrelid = to_regclass(quote_ident(big || '_r' || s.region)))"
    )
    return set(connection.execute(attached, {"big": [table.name for table in t.PARTITIONED]}).scalars())


def _fault(connection: sa.Connection, stream: str, seq: int, told: bytes) -> Fault | None:
    head, place = EMPTY_HEAD, 0
    with closing(_entries(connection, stream)) as entries:
        for entry, stored, body in entries:
            place += 1
            if entry["seq"] != place:
                return Fault(stream, place, "gap")
            head = chain(head, entry)
            if head != stored:
                return Fault(stream, place, "hash")
            # A purged card leaves no body: its digest stays and the chain holds.
            if body is not None and hashlib.sha256(body.encode()).digest() != entry["body_digest"]:
                return Fault(stream, place, "body")
    return None if (place, head) == (seq, told) else Fault(stream, place, "head")


def _entries(connection: sa.Connection, stream: str) -> Generator[tuple[dict[str, object], bytes, str | None]]:
    columns = (*_ENTRY, t.event.c.hash, t.event_body.c.body)
    with_body = sa.select(*columns).outerjoin_from(t.event, t.event_body, t.ITS_BODY)
    here = (t.event.c.region == region_of(stream), t.event.c.stream == stream)
    chosen = with_body.where(*here).order_by(t.event.c.seq)
    if is_audit(stream):
        audited = sa.select(*_AUDIT_ENTRY, t.audit.c.hash, sa.null().label("body"))
        chosen = audited.where(t.audit.c.region == region_of(stream)).order_by(t.audit.c.seq)
    with connection.execute(chosen, execution_options=_FEW) as found:
        for row in found.mappings():
            entry = dict(row)
            yield entry, entry.pop("hash"), entry.pop("body")
