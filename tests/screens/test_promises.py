"""«Отсроченный ответ» at the screen: made by keys, listed, called, tried three times, given up; others' promises."""

from __future__ import annotations

from dataclasses import replace

import pytest

from operator_tui.appeals.card import Status
from operator_tui.appeals.lifecycle import Act
from operator_tui.appeals.operations import Kind
from operator_tui.appeals.owed import owed_of
from operator_tui.appeals.people import Role
from operator_tui.desk import account
from operator_tui.phone.line import Caller
from screens.ask import AskScreen
from screens.form import FormScreen
from screens.promises import PromisesScreen
from tests.screens.elsewhere import COLLEAGUE, Elsewhere
from tests.screens.page import ON_CALL, DeskPage, List, open_desk
from tests.screens.test_desk import QUIET, with_theme


async def deed(desk: DeskPage, words: str) -> None:
    """An entry of «Дела обращения», by its words."""
    await desk.press("ctrl+z")
    await desk.until(lambda: isinstance(desk.app.screen, AskScreen), "the list of deeds")
    await desk.type(words)
    await desk.until(lambda: len(List(desk, "#found").rows()) == 1, words)
    await desk.press("enter")


async def form(desk: DeskPage) -> None:
    await desk.until(lambda: isinstance(desk.app.screen, FormScreen) and desk.app.focused is not None, "the form")


async def clear(desk: DeskPage, text: str) -> None:
    await desk.press(*["backspace"] * 20)
    await desk.type(text)


@pytest.mark.function("K-6.0.3", "K-6.2.1", "K-6.2.2", "K-6.2.3")
async def test_a_caller_who_was_gone_is_promised_a_call_tried_reached_and_closed() -> None:
    async with open_desk(phone=QUIET) as desk:
        await desk.press("insert")
        await desk.until_screen("work")
        await desk.phone_field.type("+78652000199")
        await deed(desk, "себе")
        await form(desk)
        due = desk.app.screen.query_one("#input-form-promise_due")
        assert due.value, "one working day is offered"
        await desk.type("вчера")
        await desk.until(lambda: due.value == "вчера", "what is typed takes the place of what was offered")
        await desk.press("f9")
        await desk.until(lambda: "заполнено неверно" in desk.line("#form-hint"), "a reason, and the form stays")
        await clear(desk, "+1")
        await desk.until(lambda: "неверно" not in desk.line("#form-hint"), "it was of what stood there")
        await desk.press("down", "down")
        await desk.type("Анна")
        await desk.press("f9")
        await desk.until(lambda: "перезвоним до" in desk.notice, "the promise")
        (card,) = await desk.desk.active()
        assert (card.status, card.value("promise_ask")) == (Status.DEFERRED, "Анна")
        desk.app.action_command("journal.home")
        await desk.until_screen("journal")
        await desk.press("alt+p")
        promises = List(desk, "#promises")
        await desk.until(lambda: isinstance(desk.app.screen, PromisesScreen), "the list")
        await desk.until(lambda: promises.rows(), "the rows")
        assert "Анна · +7 8652 00-01-99" in promises.rows()[0][2]
        assert promises.rows()[0][3:] == ("0/3", "ваше")
        await desk.press("enter")
        await desk.until_screen("work")
        for count in (1, 2, 3):
            await deed(desk, "попытку")
            await desk.until(lambda count=count: f"{count} из 3" in desk.notice, "noted")
        # reached at last: «В работе», the reason is asked, the typical answer given, closed
        await desk.press("alt+w")
        await desk.until(lambda: "«В работе»" in desk.notice, "resumed")
        await with_theme(desk)
        assert desk.desk.state.card
        assert desk.desk.scripts.at_hand(), "the typical answers for the theme"
        await desk.press("f9")
        await desk.until(lambda: "«На рассмотрении»" in desk.notice, "closed")
        (card,) = await desk.desk.active()
        assert card.status is Status.IN_REVIEW
        assert [entry["kept"] for entry in card.value("promises")] == [True]


async def test_the_one_who_was_promised_calls_first_and_it_is_said_while_it_rings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    number = "+78652000777"
    monkeypatch.setattr(account, "_callers", lambda registry: [Caller(number)])
    async with open_desk(phone=ON_CALL) as desk:
        await desk.press("insert")
        await desk.until_screen("work")
        await desk.phone_field.type(number)
        await desk.desk.promises.defer({"promise_due": desk.desk.promises.due("+1")})
        (card,) = await desk.desk.active()
        await desk.ring()
        await desk.until(lambda: f"обещан ответ: обращение {card.value('number')}" in desk.notice, "said at the ring")
        assert [found.id for found in await desk.desk.appeals.promised(number)] == [card.id]


async def test_an_absent_owners_promise_within_the_hour_is_on_his_groups_list() -> None:
    async with open_desk(phone=QUIET) as desk:
        elsewhere = await Elsewhere.of(desk)
        now = desk.desk.clock.now_ms()
        theme = desk.desk.catalogue.theme("К-01.1")
        x = {"type": theme.type.value, "theme": theme.code, "phone": "+78652000101"}
        card = await elsewhere.does(COLLEAGUE, Kind.CARD_NEW, x)
        promise = {"act": Act.DEFER.value, "promise_due": now + 1_800_000}
        await elsewhere.does(COLLEAGUE, Kind.CARD_MOVE, promise, card)
        assert await desk.desk.promises.listed() == []
        operator = desk.desk.state.operator
        assert operator is not None
        boss = replace(COLLEAGUE, user=3001, role=Role.ADMINISTRATOR)
        away = {"user": COLLEAGUE.user, "since": "2020-01-01", "until": "2099-01-01", "substitute": operator.user}
        await elsewhere.does(boss, Kind.PERSON_AWAY, away)
        (one,) = await desk.desk.promises.listed()
        assert (one.card.id, one.why) == (card, "substitute")
        assert await desk.desk.promises.pressing() == 1
        people = await desk.desk.appeals.workers()
        assert "нет до" in people[COLLEAGUE.user]


@pytest.mark.function("K-1.8")
async def test_representative_and_consents_are_written_into_the_card() -> None:
    async with open_desk(phone=QUIET) as desk:
        await desk.press("insert")
        await desk.until_screen("work")
        await with_theme(desk)
        await deed(desk, "согласия")
        await form(desk)
        await desk.type("род")
        await desk.press("down")
        await desk.type("Иванов Пётр Ильич")
        await desk.press("down", "down")
        await desk.type("дов")
        await desk.press("down")
        await desk.type("01.02.2999")
        await desk.press("f9")
        await desk.until(lambda: "не позже сегодняшней" in desk.line("#form-hint"), "a reason, and the form stays")
        await clear(desk, "01.02.2026")
        await desk.press("f9")
        await desk.until(lambda: "сохраните" in desk.notice, "taken over")
        await desk.press("ctrl+s")
        await desk.until(lambda: "Сохранено" in desk.notice, "saved")
        (card,) = await desk.desk.active()
        wanted = ("родитель", "Иванов Пётр Ильич", "доверенность", "2026-02-01")
        fields = ("representative", "insured_name", "power_kind", "power_date")
        assert tuple(card.value(name) for name in fields) == wanted


async def test_an_appeal_goes_to_a_group_and_a_notice_is_written_down() -> None:
    async with open_desk(phone=QUIET) as desk:
        await desk.press("insert")
        await desk.until_screen("work")
        await with_theme(desk)
        desk.desk.card.choose_result("R11")
        await desk.press("ctrl+s")
        await desk.until(lambda: "Сохранено" in desk.notice, "saved")
        (card,) = await desk.desk.active()
        given = {"result": "R11", "comment": "Направлено", "organisation": "СМО"}
        card = await desk.desk.appeals.move(card.id, Act.CLOSE, **given)
        assert owed_of(card)
        await deed(desk, "Сообщено")
        await form(desk)
        await desk.press("down")
        await desk.type("зво")
        await desk.press("f9")
        await desk.until(lambda: "Сообщено заявителю" in desk.notice, "written down")
        await deed(desk, "Передать группе")
        await form(desk)
        await desk.press("f9")
        await desk.until(lambda: "Перевести" in desk.notice, "forwarded")
        (card,) = await desk.desk.active()
        assert (card.worker, card.value("group")) == (None, "policy")
        assert card.value("told")[0]["way"] == "звонок"
