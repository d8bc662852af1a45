"""The registry's search on the central server finds whom the desk's own copy finds."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from litestar.testing import TestClient

import central.registry.postgres as postgres_of_the_registry
from central.app import create_app
from central.log import open_log
from central.registry import people as searching
from central.registry.people import find
from central.registry.postgres import asked
from central.registry.publish import publish
from central.store import tables as t
from central.store.database import Database
from central.verify import verify
from operator_tui.appeals.clock import ManualClock
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.cli import cli
from operator_tui.letters import to_latin_layout
from operator_tui.registry import generator
from operator_tui.registry.asked import INSURED_PATH, Asked
from operator_tui.registry.index import Registry
from operator_tui.registry.load import build
from operator_tui.registry.people import MOST_SHOWN, Person
from operator_tui.sync.protocol import PROTOCOL_VERSION
from tests.central.desks import Desk, Office
from tests.peers.postgres import Postgres

KEY = bytes(range(32))
REGION = "26"


@pytest.fixture(autouse=True)
def _as_long_as_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search that takes a second ends with what it has; here all is compared, on a busy machine too."""
    monkeypatch.setattr(searching, "_DEADLINE_MS", 120_000)
    monkeypatch.setattr(searching, "_SET", searching._SET.replace("'1000'", "'120000'"))


@pytest.fixture(scope="module")
def people() -> list[Person]:
    return list(generator.people(6000, 7))


@pytest.fixture(scope="module")
def copy(people: list[Person], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("insured") / "registry.db"
    build(path, KEY, people)
    return path


@pytest.fixture(scope="module")
def engine(copy: Path, postgres: Postgres) -> Iterator[sa.Engine]:
    database = Database.postgres(postgres.fresh())
    publish(database.engine, REGION, copy, KEY)
    yield database.engine
    database.close()


def typed_queries(people: list[Person]) -> Iterator[str]:
    random = Random(8)
    for person in random.sample(people, 120):
        surname, born = person.surname, person.birth_date
        place = random.randrange(1, len(surname))
        yield from (
            surname[: random.randint(1, 6)],
            f"{surname} {person.name[:2]}",
            f"{surname} {person.name} {born[:4]}",
            f"{person.name} {person.patronymic} {born[8:]}.{born[5:7]}",
            f"{surname[:place]}{surname[place + 1 :]} {person.name} {born[:4]}",
            to_latin_layout(f"{surname} {person.name}".lower()),
            f"{born[8:]}.{born[5:7]}.{born[:4]}",
            person.enp,
            person.snils[:7],
            person.phone[2:],
        )


@pytest.mark.needs("postgresql")
def test_the_server_finds_whom_the_copy_finds(engine: sa.Engine, copy: Path, people: list[Person]) -> None:
    registry = Registry.open(copy, KEY, deadline_ms=0)
    for typed in filter(str.strip, typed_queries(people)):
        here, there = registry.search(typed), find(engine, REGION, Asked(1, line=typed)).found
        assert there.more == here.more, typed
        assert len(there.hits) == len(here.hits), typed
        if not here.more:
            assert {hit.person for hit in there.hits} == {hit.person for hit in here.hits}, typed
    registry.close()


@pytest.mark.needs("postgresql")
@pytest.mark.function("K-5.1.3.3")
def test_never_more_than_ten(engine: sa.Engine) -> None:
    for typed in ("а", "иван", "1985", "8652", "а а"):
        answer = find(engine, REGION, Asked(1, line=typed))
        assert len(answer.found.hits) == MOST_SHOWN
        assert answer.found.more
        assert answer.size == 6000


@pytest.mark.needs("postgresql")
def test_the_four_fields(engine: sa.Engine, people: list[Person]) -> None:
    one = people[100]
    asked = Asked(1, surname=one.surname, name=one.name, patronymic=one.patronymic, birth_date=one.birth_date)
    assert one.enp in [hit.person.enp for hit in find(engine, REGION, asked).found.hits]


@pytest.mark.needs("postgresql")
@pytest.mark.parametrize(
    "typed", ["x" * 10_000, "'; DROP TABLE p; --", "%s %d", "\x00", "?", "1" * 199, "\ud800", "ы" * 200]
)
def test_no_typed_text_breaks_it(engine: sa.Engine, typed: str) -> None:
    assert len(find(engine, REGION, Asked(1, line=typed)).found.hits) <= MOST_SHOWN
    assert find(engine, REGION, Asked(1, line="иван")).found.hits


@pytest.mark.needs("postgresql")
def test_a_region_without_a_registry_says_so(engine: sa.Engine) -> None:
    with pytest.raises(Refusal) as refused:
        find(engine, "99", Asked(1, line="иван"))
    assert refused.value.code == Code.REGISTRY_NOT_HERE
    with pytest.raises(Refusal) as refused:
        find(engine, 'x"; DROP', Asked(1, line="иван"))
    assert refused.value.code == Code.BAD_REQUEST


@pytest.mark.needs("postgresql")
def test_an_empty_search_is_refused(engine: sa.Engine) -> None:
    with pytest.raises(Refusal) as refused:
        find(engine, REGION, Asked(1, line="  "))
    assert refused.value.code == Code.SEARCH_EMPTY


@pytest.mark.needs("postgresql")
def test_the_old_people_serve_until_the_new_ones_are_in_place(
    engine: sa.Engine, people: list[Person], tmp_path: Path
) -> None:
    build(tmp_path / "other.db", KEY, people[:50])
    seen: list[int] = []

    def ask(_: float) -> None:
        seen.append(find(engine, "27", Asked(1, line="а")).size)

    publish(engine, "27", tmp_path / "other.db", KEY)
    build(tmp_path / "other.db", KEY, people[:70])
    publish(engine, "27", tmp_path / "other.db", KEY, progress=ask)
    assert set(seen) == {50}
    assert find(engine, "27", Asked(1, line="а")).size == 70


@pytest.mark.needs("postgresql")
def test_the_command(postgres: Postgres, copy: Path, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_bytes(KEY)
    url = postgres.fresh()
    arguments = ("central", "insured", "--database", url, "--region", REGION, "--db", str(copy), "--key-file", str(key))
    done = CliRunner().invoke(cli, arguments)
    assert done.exit_code == 0, done.output
    assert "6000" in done.output
    database = Database.postgres(url)
    assert find(database.engine, REGION, Asked(1, line="иван")).size == 6000
    database.close()


def test_the_desks_own_database_holds_no_region(tmp_path: Path, copy: Path) -> None:
    database = Database.sqlite(tmp_path / "central.db", KEY)
    try:
        with pytest.raises(Refusal) as refused:
            find(database.engine, REGION, Asked(1, line="иван"))
        assert refused.value.code == Code.REGISTRY_NOT_HERE
        with pytest.raises(Refusal) as refused:
            publish(database.engine, REGION, copy, KEY)
        assert refused.value.code == Code.DATABASE_WRONG
    finally:
        database.close()


# --- over HTTP ------------------------------------------------------------------------------------------------------


@pytest.fixture
def central(postgres: Postgres, copy: Path) -> Iterator[tuple[TestClient[Any], Desk, Database]]:
    database = Database.postgres(postgres.fresh())
    publish(database.engine, REGION, copy, KEY)
    clock = ManualClock()
    with TestClient(create_app(database, clock=clock), raise_server_exceptions=False) as client:
        yield client, Office(database, client, clock).desk("Петрова Анна Сергеевна"), database


@pytest.mark.needs("postgresql")
def test_a_desk_asks_and_nothing_of_it_is_logged(
    central: tuple[TestClient[Any], Desk, Database], people: list[Person], capfd: pytest.CaptureFixture[str]
) -> None:
    client, desk, _ = central
    one = people[50]
    open_log(None)
    token = {"Authorization": f"Bearer {desk.identity.token}"}
    answer = client.post(INSURED_PATH, json={"v": PROTOCOL_VERSION, "line": one.enp}, headers=token)
    assert answer.status_code == 200
    found = answer.json()["found"]
    assert [hit["person"]["enp"] for hit in found["hits"]] == [one.enp]
    logged = capfd.readouterr().err
    assert "searched" in logged
    assert one.enp not in logged
    assert one.surname not in logged


@pytest.mark.needs("postgresql")
def test_who_was_shown_whom_and_for_which_call_is_in_the_audit(
    central: tuple[TestClient[Any], Desk, Database], people: list[Person]
) -> None:
    client, desk, database = central
    one = people[50]
    token = {"Authorization": f"Bearer {desk.identity.token}"}

    def ask(line: str, **served: str) -> list[str]:
        asked = {"v": PROTOCOL_VERSION, "line": line, **served}
        answer = client.post(INSURED_PATH, json=asked, headers=token)
        assert answer.status_code == 200, answer.text
        return [hit["person"]["enp"] for hit in answer.json()["found"]["hits"]]

    typed = f"{one.surname} {one.name}"
    shown = [ask(typed, call="c-1", card="p-2"), ask("иван"), ask("щщщщщщ")]
    with database.read() as connection:
        entries = list(connection.execute(sa.select(t.audit).where(t.audit.c.action == "person.shown")))
    assert [(row.actor, row.device) for row in entries] == [(desk.identity.operator.user, desk.code)] * 2
    assert [row.object for row in entries] == ["c-1", ""]
    details = [msgspec.json.decode(row.detail) for row in entries]
    assert details == [{"people": shown[0], "card": "p-2"}, {"people": shown[1], "card": ""}]
    assert one.enp in shown[0]
    assert len(shown[1]) == MOST_SHOWN
    assert shown[2] == [], "nobody was shown: no entry"
    assert one.surname not in str(entries), "what was asked for is nowhere"
    assert verify(database).faults == ()
    for served in ({"call": "x" * 65}, {"card": "Иванов"}, {"call": "a\nb"}):
        refused = client.post(INSURED_PATH, json={"v": PROTOCOL_VERSION, "line": "иван", **served}, headers=token)
        assert (refused.status_code, refused.json()["code"]) == (400, "bad_request")


@pytest.mark.needs("postgresql")
def test_nobody_asks_without_a_token(central: tuple[TestClient[Any], Desk, Database]) -> None:
    client, desk, _ = central
    asked = {"v": PROTOCOL_VERSION, "line": "иван"}
    assert client.post(INSURED_PATH, json=asked).status_code == 401
    assert client.post(INSURED_PATH, json=asked, headers={"Authorization": "Bearer x"}).status_code == 401
    token = {"Authorization": f"Bearer {desk.identity.token}"}
    assert client.post(INSURED_PATH, content=b"{", headers=token).status_code == 400
    empty = client.post(INSURED_PATH, json={"v": PROTOCOL_VERSION}, headers=token)
    assert (empty.status_code, empty.json()["code"]) == (400, "search_empty")


@pytest.mark.needs("postgresql")
def test_every_statement_of_a_search_is_driven_by_the_index_the_counts_chose(
    engine: sa.Engine, people: list[Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And reads nothing else: no scan, no sort, and no row of the table where the index holds all."""
    seen: dict[str, list[str]] = {}

    def told(statement: str, values: Sequence[int]) -> tuple[str, list[str]]:
        text, put = asked(statement, values)
        if found := re.search(r"INDEXED BY i_(\w+) WHERE", statement):
            seen.setdefault(f"{found[1]} {text}", put)
        return text, put

    monkeypatch.setattr(postgres_of_the_registry, "asked", told)
    for typed in filter(str.strip, typed_queries(people)):
        find(engine, REGION, Asked(1, line=typed))
    assert {key.partition(" ")[0] for key in seen} >= {"sn", "fn", "md", "enp", "snils", "phone"}
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        driver.execute(f"SELECT set_config('search_path', 'people_{REGION}', true), {searching._SET}")
        for key, put in seen.items():
            index, _, text = key.partition(" ")
            plan = "\n".join(row[0] for row in driver.execute(f"EXPLAIN {text}", put).fetchall())
            assert re.search(rf"Index (Only )?Scan using p_{index}_\w*idx", plan), plan
            assert "Seq Scan" not in plan, plan
            assert "Sort" not in plan, plan
