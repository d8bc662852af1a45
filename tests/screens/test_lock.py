"""The lock: nothing is seen or done, the call goes on, a ringing one is seen and answered after unlocking."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from msgspec.structs import replace

from operator_tui.appeals.clock import ManualClock
from operator_tui.desk.state import Topic
from operator_tui.phone.line import Call, CallState, Direction
from operator_tui.signin.idle import Idle
from screens.lock import LockScreen, locked_call_text
from screens.promises import PromisesScreen
from screens.trouble import TooSmallScreen
from tests.screens.page import DeskPage, open_desk
from tests.screens.test_call import answered
from tests.screens.test_desk import QUIET


def locked(desk: DeskPage) -> bool:
    return isinstance(desk.app.screen, LockScreen)


@pytest.mark.function("FJ-R7")
async def test_the_call_goes_on_behind_the_lock_and_no_number_is_seen() -> None:
    async with open_desk() as desk:
        await desk.press("ctrl+b")
        await desk.until_ringing()
        call = desk.desk.state.call
        assert call is not None
        number = call.number
        await desk.press("alt+l")
        await desk.until(lambda: locked(desk), "the lock")
        await desk.until(lambda: "ВХОДЯЩИЙ ЗВОНОК •••" in desk.text(), "the ringing call")
        text = desk.text()
        assert number[-6:] not in text.replace("-", "").replace(" ", "")
        await desk.press("f2", "ctrl+n", "f9")
        assert desk.desk.state.card is None, "no command works behind it"
        assert locked(desk)
        await desk.press("enter")
        await desk.until(lambda: not locked(desk), "unlocked")
        await desk.press("f2")
        await desk.until_talking()
        await desk.until_screen("work")
        await desk.press("alt+l")
        await desk.until(lambda: locked(desk), "the lock")
        await desk.until(lambda: "Разговор продолжается" in desk.text(), "the talk")
        assert desk.call_state() is CallState.TALKING
        await desk.press("enter")
        await desk.until_screen("work")


async def test_a_password_found_right_below_another_screen_opens_the_lock_when_that_is_gone() -> None:
    async with open_desk(phone=QUIET) as desk:
        await desk.press("alt+l")
        await desk.until(lambda: locked(desk), "the lock")
        seat, found = type(desk.desk.seat), asyncio.Event()
        unlock = seat.unlock

        async def late(self: Any, password: str) -> bool:
            await found.wait()
            return await unlock(self, password)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(seat, "unlock", late)
            lock = desk.app.screen
            assert isinstance(lock, LockScreen)
            await desk.press("enter")
            await desk.until(lambda: lock._busy, "the password is looked at")
            await desk.pilot.resize_terminal(40, 10)
            await desk.until(lambda: isinstance(desk.app.screen, TooSmallScreen), "the window is too small")
            found.set()
            await desk.until(lambda: not lock._busy, "found right")
            assert isinstance(desk.app.screen, TooSmallScreen)
            await desk.pilot.resize_terminal(80, 24)
            await desk.until_screen("journal")


async def test_a_desk_nobody_touches_locks_itself() -> None:
    async with open_desk(signin={"lock_minutes": 0.005}) as desk:
        await desk.until(lambda: locked(desk), "the lock")


async def test_who_only_listens_is_not_locked_out_of_his_talk() -> None:
    async with open_desk(signin={"lock_minutes": 5.0}) as desk:
        await answered(desk)
        an_hour_without_a_key(desk)
        assert not locked(desk), "he sits before it"
        await desk.desk.phone.hang_up()
        await desk.until_quiet()
        desk.app._look_whether_idle()
        assert not locked(desk), "and has five minutes from the end of the talk"
        an_hour_without_a_key(desk)
        await desk.until(lambda: locked(desk), "the lock")


def an_hour_without_a_key(desk: DeskPage) -> None:
    assert desk.app._idle is not None
    desk.app._idle._last -= 3601
    desk.app._look_whether_idle()


async def test_a_call_that_ends_behind_the_lock_uncovers_nothing() -> None:
    async with open_desk() as desk:
        await desk.press("ctrl+b")
        await desk.until_ringing()
        await desk.press("f2")
        await desk.until_talking()
        await desk.press("alt+l")
        await desk.until(lambda: locked(desk), "the lock")
        await desk.desk.phone.hang_up()
        await desk.until_quiet()
        assert locked(desk)
        await desk.until(lambda: "Постобработка" in desk.text(), "what comes after the call")


@pytest.mark.parametrize(("key", "shown"), [("enter", "work"), ("alt+p", "promises")])
async def test_what_an_earlier_key_brings_late_waits_behind_the_lock(key: str, shown: str) -> None:
    """The disk was slow: the card, or the list, that was asked for before the lock comes while it stands."""
    async with open_desk() as desk:
        await desk.press("insert")
        await desk.until_screen("work")
        await desk.press("f6")
        await desk.type("потер")
        await desk.press("enter", "ctrl+s")
        await desk.until(lambda: (card := desk.desk.state.card) is not None and card.saved, "a saved appeal")
        await desk.press("ctrl+f")
        await desk.until_screen("journal")
        await desk.until(lambda: desk.journal.keys(), "its row")
        disk = threading.Event()
        desk.desk._journal_thread.submit(disk.wait)
        try:
            await desk.press(key, "alt+l")
            await desk.until(lambda: locked(desk), "the lock")
        finally:
            disk.set()
        await desk.desk.on_journal(lambda journal: None)
        for act in desk.app.screen_stack[0]._acts:
            await act.wait()
        await desk.pilot.pause()
        assert locked(desk), desk.text()
        await desk.press("enter")
        if shown == "work":
            await desk.until_screen("work")
        else:
            await desk.until(lambda: isinstance(desk.app.screen, PromisesScreen), "the list")


async def test_a_window_that_grew_behind_the_lock_is_not_called_too_small() -> None:
    async with open_desk() as desk:
        await desk.pilot.resize_terminal(60, 20)
        await desk.until(lambda: isinstance(desk.app.screen, TooSmallScreen), "the notice")
        desk.app.lock()  # nobody has touched it for five minutes
        await desk.until(lambda: locked(desk), "the lock")
        await desk.pilot.resize_terminal(80, 24)
        await desk.press("enter")
        await desk.until_screen("journal")


def test_idle_is_a_rule_of_time() -> None:
    clock = ManualClock()
    idle = Idle(5, clock)
    clock.advance(299)
    assert not idle.due
    idle.touched()
    clock.advance(299)
    assert not idle.due
    clock.advance(1)
    assert idle.due
    never = Idle(0, clock)
    clock.advance(10**6)
    assert not never.due


async def test_the_lock_names_everybody_who_is_on_the_line() -> None:
    talk = Call(id="c", direction=Direction.INCOMING, number="+78652012345", state=CallState.TALKING, started_ms=0)
    rings = replace(talk, id="r", number="+78652012346", state=CallState.RINGING)
    held = replace(talk, id="h", number="+78652012347", state=CallState.HELD, held=True)
    async with open_desk(phone=QUIET) as desk:
        desk.app.lock()
        await desk.until(lambda: isinstance(desk.app.screen, LockScreen), "locked")
        desk.desk.change(Topic.PHONE, call=talk, calls=(talk, rings, held))
        await desk.until(lambda: "ВХОДЯЩИЙ ЗВОНОК •••46" in desk.line("#locked-others"), "who rings behind the talk")
        assert "•••45" in desk.line("#locked-call")
        assert "На удержании: •••47" in desk.line("#locked-others")
        desk.desk.change(Topic.PHONE, call=None, calls=())
        await desk.until(lambda: not desk.app.screen.query_one("#locked-others").display, "nobody")


@pytest.mark.parametrize(
    ("number", "shown"), [("+78652012345", "•••45"), ("12", "•••"), ("", "•••"), ("sip:x@y", "•••")]
)
def test_a_number_is_shown_in_its_last_two_digits(number: str, shown: str) -> None:
    call = Call(id="c", direction=Direction.INCOMING, number=number, state=CallState.RINGING, started_ms=0)
    assert f" {shown}:" in locked_call_text(call, "")
