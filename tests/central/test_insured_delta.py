"""A day's changes on the central server leave what they leave in a desk's copy, and searches go on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from msgspec import structs

from central.registry import names
from central.registry import people as searching
from central.registry.delta import apply
from central.registry.names import State
from central.registry.people import find
from central.registry.publish import publish
from central.store.database import Database
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.cli import cli
from operator_tui.registry import delta, generator
from operator_tui.registry.asked import Asked
from operator_tui.registry.index import Registry
from operator_tui.registry.lists import write_csv
from operator_tui.registry.load import build
from operator_tui.registry.people import Person
from operator_tui.registry.records import Change
from tests.peers.postgres import Postgres
from tests.registry.test_delta import a_days_changes

pytestmark = pytest.mark.needs("postgresql")
KEY = bytes(range(32))
PEOPLE = list(generator.people(1000, 7))
DAY, NEXT = date(2026, 1, 10), date(2026, 1, 11)


@pytest.fixture(autouse=True)
def _as_long_as_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search that takes a second ends with what it has; here all is compared, on a busy machine too."""
    monkeypatch.setattr(searching, "_DEADLINE_MS", 120_000)
    monkeypatch.setattr(searching, "_SET", searching._SET.replace("'1000'", "'120000'"))


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    build(tmp_path / "registry.db", KEY, PEOPLE[:900], as_of=DAY)
    return tmp_path / "registry.db"


@pytest.fixture
def database(copy: Path, postgres: Postgres) -> Iterator[Database]:
    made = Database.postgres(postgres.fresh())
    publish(made.engine, "26", copy, KEY)
    yield made
    made.close()


def found(engine: sa.Engine, typed: str) -> tuple[set[Person], bool]:
    answer = find(engine, "26", Asked(1, line=typed)).found
    return {hit.person for hit in answer.hits}, answer.more


def test_a_delta_leaves_what_it_leaves_in_a_copy(database: Database, copy: Path) -> None:
    changes, after = a_days_changes(PEOPLE[:900], PEOPLE[900:])
    engine = database.engine
    before = found(engine, after[0].surname)
    assert before
    here = delta.apply(copy, KEY, changes, NEXT)
    assert apply(engine, "26", changes, NEXT) == here
    assert apply(engine, "26", changes, NEXT).same == len(changes), "it may come twice"
    registry = Registry.open(copy, KEY, 0)
    answer = find(engine, "26", Asked(1, line=after[0].enp))
    assert (answer.as_of, answer.size) == ("2026-01-11", len(after))
    for person in Random(5).sample(after, 60):
        for typed in (f"{person.surname} {person.name}", person.surname[:4], person.enp, person.birth_date):
            ours = registry.search(typed)
            theirs = found(engine, typed)
            assert ours.more == theirs[1], typed
            assert ours.more or {hit.person for hit in ours.hits} == theirs[0], typed
    registry.close()


def test_all_of_a_delta_is_there_or_nothing(database: Database) -> None:
    one, engine = PEOPLE[5], database.engine
    changes = [Change(one.enp, None), *(Change(person.enp, person) for person in PEOPLE[900:])]

    def cut_off(_: int) -> None:
        assert found(engine, one.enp)[0] == {one}, "a search meanwhile sees the old people"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        apply(engine, "26", changes, NEXT, progress=cut_off)
    assert found(engine, one.enp)[0] == {one}
    assert not found(engine, PEOPLE[950].enp)[0]
    apply(engine, "26", changes, NEXT)
    assert not found(engine, one.enp)[0]
    assert found(engine, PEOPLE[950].enp)[0] == {PEOPLE[950]}


def test_the_words_held_in_memory_follow_each_delta(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without being read anew; and they are what reading anew would give, whatever moved to make room for new words."""
    engine = database.engine
    assert found(engine, PEOPLE[3].enp)[0] == {PEOPLE[3]}
    read = names._copied
    monkeypatch.setattr(names, "_copied", None)
    crowd = [
        structs.replace(person, surname=f"Иванов{letters}", phone="")
        for person, letters in zip(PEOPLE[:60], map("".join, product("абвг", repeat=3)), strict=False)
    ]
    days = (crowd, [*PEOPLE[900:], *crowd[:30]], PEOPLE[:20])
    for place, people in enumerate(days, 1):
        apply(engine, "26", [Change(person.enp, person) for person in people], date(2026, 1, 10 + place))
        if place != 2:  # a server that nobody asked in between takes two at once
            for person in people[::9]:
                assert found(engine, f"{person.surname} {person.name} {person.birth_date}")[0] >= {person}
    assert apply(engine, "26", [Change(PEOPLE[5].enp, PEOPLE[5])], date(2026, 1, 14)).same == 1, "changes no word"
    assert found(engine, PEOPLE[5].enp)[0] == {PEOPLE[5]}
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        cursor = driver.cursor()
        cursor.execute("SELECT set_config('search_path', 'people_26', true)")
        fresh, held = read(cursor), names._held[engine]["26"].memory
    for table in names._WORDS:
        rows = [sorted(base.execute(f"SELECT * FROM {table}").fetchall()) for base in (fresh, held)]
        assert rows[0] == rows[1], table


def test_words_may_take_longer_to_come_than_a_search(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "_SET", searching._SET.replace("'120000'", "'1000'"))
    assert "'1000'" in searching._SET
    real = names._copied

    def slowly(cursor: Any) -> Any:
        cursor.execute("SELECT pg_sleep(1.3)")
        return real(cursor)

    monkeypatch.setattr(names, "_copied", slowly)
    assert found(database.engine, PEOPLE[0].surname)[0]
    with database.engine.connect() as connection:
        cursor: Any = connection.connection.driver_connection.cursor()  # type: ignore[union-attr]  # of a live one
        facts = searching._facts(cursor, "people_26")
        names.names_of(database.engine, "26", State.of({**facts, "published": "another"}), cursor)
        assert cursor.execute("SHOW statement_timeout").fetchone() == ("1s",), "a search has its second again"


def test_a_server_far_behind_reads_all_words(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "_KEPT", 1)
    engine = database.engine
    found(engine, "а")
    for day, person in enumerate(PEOPLE[900:903], 11):
        apply(engine, "26", [Change(person.enp, person)], date(2026, 1, day))
    assert found(engine, PEOPLE[900].enp)[0] == {PEOPLE[900]}
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        assert driver.execute("SELECT DISTINCT number FROM people_26.delta").fetchall() == [(3,)]


def test_what_is_refused(database: Database, tmp_path: Path) -> None:
    with pytest.raises(Refusal) as refused:
        apply(database.engine, "26", [], date(2026, 1, 9), name="day.csv")
    assert refused.value.code is Code.REGISTRY_DELTA_OLD
    with pytest.raises(Refusal) as refused:
        apply(database.engine, "99", [], NEXT)
    assert refused.value.code is Code.REGISTRY_NOT_HERE
    write_csv(tmp_path / "day.csv", PEOPLE[900:910])
    url = database.engine.url.render_as_string(hide_password=False)
    words = ("central", "insured-delta", "--database", url, "--region", "26", "--as-of", "2026-01-11")
    result = CliRunner().invoke(cli, (*words, "--csv", str(tmp_path / "day.csv")))
    assert result.exit_code == 0, result.output
    assert "новых 10" in result.output
    assert found(database.engine, PEOPLE[905].enp)[0] == {PEOPLE[905]}
