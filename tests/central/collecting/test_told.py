"""What a federal collector is told: all of its region and nothing else, each once whatever fails."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any, cast

import pytest
from litestar.testing import TestClient

from central import collected as kept_here
from central import collecting
from central.app import create_app
from central.auth.seats import revoke
from central.backup import backup, new_epoch, restore_sqlite
from central.collected import FILE, Collection
from central.collecting import enrol, follow
from central.devices import collector_code
from central.store import tables as t
from central.store.database import Database
from operator_tui.appeals.clock import ManualClock
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.secrets.cipher import open_encrypted
from operator_tui.sync.link import Link
from tests.central.collecting.wire import (
    AUDIT,
    FAR,
    FUND,
    INSURER,
    REFERENCE,
    Wire,
    asking,
    collected,
    entries,
    line,
    stored,
)
from tests.central.conftest import KEY
from tests.central.desks import Desk, Office
from tests.peers.tables import sqlite_at


async def test_it_reads_every_organisation_of_its_region_and_nothing_else(
    office: Office, collection: Collection, region: tuple[Desk, Desk]
) -> None:
    assert await follow(line(office), collection, once=True) == entries(office)
    assert collected(collection) == stored(office)
    appeals = {name: len(events) for name, events in stored(office).items() if name != AUDIT}
    assert appeals == {FUND: 2, INSURER: 2, REFERENCE: 1}
    # The work logs (who looked at whom), and another region, asked for by their names.
    for name in (FAR, "26/tf/work", "27/ref", "27/audit", "26", ""):
        answer = asking(office, collection).send(c={name: 0, **collection.cursors()})
        assert (answer.status, answer.events) == (200, [])
        assert name not in answer.end.end
    # An organisation that begins later joins by itself.
    late, audited = office.desk("Новая", organisation="26/smo-26002"), len(collection.events(AUDIT))
    late.send(late.new_card())
    assert await follow(line(office), collection, once=True) == 1 + len(stored(office)[AUDIT]) - audited
    assert collection.cursors().keys() == {AUDIT, REFERENCE, INSURER, "26/smo-26002", FUND}
    assert collection.broken() == []


async def test_the_audit_comes_with_who_what_when_and_at_which_workstation(
    office: Office, collection: Collection, region: tuple[Desk, Desk], folder: Path
) -> None:
    """As the server keeps it, whose chain it is: the one that ``central verify`` computes there."""
    await follow(line(office), collection, once=True)
    with closing(open_encrypted(folder / FILE, KEY, read_only=True)) as db:
        kept = db.execute(
            'SELECT seq, received_at, "by", card, kind, op, body, hash FROM event WHERE stream = ? ORDER BY seq',
            [AUDIT],
        ).fetchall()
    rows = office.rows(t.audit, region="26")
    assert kept == [
        (row.seq, row.at, row.actor or 0, row.device, row.action, row.object, row.detail, row.hash) for row in rows
    ]
    assert {row.actor is None for row in rows} == {True, False}, "the server itself, and people"
    assert collection.events(AUDIT)[-1][1:3] == ("device.enrolled", asking(office, collection).code)


async def test_a_desk_is_told_no_proof(office: Office, region: tuple[Desk, Desk]) -> None:
    events = region[0].send(c={}).events
    assert events
    assert all(event.p is None for event in events)


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
    proven, seen = kept_here.proven, itertools.count()

    def killed(*arguments: Any) -> dict[str, Any]:
        if next(seen) == 3:
            raise Killed
        return proven(*arguments)

    monkeypatch.setattr(kept_here, "proven", killed)
    with pytest.raises(Killed):
        await follow(line(office), collection, once=True)
    assert sum(map(len, collected(collection).values())) == sum(collection.cursors().values())
    await follow(line(office), collection, once=True)
    assert collected(collection) == stored(office)


async def test_another_epoch_of_the_same_history_doubles_nothing(office: Office, collection: Collection) -> None:
    await follow(line(office), collection, once=True)
    epoch = new_epoch(office.database)
    assert await follow(line(office), collection, once=True) == entries(office), "read again from its beginning"
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
            assert collected(collection) == {name: stored(office)[name] for name in (FUND, AUDIT)}
        assert collection.gone() == 1


async def test_enrolled_anew_it_goes_on_with_what_it_has(
    office: Office, collection: Collection, region: tuple[Desk, Desk]
) -> None:
    before = await follow(line(office), collection, once=True)
    revoke(office.database, asking(office, collection).code, office.clock.now_ms())
    region[0].send(region[0].new_card())
    with pytest.raises(Refusal) as refused:
        await enrol(line(office), collection, collector_code(office.database, "27", office.clock.now_ms()))
    assert refused.value.code is Code.ENROLMENT_CODE, "another region's"
    await enrol(line(office), collection, collector_code(office.database, "26", office.clock.now_ms()))
    assert await follow(line(office), collection, once=True) == entries(office) - before
    assert len(collection.events(FUND)) == 3
    assert collected(collection) == stored(office)


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
    true = stored(office)
    assert true[AUDIT].pop()[1] == "device.revoked"
    assert collected(collection) == true
