"""Searching a region's people on the central server: the rules, the order and the bound of ten are the desk's."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import sqlalchemy as sa

from central.registry.names import State, names_of
from central.registry.postgres import PREPARED, Divided
from central.registry.publish import schema_of
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.registry.asked import Answer, Asked
from operator_tui.registry.index import answer
from operator_tui.registry.people import MOST_SHOWN, Found, Person
from operator_tui.registry.query import Query
from operator_tui.registry.rows import People
from operator_tui.registry.search import Interrupted, Search
from operator_tui.registry.vocabulary import Vocabulary

_DEADLINE_MS = 1000
# The indexes are those of the desk and cover the search; a scan or a sort of millions is never the way. Compiling a
# plan costs more than the search itself.
_SETTINGS = {
    "enable_seqscan": "off", "enable_bitmapscan": "off", "enable_sort": "off", "jit": "off",
    "random_page_cost": "1.1", "plan_cache_mode": "force_generic_plan", "statement_timeout": str(_DEADLINE_MS),
}  # fmt: skip
_SET = ", ".join(f"set_config('{name}', '{value}', true)" for name, value in _SETTINGS.items())


def find(engine: sa.Engine, region: str, asked: Asked) -> Answer:
    """At most ten people of the region. Refusals: SEARCH_EMPTY, REGISTRY_NOT_HERE."""
    started = time.perf_counter()
    query = asked.query()
    if engine.dialect.name != "postgresql":
        raise Refusal(Code.REGISTRY_NOT_HERE)
    name = schema_of(region)
    # One state for all statements of a search, though a delta may come.
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        driver: Any = connection.connection.driver_connection
        driver.prepared_max = PREPARED
        cursor = driver.cursor()
        facts = _facts(cursor, name)
        names = names_of(engine, region, State.of(facts), cursor)
        found = _found(Divided(names, cursor), cursor, query, int(facts["rows"]), started)
        return Answer(found, facts["as_of"], int(facts["rows"]))


def _facts(cursor: Any, schema: str) -> dict[str, str]:
    """What the registry says of itself. The same statement makes the settings of this transaction: one state for all
    statements of a search, and one round trip less.
    """
    path = f"set_config('search_path', '{schema}', true)"
    facts = f"(SELECT json_object_agg(name, value) FROM {schema}.meta)"
    with not_here():
        row = cursor.execute(f"SELECT {facts}, {path}, {_SET}").fetchone()
    return dict(row[0])


@contextmanager
def not_here() -> Iterator[None]:
    """Refusal(REGISTRY_NOT_HERE) for a region that has no tables."""
    try:
        yield
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
        raise Refusal(Code.REGISTRY_NOT_HERE) from None


def _found(divided: Divided, cursor: Any, query: Query, size: int, started: float) -> Found:
    end = time.perf_counter() + _DEADLINE_MS / 1000
    search = Search(divided, Vocabulary(divided), size, halted=lambda: time.perf_counter() > end)
    people: dict[int, Person] = {}
    partial = query.empty
    try:
        if not query.empty:
            search.run(query)
    except (Interrupted, psycopg.errors.QueryCanceled):
        partial = True
    if cursor.connection.info.transaction_status == psycopg.pq.TransactionStatus.INERROR:
        return Found(more=True, partial=True)
    people = People(divided).of([row_id for row_id, _ in search.best(MOST_SHOWN)])
    return answer(search, people, partial=partial and not query.empty, cut=query.cut, started=started)
