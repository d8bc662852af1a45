"""Results with what they want beside the comment, and calls without a question, closed by one key."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from operator_tui.appeals.card import Status
from operator_tui.appeals.operations import Kind
from operator_tui.appeals.presence import State
from operator_tui.desk import quick
from screens.ask import AskScreen
from screens.words import day
from tests.screens.page import DeskPage, List, Part, open_desk
from tests.screens.test_call import answered
from tests.screens.test_desk import QUIET, with_theme


async def with_result(desk: DeskPage, code: str, words: str = "потер") -> None:
    """A new card with that theme and that result, chosen from the list."""
    await desk.press("insert")
    await desk.until_screen("work")
    if words.startswith("Ж"):
        desk.desk.card.choose_theme(desk.desk.catalogue.theme(words))
    else:
        await with_theme(desk, words)
    await desk.press("ctrl+r")
    results = List(desk, "#results")
    await desk.until(lambda: results.rows(), "results")
    await desk.type(code)
    await desk.press("enter")
    card = desk.desk.state.card
    await desk.until(lambda: desk.desk.state.card and desk.desk.state.card.fields.get("result") == code, f"{card}")


@pytest.mark.parametrize(("typed", "worker"), [("1945", 1945), ("2003", 3)], ids=["his number", "his extension"])
@pytest.mark.function("K-6.1.5", "K-6.0.3")
async def test_forwarding_with_notice_asks_for_the_operator_and_defers_the_answer(typed: str, worker: int) -> None:
    async with open_desk(phone=QUIET) as desk:
        await with_result(desk, "R04")
        await desk.until(lambda: "Оператор" in desk.line("#field-asked-1 Line"), "the field")
        await desk.until(lambda: desk.app.screen.query_one("#input-asked-1").has_focus, "the cursor in it")
        await desk.press("f9")
        await desk.until(lambda: "Не заполнено: Оператор" in desk.notice, "what is missing")
        await desk.type(typed)
        await desk.press("f9")
        await desk.until(lambda: "«Отсроченный ответ»" in desk.notice, "the new status")
        (card,) = await desk.desk.active()
        assert (card.status, card.worker) == (Status.DEFERRED, worker)


@pytest.mark.function("K-6.1.6", "K-6.1.7", "K-6.1.8")
async def test_an_extension_asks_for_a_later_date_and_a_reason_and_goes_to_the_administrator() -> None:
    async with open_desk(phone=QUIET) as desk:
        await with_result(desk, "R05")
        await desk.until(lambda: "Новая дата" in desk.line("#field-asked-1 Line"), "the field")
        today = datetime.now(UTC).date()
        await desk.type(day((today - timedelta(days=3)).isoformat()))
        await desk.press("f9")
        await desk.until(lambda: "«Новая дата рассмотрения» заполнено неверно" in desk.notice, "no date of the past")
        later = (today + timedelta(days=40)).isoformat()
        await desk.press(*["backspace"] * 10)
        await desk.type(day(later))
        await desk.press("f9")
        await desk.until(lambda: "«На рассмотрении»" in desk.notice, "sent to the administrator")
        (card,) = await desk.desk.active()
        assert (card.review, card.value("new_date")) == ("extension", later)
        assert card.value("comment"), "the reason"


@pytest.mark.parametrize(("typed", "taken"), [("синтез", "СМО «Синтез-Мед»"), ("Минздрав края", "Минздрав края")])
async def test_the_organisation_of_a_result_is_chosen_from_the_list_or_typed(typed: str, taken: str) -> None:
    async with open_desk(phone=QUIET) as desk:
        await with_result(desk, "R11")
        await desk.until(lambda: desk.app.screen.query_one("#input-asked-1").has_focus, "the cursor in it")
        await desk.press("ctrl+d")
        await desk.until(lambda: isinstance(desk.app.screen, AskScreen) and desk.app.focused, "the list")
        assert ("СМО «Синтез-Мед»",) in List(desk, "#found").rows()
        await desk.type(typed)
        await desk.press("enter")
        await desk.until_screen("work")
        card = desk.desk.state.card
        assert card is not None
        assert card.fields["organisation"] == taken
        await desk.until(lambda: Part(desk, "#input-asked-1").value == taken, "it stands in the field")


async def test_a_complaint_with_money_back_asks_for_measures_and_sum_and_keeps_what_was_typed() -> None:
    async with open_desk(phone=QUIET) as desk:
        await with_result(desk, "R07", "Ж-15.1")
        await desk.press("ctrl+x")
        await desk.until(lambda: "Принятые меры, Возвращённая сумма" in desk.notice, "all that is missing in one line")
        await desk.type("Деньги возвращены")
        await desk.press("ctrl+x")
        await desk.until(lambda: desk.app.screen.query_one("#input-asked-2").has_focus, "the next one")
        await desk.type("1500")
        await desk.press("ctrl+x")
        await desk.until(lambda: "не закрывает" in desk.notice, "F9 is not offered to a role that may not close this")
        assert "^R" in desk.notice, "what to do instead"
        await desk.press("ctrl+s")
        await desk.until(lambda: "Сохранено" in desk.notice, "saved")
        (card,) = await desk.desk.active()
        assert (card.value("measures"), card.value("sum")) == ("Деньги возвращены", "1500")


@pytest.mark.parametrize(
    ("key", "code", "result"),
    [
        ("alt+e", "wrong_number", "R26"),
        ("alt+t", "silence", "R26"),
        ("alt+h", "prank", "R26"),
        ("alt+n", "off_topic", "R02"),
        ("alt+p", "talk", "R02"),
    ],
)
@pytest.mark.function("1411-18", "1411-19")
async def test_a_call_without_a_question_is_closed_by_one_key(key: str, code: str, result: str) -> None:
    """The key shows the closing words; that the call ends closes the appeal."""
    async with open_desk() as desk:
        await answered(desk)
        await desk.until(lambda: desk.hits.rows(), "candidates, of whom nobody is bound")
        await desk.press(key)
        await desk.until(lambda: "До свидания" in desk.notice or "Всего вам доброго" in desk.notice, "polite words")
        assert "закроется с концом звонка" in desk.notice
        assert not await desk.desk.active(), "nothing is registered before the call is over"
        await desk.press("f4")
        await desk.until_screen("journal")
        await desk.until(lambda: "Закрыто: " in desk.notice, "said")
        (card,) = await desk.desk.active()
        assert (card.status, card.value("quick"), card.value("result")) == (Status.IN_REVIEW, code, result)
        assert not card.value("enp")
        assert card.value("call")
        assert card.value("phone")
        assert desk.desk.state.presence.state is State.FREE


async def test_a_second_press_closes_at_once_but_a_key_that_is_held_is_one_press(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with open_desk() as desk:
        await answered(desk)
        monkeypatch.setattr(quick, "HELD_S", 3_600.0)
        await desk.press(*["alt+h"] * 5)
        await desk.until(lambda: "ещё раз" in desk.notice, "the words")
        assert not await desk.desk.active()
        monkeypatch.setattr(quick, "HELD_S", 0.0)
        await desk.press("alt+h")
        await desk.until(lambda: "Закрыто: " in desk.notice, "closed in the call")
        (card,) = await desk.desk.active()
        assert card.value("quick") == "prank"
        assert desk.desk.state.call is not None


@pytest.mark.parametrize("before", [True, False])
async def test_who_goes_on_with_the_card_has_taken_the_class_back(before: bool) -> None:
    """A habit from another screen costs nothing: a card that says why somebody calls is closed by no end of a call."""
    async with open_desk() as desk:
        await answered(desk)
        if before:
            await with_theme(desk)
        await desk.press("alt+p")
        await desk.until(lambda: "ещё раз — закрыть" in desk.notice or "с концом звонка" in desk.notice, "the words")
        assert ("с концом звонка" in desk.notice) is not before
        if not before:
            await with_theme(desk)
        assert desk.desk.state.call is not None
        call = desk.desk.state.call.id
        await desk.press("f4")
        await desk.until(lambda: desk.desk.state.call is None, "over")
        while Kind.CALL_ENDED not in await desk.desk.on_journal(lambda journal: journal.recorded(call)):
            await desk.pilot.pause(0.02)
        assert not await desk.desk.active()
        assert desk.desk.state.card is not None
        assert desk.desk.state.card.fields["theme"]


@pytest.mark.parametrize("goes_on", ["with the card", "with the caller"])
async def test_a_class_closes_no_card_to_which_something_was_attached_and_no_call_that_goes_on(goes_on: str) -> None:
    async with open_desk() as desk:
        await answered(desk)
        await desk.press("alt+p")
        await desk.until(lambda: "с концом звонка" in desk.notice, "the words")
        call = desk.desk.state.call
        assert call is not None
        if goes_on == "with the card":
            desk.desk.card.tick_earlier("an-earlier-appeal")
            await desk.press("f4")
        else:
            await desk.desk.phone.transfer("2002")
        await desk.until_quiet()
        while not {Kind.CALL_ENDED} & await desk.desk.on_journal(lambda journal: journal.recorded(call.id)):
            await desk.pilot.pause(0.02)
        assert not await desk.desk.active()
        (draft,) = await desk.desk.on_journal(lambda journal: journal.drafts())
        assert draft.call == call.id


async def test_the_word_typed_before_a_quick_class_is_kept() -> None:
    async with open_desk(phone=QUIET) as desk:
        await desk.press("insert")
        await desk.until_screen("work")
        await desk.comment.type("такси")
        await desk.press("ctrl+p")
        await desk.until(lambda: List(desk, "#found").rows(), "the classes")
        await desk.press("down", "down", "down", "enter")
        await desk.until(lambda: "Не по профилю" in desk.notice, "closed")
        (card,) = await desk.desk.active()
        assert card.value("comment") == "такси\nНе по профилю"


async def test_the_list_of_results_leaves_the_keys_to_be_read_and_goes_with_escape() -> None:
    async with open_desk(phone=QUIET) as desk:
        await with_result(desk, "R01", "К-01.1")
        await desk.press("ctrl+r")
        results = desk.app.screen.query_one("#results")
        await desk.until(lambda: results.has_focus, "the results")
        keys = desk.app.screen.query_one("#keys")
        await desk.until(lambda: 0 < results.region.bottom <= keys.region.y, "above the keys")
        await desk.press("escape")
        await desk.until(lambda: not results.has_class("-open"), "folded")
