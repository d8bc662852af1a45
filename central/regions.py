"""A region moves to a server of its own: its own database with its own epoch, reached by the address in the profile.

Its desks notice the other lineage, read it again and send what it lacks (design/sync-and-security.md 1.5, rule 7).
Nobody writes in the region meanwhile: who tries is told ``database_away`` and tries again. Not moved: sessions (people
sign in anew), files (a folder for each region) and the registry, which is loaded.
"""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa

from central.store import tables as t
from central.store.bulk import insert_rows
from central.store.database import Database
from central.verify import verify_on
from operator_tui.appeals.errors import Code, Refusal

_PAGE = 2000

Of = Callable[[str], sa.ColumnElement[bool]]


def _operators(region: str) -> sa.Select[tuple[int]]:
    return sa.select(t.operator.c.number).where(t.operator.c.region == region)


def _devices(region: str) -> sa.Select[tuple[str]]:
    return sa.select(t.device.c.id).where(t.device.c.operator.in_(_operators(region)))


def _by_region(table: sa.Table) -> tuple[sa.Table, Of]:
    return table, lambda region: table.c.region == region


def _by_operator(table: sa.Table) -> tuple[sa.Table, Of]:
    return table, lambda region: table.c.operator.in_(_operators(region))


def _by_device(table: sa.Table) -> tuple[sa.Table, Of]:
    return table, lambda region: table.c.device.in_(_devices(region))


# What belongs to a region and how its rows are found, in the order in which one row needs another; streams first,
# because they make the partitions.
_OF_REGION: list[tuple[sa.Table, Of]] = [
    _by_region(t.stream),
    _by_region(t.operator),
    _by_operator(t.account),
    _by_operator(t.enrolment),
    _by_operator(t.reset),
    _by_region(t.workstation),
    _by_operator(t.device),
    _by_device(t.device_key),
    _by_device(t.sealed_work),
    _by_device(t.op_log),
    _by_region(t.event),
    _by_region(t.event_body),
    _by_region(t.audit),
    _by_region(t.card),
    # How far a work log was read goes before what was read: who asks for recordings meanwhile reads on.
    (t.recording_read, lambda region: t.recording_read.c.stream.startswith(f"{region}/", autoescape=True)),
    _by_region(t.recording),
    _by_region(t.voice_message),
]


def move_region(source: Database, target: Database, region: str) -> int:
    """Copy the region into ``target``, an empty database of this program, look at every chain there, then take it out
    of ``source``: its partitions stay there as tables of their own (``event_r26_moved``) until somebody drops them.
    Both are PostgreSQL. Returns how many entries its chains have.

    Refusals: REGION_NOT_MOVED (reason), and both are as they were then. Killed between their two commits, both have
    the region: ``source`` goes on with it, and a fresh ``target`` is needed.
    """
    if source.engine.dialect.name != "postgresql" or target.engine.dialect.name != "postgresql":
        raise Refusal(Code.REGION_NOT_MOVED, reason="postgresql")
    with target.read() as connection:
        if connection.execute(sa.select(sa.func.count()).select_from(t.operator)).scalar_one():
            raise Refusal(Code.REGION_NOT_MOVED, reason="not empty")

    def work(leaving: sa.Connection) -> int:
        entries = _stop(leaving, region)
        # Not ``target.write``: what meets another writer here is begun again by the source, with the target empty.
        with target.engine.begin() as arriving:
            for connection in (leaving, arriving):  # one waits while the other copies or verifies
                connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
            _copy(leaving, arriving, region)
            found = verify_on(arriving)
            if found.faults or found.entries != entries:
                raise Refusal(Code.REGION_NOT_MOVED, reason="chain")
            _take_out(leaving, region)
        return entries

    return source.write(work)


def _stop(connection: sa.Connection, region: str) -> int:
    """Nobody writes in it until the transaction ends; how many entries its streams have."""
    connection.execute(
        sa.select(t.device.c.id).where(t.device.c.id.in_(_devices(region))).order_by(t.device.c.id).with_for_update()
    )
    rows = connection.execute(
        sa.select(t.stream.c.seq).where(t.stream.c.region == region).order_by(t.stream.c.id).with_for_update()
    ).all()
    if not rows:
        raise Refusal(Code.REGION_NOT_MOVED, reason="unknown")
    return sum(row.seq for row in rows)


def _copy(leaving: sa.Connection, arriving: sa.Connection, region: str) -> None:
    """Its rows, and what all regions share: the keys the database is bound to and the numbers that are given out."""
    for table, of in _OF_REGION:
        chosen = leaving.execute(sa.select(table).where(of(region)).execution_options(yield_per=_PAGE))
        for page in chosen.mappings().partitions():
            insert_rows(arriving, table, [_arrived(table, dict(row), region) for row in page])
    for row in leaving.execute(sa.select(t.server).where(t.server.c.k != "epoch")).all():
        arriving.execute(sa.delete(t.server).where(t.server.c.k == row.k))
        arriving.execute(sa.insert(t.server).values(k=row.k, v=row.v))
    for row in leaving.execute(sa.select(t.counter)).all():
        arriving.execute(sa.update(t.counter).where(t.counter.c.name == row.name).values(value=row.value))


def _arrived(table: sa.Table, row: dict[str, object], region: str) -> dict[str, object]:
    return {**row, "region": region} if table is t.op_log else row


def _take_out(connection: sa.Connection, region: str) -> None:
    quote = connection.dialect.identifier_preparer.quote
    connection.execute(sa.delete(t.op_log).where(t.op_log.c.region == "", t.op_log.c.device.in_(_devices(region))))
    for table in t.PARTITIONED:
        part = quote(f"{table.name}_r{region}")
        connection.exec_driver_sql(f"ALTER TABLE {quote(table.name)} DETACH PARTITION {part}")
        connection.exec_driver_sql(f"ALTER TABLE {part} RENAME TO {quote(f'{table.name}_r{region}_moved')}")
    connection.execute(sa.delete(t.session).where(t.session.c.device.in_(_devices(region))))
    for table, of in reversed(_OF_REGION):
        if table not in t.PARTITIONED:
            connection.execute(sa.delete(table).where(of(region)))
