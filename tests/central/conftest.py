"""A server in this process over a real database: SQLCipher and PostgreSQL in turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from litestar.testing import TestClient

from central.app import create_app
from central.keys import ServerKeys, bind
from central.store.database import Database
from operator_tui.appeals.clock import ManualClock
from tests.central.desks import Desk, Office
from tests.peers.postgres import Postgres
from tests.peers.tables import postgres_of, sqlite_at

KEY = bytes(range(32))

ENGINES = [
    pytest.param("sqlite", id="sqlite"),
    pytest.param("postgresql", id="postgresql", marks=pytest.mark.needs("postgresql")),
]


@pytest.fixture(params=ENGINES)
def open_database(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Database]:
    """Opens the same database each time it is called; its tables are there from the first time on."""
    if request.param == "sqlite":
        return lambda: sqlite_at(tmp_path / "central.db", KEY)
    server: Postgres = request.getfixturevalue("postgres")
    url = postgres_of(server)
    return lambda: Database.postgres(url)


@pytest.fixture
def database(open_database: Callable[[], Database]) -> Iterator[Database]:
    """An empty database of this program's tables."""
    opened = open_database()
    yield opened
    opened.close()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def office(database: Database, clock: ManualClock) -> Iterator[Office]:
    """The server and its desks."""
    keys = ServerKeys.fresh()
    bind(database, keys)
    with TestClient(create_app(database, keys, clock=clock), raise_server_exceptions=False) as client:
        yield Office(database, client, clock)


@pytest.fixture
def desk(office: Office) -> Desk:
    """One enrolled desk of a level-1 operator."""
    return office.desk("Петрова Анна Сергеевна")
