"""The tables come by scripts, on both engines the same, and never go back."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from central.days import sums_since
from central.devices import epoch
from central.store import engine as engine_room
from central.store import tables as t
from central.store.database import Database
from central.store.engine import postgres_engine, sqlite_engine
from central.store.migrate import HEAD, migrate, version_of
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.sums import day_sums, first_stamp
from tests.central.conftest import ENGINES, KEY


@pytest.fixture(params=ENGINES)
def open_database(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Database]:
    """Opens the same database each time it is called; the scripts make its tables the first time."""
    if request.param == "sqlite":
        return lambda: Database.sqlite(tmp_path / "central.db", KEY)
    url = request.getfixturevalue("postgres").fresh()
    return lambda: Database.postgres(url)


def test_the_head_is_the_last_script() -> None:
    config = Config()
    config.set_main_option("script_location", "central.store:migrations")
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_the_scripts_make_the_tables_the_program_uses(database: Database) -> None:
    with database.read() as connection:
        assert version_of(connection) == HEAD
        context = MigrationContext.configure(connection, opts={"include_name": _no_partition})
        assert compare_metadata(context, t.metadata) == []


def _no_partition(name: str | None, kind: str, parents: Any) -> bool:
    return kind != "table" or name in t.metadata.tables or name == "alembic_version"


def test_a_second_opening_changes_nothing(open_database: Callable[[], Database]) -> None:
    epochs = set()
    for _ in range(2):
        database = open_database()
        with database.read() as connection:
            epochs.add(epoch(connection))
        database.close()
    assert len(epochs) == 1
    assert len(epochs.pop()) == 16


def test_servers_that_start_together_make_the_tables_once(
    open_database: Callable[[], Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_room, "_BUSY_MS", 120_000)  # two wait for the third, as long as that may take here
    begin = threading.Barrier(3)

    def work(_: int) -> str:
        begin.wait()
        database = open_database()
        try:
            with database.read() as connection:
                return epoch(connection)
        finally:
            database.close()

    with ThreadPoolExecutor(3) as pool:
        assert len(set(pool.map(work, range(3)))) == 1


def test_a_fresh_file_that_another_is_opening_is_waited_for(tmp_path: Path) -> None:
    """SQLite's own waiting does not cover turning write-ahead logging on."""
    from sqlcipher3 import dbapi2

    path = tmp_path / "central.db"
    other = dbapi2.connect(str(path), isolation_level=None, check_same_thread=False)
    other.execute(f"PRAGMA key = \"x'{KEY.hex()}'\"")
    other.execute("CREATE TABLE first(a)")
    other.execute("BEGIN IMMEDIATE")
    with ThreadPoolExecutor(1) as pool:
        opening = pool.submit(Database.sqlite, path, KEY)
        with pytest.raises(TimeoutError):
            opening.result(0.3)
        other.execute("COMMIT")
        other.close()
        opening.result(120).close()


def test_a_newer_database_is_refused_and_left_alone(open_database: Callable[[], Database], database: Database) -> None:
    database.write(lambda connection: connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'")))
    with pytest.raises(Refusal) as refused:
        open_database()
    assert refused.value.code is Code.DATABASE_NEWER
    assert refused.value.params == {"found": "9999", "known": HEAD}
    with database.read() as connection:
        assert version_of(connection) == "9999"


def test_a_script_that_fails_leaves_no_half_of_it(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    def half(connection: sa.Connection, found: str | None) -> None:
        connection.execute(sa.text("CREATE TABLE half (a int)"))
        raise RuntimeError("power cut")

    monkeypatch.setattr("central.store.migrate.HEAD", "9998")
    monkeypatch.setattr("central.store.migrate._upgrade", half)
    with pytest.raises(RuntimeError):
        migrate(database.engine)
    with database.read() as connection:
        assert not sa.inspect(connection).has_table("half")


def test_a_wrong_key_is_refused_in_silence(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "central.db"
    Database.sqlite(path, KEY).close()
    before = path.read_bytes()
    with pytest.raises(Refusal) as refused:
        Database.sqlite(path, bytes(32))
    assert refused.value.code is Code.DATABASE_KEY_WRONG
    assert path.read_bytes() == before
    assert capfd.readouterr() == ("", "")


def test_nothing_can_be_read_in_the_file(tmp_path: Path) -> None:
    database = Database.sqlite(tmp_path / "central.db", KEY)
    database.write(
        lambda connection: connection.execute(sa.insert(t.server).values(k="secret", v="Абрамова Елизавета"))
    )
    files = list(tmp_path.iterdir())
    assert sum(file.stat().st_size for file in files) > 4096
    for file in files:
        content = file.read_bytes()
        assert "Абрамова".encode() not in content
        assert b"SQLite format" not in content
    database.close()


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("postgresql+psycopg://nobody@127.0.0.1:1/none", Code.DATABASE_AWAY),
        ("postgresql+psycopg://user:password@127.0.0.1/none", Code.DATABASE_WRONG),
        ("mysql://127.0.0.1/none", Code.DATABASE_WRONG),
        ("no address", Code.DATABASE_WRONG),
    ],
)
def test_an_address_that_leads_nowhere(url: str, code: Code) -> None:
    with pytest.raises(Refusal) as refused:
        Database.postgres(url)
    assert refused.value.code is code
    assert "password" not in str(refused.value.params.get("url", ""))


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sa.Engine]:
    """An empty database without a table."""
    if request.param == "sqlite":
        made = sqlite_engine(tmp_path / "old.db", KEY)
    else:
        made = postgres_engine(request.getfixturevalue("postgres").fresh())
    yield made
    made.dispose()


def _to(engine: sa.Engine, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", "central.store:migrations")
    with engine.connect() as connection:
        connection = connection.execution_options(writes=True)
        with connection.begin():
            config.attributes["connection"] = connection
            command.upgrade(config, revision)


def _write_as_before(database: Database, number: int, day: int) -> tuple[str, int, str, int, str]:
    """A card as the server of release 0006 wrote it; what its day's sum is made of."""
    body = {"id": f"aaaaaa:{number}", "stream": "26/tf", "rev": 1, "status": "work", "created": first_stamp(day)}
    card = sa.table(
        "card",
        *map(sa.column, ("id", "region", "stream", "rev", "status", "worker", "deadline")),
        sa.column("body", t.JSON),
    )
    row = {"id": body["id"], "region": "26", "stream": "26/tf", "rev": 1, "status": "work", "worker": 1, "deadline": ""}
    database.write(lambda connection: connection.execute(sa.insert(card).values(**row, body=body)))
    return f"aaaaaa:{number}", 1, "work", 1, first_stamp(day)


def test_cards_of_the_release_before_are_found_by_their_day(engine: sa.Engine) -> None:
    """Those that stood there, and those that its server writes beside the new one."""
    day, database = 20_000, Database(engine)
    _to(engine, "0006")
    cards = [_write_as_before(database, 1, day), _write_as_before(database, 2, day + 1)]
    migrate(engine)
    cards.append(_write_as_before(database, 3, day))
    with database.read() as connection:
        kept = connection.execute(sa.select(t.card.c.id, t.card.c.created).order_by(t.card.c.id)).all()
        assert [row.created for row in kept] == [first_stamp(day), first_stamp(day + 1), None]
        assert sums_since(connection, "26/tf", day) == day_sums(cards)
        assert sums_since(connection, "26/tf", day + 1) == day_sums(cards[1:2])
        assert sums_since(connection, "26/smo-26001", day) == {}
