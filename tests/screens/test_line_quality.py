"""A line that gets worse is said before it breaks, once, and again only after it was good."""

from __future__ import annotations

import asyncio

import msgspec

from operator_tui.appeals.operations import Kind
from operator_tui.phone.line import Call, CallChanged, CallState, Direction, EndedBy, Quality
from screens.ask import AskScreen
from tests.screens.page import List, open_desk
from tests.screens.test_call import answered
from tests.screens.test_desk import QUIET


async def test_a_poor_line_is_told_once_until_it_is_good_again() -> None:
    async with open_desk() as desk:
        await answered(desk)
        call = desk.desk.state.call
        assert call is not None

        async def hear(loss: float, mos: float = 4.0) -> str:
            desk.desk.notice("")
            await desk.desk.phone.following.take(Quality(call.id, mos, loss, 20.0, 40.0))
            return desk.desk.state.notice.text

        assert await hear(0.5) == ""
        assert "Связь ухудшается: теряется 6 %" in await hear(6.2)
        await desk.until(lambda: "СЛЫШНО ПЛОХО, потери 6 %" in desk.line("#phone"), "it stands as long as it is so")
        assert await hear(7.0) == "", "said already"
        assert await hear(0.0) == ""
        await desk.until(lambda: "СЛЫШНО" not in desk.line("#phone"), "it is good again")
        assert "Связь ухудшается" in await hear(1.0, mos=2.8)


async def test_why_a_number_was_not_reached_is_told() -> None:
    async with open_desk(phone=QUIET) as desk:
        await desk.until(lambda: "свободен" in desk.line("#who"), "free")
        for cause, words in (("486 Busy Here", "занято"), ("404 Not Found", "такого номера нет"), ("", "не отвечает")):
            call = Call(f"c{cause}", Direction.OUTGOING, "2005", CallState.DIALING, desk.desk.clock.now_ms())
            ended = msgspec.structs.replace(
                call, state=CallState.ENDED, ended_ms=call.started_ms + 1, ended_by=EndedBy.THERE, cause=cause
            )
            for one in (call, ended):
                await desk.desk.phone.following.take(CallChanged(one))
            assert desk.desk.state.notice.text == f"Не соединили с 2005: {words}."


async def test_the_last_calls_stand_below_the_number_and_enter_dials_the_last_one_again() -> None:
    async with open_desk() as desk:
        await answered(desk)
        call = desk.desk.state.call
        assert call is not None
        await desk.press("f4")
        await desk.until_quiet()
        await desk.press("f12", "alt+d")
        await desk.until(lambda: isinstance(desk.app.screen, AskScreen), "a number")
        ((_, line),) = List(desk, "#found").rows()
        assert line.startswith(f"входящий · {call.number}")
        assert "разговор 0:0" in line
        await desk.type("входящ")
        await desk.until(lambda: len(List(desk, "#found").rows()) == 1, "found by a word, which is no number itself")
        await desk.press("enter")
        await desk.until(lambda: (front := desk.desk.state.call) and front.number == call.number, "dialled again")
        front = desk.desk.state.call
        assert front is not None
        assert front.direction is Direction.OUTGOING


async def test_calls_an_engine_does_not_know_any_more_stand_in_the_journal() -> None:
    june = 1_780_349_400_000  # 2026-06-01 21:30 UTC
    async with open_desk(phone=QUIET) as desk:
        await desk.until(lambda: "свободен" in desk.line("#who"), "free")
        for place in range(25):
            about = {"call": f"c{place}", "ms": june + 60_000 * place}
            offered = {**about, "number": "" if place == 24 else f"+786520000{place:02d}"}
            for kind, x in ((Kind.CALL_OFFERED, offered), (Kind.CALL_ABANDONED, {**about, "wait_ms": 0})):
                await desk.desk.run_journal(desk.desk.parts.journal.record, kind, x)
        following = desk.desk.phone.following
        assert following.past.last == []
        following.pictured = asyncio.Event()  # as at the start of a desk
        await following.take(desk.desk.phone.engine().snapshot)
        await desk.until(lambda: following.past.last, "recalled")
        await desk.press("alt+d")
        await desk.until(lambda: isinstance(desk.app.screen, AskScreen), "a number")
        rows = List(desk, "#found").rows()
        assert len(rows) == 20
        assert desk.desk.promises.zone == "Europe/Moscow"
        assert rows[:2] == [
            ("00:54", "02.06 · входящий · номер скрыт · не ответили"),
            ("00:53", "02.06 · входящий · +78652000023 · не ответили"),
        ]
        await desk.press("enter")
        await desk.until(lambda: "Номер скрыт" in desk.notice, "who can not be dialled")
        assert desk.desk.state.call is None
