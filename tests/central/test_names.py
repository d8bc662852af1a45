"""The words of a region in memory: read once for all who ask, and nobody waits for another region's."""

from __future__ import annotations

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa

from central.registry import names
from central.registry.names import State, names_of

STATE = State("p1", 0)
_DEADLINE_S = 60.0


class Cursor:
    """As far as it is asked for the limit of a statement."""

    def execute(self, statement: str, values: object = ()) -> Cursor:
        return self

    def fetchone(self) -> tuple[str]:
        return ("1s",)


@pytest.fixture
def engine() -> sa.Engine:
    return sa.create_engine("sqlite://")


def test_a_search_in_one_region_does_not_wait_for_the_words_of_another(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, began, answered = Cursor(), threading.Event(), threading.Event()
    seen: list[bool] = []

    def copied(cursor: Any) -> sqlite3.Connection:
        if cursor is slow:
            began.set()
            seen.append(answered.wait(_DEADLINE_S))
        return sqlite3.connect(":memory:", check_same_thread=False)

    monkeypatch.setattr(names, "_copied", copied)
    with ThreadPoolExecutor(1) as threads:
        reading = threads.submit(names_of, engine, "26", STATE, slow)
        assert began.wait(_DEADLINE_S)
        other = names_of(engine, "77", STATE, Cursor())
        answered.set()
        assert reading.result() is not other
    assert seen == [True]


def test_who_asks_while_the_words_are_read_gets_the_same(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[sqlite3.Connection] = []

    def copied(cursor: Any) -> sqlite3.Connection:
        read.append(sqlite3.connect(":memory:", check_same_thread=False))
        return read[-1]

    monkeypatch.setattr(names, "_copied", copied)
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda _: names_of(engine, "26", STATE, Cursor()), range(8)))
    assert set(map(id, found)) == {id(read[0])}
    assert len(read) == 1
