"""A device comes to be by a code that works once and for a quarter of an hour."""

from __future__ import annotations

from typing import Any

import pytest
from httpx import Response
from litestar.testing import TestClient

from central.app import create_app
from central.devices import CODE_LIFE_MS, enrolment_code
from central.store import tables as t
from central.store.database import Database
from operator_tui.appeals.clock import ManualClock
from operator_tui.appeals.people import Role
from tests.central.auth.people import hire
from tests.central.desks import Office, operator


def _enrol(office: Office, code: Any) -> Response:
    answer: Response = office.client.post("/v1/enroll", json={"v": 1, "code": code})
    return answer


def test_a_code_makes_one_device(office: Office) -> None:
    code = enrolment_code(office.database, operator("Петрова Анна"), office.clock.now_ms())
    answer = _enrol(office, code.upper().replace("-", " "))
    assert answer.status_code == 200
    body = answer.json()
    assert body["operator"] == {
        "user": 1,
        "name": "Петрова Анна",
        "role": "o1",
        "extension": "2001",
        "organisation": "26/tf",
        "zone": "Europe/Moscow",
        "groups": [],
    }
    assert (body["number"], len(body["device"])) == (1, 6)
    again = _enrol(office, code)
    assert (again.status_code, again.json()) == (403, {"code": "enrolment_code", "params": {}})
    assert len(office.rows(t.device)) == 1


def test_a_code_that_is_too_old_or_wrong(office: Office) -> None:
    code = enrolment_code(office.database, operator("Петрова Анна"), office.clock.now_ms())
    office.clock.advance(CODE_LIFE_MS / 1000)
    assert _enrol(office, code).status_code == 403
    assert _enrol(office, "0000-0000-0000").status_code == 403
    assert _enrol(office, "").status_code == 403
    assert office.rows(t.device) == []


def test_the_server_keeps_no_code_and_no_token(office: Office) -> None:
    code = enrolment_code(office.database, operator("Петрова Анна"), office.clock.now_ms())
    token = _enrol(office, code).json()["token"]
    kept = repr(office.rows(t.enrolment)) + repr(office.rows(t.device)) + repr(office.rows(t.audit))
    assert token not in kept
    assert code not in kept
    assert code.replace("-", "") not in kept


def test_a_second_workstation_of_an_operator_has_his_number_and_its_own(office: Office) -> None:
    first, second = office.desk("Петрова Анна"), office.desk("Петрова Анна", Role.OPERATOR_2)
    assert (first.identity.operator.user, second.identity.operator.user) == (1, 1)
    assert (first.identity.number, second.identity.number) == (1, 2)
    assert second.identity.operator.role is Role.OPERATOR_2
    assert office.desk("Сидорова Вера").identity.operator.user == 2


@pytest.mark.parametrize("body", [b"", b"{}", b'{"v":1}', b'{"v":1,"code":5}', b"[" * 3000, b"x" * 5000], ids=range(6))
def test_bad_requests(office: Office, body: bytes) -> None:
    answer = office.client.post("/v1/enroll", content=body)
    assert answer.status_code in (400, 413)
    assert answer.json()["code"] == "bad_request"


def test_a_version_the_server_does_not_speak(office: Office) -> None:
    answer = office.client.post("/v1/enroll", json={"v": 9, "code": "x"})
    assert (answer.status_code, answer.json()["code"]) == (400, "protocol_version")


def test_health_tells_version_and_lineage(office: Office) -> None:
    answer = office.client.get("/v1/health").json()
    assert answer["protocol"] == 1
    assert answer["epoch"] == office.desk("Петрова").identity.epoch


def test_a_server_of_real_people_enrols_no_device_without_one(database: Database, clock: ManualClock) -> None:
    """A token that opens by itself is the demonstration's: the server of a live profile gives none."""
    with TestClient(create_app(database, clock=clock, persons_only=True), raise_server_exceptions=False) as client:
        office = Office(database, client, clock)
        refused = _enrol(office, enrolment_code(database, operator("Петрова Анна"), clock.now_ms()))
        assert (refused.status_code, refused.json()["code"]) == (403, "person_needed")
        assert hire(office, "petrova").sign_in().access
