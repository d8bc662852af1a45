"""PostgreSQL partitioned by region: one region's questions touch its partition alone, a database of the release before
has its rows put into partitions."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa

from central import apply, streams
from central import verify as verify_room
from central.devices import enrolment_code
from central.store import engine as engine_room
from central.store import tables as t
from central.store.database import Database
from central.store.engine import postgres_engine
from central.store.migrate import migrate
from central.verify import Fault, verify
from tests.central.desks import Office, operator
from tests.central.test_migrations import _to
from tests.peers.postgres import Postgres
from tests.peers.tables import postgres_of

pytestmark = pytest.mark.needs("postgresql")


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


def test_chains_are_looked_at_as_of_one_moment(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = office.desk("Первая")
    desk.send(desk.new_card())
    real = verify_room._fault

    def busy(*about: Any) -> Fault | None:
        desk.send(desk.new_card())
        return real(*about)

    monkeypatch.setattr(verify_room, "_fault", busy)
    assert verify(office.database).faults == ()


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


def test_regions_that_begin_at_once_all_begin(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    """Attaching a partition locks more than its rows; who meets another there waits, and is not killed for it."""
    monkeypatch.setattr(engine_room, "_BUSY_MS", 300_000)  # the last waits for all others, however long they take here
    database = Database.postgres(postgres_of(postgres))
    regions = [f"{number:02}" for number in range(30, 46)]

    def begin(place: int) -> str:
        region = regions[place // 2]
        return enrolment_code(database, operator(f"Оператор {place}", organisation=f"{region}/tf"), 0)

    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(begin, range(2 * len(regions))))) == 2 * len(regions)
    found = verify(database)
    database.close()
    assert (found.faults, found.entries) == ((), 2 * len(regions))
