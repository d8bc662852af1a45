"""A region moves to a server of its own: its own database with its own epoch, reached by the address in the profile.

Its desks notice the other lineage, read it again and send what it lacks (design/sync-and-security.md 1.5, rule 7).
Nobody writes in the region meanwhile (central/moving.py): who tries is told ``region_moves`` at once and tries again;
other regions go on. Not moved: sessions (people sign in anew), files (a folder for each region) and the registry, which
is loaded.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import sqlalchemy as sa

from central import moving
from central.store import tables as t
from central.store.bulk import insert_rows
from central.store.database import Database
from central.verify import verify_on
from operator_tui.appeals.errors import Code, Refusal

_PAGE = 2000
# A partition is taken out while nobody at all uses its table, and others wait behind whoever waits for that: so never
# for longer than this at once (less than deadlock_timeout), then again after a pause.
_TRY_MS = 500
_PAUSE_S = 2.0
_FIRST_S, _PATIENCE_S = 5.0, 60.0
_READ_IN_ORDER = (t.card, t.event, t.event_body, t.recording, t.audit, t.op_log)
_LOCKED = "55P03"  # lock_not_available

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
# All that a region's rows are deleted from when it has gone.
_WHOLE = (t.session, *(table for table, _ in reversed(_OF_REGION) if table not in t.PARTITIONED))


def move_region(source: Database, target: Database, region: str) -> int:
    """Copy the region into ``target``, an empty database of this program, look at every chain there, then take it out
    of ``source``: its partitions stay there as tables of their own (``event_r26_moved``; ``…_moved2`` when it moves
    from here once more) until somebody drops them. Both are PostgreSQL. Returns how many entries its chains have.

    Refusals: REGION_NOT_MOVED (reason), REGION_HELD (by: a program that uses the tables and does not end, as pg_dump
    does for as long as it works), DATABASE_AWAY, and both are as they were then. Killed between their two commits, both
    have the region: ``source`` goes on with it, and a fresh ``target`` is needed.
    """
    if source.engine.dialect.name != "postgresql" or target.engine.dialect.name != "postgresql":
        raise Refusal(Code.REGION_NOT_MOVED, reason="postgresql")
    with target.read() as connection:
        if connection.execute(sa.select(sa.func.count()).select_from(t.operator)).scalar_one():
            raise Refusal(Code.REGION_NOT_MOVED, reason="not empty")

    def work(leaving: sa.Connection) -> int:
        entries = _stop(leaving, region)
        _demand_unused(leaving, region)
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
    moving.close(connection, region)
    # A server of the release before knows only the streams' rows.
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
    connection.execute(sa.delete(t.op_log).where(t.op_log.c.region == "", t.op_log.c.device.in_(_devices(region))))
    quote = connection.dialect.identifier_preparer.quote
    suffix = _free_suffix(connection, region)
    _have_alone(connection, region, _PATIENCE_S)
    for table in t.PARTITIONED:
        part = quote(_part(table, region))
        connection.exec_driver_sql(f"ALTER TABLE {quote(table.name)} DETACH PARTITION {part}")
        connection.exec_driver_sql(f"ALTER TABLE {part} RENAME TO {quote(_part(table, region) + suffix)}")
    connection.execute(sa.delete(t.session).where(t.session.c.device.in_(_devices(region))))
    for table, of in reversed(_OF_REGION):
        if table not in t.PARTITIONED:
            connection.execute(sa.delete(table).where(of(region)))


def _part(table: sa.Table, region: str) -> str:
    return f"{table.name}_r{region}"


def _free_suffix(connection: sa.Connection, region: str) -> str:
    """A region that was begun here anew after it had moved may move again: what stayed of it before stays."""
    quote = connection.dialect.identifier_preparer.quote
    times = 1
    while True:
        suffix = f"_moved{times}" if times > 1 else "_moved"
        names = [quote(_part(table, region) + suffix) for table in t.PARTITIONED]
        if not any(connection.execute(sa.select(sa.func.to_regclass(name))).scalar_one() for name in names):
            return suffix
        times += 1


def _demand_unused(connection: sa.Connection, region: str) -> None:
    """Before the copy, which takes minutes: whether the partitions could be taken out now. Refusal(REGION_HELD)."""
    trying = connection.begin_nested()
    _have_alone(connection, region, _FIRST_S)
    trying.rollback()


def _have_alone(connection: sa.Connection, region: str, patience_s: float) -> None:
    """Nobody else reads or writes the partitions, nor the tables they are of, until the transaction ends.
    Refusal(REGION_HELD) when somebody does so for too long."""
    until = time.monotonic() + patience_s
    while not _had_alone(connection, region):
        if time.monotonic() >= until:
            raise Refusal(Code.REGION_HELD, by=", ".join(_holders(connection, region)) or "?")
        time.sleep(_PAUSE_S)


def _had_alone(connection: sa.Connection, region: str) -> bool:
    """Try once. Who writes is stopped before he begins, and let finish if he has begun: one in the middle, who has a
    row that we delete, would wait for us while we wait for him."""
    before = connection.execute(sa.select(sa.func.current_setting("lock_timeout"))).scalar_one()
    trying = connection.begin_nested()
    try:
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = {_TRY_MS}")
        whole = ", ".join(f"ONLY {table.name}" for table in _WHOLE)
        connection.exec_driver_sql(f"LOCK TABLE {whole} IN EXCLUSIVE MODE")
        names = ", ".join(f"ONLY {name}" for name in _tables_and_parts(connection, region))
        connection.exec_driver_sql(f"LOCK TABLE {names} IN ACCESS EXCLUSIVE MODE")
        connection.execute(sa.select(sa.func.set_config("lock_timeout", before, True)))
        trying.commit()
    except sa.exc.OperationalError as error:
        trying.rollback()
        if getattr(error.orig, "sqlstate", None) != _LOCKED:
            raise
        return False
    return True


def _tables_and_parts(connection: sa.Connection, region: str) -> list[str]:
    """In the order in which a reader of several locks them."""
    quote = connection.dialect.identifier_preparer.quote
    return [quote(name) for table in _READ_IN_ORDER for name in (table.name, _part(table, region))]


def _holders(connection: sa.Connection, region: str) -> list[str]:
    """The programs that have a lock on one of the tables, as they name themselves."""
    asked = sa.text(
        "SELECT DISTINCT coalesce(nullif(a.application_name, ''), 'pid ' || a.pid) AS who "
        "FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid "
        "WHERE l.granted AND l.pid <> pg_backend_pid() AND l.relation = ANY (CAST(:names AS regclass[])) ORDER BY who"
    )
    return list(connection.execute(asked, {"names": _tables_and_parts(connection, region)}).scalars())
