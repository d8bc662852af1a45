"""PostgreSQL partitioned by region: one region's questions touch its partition alone, and it can move to a server of
its own. A database of the release before has its rows put into partitions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from litestar.testing import TestClient

from central import apply, regions, streams
from central import verify as verify_room
from central.app import create_app
from central.devices import enrolment_code, epoch
from central.exchange import Asked, exchange_all
from central.keys import ServerKeys, bind, public_keys
from central.recordings import read_on
from central.regions import move_region
from central.store import engine as engine_room
from central.store import tables as t
from central.store.database import Database
from central.store.engine import postgres_engine
from central.store.migrate import migrate
from central.verify import Fault, Verified, verify, verify_on
from operator_tui.appeals.clock import ManualClock
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.operations import Operation
from operator_tui.cli import cli
from operator_tui.reference import packaged_catalogue
from operator_tui.sync.protocol import SYNC_VERSION, SyncRequest, plain_operation
from tests.central.auth.people import hire
from tests.central.desks import Desk, Office, operator
from tests.central.test_migrations import _to
from tests.peers.postgres import Postgres

pytestmark = pytest.mark.needs("postgresql")


@pytest.fixture
def database(postgres: Postgres) -> Iterator[Database]:
    opened = Database.postgres(postgres.fresh())
    yield opened
    opened.close()


@pytest.fixture
def elsewhere(postgres: Postgres) -> Iterator[Database]:
    """The database of a server of its own."""
    opened = Database.postgres(postgres.fresh())
    yield opened
    opened.close()


def _touched(connection: sa.Connection, question: sa.Select[Any], **given: Any) -> set[str]:
    """The tables that the plan of a question reads."""
    (plan,) = connection.execute(_explained(question, given)).scalar_one()

    def tables(node: dict[str, Any]) -> set[str]:
        own = {node["Relation Name"]} if "Relation Name" in node else set()
        return own.union(*(tables(inner) for inner in node.get("Plans", [])))

    return tables(plan["Plan"])


def _explained(question: sa.Select[Any], given: dict[str, Any]) -> sa.TextClause:
    from sqlalchemy.dialects import postgresql

    literal = question.params(**given).compile(
        dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True, "render_postcompile": True}
    )
    return sa.text("EXPLAIN (FORMAT JSON) " + str(literal).replace(":", "\\:"))


def test_a_question_of_one_region_reads_its_partition_alone(office: Office) -> None:
    desks = [office.desk("Первая"), office.desk("Другая", organisation="77/tf")]
    for desk in desks:
        assert desk.send(desk.new_card()).states == ["applied"]
    page = {"region": "26", "stream": "26/tf", "first": 1, "last": 64}
    cards = {"cards": ["aaaaaa:1"], "regions": ["26"]}
    with office.database.read() as connection:
        assert _touched(connection, streams._PAGE_OF, **page) == {"event_r26", "event_body_r26"}
        assert _touched(connection, apply._CARDS_LOCKED, **cards) == {"card_r26"}
        everywhere = _touched(connection, sa.select(t.event.c.seq))
    assert everywhere == {"event_r26", "event_r77"}, "each region has its own"
    assert verify(office.database).faults == ()


@pytest.mark.parametrize("act", ["UPDATE event_r26 SET kind = ''", "DELETE FROM audit_r26", "TRUNCATE event_r26"])
def test_a_partition_is_as_append_only_as_the_whole(office: Office, act: str) -> None:
    desk = office.desk("Первая")
    desk.send(desk.new_card())
    with pytest.raises(sa.exc.DBAPIError, match="append-only"):
        office.database.write(lambda connection: connection.exec_driver_sql(act))


def test_a_partition_that_is_not_where_it_belongs_is_found(office: Office) -> None:
    desk = office.desk("Первая")
    desk.send(desk.new_card())
    take_off = "ALTER TABLE card DETACH PARTITION card_r26"
    office.database.write(lambda connection: connection.exec_driver_sql(take_off))
    assert Fault("26/tf", 1, "partition") in verify(office.database).faults


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


def _with_recording(office: Office) -> Desk:
    desk = office.desk("Первая")
    said = {"call": "c1", "file": "c1.otr", "sha256": "0" * 64, "size": 5}
    assert desk.send(desk.new_card(), desk.operation("call.recorded", said)).states == ["applied"] * 2
    return desk


def test_a_move_that_fails_at_its_end_leaves_the_target_empty_and_is_made_again(
    office: Office, elsewhere: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = _with_recording(office)
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
    _with_recording(office)
    monkeypatch.setattr(engine_room, "_IDLE_MS", 100)
    source = Database.postgres(office.database.engine.url.render_as_string(hide_password=False))

    def slowly(arriving: sa.Connection) -> Verified:
        arriving.exec_driver_sql("SELECT pg_sleep(0.5)")
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
    _with_recording(office)
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


def _during(monkeypatch: pytest.MonkeyPatch, work: Callable[[], None]) -> None:
    """Do something while a region is being copied."""

    def meanwhile(arriving: sa.Connection) -> Verified:
        work()
        return verify_on(arriving)

    monkeypatch.setattr(regions, "verify_on", meanwhile)


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

    _during(monkeypatch, meanwhile)
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

    _during(monkeypatch, meanwhile)
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

    _during(monkeypatch, meanwhile)
    move_region(office.database, elsewhere, "26")
    assert told == [{"region": "26"}, ["applied"], ["applied"]]


def test_a_copy_that_is_being_made_is_named_and_not_waited_for_through_the_whole_move(
    office: Office, elsewhere: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = _with_recording(office)
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

    _during(monkeypatch, meanwhile)
    tried: list[bool] = []
    had = regions._had_alone

    def trying(connection: sa.Connection, region: str) -> bool:
        tried.append(had(connection, region))
        if not tried[-1]:
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
    _with_recording(office)
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

    _during(monkeypatch, meanwhile)
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


def test_chains_are_looked_at_as_of_one_moment(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = office.desk("Первая")
    desk.send(desk.new_card())
    real = verify_room._fault

    def busy(*about: Any) -> Fault | None:
        desk.send(desk.new_card())
        return real(*about)

    monkeypatch.setattr(verify_room, "_fault", busy)
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


def test_a_database_of_the_release_before_is_put_into_partitions(postgres: Postgres) -> None:
    engine = postgres_engine(postgres.fresh())
    _to(engine, "0007")
    database = Database(engine)
    rows = _written_before(database, 3_000)
    migrate(engine)
    with database.read() as connection:
        for table in t.PARTITIONED:
            kept = connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
            assert kept == rows[table.name], table.name
        logged = sa.select(t.op_log.c.region, sa.func.count()).group_by(t.op_log.c.region).order_by(t.op_log.c.region)
        assert [tuple(row) for row in connection.execute(logged)] == [("26", 1500), ("77", 1500)]
        parts = connection.execute(sa.text("SELECT relname FROM pg_class WHERE relname LIKE '%\\_before'")).all()
    assert parts == []
    assert verify(database).faults == ()
    database.close()


def _written_before(database: Database, events: int) -> dict[str, int]:
    """Two regions as the server of release 0007 wrote them; how many rows each table has."""
    now = 1_790_000_000_000

    def work(connection: sa.Connection) -> None:
        for number, region in enumerate(("26", "77"), 1):
            connection.execute(
                sa.text(
                    "INSERT INTO operator (number, region, name, role, extension, organisation, zone) "
                    "VALUES (:number, :region, 'Петрова', 'o1', '2001', :region || '/tf', 'UTC')"
                ),
                {"number": number, "region": region},
            )
            connection.execute(
                sa.text("INSERT INTO device (id, number, operator, token_hash) VALUES (:id, :number, :number, :token)"),
                {"id": f"device{number}", "number": number, "token": bytes([number])},
            )
            stream, place = f"{region}/tf", streams.take_place(connection, f"{region}/tf")
            drafts = [
                streams.Draft(stream, "card.new", f"device{number}:{n}", f"device{number}:{n}", 1, "0" * 16, "UTC", {})
                for n in range(1, events // 2 + 1)
            ]
            streams.append(connection, {stream: place}, {stream: drafts}, now)
            ops = {"device": f"device{number}", "count": events // 2, "region": region, "stream": stream}
            for statement in (
                "INSERT INTO op_log (device, n, hash, operator, received_at, stamp, body, result) "
                "SELECT :device, n, '', 1, 0, '', '', '' FROM generate_series(1, :count) AS n",
                "INSERT INTO card (id, region, stream, rev, status, deadline, body) "
                "SELECT :device || '-' || n, :region, :stream, 1, 'work', '', '{}' FROM generate_series(1, :count) n",
                "INSERT INTO recording (region, op, stream, call, name, size, ms, at, by) "
                "SELECT :region, :device || n, :stream, '', '', 1, 1, 1, 1 FROM generate_series(1, :count) AS n",
            ):
                connection.execute(sa.text(statement), ops)

    database.write(work)
    return {"event": events, "event_body": events, "audit": 0, "card": events, "op_log": events, "recording": events}


def test_regions_that_begin_at_once_all_begin(database: Database) -> None:
    """Attaching a partition locks more than its rows; who meets another there waits, and is not killed for it."""
    regions = [f"{number:02}" for number in range(30, 46)]

    def begin(place: int) -> str:
        region = regions[place // 2]
        return enrolment_code(database, operator(f"Оператор {place}", organisation=f"{region}/tf"), 0)

    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(begin, range(2 * len(regions))))) == 2 * len(regions)
    found = verify(database)
    assert (found.faults, found.entries) == ((), 2 * len(regions))
