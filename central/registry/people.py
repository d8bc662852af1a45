"""Searching a region's people on the central server: the rules, the order and the bound of ten are the desk's."""

from __future__ import annotations

import time
from typing import Any

import msgspec
import psycopg
import sqlalchemy as sa

from central.registry.postgres import Translating
from central.registry.publish import schema_of
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.registry.index import answer
from operator_tui.registry.people import MOST_SHOWN, Found, Person
from operator_tui.registry.query import Query, parse_fields, parse_line
from operator_tui.registry.rows import People
from operator_tui.registry.search import Interrupted, Search
from operator_tui.registry.vocabulary import Vocabulary

_DEADLINE_MS = 1000
# The indexes are those of the desk and cover the search; a scan or a sort of millions is never the way. Compiling a
# plan costs more than the search itself.
_SETTINGS = {
    "enable_seqscan": "off", "enable_bitmapscan": "off", "enable_sort": "off", "jit": "off",
    "random_page_cost": "1.1", "statement_timeout": str(_DEADLINE_MS),
}  # fmt: skip
_SET = ", ".join(f"set_config('{name}', '{value}', true)" for name, value in _SETTINGS.items())


class Asked(msgspec.Struct, frozen=True):
    """One search: the line as typed, or the manual's four fields."""

    v: int
    line: str = ""
    surname: str = ""
    name: str = ""
    patronymic: str = ""
    birth_date: str = ""

    def query(self) -> Query:
        """Refusal(SEARCH_EMPTY) when nothing was asked."""
        if self.line.strip():
            return parse_line(self.line)
        return parse_fields(self.surname, self.name, self.patronymic, self.birth_date)


class Answer(msgspec.Struct, frozen=True):
    """What was found, and the day the data are of."""

    found: Found
    as_of: str
    size: int


def find(engine: sa.Engine, region: str, asked: Asked) -> Answer:
    """At most ten people of the region. Refusals: SEARCH_EMPTY, REGISTRY_NOT_HERE."""
    started = time.perf_counter()
    query = asked.query()
    if engine.dialect.name != "postgresql":
        raise Refusal(Code.REGISTRY_NOT_HERE)
    name = schema_of(region)
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        cursor = driver.cursor()
        # One transaction, one state; the settings end with it.
        cursor.execute(f"SELECT set_config('search_path', '{name}', true), {_SET}")
        facts = _facts(cursor)
        return Answer(_found(cursor, query, int(facts["rows"]), started), facts["as_of"], int(facts["rows"]))


def _facts(cursor: Any) -> dict[str, str]:
    try:
        return dict(cursor.execute("SELECT name, value FROM meta").fetchall())
    except psycopg.errors.UndefinedTable:
        raise Refusal(Code.REGISTRY_NOT_HERE) from None


def _found(cursor: Any, query: Query, size: int, started: float) -> Found:
    translating = Translating(cursor)
    end = started + _DEADLINE_MS / 1000
    search = Search(translating, Vocabulary(translating), size, halted=lambda: time.perf_counter() > end)
    people: dict[int, Person] = {}
    partial = query.empty
    try:
        if not query.empty:
            search.run(query)
    except (Interrupted, psycopg.errors.QueryCanceled):
        partial = True
    if cursor.connection.info.transaction_status == psycopg.pq.TransactionStatus.INERROR:
        return Found(more=True, partial=True)
    people = People(translating).of([row_id for row_id, _ in search.best(MOST_SHOWN)])
    return answer(search, people, partial=partial and not query.empty, cut=query.cut, started=started)
