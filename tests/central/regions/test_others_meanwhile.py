"""What others do while a region moves: who writes in it is told so, who is in the middle is let finish."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from central import regions, streams
from central.exchange import Asked, exchange_all
from central.recordings import read_on
from central.regions import move_region
from central.store.database import Database
from central.verify import verify
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.operations import Operation
from operator_tui.reference import packaged_catalogue
from operator_tui.sync.protocol import SYNC_VERSION, SyncRequest, plain_operation
from tests.central.auth.people import hire
from tests.central.desks import Desk, Office
from tests.central.regions.making import during, with_recording

pytestmark = pytest.mark.needs("postgresql")


def test_who_writes_in_a_region_that_moves_is_told_so_at_once_and_others_go_on(
    office: Office, elsewhere: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    going, staying = office.desk("Первая"), office.desk("Другая", organisation="77/tf")
    told: list[Any] = []

    def meanwhile() -> None:
        refused = going.send(card := going.new_card())
        told.append((refused.status, refused.refusal))
        # Both in one transaction, as they come while the disk is busy.
        asking = [
            Asked(desk.identity.token, _said(desk, operation))
            for desk, operation in ((going, card), (staying, staying.new_card()))
        ]
        told.extend(exchange_all(office.database, asking, office.clock.now_ms(), packaged_catalogue()))
        told.append(staying.send(staying.new_card()).states)
        told.append(going.send().status)

    during(monkeypatch, meanwhile)
    move_region(office.database, elsewhere, "26")
    away = Refusal(Code.REGION_MOVES, region="26")
    assert told[0] == (503, {"code": away.code.value, "params": away.params})
    assert (told[1].code, told[1].params) == (away.code, away.params)
    assert [outcome.s for outcome in told[2][1].outcomes] == ["applied"]
    assert told[3:] == [["applied"], 200], "and what changes nothing is answered"
    assert (verify(elsewhere).faults, verify(office.database).faults) == ((), ())


def _said(desk: Desk, operation: Operation) -> SyncRequest:
    return SyncRequest(v=SYNC_VERSION, d=desk.code, c={}, o=[plain_operation(operation)])


def test_people_are_told_too(office: Office, elsewhere: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    going, staying = hire(office, "petrova"), hire(office, "far", organisation="77/tf")
    told: list[Any] = []

    def meanwhile() -> None:
        told.append(going.try_sign_in())
        told.append(staying.try_sign_in())

    during(monkeypatch, meanwhile)
    move_region(office.database, elsewhere, "26")
    assert (told[0].status_code, told[0].json()["code"]) == (503, "region_moves")
    assert told[1].status_code == 200


def test_what_is_written_into_a_region_that_moves_from_another_is_refused_alone(
    office: Office, elsewhere: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, other = office.desk("Другая", organisation="77/tf"), office.desk("Третья", organisation="77/smo")
    office.desk("Первая")
    told: list[Any] = []

    def meanwhile() -> None:
        def refused(connection: sa.Connection) -> None:
            with pytest.raises(Refusal) as error:
                streams.take_places(connection, ["26/tf", "77/tf"])
            told.append(error.value.params)

        office.database.write(refused)
        told.extend((desk.send(desk.new_card()).states, other.send(other.new_card()).states))

    during(monkeypatch, meanwhile)
    move_region(office.database, elsewhere, "26")
    assert told == [{"region": "26"}, ["applied"], ["applied"]]


def test_a_copy_that_is_being_made_is_named_and_not_waited_for_through_the_whole_move(
    office: Office, elsewhere: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = with_recording(office)
    monkeypatch.setattr(regions, "_PAUSE_S", 0.01)
    monkeypatch.setattr(regions, "_TRY_MS", 20)
    monkeypatch.setattr(regions, "_FIRST_S", 0.0)
    url = office.database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    copied: list[str] = []
    real = regions._copy
    monkeypatch.setattr(regions, "_copy", lambda *about: (copied.append("yes"), real(*about)))
    with psycopg.connect(url, application_name="pg_dump") as dump:
        dump.execute("LOCK TABLE audit IN ACCESS SHARE MODE")  # as pg_dump does with every table, until it ends
        with pytest.raises(Refusal) as refused:
            move_region(office.database, elsewhere, "26")
        assert (refused.value.code, refused.value.params) == (Code.REGION_HELD, {"by": "pg_dump"})
        assert copied == []
        assert desk.send(desk.new_card()).states == ["applied"]

    began = psycopg.connect(url, application_name="pg_dump")

    def meanwhile() -> None:  # one that begins during the copy is waited for a while
        began.execute("LOCK TABLE card_r26 IN ACCESS SHARE MODE")

    during(monkeypatch, meanwhile)
    tried: list[bool] = []
    had = regions._had_alone

    def trying(connection: sa.Connection, region: str) -> bool:
        tried.append(had(connection, region))
        if not tried[-1]:
            began.rollback()  # a connection that is closed alone lets its locks go some time later
            began.close()
        return tried[-1]

    monkeypatch.setattr(regions, "_had_alone", trying)
    assert move_region(office.database, elsewhere, "26") > 0
    assert tried == [True, False, True]


@pytest.mark.parametrize("row", ["recording_read WHERE stream = '26/tf/work'", "session", "enrolment"])
def test_who_is_in_the_middle_of_a_region_that_goes_is_let_finish(
    office: Office, elsewhere: Database, monkeypatch: pytest.MonkeyPatch, row: str
) -> None:
    """He has a row that is deleted with the region: the move would wait for him, and he for a table it has alone."""
    with_recording(office)
    hire(office, "petrova").sign_in()
    read_on(office.database, "26/tf/work")
    monkeypatch.setattr(regions, "_PAUSE_S", 0.01)
    monkeypatch.setattr(regions, "_TRY_MS", 20)
    url = office.database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    middle = psycopg.connect(url)

    copied: list[bool] = []  # and then, whether the tables were to be had

    def meanwhile() -> None:
        assert middle.execute(f"SELECT FROM {row} FOR UPDATE").rowcount > 0
        copied.append(True)

    during(monkeypatch, meanwhile)
    had = regions._had_alone

    def trying(connection: sa.Connection, region: str) -> bool:
        found = had(connection, region)
        if len(copied) == 1 and not found:
            middle.execute("SELECT count(*) FROM event")
            middle.close()
        if copied:
            copied.append(found)
        return found

    monkeypatch.setattr(regions, "_had_alone", trying)
    assert move_region(office.database, elsewhere, "26") > 0
    assert (copied[1], copied[-1]) == (False, True)
