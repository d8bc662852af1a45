"""What is open above a card, or under way in it, when another call brings its own."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.presence import State
from operator_tui.desk.state import Topic
from operator_tui.phone.line import CallState, RegistrationChanged, RegistrationState
from operator_tui.registry.people import Person
from screens.ask import AskScreen
from screens.content import ContentScreen
from screens.directory import DirectoryScreen
from screens.form import FormScreen
from tests.screens.page import ON_CALL, DeskPage, Part, open_desk
from tests.screens.test_call import answered
from tests.screens.test_desk import QUIET
from tests.screens.test_promises import deed

BY_ITSELF = {"auto_answer": True, "auto_answer_s": 600.0}


async def written(desk: DeskPage, surname: str) -> str:
    """A card by hand; its draft."""
    await desk.press("insert")
    await desk.until_screen("work")
    await desk.surname.type(surname)
    card = desk.desk.state.card
    assert card is not None
    return card.draft


async def another(desk: DeskPage) -> None:
    """What a call that is taken by itself does: it brings its card; the window above stays."""
    await desk.desk.card.open()
    await desk.pilot.pause()


async def test_a_text_that_was_begun_goes_into_its_own_card_when_a_call_was_taken_meanwhile() -> None:
    async with open_desk(phone=QUIET) as desk:
        draft = await written(desk, "Первый")
        await deed(desk, "содержание")
        await desk.until(lambda: isinstance(desk.app.screen, ContentScreen) and desk.app.focused, "the content")
        area = Part(desk, "#content")
        await desk.until(lambda: area.focused, "the text")
        await desk.type("О первом")
        await another(desk)
        assert area.value == "О первом", "what is typed stays under the hands"
        await desk.press("f9")
        await desk.until(lambda: "в черновике прежней" in desk.notice, "where it went")
        now = desk.desk.state.card
        assert now is not None
        assert not now.fields.get("text"), "nothing of it is in the caller's card"
        drafts = {one.id: one.fields for one in await desk.desk.on_journal(lambda journal: journal.drafts())}
        assert (drafts[draft]["text"], drafts[draft]["surname"]) == ("О первом", "Первый")


async def test_a_promise_is_not_the_next_callers() -> None:
    async with open_desk(phone=QUIET) as desk:
        await written(desk, "Первый")
        await deed(desk, "ответ себе")
        await desk.until(lambda: isinstance(desk.app.screen, FormScreen) and desk.app.focused, "the form")
        await another(desk)
        await desk.press("f9")
        await desk.until(lambda: "Той карточки на экране уже нет, ничего не сделано" in desk.text(), "why not")
        assert isinstance(desk.app.screen, FormScreen)
        assert await desk.desk.active() == []


async def test_whoever_lives_on_is_not_bound_to_the_next_callers_card(monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_desk(phone=QUIET) as desk:
        await written(desk, "Первый")
        found, person = asyncio.Event(), Person("2600000000090001", "Прежний", "Пётр", "Петрович", "1960-01-01")

        async def living(person: Person) -> Person:
            await found.wait()
            return person

        monkeypatch.setattr(desk.desk.insured, "living", living)
        binding = asyncio.ensure_future(desk.desk.card.attach(person))
        await desk.pilot.pause()
        await desk.desk.card.open()
        found.set()
        with pytest.raises(Refusal) as refused:
            await binding
        assert refused.value.code is Code.CARD_OTHER
        assert desk.desk.state.card is not None
        assert desk.desk.state.card.person is None


async def test_a_ringing_call_is_answered_over_the_directory() -> None:
    async with open_desk(phone=ON_CALL) as desk:
        await desk.press("alt+r")
        await desk.until(lambda: isinstance(desk.app.screen, DirectoryScreen), "the directory")
        await desk.ring()
        await answered(desk)


async def test_nothing_is_taken_by_itself_at_a_locked_desk() -> None:
    async with open_desk(shift=BY_ITSELF, phone=ON_CALL) as desk:
        desk.app.lock()
        await desk.ring()
        call = desk.desk.state.call
        assert call is not None
        await desk.desk.phone.talks.ringing(call)
        assert desk.desk.state.answers_ms is None


async def test_another_call_that_ends_leaves_the_one_that_is_taken_by_itself() -> None:
    async with open_desk(shift=BY_ITSELF) as desk:
        await desk.until(lambda: desk.desk.state.answers_ms, "it will be taken")
        call = desk.desk.state.call
        assert call is not None
        talks = desk.desk.phone.talks
        talks.changed(replace(call, id="another", state=CallState.ENDED))
        assert desk.desk.state.answers_ms is not None
        talks.changed(replace(call, state=CallState.ENDED))
        assert desk.desk.state.answers_ms is None


async def test_a_break_outlives_the_registration() -> None:
    async with open_desk(phone=QUIET) as desk:
        phone = desk.desk.phone
        await desk.until(lambda: desk.desk.state.presence.state is State.FREE, "free")
        await phone.states.choose("lunch")
        await desk.until(lambda: not phone.engine().snapshot.ready, "the queue is told")
        there = desk.desk.state.registration
        await phone.following.take(RegistrationChanged(replace(there, state=RegistrationState.LOST)))
        assert desk.desk.state.presence.state is State.OFFLINE
        await phone.following.take(RegistrationChanged(there))
        assert (desk.desk.state.presence.state, desk.desk.state.presence.kind) == (State.BREAK, "lunch")
        assert "F12 — готов" in desk.desk.state.notice.text


async def test_a_list_of_breaks_that_can_not_be_read_stops_neither_screen_nor_telephone(tmp_path: object) -> None:
    async with open_desk(shift={"breaks": f"{tmp_path}/none.csv"}) as desk:
        await answered(desk)
        await desk.press("f12")
        await desk.until(lambda: "none.csv" in desk.notice, "said where one chooses")
        assert not isinstance(desk.app.screen, AskScreen)
        await desk.press("f4")
        await desk.until_quiet()


async def test_a_refused_act_does_not_end_the_following(monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_desk() as desk:
        await answered(desk)

        async def refused() -> None:
            raise Refusal(Code.PHONE_AWAY)

        monkeypatch.setattr(desk.desk.phone, "tell_ready", refused)
        await desk.press("f4")
        await desk.until_quiet()
        await desk.press("alt+d")
        await desk.until(lambda: isinstance(desk.app.screen, AskScreen), "a number")
        await desk.type("203")
        await desk.press("enter")
        await desk.until(lambda: desk.desk.state.call is not None, "the next call is seen")


async def test_a_transfer_that_is_refused_at_once_leaves_the_caller_his_card_and_no_trace() -> None:
    async with open_desk() as desk:
        await answered(desk)
        call = desk.desk.state.call
        assert call is not None
        with pytest.raises(Refusal) as refused:
            await desk.desk.phone.transfer("abc")
        assert refused.value.code is Code.NUMBER_INVALID
        hand_over = desk.desk.phone.following.hand_over
        assert not hand_over.sent(call.id)
        again = replace(call, id="again", queue="")
        assert not hand_over.came_back(again), "whoever calls again is nobody's transfer that came back"


async def test_one_appeal_that_can_not_be_read_does_not_keep_the_others_unsaid() -> None:
    async with open_desk(phone=QUIET) as desk:
        desk.desk.change(Topic.JOURNAL, fresh=frozenset({"nobody's", "own"}))
        await desk.desk.announcing.heard(["nobody's"])
        assert desk.desk.state.fresh == {"own"}


@pytest.mark.parametrize("key", ["f7", "alt+r"])
async def test_a_colleague_is_not_given_the_one_who_came_meanwhile(key: str) -> None:
    """The list was opened about one caller; another is on the line when a colleague is chosen."""
    async with open_desk() as desk:
        await answered(desk)
        call = desk.desk.state.call
        assert call is not None
        await desk.press(key)
        await desk.until(lambda: isinstance(desk.app.screen, DirectoryScreen), "the directory")
        desk.desk.change(Topic.PHONE, call=replace(call, id="another"))
        await desk.type("2002")
        await desk.press("enter")
        await desk.until(lambda: "другой вызов" in desk.notice, "why nothing happened")
        desk.desk.change(Topic.PHONE, call=call)
        assert call.id in desk.desk.phone.following.calls, "the caller is here"
