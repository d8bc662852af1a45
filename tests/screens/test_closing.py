"""A window that ends with an answer it waited for: it goes, and what lies above it by then stays."""

from __future__ import annotations

import asyncio
from typing import Any

from textual.screen import Screen

from operator_tui.signin.people import SeatOfPerson
from screens.lock import LockScreen
from screens.returned import ReturnedScreen
from screens.seats import SeatsScreen
from tests.screens.page import ON_CALL, DeskPage, open_desk
from tests.screens.test_desk import QUIET
from tests.screens.test_returned import two_comments

SEAT = SeatOfPerson(number=1, device="000002", seen_ms=0, unsent=0, revoked=False, open=False)


def at_rest(window: Screen[Any]) -> bool:
    """Whether what it has set going is done."""
    return not any(worker.node is window for worker in window.app.workers)


async def lies_above(desk: DeskPage) -> LockScreen:
    desk.app.lock()
    await desk.until(lambda: isinstance(desk.app.screen, LockScreen), "the lock")
    lock = desk.app.screen
    assert isinstance(lock, LockScreen)
    return lock


async def test_a_place_that_is_revoked_while_the_desk_locks_itself_does_not_take_the_lock_away() -> None:
    asked, answered = asyncio.Event(), asyncio.Event()

    async def revoke(device: str) -> None:
        asked.set()
        await answered.wait()

    async with open_desk(phone=ON_CALL) as desk:
        seats = SeatsScreen("Петрова", [SEAT], "Europe/Moscow", revoke)
        desk.app.push_screen(seats)
        await desk.until(lambda: desk.app.screen is seats and desk.app.focused, "the list")
        desk.app.screen.action_revoke()
        desk.app.screen.action_revoke()
        await desk.until(asked.is_set, "the server is asked")
        lock = await lies_above(desk)
        answered.set()
        await desk.until(lambda: at_rest(seats), "the server has answered")
        assert desk.app.screen is lock
        desk.app.pop_screen()  # opened
        await desk.until_screen("journal")


async def test_the_last_thing_that_came_back_is_settled_while_the_desk_locks_itself_and_the_lock_stays() -> None:
    async with open_desk(phone=QUIET) as desk:
        await two_comments(desk)
        await desk.press("ctrl+k")
        await desk.until(lambda: isinstance(desk.app.screen, ReturnedScreen), "the list")
        returned = desk.app.screen
        await desk.until(lambda: "Мои слова" in desk.text(), "both values")
        settle, asked, answered = desk.desk.appeals.settle, asyncio.Event(), asyncio.Event()

        async def late(*what: Any) -> None:
            asked.set()
            await answered.wait()
            await settle(*what)

        desk.desk.appeals.settle = late  # type: ignore[method-assign]  # a disk that takes its time
        desk.app.screen.action_settle("mine")
        await desk.until(asked.is_set, "it is being written")
        lock = await lies_above(desk)
        answered.set()
        await desk.until(lambda: desk.desk.state.returned == 0, "settled")
        await desk.until(lambda: at_rest(returned), "and the list is read again")
        assert desk.app.screen is lock
        desk.app.pop_screen()  # opened
        await desk.until_screen("work")
