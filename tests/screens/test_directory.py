"""The telephone directory by keys alone."""

from __future__ import annotations

import pytest

from operator_tui.desk.state import Light
from operator_tui.phone.line import CallState
from screens.directory import DirectoryScreen
from tests.screens.page import List, open_desk
from tests.screens.test_call import answered

QUIET = {"simulated_first_seconds": 600.0}


@pytest.mark.function("K-4.1.2", "K-3.8")
async def test_a_colleague_is_found_seen_and_called() -> None:
    async with open_desk(phone=QUIET) as desk:
        await desk.until(lambda: desk.desk.state.colleagues, "presence")
        await desk.press("alt+r")
        await desk.until(lambda: isinstance(desk.app.screen, DirectoryScreen), "the directory")
        rows = List(desk, "#colleagues")
        assert {"свободен", "разговаривает"} & {row[1] for row in rows.rows()}
        await desk.type("rh.r")
        await desk.until(lambda: [row[0] for row in rows.rows()] == ["2003"], "typed in the wrong layout")
        assert "Оператор 2 уровня" in desk.line("#about")
        assert "русский" in desk.line("#knows")
        assert "письменные обращения" in desk.line("#knows")
        await desk.until(lambda: "в работе: 0" in desk.line("#about"), "his load")
        await desk.press("enter")
        await desk.until(lambda: (call := desk.desk.state.call) and call.number == "2003", "the call")


async def test_a_whole_number_is_not_a_longer_one_that_begins_with_it() -> None:
    async with open_desk(phone=QUIET) as desk:
        await desk.press("alt+r")
        await desk.until(lambda: isinstance(desk.app.screen, DirectoryScreen), "the directory")
        rows = List(desk, "#colleagues")
        await desk.type("200")
        await desk.until(lambda: rows.keys()[:1] == ["200"], "as it was typed")
        assert len(rows.keys()) > 1, "and those it may begin"
        await desk.type("3")
        await desk.until(lambda: rows.keys()[:1] == ["2003"], "the colleague")
        assert len(set(rows.keys())) == len(rows.keys())
        await desk.until(lambda: desk.desk.state.lights.phone is Light.ON, "the telephone")
        await desk.press("backspace", "enter")
        await desk.until(lambda: (call := desk.desk.state.call) and call.number == "200", "what was typed is called")


@pytest.mark.function("K-5.1.8.1", "K-5.1.8.3")
async def test_the_caller_is_given_to_a_colleague_of_the_directory() -> None:
    async with open_desk() as desk:
        await answered(desk)
        await desk.press("f7")
        await desk.until(lambda: isinstance(desk.app.screen, DirectoryScreen), "the directory")
        await desk.type("крюк")
        await desk.press("enter")
        await desk.until_quiet()


async def test_leaving_the_directory_changes_nothing() -> None:
    async with open_desk() as desk:
        await answered(desk)
        await desk.press("alt+r")
        await desk.until(lambda: isinstance(desk.app.screen, DirectoryScreen), "the directory")
        await desk.press("escape")
        await desk.until_screen("work")
        assert desk.call_state() is CallState.TALKING
