"""A region moves to a server of its own: all of it, once, and what fails leaves everything where it was."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from litestar.testing import TestClient

from central import regions
from central.app import create_app
from central.devices import enrolment_code, epoch
from central.keys import ServerKeys, bind, public_keys
from central.recordings import read_on
from central.regions import move_region
from central.store import engine as engine_room
from central.store import tables as t
from central.store.database import Database
from central.verify import Verified, verify, verify_on
from operator_tui.appeals.clock import ManualClock
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.cli import cli
from tests.central.auth.people import hire
from tests.central.desks import Desk, Office, operator
from tests.central.regions.making import with_recording
from tests.peers.postgres import Postgres

pytestmark = pytest.mark.needs("postgresql")


@pytest.fixture
def moved(office: Office, elsewhere: Database) -> tuple[Office, Desk, Desk]:
    """One region is elsewhere; a desk of it and one of another."""
    going, staying = office.desk("Первая"), office.desk("Другая", organisation="77/tf")
    for desk in (going, staying, going):
        assert desk.send(desk.new_card()).states == ["applied"]
    assert move_region(office.database, elsewhere, "26") == verify(elsewhere).entries > 0
    return office, going, staying


def test_a_region_goes_on_at_a_server_of_its_own(moved: tuple[Office, Desk, Desk], elsewhere: Database) -> None:
    office, going, staying = moved
    assert staying.send(staying.new_card()).states == ["applied"], "the others go on"
    assert going.send(going.new_card()).status == 401, "and it is no longer here"
    with office.database.read() as connection:
        before, seen = epoch(connection), set(connection.execute(sa.select(t.event.c.region)).scalars())
        kept = connection.execute(sa.text("SELECT count(*) FROM card_r26_moved")).scalar_one()
    assert (seen, kept) == ({"77"}, 2)
    clock = ManualClock()
    with TestClient(create_app(elsewhere, ServerKeys.fresh(), clock=clock)) as client:
        there = Office(elsewhere, client, clock)
        going.client = client
        told = going.send(e=before)
        assert (told.head.e != before, told.head.next) == (True, 3), "another lineage, which knows what it has sent"
        card = going.operation("card.new", going.new_card().x, n=3)
        assert going.send(card, e=told.head.e).states == ["applied"]
        assert len(there.rows(t.card)) == 3
        assert {row.region for row in there.rows(t.op_log)} == {"26"}
        assert there.desk("Новая").code != going.code
    assert (verify(elsewhere).faults, verify(office.database).faults) == ((), ())


def test_people_sign_in_there_anew(office: Office, elsewhere: Database) -> None:
    going, staying = hire(office, "petrova"), hire(office, "far", organisation="77/tf")
    going.sign_in()
    move_region(office.database, elsewhere, "26")
    assert going.try_sign_in().status_code in (401, 403)
    assert staying.sign_in().access
    with TestClient(create_app(elsewhere, clock=office.clock)) as client:
        going.office = Office(elsewhere, client, office.clock)
        desk = going.desk(going.sign_in().access)
        assert desk.send(desk.new_card()).states == ["applied"]


def test_the_keys_go_with_it(database: Database, elsewhere: Database) -> None:
    keys = ServerKeys.fresh()
    bind(database, keys)
    enrolment_code(database, operator("Первая"), 0)
    move_region(database, elsewhere, "26")
    assert public_keys(elsewhere) == keys.public


def test_what_cannot_be_moved_stays_as_it_was(moved: tuple[Office, Desk, Desk], elsewhere: Database) -> None:
    office, _, staying = moved
    for region, target, reason in (("77", elsewhere, "not empty"), ("99", office.database, "not empty")):
        with pytest.raises(Refusal) as refused:
            move_region(office.database, target, region)
        assert (refused.value.code, refused.value.params["reason"]) == (Code.REGION_NOT_MOVED, reason)
    assert staying.send(staying.new_card()).states == ["applied"]


class Killed(BaseException):
    """The process is gone."""


def test_a_move_that_fails_at_its_end_leaves_the_target_empty_and_is_made_again(
    office: Office, elsewhere: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = with_recording(office)
    real, tries = regions._take_out, []

    def deadlocked(leaving: sa.Connection, region: str) -> None:
        tries.append(region)
        if len(tries) == 1:
            leaving.exec_driver_sql("DO $$ BEGIN RAISE EXCEPTION SQLSTATE '40P01'; END $$")
        if len(tries) == 2:
            raise Killed
        real(leaving, region)

    monkeypatch.setattr(regions, "_take_out", deadlocked)
    with pytest.raises(Killed):
        move_region(office.database, elsewhere, "26")
    assert desk.send(desk.new_card()).states == ["applied"], "it is where it was"
    assert move_region(office.database, elsewhere, "26") == verify(elsewhere).entries > 0
    assert len(tries) == 3


def test_a_move_takes_as_long_as_it_takes(office: Office, elsewhere: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each end waits while the other works, for longer than a transaction may rest."""
    with_recording(office)
    monkeypatch.setattr(engine_room, "_IDLE_MS", 1000)
    source = Database.postgres(office.database.engine.url.render_as_string(hide_password=False))

    def slowly(arriving: sa.Connection) -> Verified:
        arriving.exec_driver_sql("SELECT pg_sleep(2)")
        return verify_on(arriving)

    monkeypatch.setattr(regions, "verify_on", slowly)
    try:
        assert move_region(source, elsewhere, "26") > 0
    finally:
        source.close()


@pytest.mark.parametrize("table", [t.recording, t.recording_read], ids=lambda table: str(table.name))
def test_who_asks_for_recordings_during_a_move_loses_none(
    office: Office, elsewhere: Database, monkeypatch: pytest.MonkeyPatch, table: sa.Table
) -> None:
    with_recording(office)
    read_on(office.database, "26/tf/work")
    second = office.desk("Вторая")
    said = {"call": "c2", "file": "c2.otr", "sha256": "1" * 64, "size": 5}
    assert second.send(second.operation("call.recorded", said)).states == ["applied"]
    real = regions.insert_rows

    def meanwhile(connection: sa.Connection, into: sa.Table, rows: Any) -> None:
        real(connection, into, rows)
        if into is table:
            read_on(office.database, "26/tf/work")

    monkeypatch.setattr(regions, "insert_rows", meanwhile)
    move_region(office.database, elsewhere, "26")
    read_on(elsewhere, "26/tf/work")
    with elsewhere.read() as connection:
        assert sorted(connection.execute(sa.select(t.recording.c.call)).scalars()) == ["c1", "c2"]


def test_a_region_begun_anew_moves_again(office: Office, postgres: Postgres) -> None:
    for times in (1, 2):
        target = Database.postgres(postgres.fresh())
        desk = office.desk(f"Оператор {times}")
        assert desk.send(*(desk.new_card() for _ in range(times))).states == ["applied"] * times
        move_region(office.database, target, "26")
        assert verify(target).faults == ()
        target.close()
    with office.database.read() as connection:
        kept = [
            connection.execute(sa.text(f"SELECT count(*) FROM card_r26_{name}")).scalar_one()
            for name in ("moved", "moved2")
        ]
    assert kept == [1, 2]
    assert verify(office.database).faults == ()


def test_the_command(postgres: Postgres) -> None:
    urls = [postgres.fresh(), postgres.fresh()]
    database = Database.postgres(urls[0])
    enrolment_code(database, operator("Первая"), 0)
    database.close()
    command = ["central", "move-region", "26", "--profile", "demo", "--database", urls[0], "--to", urls[1]]
    done = CliRunner().invoke(cli, command, catch_exceptions=False)
    assert (done.exit_code, "Регион 26 перенесён, записей: 1" in done.output) == (0, True), done.output
    unknown = CliRunner().invoke(cli, [*command[:2], "99", *command[3:-1], postgres.fresh()])
    assert unknown.exit_code == 1
