"""A desk nobody sits at: identifiers are covered on every screen, until a key is pressed."""

from __future__ import annotations

import re

import pytest

from operator_tui.appeals.operations import Kind
from operator_tui.appeals.people import Role
from operator_tui.desk.state import Light
from screens.lock import REVEAL_S, LockScreen
from tests.screens.elsewhere import COLLEAGUE, become
from tests.screens.page import DeskPage, open_desk
from tests.screens.test_call import answered

_AWAY = {"cover_seconds": 3600.0, "lock_minutes": 0.0}
_DIGITS = re.compile(r"(?:\d[ ()-]{0,2}){7,}")


def digits(text: str) -> str:
    return "".join(filter(str.isdigit, text))


async def left_alone(desk: DeskPage) -> None:
    """An hour without a key."""
    idle = desk.app._idle
    assert idle is not None
    idle._last -= 3601
    desk.app._look_whether_idle()
    assert desk.app._covered
    await desk.pilot.pause()


@pytest.mark.function("FJ-R7")
async def test_a_ringing_number_is_covered_until_a_key_is_pressed() -> None:
    async with open_desk(signin=_AWAY) as desk:
        await desk.press("ctrl+b")
        await desk.until_ringing()
        call = desk.desk.state.call
        assert call is not None
        number = digits(call.number)
        await desk.until(lambda: number[-10:] in digits(desk.text()), "the number")
        await left_alone(desk)
        assert number[-7:] not in digits(desk.text())
        assert "•" in desk.text()
        await desk.press("f11")
        await desk.until(lambda: number[-10:] in digits(desk.text()), "the number again")


@pytest.mark.function("FJ-R7")
async def test_the_card_the_hits_the_history_and_the_journal_show_no_identifier() -> None:
    async with open_desk(signin=_AWAY) as desk:
        await answered(desk)
        await desk.until(lambda: desk.hits.rows(), "candidates")
        phone = digits(str(desk.desk.state.card.fields["phone"]))
        await desk.press("f4")
        await desk.until_quiet()
        await left_alone(desk)
        assert phone[-7:] not in digits(desk.text()), "the note above the candidates"
        await desk.press("enter")
        enp = str(desk.desk.state.card.fields["enp"])
        await desk.until(lambda: enp in desk.text(), "the policy")
        await left_alone(desk)
        text = desk.text()
        assert enp[:-2] not in text
        assert phone[-7:] not in digits(text)
        assert str(desk.desk.state.card.fields["phone"])[1:] == phone, "what was typed is what it was"
        await desk.press("f11")
        await desk.until(lambda: enp in desk.text(), "a key is a sign of him")
        await desk.search.type(enp)
        await left_alone(desk)
        assert enp[:-2] not in desk.text(), "nor what is searched for"
        await desk.press("f4")


async def test_titles_rows_and_the_queue_of_the_administrator_neither() -> None:
    async with open_desk(signin=_AWAY, phone={"simulated_first_seconds": 600.0}) as desk:
        await desk.until(lambda: desk.desk.state.lights.server is Light.ON, "the server")
        elsewhere = await become(desk, Role.ADMINISTRATOR)
        made = {"type": "Консультация", "theme": "К-01.3", "number": "13-00001-1", "zone": "Europe/Moscow"}
        card = await elsewhere.does(COLLEAGUE, Kind.CARD_NEW, {**made, "phone": "+78652012345"})
        closing = {"act": "close", "result": "R02", "comment": "Меры приняты"}
        await elsewhere.does(COLLEAGUE, Kind.CARD_MOVE, closing, card)
        await desk.press("f11")
        await desk.until(lambda: "+7 8652 01-23-45" in desk.text(), "the row of one without a name")
        await left_alone(desk)
        assert not _DIGITS.search(desk.line("#journal-title"))
        assert "01-23-45" not in desk.text()
        await desk.press("alt+u")
        await desk.until_screen("review")
        await desk.until(lambda: "01-23-45" in desk.text(), "the appeal in full")
        await left_alone(desk)
        assert "01-23-45" not in desk.text()
        desk.app.switch_mode("journal")
        await desk.until_screen("journal")
        await desk.until(lambda: "01-23-" not in desk.text(), "another screen comes forward covered")
        assert (desk.app.title, desk.app.sub_title) == ("operator-tui", "")


async def test_a_locked_desk_shows_who_calls_only_while_a_key_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_desk(signin={"cover_seconds": 0.0}) as desk:
        await desk.press("ctrl+b")
        await desk.until_ringing()
        await desk.press("alt+l")
        await desk.until(lambda: isinstance(desk.app.screen, LockScreen), "the lock")
        call = desk.desk.state.call
        assert call is not None
        number = digits(call.number)[-10:]
        await desk.until(lambda: "•••" in desk.text(), "covered")
        monkeypatch.setattr("screens.lock.REVEAL_S", 600.0)  # held for as long as this machine takes to paint
        await desk.press("f8")
        await desk.until(lambda: number in digits(desk.text()), "the number in full")
        monkeypatch.setattr("screens.lock.REVEAL_S", REVEAL_S)
        await desk.press("f8")
        await desk.until(lambda: number not in digits(desk.text()), f"covered again after {REVEAL_S} s")
        await desk.press("enter")
        await desk.until(lambda: not isinstance(desk.app.screen, LockScreen), "unlocked")
        await desk.until(lambda: number in digits(desk.text()), "and seen")


async def test_cover_seconds_of_none_cover_never() -> None:
    async with open_desk(signin={"cover_seconds": 0.0}) as desk:
        desk.app._idle._last -= 3600
        desk.app._idle._seconds = 0
        desk.app._look_whether_idle()
        assert not desk.app._covered
