"""PostgreSQL is killed under the server: desks go on, the server needs no restart, nothing is lost or doubled."""

from __future__ import annotations

import importlib
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from litestar.testing import TestClient

from central.app import create_app
from central.store import tables as t
from central.store.database import Database
from operator_tui.appeals.clock import ManualClock
from tests.central.desks import Office
from tests.peers.postgres import Postgres

pytestmark = pytest.mark.needs("postgresql")


@pytest.fixture
def own_postgres() -> Iterator[Postgres]:
    """One that may be killed."""
    folder = Path(tempfile.mkdtemp(prefix="ot-pg-"))
    server = Postgres(folder, durable=True)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT])
def test_the_server_outlives_its_database(own_postgres: Postgres, how: signal.Signals) -> None:
    clock = ManualClock()
    database = Database.postgres(own_postgres.fresh())
    with TestClient(create_app(database, clock=clock), raise_server_exceptions=False) as client:
        office = Office(database, client, clock)
        desk = office.desk("Петрова Анна")
        first, second = desk.new_card(), desk.new_card()
        assert desk.send(first).states == ["applied"]
        own_postgres.stop(how)
        for _ in range(2):
            answer = desk.send(second)
            assert (answer.status, answer.refusal) == (503, {"code": "database_away", "params": {}})
        assert client.get("/v1/health").status_code == 503
        own_postgres.start()
        assert desk.send(first, second).states == ["applied", "applied"]
        assert client.get("/v1/health").status_code == 200
        assert len(office.rows(t.card)) == 2


def test_a_connection_in_use_while_the_database_closes_is_closed_when_it_comes_back(
    open_database: Callable[[], Database],
) -> None:
    database = open_database()
    with database.read() as connection:
        raw = connection.connection.driver_connection
        database.close()
        assert connection.execute(sa.text("SELECT 1")).scalar_one() == 1
    with pytest.raises(raw_error(raw)):
        raw.execute("SELECT 1")


def test_a_connection_on_its_way_back_while_the_database_closes_is_not_left_to_the_collector(
    open_database: Callable[[], Database],
) -> None:
    database = open_database()

    @sa.event.listens_for(database.engine, "checkin")
    def between(raw: Any, record: Any) -> None:
        database.close()  # another thread does so before the pool has it again

    with database.read() as connection:
        raw = connection.connection.driver_connection
    with pytest.raises(raw_error(raw)):
        raw.execute("SELECT 1")


def raw_error(raw: Any) -> type[Exception]:
    """What the driver says of a connection that is closed."""
    error: type[Exception] = importlib.import_module(type(raw).__module__.partition(".")[0]).Error
    return error
