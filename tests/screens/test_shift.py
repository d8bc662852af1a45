"""The two ends of a shift, and a call that ended before its card was saved."""

from __future__ import annotations

from operator_tui.appeals.operations import Kind
from operator_tui.desk.shift import Waits
from operator_tui.desk.state import Light, Topic
from screens.shift import ShiftScreen, SoundCheckScreen, bar, verdict_words
from tests.screens.page import ON_CALL, List, open_desk
from tests.screens.test_call import answered

QUIET = {"simulated_first_seconds": 600.0}


async def test_what_is_unfinished_is_shown_before_the_work_ends_and_is_opened_by_enter() -> None:
    async with open_desk() as desk:
        await answered(desk)
        await desk.surname.type("Недописанный")
        await desk.press("f4")
        await desk.until_quiet()
        await desk.press("f12")
        await desk.until(lambda: "свободен" in desk.line("#who"), "free")
        await desk.press("ctrl+e")
        await desk.until(lambda: isinstance(desk.app.screen, ShiftScreen), "the list")
        rows = List(desk, "#waiting").rows()
        assert rows[0][0] == "черновик"
        assert "Недописанный" in rows[0][1]
        assert desk.desk.state.presence.account == "Активен", "not ended yet"
        await desk.press("enter")
        await desk.until_screen("work")
        await desk.until(lambda: desk.surname.value == "Недописанный", "the draft as it was left")
        await desk.press("ctrl+e")
        await desk.until(lambda: isinstance(desk.app.screen, ShiftScreen), "the list again")
        await desk.press("ctrl+e")
        await desk.until(lambda: "Не активен" in desk.line("#who"), "ended all the same")


async def test_a_caller_without_a_card_is_listed_and_gets_one_with_his_number() -> None:
    async with open_desk(phone=QUIET) as desk:
        number = "+78652000041"
        for kind, x in ((Kind.CALL_OFFERED, {"number": number}), (Kind.CALL_ANSWERED, {})):
            about = {"call": "lost", **x}
            await desk.desk.run_journal(desk.desk.parts.journal.record, kind, about)
        await desk.press("ctrl+y")
        await desk.until(lambda: isinstance(desk.app.screen, ShiftScreen), "the list")
        assert ("звонок без карты", number) in List(desk, "#waiting").rows()
        await desk.press("enter")
        await desk.until_screen("work")
        await desk.until(lambda: desk.desk.state.card is not None, "a card")
        card = desk.desk.state.card
        assert card is not None
        assert (card.call, card.fields["phone"]) == ("lost", number)


async def test_a_caller_who_hung_up_before_the_card_was_saved_may_be_called_back() -> None:
    async with open_desk(phone={"simulated_talk_seconds": 1.0}) as desk:
        await desk.until_ringing()
        await desk.press("f2")
        await desk.until(lambda: desk.desk.state.card is not None, "a card")
        await desk.until_quiet()
        await desk.until(lambda: "обращение не сохранено" in desk.notice, "what can be done")
        assert desk.desk.state.card is not None
        assert desk.desk.situation(screen="work").number, "«Перезвонить» is open"


async def test_the_card_of_a_call_that_died_with_the_desk_is_told_after_the_restart() -> None:
    async with open_desk(phone={"simulated_talk_seconds": 1.0}) as desk:
        await desk.until_ringing()
        await desk.press("f2")
        await desk.until(lambda: desk.desk.state.card is not None, "a card")
        await desk.surname.type("Прерванный")
        await desk.until_quiet()
        await desk.until(lambda: desk.desk.state.lights.server is Light.ON, "the server")
    async with open_desk(phone=QUIET) as desk:
        await desk.until(lambda: desk.desk.state.card is not None, "the draft")
        await desk.until(lambda: "обращение не сохранено" in desk.notice, "what can be done")
        assert desk.desk.state.card is not None
        assert desk.desk.state.card.fields["surname"] == "Прерванный"


async def test_the_check_of_the_microphone_says_why_there_is_none() -> None:
    async with open_desk(phone=QUIET) as desk:
        await desk.until(lambda: "свободен" in desk.line("#who"), "free")
        await desk.press("ctrl+d")
        await desk.until(lambda: isinstance(desk.app.screen, SoundCheckScreen), "the check")
        await desk.until(lambda: "микрофон" in desk.line("#verdict").casefold(), "a sentence")
        await desk.until(lambda: desk.desk.state.lights.server is Light.ON, "the server")
        await desk.press("escape")
        await desk.until_screen("journal")


def test_the_meter_is_read_without_colours() -> None:
    assert bar(0.5, 10) == "#####.....  50 %"
    for loudest, word in ((0.0, "молчит"), (0.3, "работает"), (1.0, "громко")):
        assert word in verdict_words(loudest)


async def test_an_appeal_is_handed_over_with_a_note_and_a_draft_is_not() -> None:
    async with open_desk(phone=QUIET) as desk:
        await desk.press("insert")
        await desk.until_screen("work")
        await desk.surname.type("Сменный")
        desk.desk.card.choose_theme(next(iter(desk.desk.catalogue.themes.values())))
        card = await desk.desk.card.save()
        handed = await desk.desk.phone.shift.hand_over(Waits("срок сегодня", "", card=card.id), 3, "перезвонить утром")
        assert (handed.worker, handed.value("comment")) == (3, "перезвонить утром")
        desk.desk.change(Topic.CARD, card=None)
        await desk.press("insert")
        await desk.surname.type("Черновой")
        await desk.desk.card.flush_draft()
        await desk.press("ctrl+e")
        await desk.until(lambda: isinstance(desk.app.screen, ShiftScreen), "the list")
        await desk.press("f7")
        await desk.until(lambda: "сохранённое обращение" in desk.notice, "why not")
        assert desk.desk.state.presence.account == "Активен"


async def test_somebody_who_calls_while_the_list_is_read_is_talked_to_before_the_work_ends() -> None:
    async with open_desk(phone=ON_CALL) as desk:
        await desk.press("insert")
        await desk.until_screen("work")
        await desk.surname.type("Черновой")
        await desk.desk.card.flush_draft()
        await desk.press("ctrl+e")
        await desk.until(lambda: isinstance(desk.app.screen, ShiftScreen), "the list")
        await desk.ring()
        await desk.press("ctrl+e")
        await desk.until(lambda: desk.desk.state.next_state == "end", "after the talk")
        assert desk.desk.state.presence.account == "Активен"
        await desk.press("f2")
        await desk.until_talking()
        await desk.nobody_else()
        await desk.press("f4")
        await desk.until_quiet()
        await desk.press("f12")
        await desk.until(lambda: isinstance(desk.app.screen, ShiftScreen), "with what came with the call")
        await desk.press("ctrl+e")
        await desk.until_screen("work")
        await desk.until(lambda: "Не активен" in desk.line("#who"), "ended when he was done")
