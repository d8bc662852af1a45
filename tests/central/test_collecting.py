"""A federal collector: it reads all of its region and nothing else, writes nothing, and tells a changed chain."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO, Any, cast

import msgspec
import pytest
import sqlalchemy as sa
from litestar.testing import TestClient

from central import collected as kept_here
from central import collecting
from central.app import create_app
from central.auth.seats import revoke
from central.backup import backup, new_epoch, restore_sqlite
from central.collected import FILE, Collection
from central.collecting import enrol, follow
from central.devices import COLLECTOR, collector_code, collectors, enrolment_code
from central.exchange import asked, exchange_all
from central.store import tables as t
from central.store.database import Database
from operator_tui.appeals.clock import ManualClock, SystemClock
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.hlc import next_stamp
from operator_tui.appeals.operations import Operation
from operator_tui.appeals.people import Role
from operator_tui.profiles import open_profile
from operator_tui.reference import packaged_catalogue
from operator_tui.secrets import profile_secrets
from operator_tui.sync.link import Link
from operator_tui.sync.packing import FrameReader, pack
from operator_tui.sync.protocol import (
    ENROL_PATH,
    SYNC_PATH,
    SYNC_VERSION,
    EnrolAnswer,
    Results,
    SyncRequest,
    plain_operation,
)
from operator_tui.sync.settings import CentralSettings
from tests.central.auth.decisions import OPERATIONS
from tests.central.conftest import KEY
from tests.central.desks import CONSULTATION, Desk, Office, operator
from tests.peers.central import CentralServer
from tests.peers.tables import sqlite_at

FUND, INSURER, FAR = "26/tf", "26/smo-26001", "27/tf"


class Wire:
    """The collector's line to the server in this process; ``cut`` breaks the next answer off behind so many eighths."""

    def __init__(self, client: TestClient[Any]) -> None:
        self._client = client
        self.cut: int | None = None

    @asynccontextmanager
    async def post(
        self, path: str, body: bytes, *, token: str = "", packed: bool = True
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        headers = {"Authorization": f"Bearer {token}"} | ({"Content-Encoding": "zstd"} if packed else {})
        with self._client.stream("POST", path, content=body, headers=headers) as response:
            raw = b"".join(response.iter_raw())
        if response.status_code != 200:
            raise Refusal.from_wire(msgspec.json.decode(raw))
        cut, self.cut = self.cut, None

        async def chunks() -> AsyncIterator[bytes]:
            for start in range(0, len(raw) if cut is None else len(raw) * cut // 8, 64):
                yield raw[start : start + 64]
            if cut is not None:
                raise Refusal(Code.SERVER_AWAY)

        yield chunks()


def line(office: Office) -> Link:
    return cast("Link", Wire(office.client))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "collected"


@pytest.fixture
def region(office: Office) -> tuple[Desk, Desk]:
    """Two organisations of the region and one of another, with work of theirs."""
    here = office.desk("Петрова"), office.desk("Смирнов", Role.INSURER_2, INSURER)
    for desk in (*here, office.desk("Далёкая", organisation=FAR)):
        desk.send(desk.operation("call.answered", OPERATIONS["call.answered"].x), desk.new_card(text="как было"))
        desk.send(desk.new_card(text="и ещё"))
    boss = office.desk("Судья", Role.ADMINISTRATOR)
    assert boss.send(boss.operation("reference.set", OPERATIONS["reference.set"].x)).states == ["applied"]
    return here


@pytest.fixture
async def collection(office: Office, region: tuple[Desk, Desk], folder: Path) -> AsyncIterator[Collection]:
    """One that is enrolled and has nothing yet."""
    with Collection.opened(folder, KEY) as opened:
        await enrol(line(office), opened, collector_code(office.database, "26", office.clock.now_ms()))
        yield opened


def stored(office: Office) -> dict[str, list[tuple[int, str, str, dict[str, Any]]]]:
    """What the server has in each stream of the region that a desk could be told."""
    bodies = {(row.stream, row.seq): msgspec.json.decode(row.body) for row in office.rows(t.event_body)}
    found: dict[str, list[tuple[int, str, str, dict[str, Any]]]] = {FUND: [], INSURER: [], "26/ref": []}
    for row in office.rows(t.event):
        if row.stream in found:
            found[row.stream].append((row.seq, row.kind, row.op, bodies[row.stream, row.seq]))
    return found


def collected(collection: Collection) -> dict[str, list[tuple[int, str, str, dict[str, Any]]]]:
    return {stream: collection.events(stream) for stream in collection.cursors()}


def count(office: Office, table: sa.Table) -> int:
    return len(office.rows(table))


def asking(office: Office, collection: Collection) -> Desk:
    """Who tries, with the collector's own token, what a collector's program never does."""
    identity = collection.identity
    assert identity is not None
    return Desk(office.client, office.clock, identity)


async def test_it_reads_every_organisation_of_its_region_and_nothing_else(
    office: Office, collection: Collection, region: tuple[Desk, Desk]
) -> None:
    assert await follow(line(office), collection, once=True) == 5
    assert collected(collection) == stored(office)
    assert {name: len(events) for name, events in stored(office).items()} == {FUND: 2, INSURER: 2, "26/ref": 1}
    # The work logs (who looked at whom), the audit and another region, asked for by their names.
    for name in (FAR, "26/tf/work", "26/audit", "27/ref", "26", ""):
        answer = asking(office, collection).send(c={name: 0, **collection.cursors()})
        assert (answer.status, answer.events) == (200, [])
        assert name not in answer.end.end
    # An organisation that begins later joins by itself.
    late = office.desk("Новая", organisation="26/smo-26002")
    late.send(late.new_card())
    assert await follow(line(office), collection, once=True) == 1
    assert collection.cursors().keys() == {"26/ref", INSURER, "26/smo-26002", FUND}


async def test_a_desk_is_told_no_proof(office: Office, region: tuple[Desk, Desk]) -> None:
    events = region[0].send(c={}).events
    assert events
    assert all(event.p is None for event in events)


async def test_what_it_pushes_is_refused_and_stores_nothing(office: Office, collection: Collection) -> None:
    tables = (t.event, t.event_body, t.card, t.op_log, t.audit)
    before = [count(office, table) for table in tables]
    thief = asking(office, collection)
    whole = office.rows(t.card)[0]
    for operation in (
        thief.new_card(),
        thief.operation("card.set", {"comment": "чужое"}, card=whole.id),
        thief.operation("call.answered", {"call": "1"}),
        thief.operation("reference.set", OPERATIONS["reference.set"].x),
    ):
        for epoch in ("", "0" * 16):
            answer = thief.send(operation, e=epoch)
            assert (answer.status, answer.refusal["code"]) == (403, "read_only")
    assert [count(office, table) for table in tables] == before
    (row,) = office.rows(t.device, id=thief.code)
    assert row.last_n == 0


async def test_whoever_pushes_beside_it_is_taken(office: Office, collection: Collection, region: Any) -> None:
    """Refused is the one, not the transaction it might have shared."""
    desks = (asking(office, collection), region[0])
    sending = [
        asked(
            desk.identity.token,
            msgspec.json.encode(SyncRequest(v=SYNC_VERSION, d=desk.code, o=[plain_operation(desk.new_card())])),
            packed=False,
        )
        for desk in desks
    ]
    refused, taken = exchange_all(office.database, sending, office.clock.now_ms(), packaged_catalogue())
    assert isinstance(refused, Refusal)
    assert refused.code is Code.READ_ONLY
    assert not isinstance(taken, Exception)
    assert [outcome.s for outcome in taken[1].outcomes] == ["applied"]


async def test_a_line_that_breaks_anywhere_loses_and_doubles_nothing(
    office: Office, collection: Collection, region: tuple[Desk, Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it goes on from is what is on the disk: no more and no less."""
    monkeypatch.setattr(collecting, "_PAGE_BYTES", 1500)
    wire = Wire(office.client)
    reached = []
    for eighths in (0, 3, 5, 6, 7, 8):
        for desk in (*region, region[0]):
            desk.send(desk.new_card(text="длинный рассказ " * 20))
        wire.cut = eighths
        with pytest.raises(Refusal) as refused:
            await follow(cast("Link", wire), collection, once=True)
        assert refused.value.code is Code.SERVER_AWAY
        assert sum(map(len, collected(collection).values())) == sum(collection.cursors().values())
        reached.append(sum(collection.cursors().values()))
    assert reached == sorted(reached)
    assert reached[0] == 0 < reached[-1]
    await follow(cast("Link", wire), collection, once=True)
    assert collected(collection) == stored(office)
    assert collection.gone() == 0


class Killed(BaseException):
    """No program sees it coming."""


async def test_killed_within_a_page_it_has_all_of_it_or_none(
    office: Office, collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    proven, seen = kept_here._proven, itertools.count()

    def killed(*arguments: Any) -> dict[str, Any]:
        if next(seen) == 3:
            raise Killed
        return proven(*arguments)

    monkeypatch.setattr(kept_here, "_proven", killed)
    with pytest.raises(Killed):
        await follow(line(office), collection, once=True)
    assert sum(map(len, collected(collection).values())) == sum(collection.cursors().values())
    await follow(line(office), collection, once=True)
    assert collected(collection) == stored(office)


async def test_revoked_it_hears_nothing_more(office: Office, collection: Collection, region: tuple[Desk, Desk]) -> None:
    await follow(line(office), collection, once=True)
    ((device, where, _, gone),) = collectors(office.database)
    assert (where, gone) == ("26", False)
    revoke(office.database, device, office.clock.now_ms())
    before = collected(collection)
    region[0].send(region[0].new_card())
    for once in (True, False):
        with pytest.raises(Refusal) as refused:
            await follow(line(office), collection, once=once)
        assert refused.value.code is Code.TOKEN_INVALID
    assert collected(collection) == before
    ((_, _, _, gone),) = collectors(office.database)
    assert gone


def _rewrite(database: Database, statement: str) -> None:
    database.write(lambda connection: connection.exec_driver_sql(statement))


def _body(office: Office) -> None:
    on_table = " ON event_body" if office.database.engine.dialect.name == "postgresql" else ""
    _rewrite(office.database, f"DROP TRIGGER event_body_no_update{on_table}")
    _rewrite(office.database, """UPDATE event_body SET body = '{"a":1}' WHERE stream = '26/tf' AND seq = 2""")


async def test_a_text_that_was_changed_before_it_came_is_told(office: Office, collection: Collection) -> None:
    _body(office)
    with pytest.raises(Refusal) as refused:
        await follow(line(office), collection, once=True)
    assert (refused.value.code, refused.value.params) == (Code.CHAIN_BROKEN, {"stream": FUND, "seq": 2})
    assert collection.cursors().get(FUND, 0) < 2, "nothing of it is taken for true"


async def test_a_history_that_was_written_anew_is_told(
    office: Office, collection: Collection, region: tuple[Desk, Desk]
) -> None:
    """Who rewrites a stream computes its hashes anew; the head that the collector has is another then."""
    await follow(line(office), collection, once=True)
    true = collected(collection)
    other = bytes(31) + b"\1"
    office.database.write(
        lambda connection: connection.execute(sa.update(t.stream).where(t.stream.c.id == FUND).values(head=other))
    )
    for seq in (2, 3):  # as it stands; and when it has gone on meanwhile
        with pytest.raises(Refusal) as refused:
            await follow(line(office), collection, once=True)
        assert (refused.value.code, refused.value.params) == (Code.CHAIN_BROKEN, {"stream": FUND, "seq": seq})
        region[0].send(region[0].new_card())
    assert collected(collection) == true


@pytest.mark.parametrize(("seq", "first"), [(1, 2), (0, 1), (9, 3)], ids=["one less", "all", "less than it says"])
async def test_a_history_that_was_cut_off_is_told(office: Office, collection: Collection, seq: int, first: int) -> None:
    await follow(line(office), collection, once=True)
    cut = sa.update(t.stream).where(t.stream.c.id == FUND).values(seq=seq)
    office.database.write(lambda connection: connection.execute(cut))
    with pytest.raises(Refusal) as refused:
        await follow(line(office), collection, once=True)
    assert (refused.value.code, refused.value.params) == (Code.CHAIN_BROKEN, {"stream": FUND, "seq": first})


async def test_a_stream_that_is_there_no_more_is_told(office: Office, collection: Collection) -> None:
    await follow(line(office), collection, once=True)
    renamed = sa.update(t.stream).where(t.stream.c.id == INSURER).values(region="99")
    office.database.write(lambda connection: connection.execute(renamed))
    with pytest.raises(Refusal) as refused:
        await follow(line(office), collection, once=True)
    assert (refused.value.code, refused.value.params) == (Code.CHAIN_BROKEN, {"stream": INSURER, "seq": 1})


async def test_another_epoch_of_the_same_history_doubles_nothing(office: Office, collection: Collection) -> None:
    await follow(line(office), collection, once=True)
    epoch = new_epoch(office.database)
    assert await follow(line(office), collection, once=True) == 5, "read again from its beginning"
    assert (collection.epoch, collection.gone()) == (epoch, 0)
    assert collected(collection) == stored(office)


async def test_a_region_restored_from_a_copy_is_followed_and_what_it_lost_is_kept(folder: Path, tmp_path: Path) -> None:
    clock = ManualClock()

    @asynccontextmanager
    async def serving(database: Database) -> AsyncIterator[Office]:
        with TestClient(create_app(database, clock=clock), raise_server_exceptions=False) as client:
            yield Office(database, client, clock)

    with Collection.opened(folder, KEY) as collection:
        async with serving(sqlite_at(tmp_path / "central.db", KEY)) as office:
            desk = office.desk("Петрова")
            desk.send(desk.new_card(text="вчера"))
            await enrol(line(office), collection, collector_code(office.database, "26", clock.now_ms()))
            backup(office.database, tmp_path / "copy")
            desk.send(desk.new_card(text="потеряно"))
            await follow(line(office), collection, once=True)
        restore_sqlite(tmp_path / "copy", KEY, tmp_path / "other.db")
        async with serving(Database.sqlite(tmp_path / "other.db", KEY)) as office:
            other = office.desk("Другая")
            other.send(other.new_card(text="сегодня"))
            await follow(line(office), collection, once=True)
            assert [x["set"]["text"] for _, _, _, x in collection.events(FUND)] == ["вчера", "сегодня"]
            assert collected(collection) == {FUND: stored(office)[FUND]}
        assert collection.gone() == 1


async def test_a_code_is_given_for_a_region_somebody_works_in(office: Office, region: tuple[Desk, Desk]) -> None:
    for name in ("99", "26/tf", "", "2"):
        with pytest.raises(Refusal) as refused:
            collector_code(office.database, name, office.clock.now_ms())
        assert refused.value.code is Code.REGION_UNKNOWN
    code = collector_code(office.database, "27", office.clock.now_ms())
    answer = msgspec.json.decode(office.client.post(ENROL_PATH, json={"v": 1, "code": code}).content, type=EnrolAnswer)
    assert (answer.operator.organisation, answer.operator.name) == ("27", COLLECTOR)
    entries = [(row.action, row.object, row.device) for row in office.rows(t.audit, region="27")][-2:]
    assert entries == [
        ("enrolment.made", str(answer.operator.user), ""),
        ("device.enrolled", answer.device, answer.device),
    ]
    again = office.client.post(ENROL_PATH, json={"v": 1, "code": code})
    assert again.json()["code"] == "enrolment_code"


async def test_a_live_server_takes_a_collectors_code_and_no_other_without_a_person(
    database: Database, clock: ManualClock, folder: Path
) -> None:
    with TestClient(create_app(database, clock=clock, persons_only=True), raise_server_exceptions=False) as client:
        office = Office(database, client, clock)
        code = enrolment_code(database, operator("Петрова Анна"), clock.now_ms())
        with Collection.opened(folder, KEY) as collection:
            for wrong, why in ((code, Code.PERSON_NEEDED), ("0000-0000-0000", Code.ENROLMENT_CODE)):
                with pytest.raises(Refusal) as refused:
                    await enrol(line(office), collection, wrong)
                assert refused.value.code is why
            assert office.rows(t.device) == []
            assert collection.identity is None
            await enrol(line(office), collection, collector_code(database, "26", clock.now_ms()))
            assert collection.identity is not None


async def test_enrolled_anew_it_goes_on_with_what_it_has(
    office: Office, collection: Collection, region: tuple[Desk, Desk]
) -> None:
    await follow(line(office), collection, once=True)
    revoke(office.database, asking(office, collection).code, office.clock.now_ms())
    region[0].send(region[0].new_card())
    with pytest.raises(Refusal) as refused:
        await enrol(line(office), collection, collector_code(office.database, "27", office.clock.now_ms()))
    assert refused.value.code is Code.ENROLMENT_CODE, "another region's"
    await enrol(line(office), collection, collector_code(office.database, "26", office.clock.now_ms()))
    assert await follow(line(office), collection, once=True) == 1
    assert collected(collection) == stored(office)


async def test_a_desks_code_makes_no_collector(office: Office, folder: Path) -> None:
    code = enrolment_code(office.database, operator("Петрова Анна"), office.clock.now_ms())
    with Collection.opened(folder, KEY) as collection:
        with pytest.raises(Refusal) as refused:
            await enrol(line(office), collection, code)
        assert refused.value.code is Code.ENROLMENT_CODE
        with pytest.raises(Refusal) as refused:
            await follow(line(office), collection, once=True)
        assert refused.value.code is Code.NOT_ENROLLED


def test_the_folder_is_one_process_and_one_key(folder: Path) -> None:
    with Collection.opened(folder, KEY) as collection:
        collection.begin("0" * 16)
        with pytest.raises(Refusal) as refused, Collection.opened(folder, KEY):
            pass
        assert refused.value.code is Code.COLLECTOR_TAKEN
    assert (folder / FILE).stat().st_mode & 0o777 == 0o600
    with pytest.raises(Refusal) as refused, Collection.opened(folder, bytes(32)):
        pass
    assert refused.value.code is Code.DATABASE_KEY_WRONG
    with Collection.opened(folder, KEY) as collection:
        assert collection.epoch == "0" * 16


async def test_a_server_that_is_away_is_waited_for(
    office: Office, collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Away three times, then there, then the collector is revoked: which ends it."""
    monkeypatch.setattr("central.collecting.random.uniform", lambda low, high: low)
    monkeypatch.setattr(collecting, "MAX_WAIT_S", 0.0)
    wire, asked = Wire(office.client), itertools.count()
    post = wire.post

    def failing(*arguments: Any, **more: Any) -> Any:
        if (n := next(asked)) < 3:
            raise Refusal(Code.SERVER_AWAY)
        if n == 4:
            revoke(office.database, asking(office, collection).code, office.clock.now_ms())
        return post(*arguments, **more)

    monkeypatch.setattr(wire, "post", failing)
    with pytest.raises(Refusal) as refused:
        await follow(cast("Link", wire), collection, once=False)
    assert refused.value.code is Code.TOKEN_INVALID
    assert collected(collection) == stored(office)


_COMMAND = (sys.executable, "-m", "operator_tui", "central")


def _central(*arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*_COMMAND, *arguments], input=typed, capture_output=True, text=True, check=False, timeout=300
    )


@pytest.fixture
def following() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts a collector that goes on, with the code on its stdin; whatever still runs is killed at the end."""
    running: list[subprocess.Popen[str]] = []

    def start(*arguments: str, typed: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [*_COMMAND, "collect", *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        running.append(process)
        assert process.stdin is not None
        process.stdin.write(typed + "\n")
        process.stdin.flush()
        return process

    yield start
    for process in running:
        process.kill()
        process.communicate()


async def test_by_the_command_line_over_a_real_server_and_kill_9(
    home: Path, folder: Path, following: Callable[..., subprocess.Popen[str]]
) -> None:
    with CentralServer(None, arguments=("--port", "0")) as server:
        where = ("--url", f"http://{server.address}", "--into", str(folder))
        link = Link(CentralSettings(url=f"http://{server.address}"))
        desk = await _enrolled(link, server.enrolment_code("Петрова Анна"))
        await _save(link, desk, 1)
        code = _central("collector-code", "26").stdout.strip()
        assert len(code) == 14, code
        assert _central("collector-code", "99").returncode == 1
        process = following(*where, typed=code)
        assert process.stderr is not None
        _until(process.stderr, '"collected"')
        taken = _central("collect", *where, "--once")
        assert "другой процесс" in taken.stderr
        process.kill()
        process.wait()
        for n in (2, 3):
            await _save(link, desk, n)
        done = _central("collect", *where, "--once")
        assert (done.returncode, done.stdout) == (0, "Принято событий: 2. Цепочки целы.\n"), done.stderr
        device = _central("collectors").stdout.split("\t")[0]
        assert _central("collectors", "--revoke", "nobody").returncode == 1
        assert _central("collectors", "--revoke", device).returncode == 0
        assert "отозван" in _central("collectors").stdout
        await _save(link, desk, 4)
        over = _central("collect", *where, "--once")
        assert (over.returncode, "не узнал" in over.stderr, "Traceback" in over.stderr) == (1, True, False)
        await link.close()
    key = profile_secrets(open_profile("demo")).key("collector", create=False)
    with Collection.opened(folder, key) as collection:
        assert [(seq, op) for seq, _, op, _ in collection.events(FUND)] == [
            (n, f"{desk.device}:{n}") for n in (1, 2, 3)
        ]
    assert "Рассказ" not in (folder / FILE).read_bytes().decode(errors="ignore")


async def _enrolled(link: Link, code: str) -> EnrolAnswer:
    async with link.post(ENROL_PATH, msgspec.json.encode({"v": 1, "code": code}), packed=False) as chunks:
        return msgspec.json.decode(b"".join([chunk async for chunk in chunks]), type=EnrolAnswer)


async def _save(link: Link, desk: EnrolAnswer, n: int) -> None:
    """The n-th card of that desk, taken by the server."""
    x = {"type": CONSULTATION.type.value, "theme": CONSULTATION.code, "text": "Рассказ"}
    operation = Operation(n=n, k="card.new", at=next_stamp("", SystemClock().now_ms()), x=x)
    sent = SyncRequest(v=SYNC_VERSION, d=desk.device, o=[plain_operation(operation)])
    async with link.post(SYNC_PATH, pack(sent), token=desk.token) as chunks:
        frames = FrameReader().feed(b"".join([chunk async for chunk in chunks]))
    (results,) = [frame for frame in frames if isinstance(frame, Results)]
    assert [outcome.s for outcome in results.r] == ["applied"]


def _until(lines: IO[str], word: str) -> None:
    for said in lines:
        if word in said:
            return
    raise AssertionError(f"it ended without {word}")
