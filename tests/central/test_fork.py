"""A journal that was copied asks for a device of its own."""

from __future__ import annotations

from central.store import tables as t
from operator_tui.sync.protocol import FORK_PATH
from tests.central.desks import Desk, Office


def test_a_new_device_of_the_same_operator(office: Office, desk: Desk) -> None:
    headers = {"Authorization": f"Bearer {desk.identity.token}"}
    answer = office.client.post(FORK_PATH, json={"v": 1}, headers=headers)
    assert answer.status_code == 200
    fresh = answer.json()
    assert fresh["device"] != desk.code
    assert fresh["number"] != desk.identity.number
    assert fresh["operator"]["user"] == desk.identity.operator.user
    assert {row.id for row in office.rows(t.device)} == {desk.code, fresh["device"]}
    assert desk.send(desk.new_card()).states == ["applied"], "the old one goes on"


def test_nobody_else_gets_one(office: Office, desk: Desk) -> None:
    headers = {"Authorization": "Bearer nobody"}
    assert office.client.post(FORK_PATH, json={"v": 1}, headers=headers).status_code == 401
    assert len(office.rows(t.device)) == 1
