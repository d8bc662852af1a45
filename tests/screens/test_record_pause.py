"""Alt+V: the recording of a talk stops with a reason that stands in the journal, and goes on by the same key."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from operator_tui.appeals.operations import Kind, Operation
from operator_tui.phone.line import CallChanged
from screens.ask import AskScreen
from tests.screens.page import PATIENCE_S, DeskPage, open_desk
from tests.screens.test_call import answered
from tests.screens.test_states import facts


async def recorded(desk: DeskPage, monkeypatch: pytest.MonkeyPatch) -> str:
    """A talk whose line records it; the simulated one does not. Its id."""
    call, following = desk.desk.state.call, desk.desk.phone.following
    assert call is not None

    async def pause(call_id: str, on: bool = True) -> None:
        await following.take(CallChanged(replace(following.calls[call_id], recording="paused" if on else "on")))

    monkeypatch.setattr(desk.desk.phone.engine(), "pause_record", pause)
    await following.take(CallChanged(replace(call, recording="on")))
    await desk.until(lambda: "· ЗАПИСЬ" in desk.line("#phone"), "it is recorded")
    return call.id


async def written(desk: DeskPage, kind: Kind) -> list[Operation]:
    """What stands in the journal, as soon as it does: behind what the screen shows."""
    async with asyncio.timeout(PATIENCE_S):
        while not (found := await facts(desk, kind)):  # noqa: ASYNC110  # a row in the journal is no event
            await asyncio.sleep(0.02)
    return found


@pytest.mark.function("K-4.11")
async def test_a_recording_stops_with_a_reason_and_goes_on_by_one_key(monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_desk() as desk:
        await answered(desk)
        call = await recorded(desk, monkeypatch)
        await desk.press("alt+v")
        await desk.until(lambda: isinstance(desk.app.screen, AskScreen), "why")
        await desk.type("диктует номер карты")
        await desk.press("enter")
        await desk.until(lambda: "ЗАПИСЬ ПРИОСТАНОВЛЕНА" in desk.line("#phone"), "it has stopped")
        (paused,) = await written(desk, Kind.CALL_RECORD_PAUSED)
        assert paused.x == {"call": call, "reason": "диктует номер карты"}
        await desk.press("alt+v")
        await desk.until(lambda: "ПРИОСТАНОВЛЕНА" not in desk.line("#phone"), "it goes on")
        (resumed,) = await written(desk, Kind.CALL_RECORD_RESUMED)
        assert resumed.x == {"call": call}


async def test_what_is_not_recorded_can_not_be_paused() -> None:
    async with open_desk() as desk:
        await answered(desk)
        await desk.press("alt+v")
        await desk.until(lambda: desk.desk.state.notice.urgent and "запис" in desk.notice.lower(), "why not")
        assert not isinstance(desk.app.screen, AskScreen)
