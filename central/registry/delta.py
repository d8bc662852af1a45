"""A day's changes for a region's people in PostgreSQL: the desk's own delta, in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import psycopg
import sqlalchemy as sa

from central.registry.names import State, concerns_names, keep_changes
from central.registry.people import not_here
from central.registry.postgres import translated
from central.registry.publish import schema_of
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.registry.delta import Applied, Delta
from operator_tui.registry.records import Change


class _Tables:
    """The face of an SQLite connection, as far as a delta needs it. ``of_names``: the statements that changed what the
    servers hold in their memory, with their values.
    """

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.of_names: list[tuple[str, Sequence[Any]]] = []

    def execute(self, statement: str, values: Sequence[Any] = ()) -> Any:
        if concerns_names(statement):
            self.of_names.append((statement, values))
        # BEGIN IMMEDIATE takes SQLite's lock for writing; here the lock of ``apply`` is held already.
        statement = translated(statement).replace("BEGIN IMMEDIATE", "SELECT 1").replace("COMMIT", "SELECT 1")
        return self._connection.execute(statement, list(values))

    @property
    def in_transaction(self) -> bool:
        return False  # whose end is the block's around all of it


def apply(
    engine: sa.Engine,
    region: str,
    changes: Sequence[Change],
    as_of: date,
    *,
    name: str = "",
    progress: Callable[[int], None] | None = None,
) -> Applied:
    """Apply the changes of a delta; searches see all of them or none. ``name``: the delta's file, for a refusal.

    Refusals: REGISTRY_NOT_HERE, REGISTRY_DELTA_OLD, REGISTRY_BUSY while another delta of this region is at work,
    DATABASE_WRONG.
    """
    if engine.dialect.name != "postgresql":
        raise Refusal(Code.DATABASE_WRONG, reason=engine.dialect.name)
    schema = schema_of(region)
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        with not_here(), driver.transaction():
            driver.execute(f"SELECT set_config('search_path', '{schema}', true)")
            try:
                driver.execute(f"LOCK TABLE {schema}.meta IN EXCLUSIVE MODE NOWAIT")
            except psycopg.errors.LockNotAvailable:
                raise Refusal(Code.REGISTRY_BUSY, path=schema) from None
            facts = dict(driver.execute(f"SELECT name, value FROM {schema}.meta").fetchall())
            if as_of.isoformat() < facts["as_of"]:
                raise Refusal(Code.REGISTRY_DELTA_OLD, file=name, delta=as_of.isoformat(), registry=facts["as_of"])
            tables = _Tables(driver)
            done = Delta(tables, at_once=len(changes) + 1).run(changes, as_of, progress or (lambda _: None))
            if tables.of_names:
                keep_changes(driver.cursor(), State.of(facts).deltas + 1, tables.of_names)
            return done
