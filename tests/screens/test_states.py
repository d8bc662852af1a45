"""Wrap-up, breaks and what comes next, by keys alone; a call that is taken by itself."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from operator_tui.appeals.operations import Kind, Operation
from operator_tui.appeals.presence import State
from operator_tui.desk.state import Topic
from operator_tui.journal.outbox import decode
from operator_tui.phone.line import CallState
from screens.ask import AskScreen
from screens.shift import ShiftScreen
from tests.screens.page import ON_CALL, DeskPage, List, open_desk
from tests.screens.test_call import answered
from tests.screens.test_desk import with_theme

QUIET = {"simulated_first_seconds": 600.0}


async def facts(desk: DeskPage, kind: Kind) -> list[Operation]:
    """What was written down, sent or not."""
    query = "SELECT body FROM outbox WHERE kind = ? ORDER BY n"
    bodies = await desk.desk.on_journal(lambda journal: [body for (body,) in journal._store.rows(query, kind.value)])
    return [decode(body) for body in bodies]


def state(desk: DeskPage) -> State:
    return desk.desk.state.presence.state


async def free(desk: DeskPage) -> None:
    await desk.until(lambda: state(desk) is State.FREE, "free")


async def wrap_up(desk: DeskPage, surname: str = "Недописанный") -> None:
    await answered(desk)
    await desk.surname.type(surname)
    await desk.press("f4")
    await desk.until(lambda: state(desk) is State.WRAP_UP, "wrap-up")


async def test_a_kind_of_break_is_chosen_its_time_is_shown_and_written_down() -> None:
    async with open_desk(phone=QUIET) as desk:
        await free(desk)
        await desk.press("f12")
        await desk.until(lambda: isinstance(desk.app.screen, AskScreen), "the kinds")
        assert "обед, 45 мин" in [row[1] for row in List(desk, "#found").rows()]
        await desk.type("обед")
        await desk.press("enter")
        await desk.until(lambda: "Перерыв: обед" in desk.phone, "which break")
        assert "из 45:00" in desk.phone
        await desk.press("f12")
        await free(desk)
        await desk.until(lambda: "Линия свободна" in desk.phone, "the line again")
        (begun,) = await facts(desk, Kind.BREAK_BEGUN)
        assert begun.x["kind"] == "lunch"
        (ended,) = await facts(desk, Kind.BREAK_ENDED)
        assert (ended.x["kind"], ended.x["over_ms"]) == ("lunch", 0)
        assert ended.x["ms"] > 0


async def test_the_next_state_is_chosen_in_the_talk_and_honoured_after_the_wrap_up() -> None:
    async with open_desk() as desk:
        await answered(desk)
        await desk.surname.type("Недописанный")
        await desk.press("f12")
        await desk.until(lambda: isinstance(desk.app.screen, AskScreen), "what comes next")
        await desk.press("2", "enter")
        await desk.until(lambda: "затем перерыв: обед" in desk.phone, "it stands beside the call")
        assert desk.call_state() is CallState.TALKING
        await desk.press("f4")
        await desk.until(lambda: state(desk) is State.WRAP_UP, "wrap-up first")
        await desk.press("f12")
        await desk.until(lambda: state(desk) is State.BREAK, "the break that was chosen")
        assert desk.desk.state.presence.kind == "lunch"
        await desk.press("f12")
        await free(desk)
        assert desk.desk.state.next_state == "", "chosen once, done once"


async def test_the_wrap_up_ends_by_itself_and_the_card_is_a_draft() -> None:
    async with open_desk(shift={"wrap_up_s": 600.0}) as desk:
        await wrap_up(desk)
        assert "Постобработка" in desk.phone
        assert "из 10:00" in desk.phone
        desk.desk.change(Topic.PHONE, limit_ms=desk.desk.clock.now_ms())
        await free(desk)
        await desk.until(lambda: "карточка осталась черновиком" in desk.notice, "what became of the card")
        drafts = await desk.desk.on_journal(lambda journal: journal.drafts())
        assert [draft.fields.get("surname") for draft in drafts] == ["Недописанный"]


async def test_more_time_is_asked_for_with_a_reason() -> None:
    async with open_desk(shift={"wrap_up_s": 600.0}) as desk:
        await wrap_up(desk)
        before = desk.desk.state.limit_ms
        assert before is not None
        await desk.press("shift+f12")
        await desk.until(lambda: isinstance(desk.app.screen, AskScreen), "why")
        await desk.press("enter")
        await desk.until(lambda: desk.desk.state.limit_ms == before + 30_000, "half a minute more")
        (more,) = await facts(desk, Kind.WRAP_UP_MORE)
        assert more.x == {"reason": "дописываю обращение", "ms": 30_000}
        await desk.press("f12")
        await free(desk)
        await desk.press("shift+f12")
        await desk.until(lambda: "продлевать нечего" in desk.notice, "why not")


async def test_the_end_of_work_waits_for_the_end_of_the_call() -> None:
    async with open_desk() as desk:
        await answered(desk)
        await desk.press("f12")
        await desk.until(lambda: isinstance(desk.app.screen, AskScreen), "what comes next")
        await desk.type("завершить")
        await desk.press("enter")
        await desk.until(lambda: "затем завершить работу" in desk.phone, "after the call")
        await desk.press("f4")
        await desk.until_quiet()
        await desk.press("f12")
        await desk.until(lambda: shown(desk), "what is unfinished")
        await desk.press("ctrl+e")
        await desk.until(lambda: not shown(desk) and "Не активен" in desk.line("#who"), "the end of work")
        (ended,) = await facts(desk, Kind.SHIFT_ENDED)
        assert ended.x["ms"] > 0
        assert ended.x["over_ms"] == 0


@pytest.mark.parametrize("by_itself", [True, False])
async def test_the_end_of_work_chosen_in_a_talk_shows_what_is_unfinished(by_itself: bool) -> None:
    async with open_desk() as desk:
        await desk.press("insert")
        await desk.until_screen("work")
        await desk.surname.type("Недописанный")
        await answered(desk)
        await desk.press("f12")
        await desk.until(lambda: isinstance(desk.app.screen, AskScreen), "what comes next")
        await desk.type("завершить")
        await desk.press("enter")
        await desk.until(lambda: "затем завершить работу" in desk.phone, "after the call")
        if by_itself:
            await with_theme(desk)
            await desk.press("f9", "f4")
        else:
            await desk.press("f4")
            await desk.until_quiet()
            await desk.press("f12")
        await desk.until(lambda: shown(desk), "what is unfinished")
        assert any("Недописанный" in row[1] for row in List(desk, "#waiting").rows())
        assert (desk.desk.state.presence.state is State.OFFLINE) is by_itself
        await desk.press("ctrl+e")
        await desk.until(lambda: not shown(desk) and "Не активен" in desk.line("#who"), "the end of work")
        (ended,) = await facts(desk, Kind.SHIFT_ENDED)
        assert ended.x["ms"] > 0, "once"


def shown(desk: DeskPage) -> bool:
    return isinstance(desk.app.screen, ShiftScreen)


async def test_before_a_queue_call_is_taken_by_itself_the_line_says_where_it_comes_from() -> None:
    async with open_desk(shift={"auto_answer": True, "auto_answer_s": 600.0}) as desk:
        said = ("ВХОДЯЩИЙ: Горячая линия", "сам ответит через")
        await desk.until(lambda: all(words in desk.phone for words in said), "from where, and what will happen")
        await desk.press("f2")
        await desk.until_talking()
        assert desk.desk.state.answers_ms is None


async def test_a_queue_call_is_taken_by_itself() -> None:
    async with open_desk(shift={"auto_answer": True, "auto_answer_s": 0.5}) as desk:
        await desk.until_talking()
        assert desk.desk.state.answers_ms is None
        await desk.until(lambda: desk.desk.state.card is not None, "its card")


async def test_a_call_that_is_rejected_is_not_taken_by_itself() -> None:
    async with open_desk(shift={"auto_answer": True, "auto_answer_s": 600.0}) as desk:
        await desk.until_ringing()
        await desk.until(lambda: desk.desk.state.answers_ms is not None, "it will be taken")
        await desk.press("f4")
        await desk.until(lambda: isinstance(desk.app.screen, AskScreen), "why")
        assert desk.desk.state.answers_ms is None, "nor while that is chosen"
        await desk.press("3", "enter")
        await desk.until_quiet()
        assert await facts(desk, Kind.CALL_ANSWERED) == []
        await desk.until(lambda: not isinstance(desk.app.screen, AskScreen), "the list is gone")
        (ended,) = await facts(desk, Kind.CALL_ENDED)
        assert (ended.x["by"], ended.x["reason"]) == ("operator", "ошибочный или повторный вызов")


async def test_who_is_about_to_reject_before_the_journal_knows_of_the_call_is_not_overtaken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with open_desk(phone=ON_CALL, shift={"auto_answer": True, "auto_answer_s": 0.0}) as desk:
        refresh, written = desk.desk.refresh_journal, asyncio.Event()

        async def slow() -> None:
            await written.wait()
            await refresh()

        monkeypatch.setattr(desk.desk, "refresh_journal", slow)
        await desk.ring()
        await desk.press("f4")
        await desk.until(lambda: isinstance(desk.app.screen, AskScreen), "why")
        written.set()
        call = desk.desk.state.call
        assert call is not None
        words = desk.desk.phone.following._words
        await desk.until(lambda: words._named[0] == call.id, "all that a ringing call brings is done")
        assert desk.desk.state.answers_ms is None
        assert desk.call_state() is CallState.RINGING


async def test_a_long_hold_rings_the_bell_and_a_short_one_does_not() -> None:
    async with open_desk() as desk:
        await answered(desk)
        before = desk.desk.state.bells
        await desk.press("f3")
        await desk.until(lambda: desk.call_state() is CallState.HELD, "held")
        call, now_ms = desk.desk.state.call, desk.desk.clock.now_ms()
        assert call is not None
        assert desk.desk.state.bells == before, "nobody has waited for half a minute"
        short = msgspec.structs.replace(call, held_ms=now_ms - 29_500)
        long = msgspec.structs.replace(call, held_ms=now_ms - 60_000)
        for hold in (short, msgspec.structs.replace(short, held=False), long):
            desk.desk.phone.talks.changed(hold)
        await desk.until(lambda: desk.desk.clock.now_ms() > now_ms + 1_000, "half a minute after the short one began")
        await desk.until(lambda: desk.desk.state.bells >= before + 2, "at 30 and at 60 seconds")
        assert desk.desk.state.bells == before + 2, "never for the short one"


async def test_overtime_stands_in_the_header_and_in_the_journal() -> None:
    async with open_desk(phone=QUIET, shift={"hours": 0.0001}) as desk:
        await free(desk)
        await desk.until(lambda: desk.desk.state.overtime_ms is not None, "the shift's time runs")
        await desk.until(lambda: desk.desk.clock.now_ms() > (desk.desk.state.overtime_ms or 0), "it is over")
        await desk.press("ctrl+l", "f12", "enter")
        await desk.until(lambda: "СВЕРХУРОЧНО" in desk.line("#who") or "СВЕРХУРОЧНО" in desk.text(), "overtime")
        await desk.press("f12")
        await free(desk)
        await desk.press("ctrl+e")
        await desk.until(lambda: "Не активен" in desk.line("#who"), "ended")
        (ended,) = await facts(desk, Kind.SHIFT_ENDED)
        assert ended.x["over_ms"] > 0


async def test_a_desk_that_is_started_anew_in_the_wrap_up_throws_no_call_on_him() -> None:
    async with open_desk() as desk:
        await wrap_up(desk)
        await desk.until(lambda: not desk.desk.phone.engine().snapshot.ready, "the queue is told")
        desk.app._ending = True
        await desk.desk.stop(leave=False)
    async with open_desk() as desk:
        await desk.until(lambda: state(desk) is State.BREAK, "nobody asked for a call yet")
        await desk.until(lambda: "F12 Готов" in desk.text(), "what to do, beside the line")
        await desk.press("f12")
        await free(desk)
