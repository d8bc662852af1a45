"""The journal as a tool: filters kept by name, terms, pages, one appeal's history, call back, what others hand over."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from operator_tui.appeals.card import Status
from operator_tui.appeals.lifecycle import Act
from operator_tui.appeals.operations import Kind
from operator_tui.appeals.people import Role
from operator_tui.phone.line import CallState
from screens.ask import AskScreen
from screens.journal import MOST_FOUND, JournalScreen
from screens.timeline import TimelineScreen
from tests.screens.elsewhere import COLLEAGUE, Elsewhere, become
from tests.screens.page import DeskPage, open_desk
from tests.screens.test_call import answered
from tests.screens.test_desk import QUIET, with_theme
from tests.screens.test_returned import saved
from tests.timing import tell_if_slow


async def sift(desk: DeskPage, words: str) -> None:
    await desk.press("ctrl+p")
    await desk.until(lambda: isinstance(desk.app.screen, AskScreen), "the filters")
    await desk.type(words)
    await desk.press("enter")
    await desk.until_screen("journal")


@pytest.mark.function("K-5.2.0.1", "K-6.0.2")
async def test_what_is_handed_over_is_said_and_stands_in_the_inbox() -> None:
    async with open_desk(phone=QUIET) as desk:
        elsewhere = await become(desk, Role.OPERATOR_2)
        operator = desk.desk.state.operator
        assert operator is not None
        for n in range(3):
            made = {"type": "Консультация", "theme": "К-01.3", "number": f"13-0000{n}-1", "zone": "Europe/Moscow"}
            card = await elsewhere.does(COLLEAGUE, Kind.CARD_NEW, made)
        forward = {"act": Act.FORWARD.value, "operator": operator.user}
        await elsewhere.does(COLLEAGUE, Kind.CARD_MOVE, forward, card)
        bells = desk.desk.state.bells
        await desk.desk.announcing.heard([card])
        await desk.until(lambda: "Вам передано: 13-00002-1" in desk.notice, "the line")
        assert desk.desk.state.bells == bells + 1
        await desk.until(lambda: "Новых у вас: 1" in desk.line("#journal-title"), "the count")
        await desk.desk.announcing.heard(list(elsewhere.cards))
        assert desk.desk.state.bells == bells + 2, "the appeals of others say nothing"
        await desk.until(lambda: len(desk.journal.rows()) == 3, "all")
        await sift(desk, "Мои")
        await desk.until(lambda: desk.journal.keys() == [card], "the inbox")
        assert "отбор «Мои: в работе и отсроченные»: 1" in desk.line("#journal-title")


async def test_a_filter_is_kept_under_a_name_and_found_again() -> None:
    async with open_desk(phone=QUIET) as desk:
        elsewhere = await Elsewhere.of(desk)
        for surname in ("Тестов", "Пробнов"):
            made = {"type": "Консультация", "theme": "К-01.3", "number": "13-1", "surname": surname}
            await elsewhere.does(COLLEAGUE, Kind.CARD_NEW, {**made, "zone": "Europe/Moscow"})
        await desk.until(lambda: len(desk.journal.rows()) == 2, "both")
        await desk.press("ctrl+f")
        await desk.type("тест")
        await desk.until(lambda: len(desk.journal.rows()) == 1, "found")
        await desk.press("ctrl+s")
        await desk.until(lambda: isinstance(desk.app.screen, AskScreen), "the name")
        await desk.type("утро")
        await desk.press("enter")
        await desk.until(lambda: "«утро» сохранён" in desk.notice, "kept")
        await sift(desk, "Все активные")
        await desk.until(lambda: len(desk.journal.rows()) == 2, "all again")
        await sift(desk, "утро")
        await desk.until(lambda: len(desk.journal.rows()) == 1, "the kept one")
        assert "Тестов" in desk.journal.rows()[0][2]


async def test_what_the_words_find_is_what_is_exported_and_a_filter_holds_for_the_words(tmp_path: Path) -> None:
    async with open_desk(phone=QUIET) as desk:
        elsewhere = await become(desk, Role.OPERATOR_2)
        closed = await elsewhere.closed(COLLEAGUE, "R02")
        boss = replace(COLLEAGUE, user=3001, role=Role.ADMINISTRATOR)
        await elsewhere.does(boss, Kind.CARD_MOVE, {"act": Act.APPROVE.value}, closed)
        made = {"type": "Консультация", "theme": "К-01.3", "number": "13-2", "zone": "Europe/Moscow", "comment": "Меры"}
        opened = await elsewhere.does(COLLEAGUE, Kind.CARD_NEW, made)
        await desk.until(lambda: desk.journal.keys() == [opened], "the active one")
        await desk.press("ctrl+f")
        await desk.type("мер")
        await desk.until(lambda: set(desk.journal.keys()) == {opened, closed}, "of every status")
        screen = desk.app.screen
        assert isinstance(screen, JournalScreen)
        assert await desk.desk.export.write(screen.shown_sieve(), tmp_path / "list.csv", "отчёт") == 2
        await sift(desk, "Закрыто")
        await desk.until(lambda: desk.journal.keys() == [closed], "the filter")
        await desk.press("ctrl+f")
        await desk.type("мер")
        await desk.until(lambda: "«Закрыто»: 1" in desk.line("#journal-title"), "counted within it")
        assert desk.journal.keys() == [closed]
        await desk.type("щ")
        await desk.until(lambda: not desk.journal.rows(), "no such word there")


async def test_a_search_that_finds_more_than_it_shows_says_so() -> None:
    async with open_desk(phone=QUIET) as desk:
        elsewhere = await Elsewhere.of(desk)
        for n in range(MOST_FOUND):
            made = {"type": "Консультация", "theme": "К-01.3", "number": f"13-{n}", "surname": "Частов"}
            await elsewhere.does(COLLEAGUE, Kind.CARD_NEW, {**made, "zone": "Europe/Moscow"})
        await desk.press("ctrl+f")
        await desk.type("част")
        await desk.until(lambda: len(desk.journal.rows()) == MOST_FOUND, "all that are there")
        assert "показаны первые" not in desk.line("#journal-title")
        await elsewhere.does(COLLEAGUE, Kind.CARD_NEW, {**made, "number": "13-51", "zone": "Europe/Moscow"})
        await desk.type("о")
        await desk.until(lambda: "показаны первые 50" in desk.line("#journal-title")[:60], "that there are more")
        assert len(desk.journal.rows()) == MOST_FOUND
        await desk.type("щ")
        await desk.until(lambda: not desk.journal.rows(), "no such word there")
        assert "показаны первые" not in desk.line("#journal-title")


async def test_days_left_and_urgency_stand_in_the_row() -> None:
    async with open_desk(phone=QUIET) as desk:
        elsewhere = await Elsewhere.of(desk)
        made = {"type": "Консультация", "theme": "К-01.3", "number": "13-1", "zone": "Europe/Moscow"}
        await elsewhere.does(COLLEAGUE, Kind.CARD_NEW, {**made, "deadline": "2020-01-01"})
        await desk.until(lambda: desk.journal.rows(), "the row")
        (row,) = desk.journal.widget.rows
        assert row.mark == "!"
        assert row.urgent
        assert row.cells[5].startswith("-")


@pytest.mark.function("K-6.2.1", "K-6.2.3")
async def test_an_answer_is_promised_the_caller_called_back_and_the_history_shown() -> None:
    async with open_desk() as desk:
        await answered(desk)
        await with_theme(desk)
        call = desk.desk.state.call
        assert call is not None
        desk.desk.card.choose_result("R24")
        await desk.press("f9")
        await desk.until(lambda: "«Отсроченный ответ»" in desk.notice, "promised")
        await desk.press("f4")
        await desk.until_screen("journal")
        await desk.until(lambda: desk.journal.rows(), "the appeal")
        promised = await desk.desk.appeals.promised(call.number)
        assert [card.status for card in promised] == [Status.DEFERRED]
        await desk.press("alt+k")
        await desk.until_screen("work")
        await desk.until(lambda: desk.call_state() in (CallState.DIALING, CallState.EARLY, CallState.TALKING), "dialed")
        assert desk.desk.state.call is not None
        assert desk.desk.state.call.number == call.number
        await desk.press("alt+w")
        await desk.until(lambda: "В работу: обращение" in desk.notice, "in work again")
        await desk.press("alt+q")
        await desk.until(lambda: isinstance(desk.app.screen, TimelineScreen), "the history")
        text = desk.text()
        assert "Зарегистрировано" in text
        assert "Закрыть обращение" in text
        assert "В работу" in text
        await desk.press("escape")
        await desk.until_screen("work")
        await desk.press("alt+a")
        await desk.until(lambda: "Итак:" in desk.notice and "Номер обращения" in desk.notice, "the summary")


async def test_a_wrong_person_is_taken_off_the_card() -> None:
    async with open_desk() as desk:
        await answered(desk)
        await desk.until(lambda: desk.hits.rows(), "candidates")
        await desk.press("enter")
        await desk.until(lambda: desk.surname.value != "", "bound")
        await desk.press("alt+f")
        await desk.until(lambda: desk.surname.value == "", "taken off")
        card = desk.desk.state.card
        assert card is not None
        assert card.person is None
        assert not card.fields["enp"]
        assert card.fields["phone"], "the caller's number is the caller's"


async def test_the_journal_reads_on_near_its_end() -> None:
    async with open_desk(phone=QUIET) as desk:
        await saved(desk)
        await desk.press("ctrl+f")
        card = (await desk.desk.active())[0]

        def fill(journal: object) -> None:
            store = journal._store  # type: ignore[attr-defined]  # many appeals at once, as a year leaves them
            with store.writing():
                columns = [
                    row[1] for row in store.db.execute("PRAGMA table_info(shown)") if row[1] not in ("row", "id")
                ]
                names = ", ".join(columns)
                store.db.execute(
                    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) "
                    f"INSERT INTO shown(id, {names}) SELECT 'x:' || i, {names} FROM n, shown WHERE id = ?",
                    [card.id],
                )

        await desk.desk.on_journal(fill)
        began = time.perf_counter()
        await desk.desk.refresh_journal()
        await desk.until(lambda: len(desk.journal.rows()) == 200, "the first page")
        tell_if_slow("the first page of a year's journal", time.perf_counter() - began, 5)
        await desk.press("end")
        await desk.until(lambda: len(desk.journal.rows()) == 400, "the second page")
        await desk.press("end")
        await desk.until(lambda: len(desk.journal.rows()) == 600, "the third page")


@pytest.mark.function("K-4.3", "K-5.2.0.3", "K-5.2.1.1", "K-1.4")
async def test_level_two_registers_a_letter_and_level_one_does_not() -> None:
    async with open_desk(phone=QUIET) as desk:
        await desk.press("insert")
        await desk.until_screen("work")
        await desk.press("ctrl+v")
        await desk.type("письменное")
        await desk.press("enter")
        await desk.until(lambda: "Для вашей роли" in desk.notice, "the reason")
        elsewhere = await become(desk, Role.OPERATOR_2)
        await desk.press("ctrl+v")
        await desk.type("почта")
        await desk.press("enter")
        await desk.until(lambda: "59-ФЗ" in desk.notice, "the note")
        await desk.press("ctrl+v")
        await desk.type("письменное")
        await desk.press("enter")
        await desk.until(lambda: "письменное обращение" in desk.line("#card-title"), "the source")
        await with_theme(desk)
        await desk.press("ctrl+s")
        await desk.until(lambda: "Сохранено" in desk.notice, "saved")
        await elsewhere.answers()
        (card,) = elsewhere.cards.values()
        assert card.value("source") == "Письменное обращение"
