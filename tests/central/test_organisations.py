"""An organisation sees its own appeals; what it sends away moves whole and leaves a stub that lives on."""

from __future__ import annotations

from typing import Any

import pytest

from central.store import tables as t
from operator_tui.appeals.people import Role
from tests.central.desks import Desk, Office

FUND, FIRST, SECOND = "26/tf", "26/smo-26001", "26/smo-26002"
SECRETS = {"surname": "Тайная", "name": "Мария", "text": "О чём она спросила", "phone": "+7 8652 000777"}


def _status(office: Office, card: str) -> str:
    """The operation that wrote the card's status last: what an act must have seen."""
    return str(office.card(card)["stamps"]["status"][0])


def _move(office: Office, desk: Desk, card: str, act: str, **x: Any) -> Any:
    seen = {"status": _status(office, card)}
    return desk.send(desk.operation("card.move", {"act": act, **x}, card=card, b=seen))


def _news(desk: Desk) -> list[Any]:
    """What the desk is told that it has not seen yet."""
    return [(event.k, event.x.get("card", {})) for event in desk.send().events]


@pytest.fixture
def sender(office: Office) -> Desk:
    return office.desk("Петрова", Role.OPERATOR_2, FUND)


@pytest.fixture
def receiver(office: Office) -> Desk:
    return office.desk("Смирнов", Role.INSURER_2, FIRST)


def _sent(office: Office, sender: Desk, to: str = FIRST) -> str:
    new = sender.new_card(**SECRETS)
    sender.send(new)
    card = sender.card_id(new)
    assert _move(office, sender, card, "send", to=to).states == ["applied"]
    return card


@pytest.mark.function("K-6.0.3")
@pytest.mark.parametrize(("here", "there"), [(FUND, FIRST), (FIRST, FUND)])
def test_what_is_sent_moves_whole_and_leaves_a_stub(office: Office, here: str, there: str) -> None:
    sender, receiver = office.desk("Петрова", organisation=here), office.desk("Смирнов", organisation=there)
    new = sender.new_card(**SECRETS)
    sender.send(new)
    card = sender.card_id(new)
    assert _news(receiver) == [], "an organisation sees its own appeals"
    answer = _move(office, sender, card, "send", to=there)
    assert [event.k for event in answer.events] == ["card.move", "card.now"]
    stub = answer.events[-1].x["card"]
    assert not {*SECRETS, "enp"} & stub["fields"].keys()
    assert (stub["stream"], stub["status"], stub["fields"]["type"]) == (there, "work", new.x["type"])
    ((kind, whole),) = _news(receiver)
    assert kind == "card.now"
    assert whole["fields"].items() >= SECRETS.items()
    assert (whole["stream"], whole["worker"]) == (there, None)


def test_the_stub_lives_and_tells_no_more_than_it_shows(office: Office, sender: Desk, receiver: Desk) -> None:
    card = _sent(office, sender)
    assert _move(office, receiver, card, "take").states == ["applied"]
    edit = receiver.operation("card.set", {"address": "Ставрополь"}, card=card)
    assert receiver.send(edit).states == ["applied"]
    assert _news(sender) == [], "who works on it there and what he writes is theirs"
    closed = _move(office, receiver, card, "close", result="R01", comment="Разъяснено")
    assert closed.states == ["applied"]
    ((_, seen),) = _news(sender)
    assert seen["status"] == "review"


def test_it_is_worked_on_there_and_no_longer_here(office: Office, sender: Desk, receiver: Desk) -> None:
    card = _sent(office, sender)
    answer = sender.send(sender.operation("card.set", {"comment": "ещё"}, card=card))
    assert (answer.states, answer.outcomes[0].w, answer.outcomes[0].cur) == (["rejected"], "card_elsewhere", {})
    stranger = office.desk("Чужая", Role.INSURER_2, SECOND)
    refused = stranger.send(stranger.operation("card.set", {"comment": "чужая"}, card=card))
    assert (refused.outcomes[0].w, refused.outcomes[0].cur) == ("unknown_card", {})
    assert _move(office, receiver, card, "take").states == ["applied"]
    assert receiver.send(receiver.operation("card.set", {"comment": "наша"}, card=card)).states == ["applied"]


def test_it_may_go_on_and_come_back(office: Office, sender: Desk, receiver: Desk) -> None:
    third = office.desk("Третья", Role.INSURER_2, SECOND)
    card = _sent(office, sender)
    _move(office, receiver, card, "take")
    assert _move(office, receiver, card, "send", to=SECOND).states == ["applied"]
    _move(office, third, card, "take")
    assert _move(office, third, card, "send", to=FUND).states == ["applied"]
    back = _news(sender)[-1][1]
    assert back["stream"] == FUND
    assert back["fields"].items() >= SECRETS.items()
    assert office.card(card)["shared"] == {FIRST: "stub", SECOND: "stub"}
    assert _move(office, sender, card, "take").states == ["applied"]


@pytest.mark.parametrize("to", ["26/smo-26009", "77/tf", "26/ref", FUND, "", 7, ["26/tf"], "26/smo-26001\0"])
def test_where_nobody_would_see_it_it_is_not_sent(office: Office, sender: Desk, to: object) -> None:
    new = sender.new_card()
    sender.send(new)
    answer = _move(office, sender, sender.card_id(new), "send", to=to)
    assert answer.states == ["rejected"]
    assert answer.outcomes[0].w in ("organisation_unknown", "field_invalid", "field_required")
    assert office.card(sender.card_id(new))["stream"] == FUND


def test_what_an_insurer_closes_is_decided_by_the_funds_administrator(office: Office, receiver: Desk) -> None:
    judge = office.desk("Судья", Role.ADMINISTRATOR, FUND)
    clerk = office.desk("Оператор", Role.OPERATOR_2, FUND)
    new = receiver.new_card(**SECRETS)
    receiver.send(new)
    card = receiver.card_id(new)
    assert _news(judge) == []
    assert _move(office, receiver, card, "close", result="R01", comment="Разъяснено").states == ["applied"]
    ((_, whole),) = _news(judge)
    assert (whole["status"], whole["fields"]["surname"]) == ("review", "Тайная")
    assert _move(office, clerk, card, "approve").outcomes[0].w == "card_elsewhere"
    assert _move(office, judge, card, "return", remark="Нет даты ответа").states == ["applied"]
    ((_, back),) = _news(receiver)
    assert (back["status"], back["fields"]["remark"]) == ("work", "Нет даты ответа")
    assert judge.send(judge.operation("card.set", {"comment": "сам"}, card=card)).outcomes[0].w == "card_elsewhere"
    assert _move(office, receiver, card, "close", result="R01", comment="С датой").states == ["merged"], (
        "both texts are kept"
    )
    assert _move(office, judge, card, "approve").states == ["applied"]
    assert _news(receiver)[-1][1]["status"] == "closed"
    assert office.card(card)["stream"] == FIRST


def test_sent_and_refused_and_sent_again_is_one_appeal(office: Office, sender: Desk, receiver: Desk) -> None:
    new = sender.new_card()
    sender.send(new)
    card = sender.card_id(new)
    move = sender.operation("card.move", {"act": "send", "to": FIRST}, card=card, b={"status": _status(office, card)})
    assert sender.send(move).states == sender.send(move).states == ["applied"]
    assert len(office.rows(t.event, stream=FIRST)) == 1


def test_the_funds_register_number_is_the_servers(office: Office, sender: Desk, receiver: Desk) -> None:
    forged = sender.new_card(register="1")
    assert sender.send(forged).outcomes[0].w == "field_invalid"
    first, second = sender.new_card(), sender.new_card()
    answer = sender.send(first, second)
    assert [event.x["set"]["register"] for event in answer.events] == ["26-1", "26-2"]
    card = sender.card_id(second)
    assert office.card(card)["fields"]["register"] == "26-2"
    assert _move(office, sender, card, "send", to=FIRST).states == ["applied"]
    new = receiver.new_card()
    assert receiver.send(new).events[-1].x["set"]["register"] == "26001-2", "what came took the first place"
    assert office.card(card)["fields"]["register"] == "26-2", "it keeps its number"


def test_made_and_sent_in_one_breath_it_has_its_number_there(office: Office, sender: Desk, receiver: Desk) -> None:
    new = sender.new_card()
    card = sender.card_id(new)
    seen = {"status": card}
    sender.send(new, sender.operation("card.move", {"act": "send", "to": FIRST}, card=card, b=seen))
    ((_, whole),) = _news(receiver)
    assert whole["fields"]["register"] == office.card(card)["fields"]["register"] == "26-1"
