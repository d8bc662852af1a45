"""Talks about an appeal, as every desk of its organisation is told them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from central.files import FOLDER_VARIABLE
from operator_tui.appeals.operations import Operation, at_pbx
from operator_tui.appeals.people import Role
from operator_tui.appeals.talks import TALKS_PATH, Answer, Talk
from tests.central.desks import Desk, Office

MINUTE_MS = 60_000
NAME = "e" * 64


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "files"))


def response(desk: Desk, card: str) -> Any:
    headers = {"Authorization": f"Bearer {desk.identity.token}"}
    return desk.client.post(TALKS_PATH, json={"v": 1, "card": card}, headers=headers)


def told(desk: Desk, card: str) -> list[Talk]:
    answer = response(desk, card)
    assert answer.status_code == 200, answer.text
    return msgspec.json.decode(answer.content, type=Answer).talks


def rang(desk: Desk, call: str, *, out: bool = False) -> Operation:
    x: dict[str, Any] = {"call": call, "ms": desk.clock.now_ms() - 5_000}
    return desk.operation("call.ringing", {**x, "out": True, "number": "+78652000001"} if out else x)


def answered(desk: Desk, call: str) -> Operation:
    return desk.operation("call.answered", {"call": call, "ms": desk.clock.now_ms(), "wait_ms": 5_000})


def ended(desk: Desk, call: str, talk_ms: int = 3 * MINUTE_MS, **more: Any) -> Operation:
    x = {"call": call, "ms": desk.clock.now_ms() + talk_ms, "by": "caller", "talk_ms": talk_ms, **more}
    return desk.operation("call.ended", x)


def recorded(desk: Desk, call: str, name: str = NAME, ms: int = MINUTE_MS) -> Operation:
    x = {"call": call, "file": f"{call}.otr", "sha256": name, "size": 12, "ms": ms}
    return desk.operation("call.recorded", x)


def tried(desk: Desk, card: str, call: str, outcome: str = "answered") -> Operation:
    entry = {"ms": desk.clock.now_ms(), "by": 1, "outcome": outcome, "call": call}
    return desk.operation("card.set", {"attempts": [entry]}, card=card)


def test_a_talk_is_told_to_the_other_desks_of_the_organisation(office: Office) -> None:
    desk, other = office.desk("Первая"), office.desk("Вторая")
    began = office.clock.now_ms()
    facts = [rang(desk, "c1"), answered(desk, "c1")]
    card = desk.new_card(call="c1")
    desk.send(*facts, card, ended(desk, "c1"), recorded(desk, "c1"))
    user = desk.identity.operator.user
    (talk,) = told(other, desk.card_id(card))
    assert talk == Talk("c1", began, user, 3 * MINUTE_MS, ended="caller", recorded=True)
    assert told(desk, desk.card_id(card)) == [talk]
    assert NAME not in response(other, desk.card_id(card)).text, "what was said is another matter"


def test_a_talk_without_a_recording_is_one_too(office: Office) -> None:
    desk = office.desk("Первая")
    card = desk.new_card(call="c1")
    desk.send(card, ended(desk, "c1", by="operator"))
    (talk,) = told(office.desk("Вторая"), desk.card_id(card))
    assert (talk.ms, talk.ended, talk.recorded) == (3 * MINUTE_MS, "operator", False)
    assert talk.at_ms == office.clock.now_ms(), "it began so long before its end"


def test_calls_to_the_citizen_are_told_with_their_way_in_the_order_of_time(office: Office) -> None:
    desk, other = office.desk("Первая"), office.desk("Вторая")
    card = desk.new_card(call="c1")
    desk.send(card, ended(desk, "c1"))
    office.clock.advance(3600)
    about = desk.card_id(card)
    other.send(rang(other, "c2", out=True), answered(other, "c2"), ended(other, "c2"), recorded(other, "c2"))
    other.send(tried(other, about, "c2"), tried(other, about, "c3", "no_answer"))
    desk.send(recorded(desk, "c1"))
    first, second = told(desk, about)
    assert (first.call, first.out, first.by) == ("c1", False, desk.identity.operator.user)
    assert (second.call, second.out, second.by) == ("c2", True, other.identity.operator.user)


def test_what_is_known_of_the_recording_alone_is_told(office: Office) -> None:
    """Its facts are far away in the log, or went in another form: who talked is known all the same."""
    desk = office.desk("Первая")
    desk.send(desk.operation("call.ended", {"call": "c1", "by": "caller", "talk_ms": "долго"}), ended(desk, "c1"))
    for _ in range(3):
        desk.send(*(desk.operation("shift.begun") for _ in range(40)))
    card = desk.new_card(call="c1")
    desk.send(card)
    for _ in range(3):
        desk.send(*(desk.operation("shift.begun") for _ in range(40)))
    desk.send(recorded(desk, "c1"))
    (talk,) = told(office.desk("Вторая"), desk.card_id(card))
    assert talk == Talk("c1", office.clock.now_ms(), desk.identity.operator.user, MINUTE_MS, recorded=True)


def test_a_talk_recorded_at_the_pbx_is_as_long_as_the_desk_says(office: Office) -> None:
    desk = office.desk("Первая")
    there = {"call": "c1", "file": "pbx", "sha256": at_pbx("a@pbx")}
    facts = [answered(desk, "c1"), desk.operation("call.recorded", there)]
    card = desk.new_card(call="c1")
    desk.send(*facts, card, ended(desk, "c1"))
    (talk,) = told(office.desk("Вторая"), desk.card_id(card))
    assert (talk.ms, talk.recorded) == (3 * MINUTE_MS, True)


def test_a_call_nobody_talked_in_is_no_talk(office: Office) -> None:
    desk = office.desk("Первая")
    ring, card = rang(desk, "c1"), desk.new_card(call="c1")
    gone = desk.operation("call.ended", {"call": "c1", "ms": office.clock.now_ms(), "by": "caller"})
    desk.send(ring, card, gone)
    assert told(desk, desk.card_id(card)) == []
    by_hand = desk.new_card()
    desk.send(by_hand)
    assert told(desk, desk.card_id(by_hand)) == []


def test_a_clock_that_can_not_be_meant_gives_way(office: Office) -> None:
    desk = office.desk("Первая")
    card = desk.new_card(call="c1")
    desk.send(card, ended(desk, "c1", ms=(1 << 53) - 1))
    (talk,) = told(desk, desk.card_id(card))
    assert talk.at_ms == office.clock.now_ms()


def test_no_other_organisation_is_told_of_a_talk(office: Office) -> None:
    """Not of one that was sent to it whole either: the talks were those of the first."""
    desk = office.desk("Первая", Role.OPERATOR_2)
    there = office.desk("Другая", Role.OPERATOR_2, organisation="26/smo-26001")
    card = desk.new_card(call="c1")
    about = desk.card_id(card)
    desk.send(card, ended(desk, "c1"), recorded(desk, "c1"))
    assert response(there, about).json()["code"] == "unknown_card"
    sent = desk.operation("card.move", {"act": "send", "to": "26/smo-26001"}, card=about, b={"status": about})
    assert desk.send(sent).states == ["applied"]
    assert told(there, about) == []
    assert response(desk, about).json()["code"] == "unknown_card", "a stub tells nothing"
    elsewhere = office.desk("Дальняя", Role.ADMINISTRATOR, organisation="77/tf")
    assert response(elsewhere, about).json()["code"] == "unknown_card"


def test_what_another_desk_says_of_a_call_of_the_same_name_far_away_is_not_mixed_in(office: Office) -> None:
    desk, other = office.desk("Первая"), office.desk("Вторая")
    card = desk.new_card(call="c1")
    desk.send(card, ended(desk, "c1"))
    other.send(ended(other, "c1", talk_ms=9 * MINUTE_MS))
    (talk,) = told(other, desk.card_id(card))
    assert (talk.by, talk.ms) == (desk.identity.operator.user, 3 * MINUTE_MS)
