"""Earlier appeals asked at the centre: one's own whole, another organisation's as date, type and status."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from central.store import tables as t
from central.verify import verify
from operator_tui.appeals.history import HISTORY_PATH, MOST, Answer
from operator_tui.appeals.people import Role
from tests.central.desks import Desk, Office

FUND, INSURER, ELSEWHERE = "26/tf", "26/smo-26001", "05/tf"
ENP, PHONE = "2690000000000017", "+7 8652 000777"


def ask(desk: Desk, status: int = 200, **about: Any) -> Any:
    headers = {"authorization": f"Bearer {desk.identity.token}"}
    response = desk.client.post(HISTORY_PATH, json={"v": 1, **about}, headers=headers)
    assert response.status_code == status, response.text
    return msgspec.json.decode(response.content, type=Answer) if status == 200 else response.json()


def made(desk: Desk, **fields: Any) -> str:
    new = desk.new_card(**fields)
    desk.send(new)
    return desk.card_id(new)


@pytest.mark.function("K-5.1.7.1")
def test_a_persons_appeals_wherever_they_were_made(office: Office) -> None:
    desk, other = office.desk("Петрова", Role.OPERATOR_1, FUND), office.desk("Смирнов", Role.INSURER_1, INSURER)
    own = made(desk, enp=ENP, surname="Тайная")
    by_phone = made(desk, phone="8 (8652) 00-07-77")
    theirs = made(other, enp=ENP, surname="Тайная", text="О чём она спросила")
    made(office.desk("Далёкий", organisation=ELSEWHERE), enp=ENP)
    made(desk, enp="2690000000000025")
    found = {card.id: card for card in ask(desk, enp=ENP, phone=PHONE).cards}
    assert set(found) == {own, by_phone, theirs}, "of the region, and by either"
    assert found[own].value("surname") == "Тайная"
    assert found[theirs].stream == INSURER
    assert "Тайная" not in str(found[theirs])
    assert "спросила" not in str(found[theirs])
    assert (found[theirs].value("type"), found[theirs].status.value) == ("Консультация", "work")


def test_the_newest_first_and_no_more_than_the_bound(office: Office) -> None:
    desk = office.desk("Петрова")
    ids = [made(desk, phone=PHONE) for _ in range(MOST + 1)]
    answer = ask(desk, phone="88652000777")
    assert [card.id for card in answer.cards] == list(reversed(ids))[:MOST]
    assert answer.more


def test_a_number_that_was_corrected_is_found_by_the_new_one_alone(office: Office) -> None:
    desk = office.desk("Петрова")
    card = made(desk, phone=PHONE)
    written = str(office.card(card)["stamps"]["phone"][0])
    desk.send(desk.operation("card.set", {"phone": "+78652000888"}, card=card, b={"phone": written}))
    assert ask(desk, phone=PHONE).cards == []
    assert [one.id for one in ask(desk, phone="88652000888").cards] == [card]


@pytest.mark.parametrize("about", [{}, {"enp": "", "phone": "неизвестен"}])
def test_nobody_asked_for_is_refused(office: Office, about: dict[str, str]) -> None:
    assert ask(office.desk("Петрова"), 400, **about)["code"] == "search_empty"


def test_cards_from_before_are_found_after_the_migration(office: Office) -> None:
    desk = office.desk("Петрова")
    card = made(desk, enp=ENP, phone=PHONE)
    with office.database.engine.begin() as connection:
        connection.execute(sa.update(t.card).values(enp=None, phone=None))
        import_module("central.store.migrations.versions.0006_history_of_a_person")._fill(connection)
    assert [one.id for one in ask(desk, enp=ENP).cards] == [card]
    assert [one.id for one in ask(desk, phone=PHONE).cards] == [card]


def test_who_was_shown_which_appeals_is_in_the_audit(office: Office) -> None:
    desk = office.desk("Петрова")
    card = made(desk, enp=ENP, phone=PHONE, surname="Тайная")
    ask(desk, enp=ENP)
    ask(desk, phone="88652000999")
    entries = [row for row in office.rows(t.audit) if row.action == "history.shown"]
    assert [(row.actor, row.device) for row in entries] == [(desk.identity.operator.user, desk.code)] * 2
    assert [msgspec.json.decode(row.detail)["cards"] for row in entries] == [[card], []]
    assert not [word for word in (ENP, "8652", "Тайная") if word in str(entries)]
    assert verify(office.database).faults == ()
