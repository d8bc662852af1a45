"""How long an engine lives: beyond its desk and its call, not beyond both, and who finds the next one."""

from __future__ import annotations

import asyncio

import pytest

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.phone.engine import Engine
from operator_tui.phone.line import PhoneAway
from tests.phone.conftest import PATIENCE, QUICK, Bench, until


async def test_it_ends_ten_minutes_after_desk_and_call_are_gone(bench: Bench) -> None:
    desk = await bench.desk()
    await desk.phone.begin_work(QUICK)
    call = await bench.ring(desk)
    await desk.phone.answer(call.id)
    await desk.close()
    bench.clock.advance(601)
    await bench.looks()
    assert not bench.running.done(), "a call keeps it alive"
    bench.clock.advance(QUICK.simulated_talk_seconds)
    await until(lambda: not bench.lines[0].calls())
    await bench.looks()
    assert not bench.running.done(), "the ten minutes begin with the end of the call"
    # What only rings here goes on to somebody else and keeps nobody alive.
    bench.clock.advance(601)
    await asyncio.wait_for(bench.running, PATIENCE)
    assert not bench.profile.phone_socket.exists()


async def test_an_engine_that_nobody_can_find_ends(bench: Bench) -> None:
    desk = await bench.desk()
    bench.profile.phone_socket.unlink()
    await bench.looks()
    assert not bench.running.done(), "its desk still has it"
    await desk.close()
    await asyncio.wait_for(bench.running, PATIENCE)


async def test_exit_waits_for_the_call(bench: Bench) -> None:
    desk = await bench.desk()
    await desk.phone.begin_work(QUICK)
    call = await bench.ring(desk)
    await desk.phone.answer(call.id)
    await desk.phone.shut_down()
    await bench.looks()
    assert not bench.running.done()
    bench.clock.advance(QUICK.simulated_talk_seconds)
    await asyncio.wait_for(bench.running, PATIENCE)


async def test_exit_without_a_call_ends_it_at_once(bench: Bench) -> None:
    desk = await bench.desk()
    await desk.phone.begin_work(QUICK)
    await desk.phone.shut_down()
    await asyncio.wait_for(bench.running, PATIENCE)


async def test_the_desk_finds_a_new_engine_and_begins_work_again(bench: Bench) -> None:
    desk = await bench.desk()
    await desk.phone.begin_work(QUICK)
    bench.engine.end()
    await asyncio.wait_for(bench.running, PATIENCE)
    await until(lambda: any(isinstance(e, PhoneAway) for e in desk.events))
    with pytest.raises(Refusal) as away:
        await desk.phone.dial("2002")
    assert away.value.code is Code.PHONE_AWAY
    other = Engine(bench.profile.phone_socket, clock=bench.clock, poll_seconds=0.01)
    running = asyncio.create_task(other.run())
    await until(lambda: desk.phone.attached and desk.snapshot.working)
    other.end()
    await running


async def test_a_dead_line_makes_room_for_a_new_process(bench: Bench) -> None:
    desk = await bench.desk()
    await desk.phone.begin_work(QUICK)
    bench.lines[0]._over()
    await asyncio.wait_for(bench.running, PATIENCE)
    await until(lambda: any(isinstance(e, PhoneAway) for e in desk.events))
