"""The desk around the call: help, small windows, notices, other answers, the end of a call."""

from __future__ import annotations

import asyncio

import pytest

from operator_tui.appeals.operations import Kind
from operator_tui.appeals.presence import State
from operator_tui.desk.at_hand import DRAFT_DELAY_S
from screens.ask import AskScreen
from screens.base import DeskScreen
from screens.help import HelpScreen
from screens.trouble import TooSmallScreen
from tests.screens.page import PATIENCE_S, DeskPage, List, open_desk
from tests.screens.test_call import answered
from tests.timing import tell_if_slow
from widgets.notice import NoticeLine

QUIET = {"simulated_first_seconds": 600.0}


async def with_theme(desk: DeskPage, words: str = "потер") -> None:
    await desk.press("f6")
    await desk.type(words)
    await desk.until(lambda: desk.themes.rows(), "themes")
    await desk.press("enter")
    await desk.until(lambda: desk.desk.state.card and desk.desk.state.card.fields.get("theme"), "a theme")


async def test_the_desk_goes_home_and_is_free_when_call_and_appeal_are_done() -> None:
    async with open_desk() as desk:
        await answered(desk)
        await with_theme(desk)
        await desk.press("f9", "f4")
        await desk.until_screen("journal")
        await desk.until(lambda: desk.desk.state.presence.state is State.FREE, "free again")
        await desk.until(lambda: len(desk.journal.rows()) == 1, "the appeal in the journal")


async def test_hanging_up_first_leaves_wrap_up_until_the_appeal_is_closed() -> None:
    async with open_desk() as desk:
        await answered(desk)
        await desk.press("f4")
        await desk.until_quiet()
        assert desk.desk.state.presence.state is State.WRAP_UP
        await with_theme(desk)
        await desk.press("f9")
        await desk.until_screen("journal")
        await desk.until(lambda: desk.desk.state.presence.state is State.FREE, "free again")


@pytest.mark.function("K-5.1.5.2", "K-5.1.5.3")
async def test_any_other_answer_is_found_by_keywords() -> None:
    async with open_desk(phone=QUIET) as desk:
        await desk.press("insert")
        await desk.until_screen("work")
        await with_theme(desk)
        assert "S-03" in desk.line("#answer-title")
        desk.app.action_command("answers.search")
        await desk.until(lambda: isinstance(desk.app.screen, AskScreen), "the search")
        await desk.type("скорая")
        found = List(desk, "#found")
        await desk.until(lambda: found.rows(), "answers")
        chosen = found.keys()[0]
        await desk.press("enter")
        await desk.until_screen("work")
        await desk.until(lambda: chosen in desk.line("#answer-title"), "the other answer")


@pytest.mark.function("K-5.1.3.3", "K-5.1.3.4", "K-5.1.3.7")
async def test_at_most_ten_people_and_a_hint_to_narrow() -> None:
    async with open_desk(phone=QUIET, registry={"demo_people": 3000}) as desk:
        await desk.press("insert")
        await desk.until_screen("work")
        await desk.press("f5")
        await desk.type("а")
        await desk.until(lambda: desk.hits.rows(), "people")
        assert len(desk.hits.rows()) == 10
        assert "уточните" in desk.line("#hits-note").lower()


@pytest.mark.function("K-5.1.3.5", "K-5.1.3.6")
async def test_the_search_can_be_cleared_and_hidden() -> None:
    async with open_desk(phone=QUIET) as desk:
        await desk.press("insert")
        await desk.until_screen("work")
        await desk.press("f5")
        await desk.type("а")
        await desk.until(lambda: desk.hits.rows(), "people")
        desk.app.action_command("registry.clear")
        await desk.until(lambda: not desk.hits.rows() and desk.search.value == "", "an empty form")
        desk.app.action_command("registry.hide")
        await desk.until(lambda: not desk.hits.widget.display or not desk.hits.widget.region, "a folded form")


async def test_help_lists_commands_and_runs_the_chosen_one() -> None:
    async with open_desk(phone=QUIET) as desk:
        await desk.press("f1")
        await desk.until(lambda: isinstance(desk.app.screen, HelpScreen), "help")
        commands = List(desk, "#commands")
        place = commands.keys().index("card.add")
        await desk.press(*["down"] * place, "enter")
        await desk.until_screen("work")
        assert desk.desk.state.card is not None


async def test_a_small_window_says_how_large_it_must_be_and_loses_nothing() -> None:
    async with open_desk(phone=QUIET) as desk:
        await desk.press("insert")
        await desk.until_screen("work")
        await desk.surname.type("Иванов")
        await desk.pilot.resize_terminal(60, 20)
        await desk.until(lambda: isinstance(desk.app.screen, TooSmallScreen), "the notice")
        assert "80x24" in desk.text()
        await desk.pilot.resize_terminal(80, 24)
        await desk.until_screen("work")
        assert desk.surname.value == "Иванов"


async def test_a_long_notice_is_wrapped_to_its_end() -> None:
    async with open_desk(phone=QUIET) as desk:
        text = "Очень длинное предупреждение. " * 4 + "Нажмите Ж."
        desk.desk.notice(text, urgent=True)
        await desk.until(lambda: desk.app.screen.query_one(NoticeLine).size.height == 2, "two lines")
        assert "Нажмите Ж." in desk.text()


async def test_what_is_typed_is_in_the_draft_within_a_second() -> None:
    async with open_desk(phone=QUIET) as desk:
        await desk.press("insert")
        await desk.until_screen("work")
        await desk.surname.type("Петров")
        began = desk.desk.clock.monotonic()
        page = desk

        async def surnames() -> list[str]:
            drafts = await page.desk.on_journal(lambda journal: journal.drafts())
            return [str(draft.fields.get("surname")) for draft in drafts]

        while "Петров" not in await surnames():
            assert desk.desk.clock.monotonic() - began < PATIENCE_S
            await desk.pilot.pause(0.02)
        assert DRAFT_DELAY_S < 1.0
        tell_if_slow("a draft on disk", desk.desk.clock.monotonic() - began, 1.0)


async def test_a_break_is_recorded_and_ended_by_the_same_key() -> None:
    async with open_desk(phone=QUIET) as desk:
        await desk.until(lambda: desk.desk.state.presence.state is State.FREE, "free")
        await desk.press("f12", "enter")
        await desk.until(lambda: "перерыв" in desk.line("#who"), "a break")
        await desk.press("f12")
        await desk.until(lambda: "свободен" in desk.line("#who"), "free")
        timeline = await desk.desk.on_journal(lambda journal: [op.k for op in journal.outbox(100)])
        assert Kind.CALL_OFFERED not in timeline


async def test_an_act_goes_on_when_the_patience_of_its_key_ends() -> None:
    async with open_desk(phone=QUIET) as desk:
        saved = asyncio.Event()
        let_go = asyncio.Event()

        async def save() -> None:
            await let_go.wait()
            saved.set()

        screen = desk.app.screen
        assert isinstance(screen, DeskScreen)
        screen.guard(save)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await screen.acts_done()
        let_go.set()
        await desk.until(saved.is_set, "the act is done")


async def test_what_was_read_back_of_a_person_goes_with_his_call_and_with_his_card() -> None:
    async with open_desk() as desk:
        await answered(desk)
        await with_theme(desk)
        await desk.press("alt+a")
        await desk.until(lambda: "Ваш телефон" in desk.notice, "read back")
        await desk.press("f4")
        await desk.until_quiet()
        await desk.until(lambda: "Итак" not in desk.notice, "gone with the call")
        await desk.press("alt+a")
        await desk.until(lambda: "Ваш телефон" in desk.notice, "asked for once more")
        await desk.desk.card.leave()
        await desk.until(lambda: desk.desk.state.card is None and "Итак" not in desk.notice, "gone with the card")
