"""One statement over the people's table: right whatever index drives it, and driven by one that can be sought in."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operator_tui.registry.plan import ENOUGH, Sought, _driver, _where, select, select_former
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
    connection.executemany("INSERT INTO former VALUES(?2, ?3, ?4, ?5, ?6, ?1)", people())
    for statement in INDEXES:
        connection.execute(statement)
    yield connection
    connection.close()


@st.composite
def conditions(draw: st.DrawFn) -> list[Condition]:
    found = []
    for column in draw(st.lists(st.sampled_from(COLUMNS), min_size=1, max_size=5, unique=True)):
        rows = draw(st.integers(0, PEOPLE))
        form = draw(st.sampled_from(("list", "range", "either")))
        if form == "list":
            codes = tuple(sorted(draw(st.sets(st.integers(0, 11), min_size=1, max_size=6))))
            found.append(Condition(column, codes, codes[0], codes[-1], rows, len(codes)))
        else:
            low, high = sorted((draw(st.integers(0, 11)), draw(st.integers(0, 11))))
            solid = form == "either"
            codes = tuple(range(low, high + 1)) if solid else None
            found.append(Condition(column, codes, low, high, rows, high - low + 1, solid=solid))
    return found


@given(asked=conditions())
def test_whatever_the_counts_say_the_same_people_are_found(base: sqlite3.Connection, asked: list[Condition]) -> None:
    def fits(one: tuple[int, ...]) -> bool:
        person = dict(zip(COLUMNS, one[1:], strict=True))
        return all(
            person[wanted.column] in wanted.codes if wanted.codes else wanted.lo <= person[wanted.column] <= wanted.hi
            for wanted in asked
        )

    wanted = [one for one in people() if fits(one)]
    assert sorted(select(base, asked, PEOPLE, limit=PEOPLE)) == wanted
    former = select_former(base, asked, PEOPLE)
    assert set(former) <= set(wanted)
    assert len(former) == min(len(wanted), ENOUGH)


@given(asked=conditions())
def test_what_is_sought_in_an_index_stands_at_its_beginning_and_a_range_stands_last(asked: list[Condition]) -> None:
    by_column = {condition.column: condition for condition in asked}
    driver, sought = _driver(by_column, PEOPLE, 41)
    columns = DRIVERS[driver][: len(sought.columns)]
    assert columns == sought.columns
    assert all(by_column[column].codes is not None for column in columns[:-1])


def test_many_combinations_are_not_sought_one_by_one() -> None:
    """Forty surnames and as many first names are forty seeks, and a filter behind them."""
    surnames = Condition("sn", tuple(range(0, 640, 16)), 0, 624, 900, 40)
    names = Condition("fn", tuple(range(0, 160, 4)), 0, 156, 2_000_000, 40)
    assert _driver({"sn": surnames, "fn": names}, 3_000_000, 41) == ("sn", Sought(("sn",)))


def test_a_begun_first_name_is_one_range_behind_each_surname() -> None:
    """«Иванов М П»: the names that begin so are asked for at once; those that only filter are compared at the ends."""
    surnames = Condition("sn", tuple(range(0, 112, 16)), 0, 96, 750, 7, solid=True)
    names = Condition("fn", tuple(range(0, 80, 4)), 0, 76, 8_000, 20, solid=True)
    patronymics = Condition("pn", tuple(range(0, 60, 4)), 0, 56, 8_000, 15, solid=True)
    asked = {condition.column: condition for condition in (surnames, names, patronymics)}
    driver, sought = _driver(asked, 60_000, 41)
    assert (driver, sought) == ("sn", Sought(("sn", "fn"), ranged=True))
    where, values = _where((surnames, names, patronymics), sought)
    assert where == "sn IN (0,16,32,48,64,80,96) AND fn BETWEEN ? AND ? AND +pn BETWEEN ? AND ?"
    assert values == [0, 76, 0, 56]


def test_a_rare_name_drives_before_a_frequent_one() -> None:
    frequent = Condition("sn", None, 0, 1600, 600_000, 100)
    rare = Condition("fn", (8,), 8, 8, 40, 1)
    assert _driver({"sn": frequent, "fn": rare}, 3_000_000, 41)[0] == "fn"
