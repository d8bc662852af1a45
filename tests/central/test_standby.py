"""Durable is what a finished copy holds, and what every synchronous standby has on its disk."""

from __future__ import annotations

import itertools
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from litestar.testing import TestClient

from central import standby
from central.app import create_app
from central.standby import mark_held
from central.store.database import Database
from operator_tui.appeals.clock import ManualClock
from tests.central.desks import Desk, Office
from tests.peers.postgres import USER, Postgres

pytestmark = pytest.mark.needs("postgresql")
_names = itertools.count(1)


@contextmanager
def _running(follows: Postgres | None = None) -> Iterator[Postgres]:
    # Not tmp_path: its parents are closed to the user PostgreSQL runs as.
    folder = Path(tempfile.mkdtemp(prefix="ot-pg-"))
    server = Postgres(folder, follows=follows)
    try:
        server.start()
        yield server
    finally:
        server.stop(signal.SIGQUIT)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def primary() -> Iterator[Postgres]:
    with _running() as server:
        yield server


@pytest.fixture(scope="module")
def follower(primary: Postgres) -> Iterator[Postgres]:
    with _running(primary) as server:
        yield server


@pytest.fixture
def office(primary: Postgres, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    """Its server does not look by itself: what a test marks would be marked already."""
    monkeypatch.setattr(standby, "LOOK_S", 3600.0)
    database, clock = Database.postgres(primary.fresh()), ManualClock()
    with TestClient(create_app(database, clock=clock)) as client:
        yield Office(database, client, clock)


def _say(primary: Postgres, statement: str) -> Any:
    with psycopg.connect(f"host=127.0.0.1 port={primary.port} user={USER} dbname=postgres", autocommit=True) as said:
        done = said.execute(statement)
        return done.fetchone() if done.description else None


@pytest.fixture
def waits_for_standby(primary: Postgres, follower: Postgres) -> Iterator[None]:
    _say(primary, "ALTER SYSTEM SET synchronous_standby_names = '*'")
    _say(primary, "SELECT pg_reload_conf()")
    _until(lambda: _state(primary) == "sync")
    yield
    _say(primary, "ALTER SYSTEM RESET synchronous_standby_names")
    _say(primary, "SELECT pg_reload_conf()")
    _until(lambda: _state(primary) == "async")


def _state(primary: Postgres) -> str:
    row = _say(primary, "SELECT sync_state FROM pg_stat_replication WHERE state = 'streaming'")
    return str(row[0]) if row else ""


def _until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _saved(office: Office) -> Desk:
    desk = office.desk(f"Петрова {next(_names)}")
    assert desk.send(desk.new_card(), desk.new_card()).head.durable == 0
    return desk


def test_without_a_standby_nothing_is_durable_but_by_a_copy(office: Office) -> None:
    desk = _saved(office)
    assert mark_held(office.database) == 0
    assert desk.send().head.durable == 0


def test_a_standby_that_commits_do_not_wait_for_counts_for_nothing(
    office: Office, primary: Postgres, follower: Postgres
) -> None:
    _until(lambda: _state(primary) == "async")
    desk = _saved(office)
    assert mark_held(office.database) == 0
    assert desk.send().head.durable == 0


@pytest.mark.usefixtures("waits_for_standby")
def test_what_the_synchronous_standby_has_is_durable(office: Office) -> None:
    desk = _saved(office)
    _until(lambda: mark_held(office.database) == 1)
    assert desk.send().head.durable == 2
    assert mark_held(office.database) == 0, "there is nothing new"
    assert desk.send(desk.new_card()).head.durable == 2, "and what comes later is not held yet"


@pytest.mark.usefixtures("waits_for_standby")
def test_a_role_that_may_not_see_the_standby_promises_nothing(office: Office, primary: Postgres) -> None:
    _saved(office)
    role = f"plain{next(_names)}"
    url = office.database.engine.url
    _say(primary, f"CREATE ROLE {role} LOGIN")
    with psycopg.connect(f"host=127.0.0.1 port={primary.port} user={USER} dbname={url.database}") as made:
        made.execute(f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}")
    blind = Database.postgres(url.set(username=role).render_as_string())
    try:
        assert mark_held(blind) == 0
        _say(primary, f"GRANT pg_read_all_stats TO {role}")
        _until(lambda: mark_held(blind) == 1)
    finally:
        blind.close()


@pytest.mark.usefixtures("waits_for_standby")
def test_the_server_looks_by_itself(primary: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standby, "LOOK_S", 0.02)
    database = Database.postgres(primary.fresh())
    with TestClient(create_app(database, clock=ManualClock())) as client:
        desk = _saved(Office(database, client, ManualClock()))
        _until(lambda: desk.send().head.durable == 2)


def test_the_embedded_server_has_no_standby(tmp_path: Path) -> None:
    database = Database.sqlite(tmp_path / "central.db", bytes(32))
    assert mark_held(database) == 0
    database.close()
