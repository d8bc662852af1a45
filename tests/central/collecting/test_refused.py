"""What a federal collector is refused: it writes nothing, opens nothing else, and another is no collector."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from litestar.testing import TestClient

from central.app import create_app
from central.auth.seats import revoke
from central.collected import FILE, Collection
from central.collecting import enrol, follow
from central.devices import COLLECTOR, collector_code, collectors, enrolment_code
from central.exchange import asked, exchange_all
from central.store import tables as t
from central.store.database import Database
from operator_tui.appeals.clock import ManualClock
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.reference import packaged_catalogue
from operator_tui.sync.protocol import (
    ENROL_PATH,
    SYNC_VERSION,
    EnrolAnswer,
    SyncRequest,
    plain_operation,
)
from tests.central.auth.decisions import OPERATIONS
from tests.central.collecting.wire import (
    asking,
    collected,
    count,
    line,
)
from tests.central.conftest import KEY
from tests.central.desks import Desk, Office, operator


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
