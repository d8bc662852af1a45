"""The softphone's block of the screen: what it lets one do, and when (manual, sections 3 to 5.1)."""

from __future__ import annotations

import pytest

from operator_tui.appeals.card import Source
from operator_tui.phone.line import CallState
from tests.peers.pipewire import SoundCard
from tests.screens.page import open_desk
from tests.screens.test_call import answered

QUIET = {"simulated_first_seconds": 600.0}


@pytest.mark.function("K-4.1")
async def test_employee_journal_and_softphone_stand_on_one_screen() -> None:
    async with open_desk(phone=QUIET) as desk:
        await desk.until_screen("journal")
        await desk.until(lambda: "Активен" in desk.line("#who"), "the status")
        shown = desk.text()
        for words in ("Петрова А", "Оператор 1 уровня", "доб. 2001"):
            assert words in shown, "the employee"
        assert desk.app.screen.query_one("#journal").region.height > 5, "the journal"
        await desk.until(lambda: "Линия свободна" in desk.phone, "the softphone")


@pytest.mark.function("K-3.7", "K-5.4.1.1")
async def test_calls_come_only_to_who_is_active() -> None:
    async with open_desk(phone=QUIET) as desk:
        await desk.until(lambda: "свободен" in desk.line("#who"), "free")
        await desk.press("ctrl+e")
        await desk.until(lambda: "Не активен" in desk.line("#who"), "not active")
        await desk.until(lambda: "^B Начало работы" in desk.text(), "the next step")
        await desk.press("f2")
        await desk.until(lambda: "Начало работы" in desk.notice, "what to do first")
        assert desk.desk.state.call is None
        await desk.press("ctrl+b")
        await desk.until(lambda: "Активен: свободен" in desk.line("#who"), "active again")
        await desk.until(lambda: "^B Начало работы" not in desk.text(), "it is done")


@pytest.mark.function("K-3.9", "K-4.9")
async def test_the_fact_of_a_call_and_what_was_said_are_registered_from_the_softphone() -> None:
    async with open_desk() as desk:
        await answered(desk)
        call = desk.desk.state.call
        assert call is not None
        await desk.surname.type("Записанный")
        desk.desk.card.choose_theme(next(iter(desk.desk.catalogue.themes.values())))
        await desk.press("ctrl+s")
        await desk.until(lambda: (card := desk.desk.state.card) and card.saved is not None, "saved")
        assert desk.call_state() is CallState.TALKING
        (card,) = [one for one in await desk.desk.active() if one.value("surname") == "Записанный"]
        assert (card.value("call"), card.value("phone")) == (call.id, call.number)
        assert card.value("source") == Source.CALL.value


@pytest.mark.needs("pipewire", "sound")
@pytest.mark.function("K-5.1.1.1", "K-5.0.1")
async def test_a_call_is_announced_by_sound_and_by_text(sound_card: SoundCard) -> None:
    async with open_desk(phone=sound_card.devices | {"simulated_patience_seconds": 120.0}) as desk:
        await desk.until_ringing()
        await sound_card.until_heard(425, "bell", seconds=30)
        call = desk.desk.state.call
        assert call is not None
        assert "ВХОДЯЩИЙ ВЫЗОВ" in desk.phone
        assert call.number[-2:] in desk.phone
        await desk.press("f2")
        await desk.until_talking()
        await desk.until(lambda: "РАЗГОВОР" in desk.phone, "the text follows the call")


async def test_the_key_of_a_break_says_what_it_does_now_and_a_refusal_goes_with_the_next_key() -> None:
    async with open_desk(phone=QUIET) as desk:
        await desk.until(lambda: "свободен" in desk.line("#who"), "free")
        await desk.until(lambda: "F12 Перерыв" in desk.text(), "what F12 does now")
        await desk.press("f3")
        await desk.until(lambda: desk.desk.state.notice.urgent, "a refusal")
        refused = desk.notice
        await desk.press("f12", "enter")
        await desk.until(lambda: "F12 Готов" in desk.text(), "what F12 does in a break")
        assert desk.notice != refused
