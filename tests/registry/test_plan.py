"""One statement over the people's table: right whatever index drives it, and driven by one that can be sought in."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operator_tui.registry.plan import _driver, select
from operator_tui.registry.schema import DRIVERS, INDEXES, TABLES
from operator_tui.registry.vocabulary import Condition

COLUMNS = ("sn", "fn", "pn", "y", "md")
PEOPLE = 400


def people() -> list[tuple[int, ...]]:
    random = Random(4)
    return [(number, *(random.randrange(12) for _ in COLUMNS)) for number in range(1, PEOPLE + 1)]


@pytest.fixture(scope="module")
def base() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:")
    connection.executescript(TABLES)
    connection.executemany(
        "INSERT INTO p VALUES(?, ?, ?, ?, ?, ?, 0, NULL, ?, NULL, 0, 0, 0, 0, 0, 0)",
        [(*one, one[0]) for one in people()],
    )
    for statement in INDEXES:
        connection.execute(statement)
    yield connection
    connection.close()


@st.composite
def conditions(draw: st.DrawFn) -> list[Condition]:
    found = []
    for column in draw(st.lists(st.sampled_from(COLUMNS), min_size=1, max_size=5, unique=True)):
        rows = draw(st.integers(0, PEOPLE))
        if draw(st.booleans()):
            codes = tuple(sorted(draw(st.sets(st.integers(0, 11), min_size=1, max_size=6))))
            found.append(Condition(column, codes, codes[0], codes[-1], rows, len(codes)))
        else:
            low, high = sorted((draw(st.integers(0, 11)), draw(st.integers(0, 11))))
            found.append(Condition(column, None, low, high, rows, high - low + 1))
    return found


@given(asked=conditions())
def test_whatever_the_counts_say_the_same_people_are_found(base: sqlite3.Connection, asked: list[Condition]) -> None:
    def fits(one: tuple[int, ...]) -> bool:
        person = dict(zip(COLUMNS, one[1:], strict=True))
        return all(
            person[wanted.column] in wanted.codes if wanted.codes else wanted.lo <= person[wanted.column] <= wanted.hi
            for wanted in asked
        )

    assert sorted(select(base, asked, PEOPLE, limit=PEOPLE)) == [one for one in people() if fits(one)]


@given(asked=conditions())
def test_what_is_sought_in_an_index_stands_at_its_beginning_and_a_range_stands_last(asked: list[Condition]) -> None:
    by_column = {condition.column: condition for condition in asked}
    driver, reached = _driver(asked, PEOPLE, 41)
    columns = DRIVERS[driver][: len(reached)]
    assert set(columns) == reached
    assert all(by_column[column].codes is not None for column in columns[:-1])


def test_many_combinations_are_not_sought_one_by_one() -> None:
    """Forty surnames and as many first names are forty seeks, and a filter behind them."""
    surnames = Condition("sn", tuple(range(0, 640, 16)), 0, 624, 900, 40)
    names = Condition("fn", tuple(range(0, 160, 4)), 0, 156, 2_000_000, 40)
    assert _driver([surnames, names], 3_000_000, 41) == ("sn", {"sn"})


def test_a_rare_name_drives_before_a_frequent_one() -> None:
    frequent = Condition("sn", None, 0, 1600, 600_000, 100)
    rare = Condition("fn", (8,), 8, 8, 40, 1)
    assert _driver([frequent, rare], 3_000_000, 41)[0] == "fn"
