"""A window that covers the screen: who rings is seen in it, one key answers, and nothing typed there is lost."""

from __future__ import annotations

import asyncio
import gc
import weakref

import pytest

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.people import Role
from operator_tui.desk.shift import Waits
from operator_tui.signin.people import RESET
from operator_tui.windows import _SetAside
from screens.ask import AskScreen
from screens.code import CodeScreen
from screens.directory import DirectoryScreen
from screens.form import FormScreen
from screens.password import PasswordScreen
from screens.person import Draft, PersonScreen
from screens.promises import PromisesScreen
from screens.threat import ThreatScreen
from tests.screens.page import ON_CALL, DeskPage, Part, open_desk
from tests.screens.test_desk import QUIET, with_theme
from tests.screens.test_promises import deed
from widgets.ring_line import RingLine


def ring(desk: DeskPage) -> str:
    found = desk.app.screen.query(RingLine)
    return found.first().text if found else ""


async def rung(desk: DeskPage) -> None:
    """A call of the simulated line, now."""
    await desk.ring()
    await desk.until(lambda: "ВХОДЯЩИЙ ВЫЗОВ" in ring(desk), "seen in the window")
    assert "F2 Ответить" in ring(desk)
    assert "+7" in ring(desk)


async def test_a_form_shows_who_rings_and_comes_back_after_the_call_with_what_was_typed_and_its_card() -> None:
    async with open_desk(phone=ON_CALL) as desk:
        await desk.press("insert")
        await desk.until_screen("work")
        await desk.surname.type("Прежняя")
        card = desk.desk.state.card
        assert card is not None
        await deed(desk, "ответ себе")
        await desk.until(lambda: isinstance(desk.app.screen, FormScreen) and desk.app.focused, "the form")
        form = desk.app.screen
        field = Part(desk, "#input-form-promise_ask")
        await field.type("Спросить")
        await rung(desk)
        await desk.type(" дочь")
        await desk.press("f2")
        await desk.until_talking()
        await desk.until(lambda: (now := desk.desk.state.card) and now.draft != card.draft, "the caller's card")
        assert not isinstance(desk.app.screen, FormScreen), "the caller's card lies above"
        assert "Отложено до конца вызова" in desk.notice
        await with_theme(desk)
        await desk.nobody_else()
        await desk.press("f9", "f4")
        await desk.until(lambda: desk.app.screen is form, "the form is back by itself")
        assert field.value == "Спросить дочь"
        assert not ring(desk)
        now = desk.desk.state.card
        assert now is not None
        assert now.draft == card.draft, "above its own card"
        await Part(desk, "#input-form-promise_phone").type("+78652000199")
        await desk.press("f9")
        await desk.until(lambda: "перезвоним до" in desk.notice, "and does what it was asked for")


async def test_a_question_with_words_of_ones_own_comes_back_too() -> None:
    async with open_desk(phone=ON_CALL) as desk:
        await desk.press("shift+f9")
        await desk.until(lambda: isinstance(desk.app.screen, AskScreen), "what happened")
        await desk.type("дым")
        asked = desk.app.screen
        await rung(desk)
        await desk.press("f2")
        await desk.until_talking()
        await desk.until_screen("work")
        await with_theme(desk)
        await desk.nobody_else()
        await desk.press("f9", "f4")
        await desk.until(lambda: desk.app.screen is asked, "the question is back")
        await desk.press("enter")
        await desk.until(lambda: "Администратору сообщено: дым" in desk.notice, "and does what it was asked for")


@pytest.mark.parametrize("key", ["f3", "f12"])
async def test_a_key_of_the_telephone_takes_nothing_that_is_being_written(key: str) -> None:
    async with open_desk() as desk:
        await desk.until_ringing()
        await desk.press("f2")
        await desk.until_talking()
        await desk.nobody_else()
        await desk.press("shift+f9")
        await desk.until(lambda: isinstance(desk.app.screen, AskScreen), "what happened")
        asked = desk.app.screen
        await desk.type("ды")
        await desk.press(key)
        if key == "f12":
            await desk.until(lambda: desk.app.screen is not asked, "what comes after the talk is asked first")
            await desk.press("1", "enter")
        await desk.until(lambda: desk.app.screen is asked, "and the question is back")
        await desk.type("м")
        await desk.until(lambda: Part(desk, "#asked").value == "дым", "with what was typed")
        if key == "f3":
            await desk.until(lambda: "НА УДЕРЖАНИИ" in ring(desk), "what the key did is seen in it")
        await desk.press("enter")
        await desk.until(lambda: "Администратору сообщено: дым" in desk.notice, "and does what it was asked for")


async def test_a_question_of_the_talk_comes_back_at_once_while_one_of_before_waits_for_its_end() -> None:
    async with open_desk(phone=ON_CALL) as desk:
        await desk.press("shift+f9")
        await desk.until(lambda: isinstance(desk.app.screen, AskScreen) and desk.app.focused, "what happened")
        before = desk.app.screen
        await desk.type("дым")
        await rung(desk)
        await desk.press("f2")
        await desk.until_talking()
        await desk.until_screen("work")
        await with_theme(desk)
        await desk.nobody_else()
        await desk.press("shift+f9")
        await desk.until(lambda: isinstance(desk.app.screen, AskScreen) and desk.app.focused, "what else happened")
        asked = desk.app.screen
        assert asked is not before
        await desk.type("шу")
        await desk.press("f3")
        await desk.until(lambda: desk.app.screen is asked, "it is back while the caller waits")
        await desk.type("м")
        await desk.press("enter")
        await desk.until(lambda: "Администратору сообщено: шум" in desk.notice, "and does what it was asked for")
        assert desk.desk.state.call is not None
        await desk.press("f9", "f4")
        await desk.until(lambda: desk.app.screen is before, "the one of before the call")
        assert Part(desk, "#asked").value == "дым"


async def test_a_form_does_not_keep_the_telephone_from_its_operator() -> None:
    async with open_desk() as desk:
        await desk.until_ringing()
        await desk.press("f2")
        await desk.until_talking()
        await desk.nobody_else()
        await deed(desk, "ответ себе")
        await desk.until(lambda: isinstance(desk.app.screen, FormScreen) and desk.app.focused, "the form")
        form = desk.app.screen
        await Part(desk, "#input-form-promise_ask").type("Спросить")
        await desk.press("f4")
        await desk.until_quiet()
        await desk.until(lambda: desk.app.screen is form, "the form stays")
        assert Part(desk, "#input-form-promise_ask").value == "Спросить"


async def test_a_telephones_key_of_another_screen_leaves_a_window_where_it_is() -> None:
    async with open_desk(phone=QUIET) as desk:
        await desk.press("insert")
        await desk.until_screen("work")
        await desk.press("shift+f9")
        await desk.until(lambda: isinstance(desk.app.screen, AskScreen) and desk.app.focused, "what happened")
        asked = desk.app.screen
        await desk.type("дым")
        await desk.press("ctrl+y")
        assert desk.app.screen is asked, "the list of what waits is the journal's"
        assert desk.app.current_mode == "work"
        await desk.press("escape")
        await desk.until_screen("work")


async def test_a_code_that_is_shown_once_is_shown_until_it_is_put_away() -> None:
    async with open_desk(phone=QUIET) as desk:
        code = CodeScreen("Синичкина А. Б.", RESET, {"": "K7Q2-M3ZD"})
        desk.app.push_screen(code)
        await desk.until(lambda: "K7Q2" in desk.text(), "the code")
        await desk.press("f3")
        await desk.until(lambda: desk.app.screen is code and "K7Q2" in desk.text(), "the code is there")
        await desk.until(lambda: "разговор" in ring(desk).lower(), "why the key did nothing")
        await desk.press("enter")
        await desk.until_screen("journal")


async def test_who_is_threatened_reads_on_while_the_caller_waits() -> None:
    async with open_desk() as desk:
        await desk.until_ringing()
        await desk.press("f2")
        await desk.until_talking()
        await desk.nobody_else()
        await desk.press("shift+f6")
        await desk.until(lambda: isinstance(desk.app.screen, ThreatScreen), "what to say")
        await desk.press("f3")
        await desk.until(lambda: "НА УДЕРЖАНИИ" in ring(desk), "held")
        assert isinstance(desk.app.screen, ThreatScreen)
        await desk.press("f4")
        await desk.until_quiet()
        assert not isinstance(desk.app.screen, ThreatScreen), "with the talk it is over"


async def test_a_password_begun_is_not_lost_by_a_key_of_the_telephone() -> None:
    async with open_desk(phone=QUIET) as desk:

        async def change(old: str, new: str) -> None:
            pass

        desk.app.push_screen(PasswordScreen(change, pin=False))
        await desk.until(lambda: isinstance(desk.app.screen, PasswordScreen) and desk.app.focused, "asked")
        asked = desk.app.screen
        await desk.press("alt+m")
        await desk.until_screen("journal")
        desk.app.push_screen(asked := PasswordScreen(change, pin=False))
        await desk.until(lambda: desk.app.screen is asked and desk.app.focused, "asked again")
        await desk.type("abc")
        await desk.press("alt+m")
        await desk.until(lambda: desk.app.screen is asked, "it is back")
        assert Part(desk, "#ask-old").value == "abc"


@pytest.mark.parametrize("window", ["password", "person"])
async def test_what_the_server_answers_while_a_call_is_talked_to_takes_no_other_window_away(window: str) -> None:
    answered, done = asyncio.Event(), list[object]()

    async def change(old: str, new: str) -> None:
        await answered.wait()

    async def save() -> None:
        await answered.wait()

    async with open_desk(phone=ON_CALL) as desk:
        asked: PasswordScreen | PersonScreen
        if window == "password":
            asked, first = PasswordScreen(change, pin=False), "#ask-old"
        else:
            draft = Draft("petrova", "Петрова", Role.OPERATOR_1.value, "2007", "ТФОМС", zone="Europe/Moscow", sip="s")
            asked, first = PersonScreen(draft, save, new=False, organisations=()), "#input-name"
        desk.app.push_screen(asked, done.append)
        await desk.until(lambda: desk.app.screen is asked and desk.app.focused, "asked")
        if window == "password":
            for place in (first, "#ask-new", "#ask-again"):
                await Part(desk, place).type("abc")
        await desk.press("enter" if window == "password" else "f9")
        await desk.until(lambda: asked._busy, "the server is asked")
        await rung(desk)
        await desk.press("f2")
        await desk.until_talking()
        await desk.until_screen("work")
        await desk.press("alt+r")
        await desk.until(lambda: isinstance(desk.app.screen, DirectoryScreen), "a colleague is looked for")
        answered.set()
        await desk.until(lambda: not asked._busy, "the server has answered")
        assert isinstance(desk.app.screen, DirectoryScreen)
        await desk.press("escape")
        await desk.until_screen("work")
        await with_theme(desk)
        await desk.nobody_else()
        await desk.press("f9", "f4")
        await desk.until(lambda: done, "it is back, and through")
        await desk.until_screen("journal")


async def test_a_list_that_was_looked_at_leaves_nothing_behind() -> None:
    async with open_desk(phone=QUIET) as desk:
        await desk.press("alt+p")
        await desk.until(lambda: isinstance(desk.app.screen, PromisesScreen), "who waits for a call")
        window = weakref.ref(desk.app.screen)
        await desk.press("escape")
        await desk.until_screen("journal")
        await desk.until(lambda: gc.collect() is not None and window() is None, "gone")


async def test_a_form_whose_card_can_not_be_brought_comes_back_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_desk(phone=ON_CALL) as desk:
        await desk.press("insert")
        await desk.until_screen("work")
        await deed(desk, "ответ себе")
        await desk.until(lambda: isinstance(desk.app.screen, FormScreen) and desk.app.focused, "the form")
        form = desk.app.screen
        field = Part(desk, "#input-form-promise_ask")
        await field.type("Спросить")
        await rung(desk)
        await desk.press("f2")
        await desk.until_talking()
        await with_theme(desk)
        await desk.nobody_else()

        async def away(_: Waits) -> None:
            raise Refusal(Code.UNKNOWN_CARD)

        monkeypatch.setattr(desk.desk.phone.shift, "open", away)
        await desk.press("f9", "f4")
        await desk.until(lambda: desk.app.screen is form, "what was typed is not lost")
        assert field.value == "Спросить"


async def test_a_form_waits_on_where_the_next_caller_was_faster() -> None:
    async with open_desk(phone=QUIET) as desk:
        await desk.press("insert")
        await desk.until_screen("work")
        before, asked = desk.desk.state.card, AskScreen("", "")
        await desk.press("insert")
        await desk.until(lambda: desk.desk.state.card is not before, "another card")
        now = desk.desk.state.card
        await desk.app._bring_back(_SetAside([asked], before, after_call=False))
        assert desk.desk.state.card is now
        assert desk.app.screen is not asked
        (aside,) = desk.app._set_aside
        assert (aside.windows, aside.card, aside.after_call) == ([asked], before, True)
        desk.app._set_aside.clear()


@pytest.mark.parametrize("seen", [True, False])
async def test_a_question_comes_along_when_an_answered_call_brings_its_card(seen: bool) -> None:
    async with open_desk(phone=QUIET) as desk:
        if seen:
            await desk.press("insert")
            await desk.until_screen("work")
            desk.app.switch_mode("journal")
            await desk.until_screen("journal")
        await desk.press("shift+f9")
        await desk.until(lambda: isinstance(desk.app.screen, AskScreen) and desk.app.focused, "what happened")
        asked = desk.app.screen
        await desk.type("ды")
        desk.app.switch_mode("work")
        assert desk.app.screen is asked, "it lies above the card now"
        await desk.type("м")
        await desk.press("enter")
        await desk.until(lambda: "Администратору сообщено: дым" in desk.notice, "and does what it was asked for")
        assert desk.app.current_mode == "work"
        desk.app.switch_mode("journal")
        await desk.until_screen("journal")
