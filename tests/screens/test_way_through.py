"""Whole ways through the desk by keys: a new caller, an earlier appeal attached and handed on, corrections, reports."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from operator_tui.appeals.card import Status
from operator_tui.appeals.decide import Actor
from operator_tui.appeals.lifecycle import Act
from operator_tui.appeals.operations import Kind
from operator_tui.appeals.people import Role
from operator_tui.desk.state import Light
from screens.ask import AskScreen
from screens.review import ReviewScreen
from tests.screens.elsewhere import COLLEAGUE, Elsewhere, become
from tests.screens.page import ON_CALL, List, open_desk
from tests.screens.test_call import answered
from tests.screens.test_desk import QUIET, with_theme
from tests.screens.test_promises import form

DAY_MS = 86_400_000
BOSS = replace(COLLEAGUE, user=3001, role=Role.ADMINISTRATOR)


@pytest.mark.function("K-2.11", "K-5.1.1.1", "K-4.9", "K-5.1.0.3")
async def test_a_new_caller_takes_at_most_thirty_five_keys() -> None:
    async with open_desk(phone=ON_CALL) as desk:
        rung: list[bool] = []
        desk.app.bell = lambda: rung.append(True)  # type: ignore[method-assign]  # the terminal's bell is heard nowhere
        await desk.ring()
        await desk.until(lambda: rung, "the ring is heard")
        await desk.until(lambda: "ВХОДЯЩИЙ ВЫЗОВ" in desk.phone, "and read")
        desk.presses = 0
        await answered(desk)
        await desk.nobody_else()
        await desk.until(lambda: desk.hits.rows(), "candidates by the number")
        # It is somebody else: he is looked for by a line, as he says his name.
        people = await desk.desk.run_registry(desk.desk.parts.registry.search, "и")  # type: ignore[union-attr]  # open
        person = people.hits[-1].person
        await desk.press("f5")
        await desk.type(f"{person.surname[:6]} {person.name[:3]} {person.birth_date[8:10]}{person.birth_date[5:7]}")
        await desk.until(lambda: desk.hits.keys().count(person.enp), "the person")
        place = desk.hits.keys().index(person.enp)
        await desk.press(*["down"] * place, "enter")
        await desk.until(lambda: desk.desk.state.card and desk.desk.state.card.person, "bound")
        await desk.until(lambda: desk.theme.focused, "the theme line")
        await desk.type("потер")
        await desk.until(lambda: desk.themes.rows(), "themes")
        await desk.press("enter")
        await desk.until(lambda: "S-03" in desk.line("#answer-title"), "the approved answer")
        await desk.press("f9")
        await desk.until(lambda: "закрыто" in desk.notice, "closed")
        await desk.press("f4")
        await desk.until_quiet()
        assert desk.presses <= 35
        (card,) = await desk.desk.active()
        assert (card.value("enp"), card.status) == (person.enp, Status.IN_REVIEW)
        assert card.value("call"), "the card was registered from the telephone's block"


@pytest.mark.function("K-4.1", "K-1.1")
async def test_employee_journal_and_telephone_are_on_one_screen() -> None:
    async with open_desk(phone=QUIET) as desk:
        assert "Петрова" in desk.line("#who")
        assert "Электронный журнал" in desk.line("#journal-title")
        assert "Линия" in desk.phone
        elsewhere = await Elsewhere.of(desk)
        made = {"type": "Консультация", "theme": "К-01.3", "number": "13-1", "zone": "Europe/Moscow"}
        await elsewhere.does(COLLEAGUE, Kind.CARD_NEW, made)
        await desk.until(lambda: len(desk.journal.rows()) == 1, "the one journal has a colleague's appeal too")


@pytest.mark.function("K-5.1.7.1", "K-5.1.7.2", "K-5.1.7.3", "K-5.1.7.4", "K-5.1.5.5")
async def test_an_earlier_appeal_is_seen_ticked_and_the_new_one_handed_to_who_handled_it() -> None:
    async with open_desk(phone=QUIET) as desk:
        elsewhere = await Elsewhere.of(desk)
        made = {"type": "Консультация", "theme": "К-01.3", "number": "13-00007-1", "phone": "+78652000177"}
        earlier = await elsewhere.does(COLLEAGUE, Kind.CARD_NEW, {**made, "zone": "Europe/Moscow"})
        await desk.press("insert")
        await desk.until_screen("work")
        await desk.phone_field.type("+78652000177")
        await desk.until(lambda: desk.history.rows(), "the history of the number that was typed")
        assert desk.history.rows()[0][2] == "В работе"
        await with_theme(desk)
        await desk.press("ctrl+y")
        await desk.until(lambda: desk.history.focused, "the list")
        await desk.press("space")
        # The typical answer is not enough: to the colleague who handled the earlier one.
        desk.desk.card.choose_result("R04")
        await desk.press("ctrl+d")
        await desk.until(lambda: isinstance(desk.app.screen, AskScreen), "whom to hand on to")
        first = List(desk, "#found").rows()[0]
        assert first[0] == str(COLLEAGUE.user)
        assert "вёл 13-00007-1" in first[1]
        await desk.press("enter")
        await desk.until_screen("work")
        await desk.press("f9")
        await desk.until(lambda: "«Отсроченный ответ»" in desk.notice, "handed on")
        cards = {card.id: card for card in await desk.desk.active()}
        (new,) = (card for card in cards.values() if card.id != earlier)
        assert (new.worker, new.value("links")) == (COLLEAGUE.user, [earlier])


async def test_a_correction_is_asked_for_and_granted() -> None:
    async with open_desk(phone=QUIET) as desk:
        elsewhere = await become(desk, Role.ADMINISTRATOR)
        card = await elsewhere.closed(COLLEAGUE, "R02")
        await elsewhere.does(_boss(), Kind.CARD_MOVE, {"act": Act.APPROVE.value}, card)
        asked = {"act": Act.ASK_CORRECTION.value, "field": "surname", "value": "Иванова", "reason": "Ошибка"}
        await elsewhere.does(COLLEAGUE, Kind.CARD_MOVE, asked, card)
        await desk.press("alt+u")
        await desk.until(lambda: isinstance(desk.app.screen, ReviewScreen), "the review")
        await desk.press("ctrl+g")
        await desk.until(lambda: isinstance(desk.app.screen, AskScreen), "what to show")
        await desk.type("исправ")
        await desk.press("enter")
        queue = List(desk, "#review")
        await desk.until(lambda: queue.keys() == [card], "the one asked for")
        assert "стало «Иванова»" in desk.text().replace("\n", " ")
        await desk.press("f5")
        await desk.until(lambda: "исправлено" in desk.notice, "granted")
        now = await desk.desk.on_journal(lambda journal: journal.card(card))
        assert now is not None
        assert (now.value("surname"), now.status) == ("Иванова", Status.CLOSED)


def _boss() -> Actor:
    return replace(COLLEAGUE, user=3001, role=Role.ADMINISTRATOR)


@pytest.mark.function("K-5.2.0.2")
async def test_the_journal_is_exported_and_counted_by_level_two(tmp_path: Path) -> None:
    async with open_desk(phone=QUIET) as desk:
        await desk.press("alt+e")
        await desk.until(lambda: "Для вашей роли" in desk.notice, "not level 1's")
        elsewhere = await become(desk, Role.OPERATOR_2)
        for number in range(3):
            made = {"type": "Консультация", "theme": "К-01.3", "number": f"13-{number}", "zone": "Europe/Moscow"}
            await elsewhere.does(COLLEAGUE, Kind.CARD_NEW, made)
        await desk.until(lambda: len(desk.journal.rows()) == 3, "three")
        await desk.press("alt+e")
        await form(desk)
        field = desk.app.screen.query_one("#input-form-path")
        field.value = str(tmp_path / "list.csv")  # type: ignore[attr-defined]  # an input
        await desk.press("f9")
        await desk.until(lambda: "заполн" in desk.line("#form-hint").lower(), "the purpose is wanted")
        await desk.type("отчёт")
        await desk.press("f9")
        await desk.until(lambda: "Выгружено обращений: 3" in desk.notice, "written")
        text = (tmp_path / "list.csv").read_text(encoding="utf-8-sig")
        assert len(list(csv.reader(text.splitlines(), delimiter=";"))) == 4
        assert (tmp_path / "list.csv").stat().st_mode & 0o077 == 0
        await desk.press("alt+n")
        await desk.until(lambda: isinstance(desk.app.screen, AskScreen), "by what")
        await desk.press("enter")
        await desk.until(lambda: "всего 3" in desk.text(), "the counts")


async def test_what_a_complaint_must_say_is_asked_for_before_it_is_closed() -> None:
    async with open_desk(phone=QUIET) as desk:
        await become(desk, Role.OPERATOR_2)
        await desk.press("insert")
        await desk.until_screen("work")
        desk.desk.card.choose_theme(desk.desk.catalogue.theme("Ж-07.04"))
        desk.desk.card.choose_result("R10")
        desk.desk.card.type_field("comment", "Сроки не нарушены")
        await desk.press("f9")
        await form(desk)
        await desk.type("МР")
        await desk.press("f9")
        await desk.until(lambda: "Уточнения внесены" in desk.notice, "filled in")
        await desk.press("f9")
        await desk.until(lambda: "«На рассмотрении»" in desk.notice, "closed")
        (card,) = await desk.desk.active()
        assert (card.value("clarify.test"), card.value("form")) == ("МРТ", 1)


@pytest.mark.function("K-5.1.7.1")
async def test_how_often_somebody_calls_in_these_seven_days_is_said_above_his_history() -> None:
    async with open_desk() as desk:
        await desk.until(lambda: desk.desk.state.lights.server is Light.ON, "the server")
        elsewhere = await Elsewhere.of(desk)
        await desk.until_ringing()
        call = desk.desk.state.call
        assert call is not None
        made = {"type": "Консультация", "theme": "К-01.3", "phone": call.number, "zone": "Europe/Moscow"}
        cards = [
            await elsewhere.does(COLLEAGUE, Kind.CARD_NEW, {**made, "number": f"13-0000{days}-1"}, ago_ms=days * DAY_MS)
            for days in (1, 6, 8)
        ]
        await elsewhere.does(COLLEAGUE, Kind.CARD_MOVE, {"act": "close", "result": "R02", "comment": "Дан"}, cards[0])
        await elsewhere.does(BOSS, Kind.CARD_MOVE, {"act": Act.APPROVE.value}, cards[0])
        await answered(desk)
        await desk.until(lambda: "Звонит 3-й раз за 7 дней" in desk.line("#history-title"), "the third of these days")
        assert desk.history.keys() == [cards[1], cards[2], cards[0]], "open ones first, then the newest"
        assert [row[2] for row in desk.history.rows()] == ["В работе", "В работе", "Закрыто"]
