"""The simulated line, by its clock and its seed alone."""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from operator_tui.appeals.clock import ManualClock
from operator_tui.appeals.errors import Refusal
from operator_tui.phone.calls import MOVES
from operator_tui.phone.line import Call, CallChanged, Caller, CallState, Direction, LineConfig, PhoneEvent
from operator_tui.phone.simulated import SimulatedLine

CONFIG = LineConfig(extension="2001")
PEOPLE = (Caller("+78652011111", "Смирнова Анна"), Caller("+78652022222", "Ким Виктор"))


def told(line: SimulatedLine) -> list[PhoneEvent]:
    """All events so far."""
    events: list[PhoneEvent] = []
    while not line._events.empty():
        event = line._events.get_nowait()
        assert event is not None
        events.append(event)
    return events


async def begun(clock: ManualClock, config: LineConfig = CONFIG) -> SimulatedLine:
    line = SimulatedLine(clock, tick_seconds=0)
    await line.start(config, "", PEOPLE)
    return line


async def test_the_demo_rings_within_ten_seconds_with_a_known_person() -> None:
    clock = ManualClock()
    line = await begun(clock)
    assert LineConfig().simulated_first_seconds < 10
    clock.advance(CONFIG.simulated_first_seconds - 0.1)
    line.step()
    assert not line.calls()
    clock.advance(0.1)
    line.step()
    (call,) = line.calls()
    assert Caller(call.number, call.name) in PEOPLE
    assert (call.direction, call.state, call.queue) == (Direction.INCOMING, CallState.RINGING, "oms-1")


async def test_callers_follow_the_seed() -> None:
    async def numbers(seed: int) -> list[str]:
        clock = ManualClock()
        line = await begun(clock, LineConfig(simulated_seed=seed, simulated_next_seconds=1))
        found = []
        for _ in range(20):
            clock.advance(5)
            line.step()
            (call,) = line.calls()
            found.append(call.number)
            await line.hang_up(call.id)
        return found

    assert await numbers(1) == await numbers(1)
    assert await numbers(1) != await numbers(2)


async def test_a_dialled_number_rings_and_answers() -> None:
    clock = ManualClock()
    line = await begun(clock)
    call = await line.dial("2003")
    states = [line.calls()[0].state]
    for _ in range(8):
        clock.advance(0.6)
        line.step()
        states.append(line.calls()[0].state)
    assert list(dict.fromkeys(states)) == [CallState.DIALING, CallState.RINGING, CallState.TALKING]
    await line.hang_up(call)


async def test_consult_and_join() -> None:
    clock = ManualClock()
    line = await begun(clock)
    clock.advance(5)
    line.step()
    (call,) = line.calls()
    await line.answer(call.id)
    consult = await line.dial("2003")
    clock.advance(1)
    line.step()
    clock.advance(5)
    line.step()
    assert {c.state for c in line.calls()} == {CallState.HELD, CallState.TALKING}
    told(line)
    await line.attended_transfer(call.id, consult)
    assert not line.calls()
    ends = [e.call for e in told(line) if isinstance(e, CallChanged)]
    assert {(c.ended_by.value, c.transferred_to) for c in ends} == {
        ("transfer", "2003"),
        ("transfer", call.number),
    }


_ACTS = st.sampled_from(
    ["answer", "reject", "hang_up", "hold", "resume", "mute", "dial", "blind", "attended", "away", "ready"]
)


@given(st.integers(), st.lists(st.tuples(_ACTS, st.floats(0, 1000)), max_size=40))
@settings(max_examples=200, deadline=None)
def test_whatever_the_operator_does_every_call_lives_by_the_table(seed: int, script: list[tuple[str, float]]) -> None:
    async def shift() -> None:
        clock = ManualClock()
        line = await begun(clock, LineConfig(simulated_seed=seed))
        seen: dict[str, Call] = {}
        for act, seconds in script:
            clock.advance(seconds)
            line.step()
            calls = line.calls()
            try:
                await _do(line, act, calls)
            except Refusal:
                assert line.calls() == calls, "a refused act changes nothing"
            for event in told(line):
                if isinstance(event, CallChanged):
                    before = seen.get(event.call.id)
                    assert before is None or not before.over, "nothing is told of a call that is over"
                    if before is not None and before.state is not event.call.state:
                        assert any(
                            target is event.call.state for (state, _), target in MOVES.items() if state is before.state
                        )
                    seen[event.call.id] = event.call
            assert sum(c.state is CallState.TALKING for c in line.calls()) <= 1
            assert len(line.calls()) <= 2
        await line.stop()
        for event in told(line):
            if isinstance(event, CallChanged):
                seen[event.call.id] = event.call
        assert all(call.over for call in seen.values()), "the end of work ends every call"

    asyncio.run(shift())


async def _do(line: SimulatedLine, act: str, calls: tuple[Call, ...]) -> Any:
    first, last = (calls[0].id, calls[-1].id) if calls else ("none", "none")
    match act:
        case "answer":
            await line.answer(last)
        case "reject":
            await line.reject(last)
        case "hang_up":
            await line.hang_up(first)
        case "hold":
            await line.hold(last, True)
        case "resume":
            await line.hold(first, False)
        case "mute":
            await line.mute(first, True)
        case "dial":
            await line.dial("2003")
        case "blind":
            await line.blind_transfer(first, "2004")
        case "attended":
            await line.attended_transfer(first, last)
        case _:
            await line.set_ready(act == "ready")
