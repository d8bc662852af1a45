"""Where somebody who sits at the desk for the first time stumbled: a key without a card, a form left open, himself."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from textual.events import Key

from operator_tui.appeals.card import Card, Source, Status
from operator_tui.appeals.clock import ManualClock
from operator_tui.appeals.deadlines import local_date
from operator_tui.desk.card import opened
from operator_tui.desk.state import CardAtHand
from operator_tui.phone.line import Call, CallState, Direction
from operator_tui.reference import packaged_catalogue
from screens.ask import AskScreen
from screens.card_words import card_title
from screens.lock import LockScreen
from screens.words import appeal_cells, days_word, local_time, urgency
from tests.screens.page import ON_CALL, open_desk
from tests.screens.test_call import answered
from tests.screens.test_desk import QUIET, with_theme
from tests.screens.test_promises import deed, form
from widgets.lean import LeanInput
from widgets.line import Line
from widgets.person_search import PersonSearch

ZONE = "Europe/Moscow"
NOW_MS = ManualClock().now_ms()
TODAY = local_date(NOW_MS, ZONE).isoformat()


async def test_a_cards_key_without_a_card_says_so_and_leads_nowhere() -> None:
    async with open_desk(phone=QUIET) as desk:
        for key in ("f9", "ctrl+x"):
            desk.desk.notice("")
            await desk.press(key)
            await desk.until(lambda: "Карточка не открыта" in desk.notice, f"why {key} does nothing")
            assert desk.app.current_mode == "journal"
        await desk.press("f5")
        await desk.until_screen("work")  # what needs no card is done there


async def test_the_four_fields_fold_when_somebody_is_bound() -> None:
    async with open_desk(phone=QUIET) as desk:
        await desk.press("insert")
        await desk.until_screen("work")
        search = desk.app.screen.query_one(PersonSearch)
        await desk.press("f5")
        if not search.four:
            await desk.press("f5")
        await desk.type("а")
        await desk.until(lambda: desk.hits.rows(), "people")
        await desk.press("enter")
        await desk.until(lambda: desk.desk.state.card and desk.desk.state.card.person, "the person")
        await desk.until(lambda: desk.theme.focused, "the theme is next")
        assert search.folded
        assert not search.four


async def test_enter_binds_again_once_another_card_has_come_by_itself() -> None:
    async with open_desk(phone=QUIET) as desk:
        await desk.press("insert")
        await desk.until_screen("work")
        await desk.press("f5")
        await desk.type("а")
        await desk.until(lambda: desk.hits.rows(), "people")
        desk.app.screen.query_one(PersonSearch).expect(True)  # as behind a call that a key has answered
        await desk.desk.card.open()
        desk.search.widget.focus()
        await desk.press("enter")
        await desk.until(lambda: desk.desk.state.card and desk.desk.state.card.person, "Enter is not swallowed")


async def test_the_words_of_an_earlier_search_do_not_stay_for_the_next_caller() -> None:
    async with open_desk(phone=ON_CALL) as desk:
        await desk.press("insert")
        await desk.until_screen("work")
        await desk.press("f5")
        await desk.type("неждановск")
        await desk.ring()
        await answered(desk)
        await desk.until(lambda: desk.hits.focused and desk.hits.rows(), "the people of the number")
        assert desk.search.value == ""
        await desk.type("а")
        await desk.until(lambda: desk.search.value == "а", "a search of its own")


async def test_a_comment_goes_on_behind_what_the_program_wrote() -> None:
    async with open_desk(phone=QUIET) as desk:
        await desk.press("insert")
        await desk.until_screen("work")
        await with_theme(desk)
        await desk.until(lambda: desk.comment.value, "the comment offered")
        offered = desk.comment.value
        await desk.comment.type(" и ещё")
        await desk.until(lambda: desk.comment.value == f"{offered} и ещё", "behind it")


async def test_a_promise_puts_its_card_away_and_the_operator_is_free() -> None:
    async with open_desk() as desk:
        await answered(desk)
        await desk.press("f4")
        await desk.until_quiet()
        await deed(desk, "себе")
        await form(desk)
        await desk.press("f9")
        await desk.until_screen("journal")
        await desk.until(lambda: "перезвоним до" in desk.notice, "the promise")
        await desk.until(lambda: desk.desk.state.presence.state.value == "free", "free for the next call")
        assert desk.desk.state.card is None


async def test_a_promise_made_in_the_talk_leaves_nothing_to_do_behind_it() -> None:
    async with open_desk() as desk:
        await answered(desk)
        await deed(desk, "себе")
        await form(desk)
        await desk.press("f9")
        await desk.until(lambda: "перезвоним до" in desk.notice, "the promise")
        assert desk.app.current_mode == "work", "the talk goes on, and its card stands"
        await desk.press("f4")
        await desk.until_screen("journal")
        await desk.until(lambda: desk.desk.state.presence.state.value == "free", "free for the next call")


async def test_no_break_begins_while_somebody_rings_and_that_is_said() -> None:
    async with open_desk() as desk:
        await desk.until_ringing()
        await desk.press("f12")
        await desk.until(lambda: "Звонят: ответьте (F2)" in desk.notice, "what can be done")


async def test_the_desk_knows_what_its_own_operator_does() -> None:
    async with open_desk(phone=QUIET) as desk:
        operator = desk.desk.state.operator
        assert operator is not None
        await desk.until(lambda: desk.desk.colleagues.state(operator.extension) == "free", "free")
        await desk.press("f12")
        await desk.until(lambda: isinstance(desk.app.screen, AskScreen), "the kinds of break")
        await desk.press("enter")
        await desk.until(lambda: desk.desk.colleagues.state(operator.extension) == "break", "a break")


def card(status: Status, deadline: str) -> Card:
    return Card("k:1", "26/tf", 1, status, 1, 1, {}, {}, "", deadline=deadline)


@pytest.mark.parametrize(
    ("status", "deadline", "sign", "word"),
    [
        (Status.IN_WORK, TODAY, "!", "сег."),
        (Status.IN_REVIEW, TODAY, " ", "сег."),
        (Status.IN_REVIEW, "2020-01-01", "!", "-"),
        (Status.CLOSED, TODAY, " ", ""),
    ],
)
def test_what_was_closed_in_time_alarms_nobody_while_it_is_looked_at(
    status: Status, deadline: str, sign: str, word: str
) -> None:
    assert urgency(card(status, deadline), packaged_catalogue(), NOW_MS, ZONE) == sign
    assert days_word(card(status, deadline), packaged_catalogue(), NOW_MS, ZONE).startswith(word)


@pytest.mark.parametrize(
    ("days", "deadline", "sign", "word"),
    [(1, "2030-01-01", "1", "1 дн"), (0, "", "!", "сег."), (9, TODAY, "!", "сег."), (9, "", " ", "9 дн")],
)
def test_what_was_promised_counts_where_it_is_nearer_and_says_what_it_is(
    days: int, deadline: str, sign: str, word: str
) -> None:
    due = NOW_MS + days * 86_400_000
    promised = replace(card(Status.DEFERRED, deadline), created="0" * 16)
    promised.fields.update(promise_due=due, promise_ask="Ольгу")
    assert urgency(promised, packaged_catalogue(), NOW_MS, ZONE) == sign
    assert days_word(promised, packaged_catalogue(), NOW_MS, ZONE) == word
    about = appeal_cells(promised, packaged_catalogue(), ZONE, NOW_MS)[3]
    assert about == f"перезвонить до {local_time(due, ZONE)} Ольгу"


@pytest.mark.parametrize("source", Source)
def test_the_cards_title_fits_half_of_eighty_columns(source: Source) -> None:
    made = CardAtHand(draft="d", fields={"source": source.value})
    assert len(card_title(made, 39)) <= 39
    assert card_title(made, 60) == f"Регистрационная карта: {source.value.lower()}"


def test_a_calls_card_is_named_by_the_telephone() -> None:
    call = Call(id="c", direction=Direction.INCOMING, number="+78652012345", state=CallState.TALKING, started_ms=0)
    assert card_title(opened(call), 39) == "Рег. карта: телефон контакт-центра"


async def test_people_of_one_callers_number_are_not_offered_for_another_card() -> None:
    async with open_desk() as desk:
        await answered(desk)
        await desk.until(lambda: desk.hits.rows(), "the people of the number")
        await desk.surname.type("Недописанный")
        first = desk.desk.state.card
        assert first is not None
        await desk.press("f4")
        await desk.until(lambda: desk.desk.state.call is None, "the end of the call")
        await desk.press("insert")
        await desk.until(lambda: desk.desk.state.card and desk.desk.state.card.draft != first.draft, "a card by hand")
        await desk.press("f5")
        await desk.until_quiet()
        assert not desk.hits.rows()


async def test_the_people_of_the_next_caller_are_offered_while_a_card_by_hand_is_open() -> None:
    async with open_desk(phone=ON_CALL) as desk:
        await desk.press("insert")
        await desk.until_screen("work")
        await desk.press("f6")
        await desk.ring()
        await answered(desk)
        await desk.until(lambda: desk.hits.focused and desk.hits.rows(), "the people of the number")


async def test_alt_and_a_letter_is_no_letter_of_a_form() -> None:
    async with open_desk(phone=QUIET) as desk:
        await desk.press("insert")
        await desk.until_screen("work")
        await deed(desk, "себе")
        await form(desk)
        field = desk.app.screen.query(LeanInput)[1]
        field.focus()
        before = field.value
        for key in (Key("alt+p", "p"), Key("alt+з", "з"), Key("1", "1")):  # as a terminal's driver makes them
            field.post_message(key)
        await desk.until(lambda: field.value != before, "the digit")
        assert field.value.replace(before, "") == "1"


async def test_a_held_call_names_the_key_that_leads_back() -> None:
    async with open_desk() as desk:
        await answered(desk)
        await desk.until(lambda: "F4 Отбой" in desk.phone, "the talk")
        await desk.press("f3")
        await desk.until(lambda: "F3 Вернуться" in desk.phone, "the way back")
        assert "НА УДЕРЖАНИИ" in desk.phone
        await desk.press("f3")
        await desk.until(lambda: "F4 Отбой" in desk.phone, "the talk again")


async def test_the_lock_does_not_call_a_break_a_free_line() -> None:
    async with open_desk(phone=QUIET) as desk:
        await desk.until(lambda: desk.desk.state.presence.state.value == "free", "free")
        await desk.press("f12")
        await desk.until(lambda: isinstance(desk.app.screen, AskScreen), "the kinds")
        await desk.type("обед")
        await desk.press("enter")
        await desk.until(lambda: "Перерыв: обед" in desk.phone, "the break")
        desk.app.lock()
        await desk.until(lambda: isinstance(desk.app.screen, LockScreen), "the lock")
        assert desk.app.screen.query_one("#locked-call", Line).text.strip() == "Перерыв: обед"
