"""«Дела обращения» and the administrator's: a correction asked for, the receipt of a letter, who is away, who takes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from operator_tui.appeals.card import Source, Status
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.lifecycle import Act
from operator_tui.appeals.operations import Kind
from operator_tui.appeals.people import Role
from operator_tui.sentences import sentence
from screens.ask import AskScreen
from screens.timeline import TimelineScreen
from tests.screens.elsewhere import COLLEAGUE, become
from tests.screens.page import DeskPage, List, open_desk
from tests.screens.test_desk import QUIET, with_theme
from tests.screens.test_promises import deed, form

SENIOR = replace(COLLEAGUE, role=Role.OPERATOR_2)
BOSS = replace(COLLEAGUE, user=3001, role=Role.ADMINISTRATOR)
CENTRE = {"type": "Консультация", "theme": "К-01.3", "zone": "Europe/Moscow"}


async def on_row(desk: DeskPage, card: str) -> None:
    """The journal's cursor on that appeal."""
    await desk.until(lambda: card in desk.journal.keys(), "the row")  # noqa: SIM118  # a list of rows
    await desk.press("home", *["down"] * desk.journal.keys().index(card))
    await desk.until(lambda: desk.journal.widget.current.key == card, "the cursor on it")


@pytest.mark.function("K-6.0.4")
async def test_a_correction_is_asked_for_by_who_had_a_hand_in_it() -> None:
    async with open_desk(phone=QUIET) as desk:
        elsewhere = await become(desk, Role.OPERATOR_2)
        operator = desk.desk.state.operator
        assert operator is not None
        me = replace(COLLEAGUE, user=operator.user, role=Role.OPERATOR_2)
        card = await elsewhere.does(me, Kind.CARD_NEW, {**CENTRE, "number": "13-00001-1", "surname": "Ошибкина"})
        await elsewhere.does(me, Kind.CARD_MOVE, {"act": "close", "result": "R02", "comment": "Дан ответ"}, card)
        await elsewhere.does(BOSS, Kind.CARD_MOVE, {"act": Act.APPROVE.value}, card)
        await desk.desk.card.edit(card)
        desk.app.switch_mode("work")
        await desk.until_screen("work")
        await deed(desk, "Просить исправить")
        await form(desk)
        await desk.type("Фам")
        await desk.press("down")
        await desk.type("Верная")
        await desk.press("f9")
        await desk.until(lambda: "заполн" in desk.line("#form-hint").lower(), "a reason is wanted")
        await desk.type("Описка")
        await desk.press("f9")
        await desk.until(lambda: "отправлена администратору" in desk.notice, "asked for")
        await elsewhere.answers()
        asked = elsewhere.cards[card]
        assert (asked.status, asked.review, asked.value("surname")) == (Status.CLOSED, "correction", "Ошибкина")


@pytest.mark.function("K-5.2.0.3", "K-5.2.1.3")
async def test_the_days_to_register_a_letter_are_said() -> None:
    async with open_desk(phone=QUIET) as desk:
        await become(desk, Role.OPERATOR_2)
        await desk.press("insert")
        await desk.until_screen("work")
        desk.desk.card.choose_source(Source.LETTER)
        came = desk.desk.papers.today - timedelta(days=2)
        await deed(desk, "Поступление")
        await form(desk)
        await desk.type(came.strftime("%d.%m.%Y"))
        await desk.press("down")
        await desk.type("12-в")
        await desk.press("f9")
        until = (came + timedelta(days=3)).strftime("%d.%m.%Y")
        await desk.until(lambda: f"Зарегистрировать до {until}: осталось дней 1" in desk.notice, "how many are left")


@pytest.mark.function("K-1.2")
async def test_an_absent_workers_appeals_go_to_another_and_a_substitute_is_named() -> None:
    async with open_desk(phone=QUIET) as desk:
        elsewhere = await become(desk, Role.ADMINISTRATOR)
        cards = [await elsewhere.does(COLLEAGUE, Kind.CARD_NEW, {**CENTRE, "number": f"13-{n}"}) for n in range(2)]
        due = desk.desk.clock.now_ms() + 3_600_000
        await elsewhere.does(COLLEAGUE, Kind.CARD_MOVE, {"act": Act.DEFER.value, "promise_due": due}, cards[0])
        await on_row(desk, cards[1])
        today = datetime.now(UTC).date()
        await deed(desk, "Отсутствие")
        await form(desk)
        await desk.type(str(COLLEAGUE.user))
        await desk.press("down")
        await desk.type(today.strftime("%d.%m.%Y"))
        await desk.press("down")
        await desk.type((today - timedelta(days=3)).strftime("%d.%m.%Y"))
        await desk.press("down")
        await desk.type("2001")
        await desk.press("f9")
        await desk.until(lambda: "неверно" in desk.line("#form-hint"), "an end before the beginning")
        await desk.press(*["backspace"] * 10)
        await desk.type((today + timedelta(days=3)).strftime("%d.%m.%Y"))
        await desk.press("f9")
        await desk.until(lambda: "его обещания видит заместитель" in desk.notice, "away")
        (away,) = await desk.desk.promises.away()
        assert (away.user, away.substitute) == (COLLEAGUE.user, 1), "2001 is the extension of the worker with number 1"
        await deed(desk, "Передать все")
        await form(desk)
        await desk.type("2001")
        await desk.press("f9")
        await desk.until(lambda: "Передано обращений: 2, осталось: 0" in desk.notice, "all of them, promises too")
        await elsewhere.answers()
        assert {elsewhere.cards[card].worker for card in cards} == {1}
        assert elsewhere.cards[cards[0]].status is Status.DEFERRED


@pytest.mark.function("K-1.2")
async def test_of_all_appeals_level_3_gets_those_it_may_accompany_and_the_others_are_named() -> None:
    """The insured person's consent to accompaniment, and letters, which want none; Enter leads to what stayed."""
    expert = 9
    async with open_desk(phone=QUIET) as desk:
        elsewhere = await become(desk, Role.ADMINISTRATOR)
        consent = {"escort_kind": "письменное", "escort_date": "2026-01-10"}
        withdrawn = {**consent, "escort_withdrawn": "2026-01-20"}
        cards = {}
        for number, more in (
            ("13-00001-1", {}),
            ("13-00002-1", consent),
            ("13-00003-1", withdrawn),
            ("13-00004-1", {"source": Source.LETTER.value}),
        ):
            cards[number] = await elsewhere.does(SENIOR, Kind.CARD_NEW, {**CENTRE, "number": number, **more})
        await on_row(desk, cards["13-00001-1"])
        await deed(desk, "Передать все")
        await form(desk)
        await desk.type(str(expert))
        await desk.press("f9")
        await desk.until(lambda: "Передано обращений: 2, осталось: 2" in desk.text(), "two of four")
        stayed = List(desk, "#found").widget.rows
        assert " ".join(row.cells[0] for row in stayed if row.dim) == sentence(Refusal(Code.CONSENT_NEEDED))
        assert [row.cells[0].strip() for row in stayed if not row.dim] == ["13-00001-1", "13-00003-1"]
        await desk.press("enter")
        await desk.until_screen("work")
        assert desk.desk.state.card is not None
        assert desk.desk.state.card.saved is not None
        assert desk.desk.state.card.saved.id == cards["13-00001-1"]
        await elsewhere.answers()
        workers = {number: elsewhere.cards[card].worker for number, card in cards.items()}
        assert workers == {
            "13-00001-1": SENIOR.user,
            "13-00002-1": expert,
            "13-00003-1": SENIOR.user,
            "13-00004-1": expert,
        }


@pytest.mark.function("K-5.2.0.1", "K-5.1.0.4")
async def test_a_groups_appeal_is_taken_by_one_key_and_only_once() -> None:
    async with open_desk(phone=QUIET) as desk:
        elsewhere = await become(desk, Role.OPERATOR_2)
        operator = desk.desk.state.operator
        assert operator is not None
        card = await elsewhere.does(COLLEAGUE, Kind.CARD_NEW, {**CENTRE, "number": "13-00001-1"})
        await elsewhere.does(COLLEAGUE, Kind.CARD_MOVE, {"act": Act.FORWARD.value, "group": "policy"}, card)
        await on_row(desk, card)
        await desk.press("alt+g")
        await desk.until(lambda: "Взять: обращение 13-00001-1" in desk.notice, "taken")
        await desk.press("alt+g")
        await desk.until(lambda: "Взять: обращение" not in desk.notice, "said why not a second time")
        await elsewhere.answers()
        assert (elsewhere.cards[card].worker, elsewhere.cards[card].value("group")) == (operator.user, "policy")


@pytest.mark.function("K-1.1")
async def test_an_appeal_is_looked_at_whole_and_its_history_in_order() -> None:
    async with open_desk(phone=QUIET) as desk:
        await desk.press("insert")
        await desk.until_screen("work")
        await with_theme(desk)
        await desk.press("ctrl+s")
        await desk.until(lambda: "Сохранено" in desk.notice, "saved")
        for key, title in (("alt+q", "Просмотр: обращение "), ("shift+f1", "История обращения ")):
            await desk.press(key)
            await desk.until(lambda: isinstance(desk.app.screen, TimelineScreen), "«Просмотр», «История обращения»")
            assert title in desk.text().splitlines()[0]
            assert "История обращения" in desk.text()
            assert "Зарегистрировано" in desk.text()
            await desk.press("escape")
            await desk.until_screen("work")


async def test_what_can_not_be_done_now_says_why() -> None:
    async with open_desk(phone=QUIET) as desk:
        elsewhere = await become(desk, Role.OPERATOR_2)
        operator = desk.desk.state.operator
        assert operator is not None
        me = replace(COLLEAGUE, user=operator.user, role=Role.OPERATOR_2)
        card = await elsewhere.closed(me, "R02")
        await desk.desk.card.edit(card)
        desk.app.switch_mode("work")
        await desk.until_screen("work")
        await desk.press("ctrl+z")
        found = List(desk, "#found")
        await desk.until(lambda: found.rows(), "what can be done")
        said = {row[1] for row in found.rows() if row[0] == "—"}
        assert "Передать группе: при статусе В работе" in said
        assert "Просить исправить: при статусе Закрыто" in said
        assert "Отсутствие и заместитель: не для вашей роли" in said
        assert "Сообщено заявителю" in {row[1] for row in found.rows() if row[0] != "—"}
        await desk.type("передать группе")
        await desk.until(lambda: len(found.rows()) == 1, "the reason alone")
        await desk.press("enter")
        assert isinstance(desk.app.screen, AskScreen), "nothing to be done there"
