"""Two desks on one card: every class of field does what design 1.6 says."""

from __future__ import annotations

import pytest

from central.store import tables as t
from operator_tui.appeals.hlc import next_stamp
from operator_tui.appeals.people import Role
from tests.central.desks import Desk, Office


@pytest.fixture
def other(office: Office) -> Desk:
    return office.desk("Сидорова Вера Павловна")


@pytest.fixture
def card(desk: Desk, other: Desk) -> str:
    """A card both have seen."""
    operation = desk.new_card(text="первый текст")
    desk.send(operation)
    other.send()
    return desk.card_id(operation)


def test_the_other_desk_gets_the_event(desk: Desk, other: Desk) -> None:
    desk.send(desk.new_card())
    answer = other.send()
    assert [event.k for event in answer.events] == ["card.new"]
    assert other.send().events == []


def test_of_two_telephones_the_later_wins_and_the_loser_is_kept(
    office: Office, desk: Desk, other: Desk, card: str
) -> None:
    seen = {"phone": card}
    late = other.operation("card.set", {"phone": "+7 8652 000003"}, card=card, b=seen, at=_later(desk))
    early = desk.operation("card.set", {"phone": "+7 8652 000002"}, card=card, b=seen)
    assert other.send(late).states == ["applied"]
    answer = desk.send(early)
    assert answer.states == ["merged"]
    assert answer.events[-1].x["lost"] == {"phone": "+7 8652 000002"}
    assert office.card(card)["fields"]["phone"] == "+7 8652 000003"


def test_of_two_texts_both_stand(office: Office, desk: Desk, other: Desk, card: str) -> None:
    seen = {"text": card}
    assert desk.send(desk.operation("card.set", {"text": "от первой"}, card=card, b=seen)).states == ["applied"]
    assert other.send(other.operation("card.set", {"text": "от второй"}, card=card, b=seen)).states == ["merged"]
    body = office.card(card)
    assert (body["fields"]["text"], body["rival"]) == ("от первой", {"text": ["от второй"]})


def test_lists_grow_by_both(office: Office, desk: Desk, other: Desk, card: str) -> None:
    desk.send(desk.operation("card.set", {"answers": ["А-1"]}, card=card))
    other.send(other.operation("card.set", {"answers": ["А-2"]}, card=card))
    assert office.card(card)["fields"]["answers"] == ["А-1", "А-2"]


def test_the_second_to_move_a_card_is_told_who_did_what(office: Office, desk: Desk, card: str) -> None:
    boss = office.desk("Главная Ольга", Role.ADMINISTRATOR)
    seen = {"status": card}
    moved = {"act": "reassign", "operator": 7}
    assert boss.send(boss.operation("card.move", moved, card=card, b=seen)).states == ["applied"]
    close = {"act": "close", "result": "Разъяснено", "comment": "дан ответ"}
    answer = desk.send(desk.operation("card.move", close, card=card, b=seen))
    (outcome,) = answer.outcomes
    assert (outcome.s, outcome.w, outcome.p) == ("rejected", "stale", {"card": card, "field": "status"})
    assert (outcome.cur["worker"], outcome.cur["id"]) == (7, card), "it comes back with the card as it stands"


def test_another_organisation_neither_sees_nor_touches_it(office: Office, card: str) -> None:
    stranger = office.desk("Чужая Нина", organisation="26/smo-26001")
    answer = stranger.send(stranger.operation("card.set", {"comment": "х"}, card=card), c={"26/tf": 0})
    assert answer.events == []
    assert list(answer.end.end) == ["26/smo-26001"]
    (outcome,) = answer.outcomes
    assert (outcome.w, outcome.cur) == ("unknown_card", {})


def test_a_clock_far_ahead_counts_as_now(office: Office, desk: Desk, other: Desk, card: str) -> None:
    far = next_stamp("", desk.clock.now_ms() + 3_600_000)
    answer = desk.send(desk.operation("card.set", {"phone": "+7 8652 000009"}, card=card, b={"phone": card}, at=far))
    assert answer.states == ["applied"]
    assert answer.events[-1].at < far
    assert office.rows(t.op_log, device=desk.code)[-1].stamp == far, "the log keeps what the device said"


def test_what_happened_goes_to_the_work_log_with_its_zone(office: Office, desk: Desk) -> None:
    answer = desk.send(
        desk.operation("call.offered", {"call": "c1"}, z="Asia/Yakutsk"),
        desk.operation("call.ended", {"call": "c1", "by": "caller"}),
        desk.operation("shift.ended"),
    )
    assert answer.states == ["applied"] * 3
    assert answer.events == [], "desks do not follow the work log"
    rows = office.rows(t.event, stream="26/tf/work")
    assert [(row.seq, row.kind, row.zone) for row in rows] == [
        (1, "call.offered", "Asia/Yakutsk"),
        (2, "call.ended", "Europe/Moscow"),
        (3, "shift.ended", "Europe/Moscow"),
    ]
    assert rows[0].at == desk.clock.now_ms(), "an instant in UTC milliseconds"


def _later(desk: Desk) -> str:
    return next_stamp("", desk.clock.now_ms() + 1000)
