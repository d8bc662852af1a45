"""Callers given on to a colleague, blind and after a word with him, through a real Asterisk."""

from __future__ import annotations

import pytest

from operator_tui.appeals.errors import Code
from operator_tui.phone.line import CallState, TransferEnded, told
from tests.peers.phones import Phones
from tests.peers.sipp import SippCalls
from tests.phone.conftest import Desk, until
from tests.phone.test_pbx import CALLER_HERTZ, COLLEAGUE_HERTZ, NAME, NUMBER, Begin, begin, desk, in_state, ringing

__all__ = ["begin", "desk"]

pytestmark = [pytest.mark.needs("asterisk", "sipp", "sound")]


async def test_blind_transfer(desk: Desk, begin: Begin, sipp_call: SippCalls, phones: Phones) -> None:
    await begin()
    colleague = await phones.register("2003")
    caller = sipp_call(NUMBER, NAME, CALLER_HERTZ)
    call = await ringing(desk)
    await desk.phone.answer(call.id)
    await in_state(desk, call, CallState.TALKING)
    await desk.phone.blind_transfer(call.id, "2003")
    there = await colleague.rings()
    await there.answer(COLLEAGUE_HERTZ)
    ended = await in_state(desk, call, CallState.ENDED)
    assert (ended.ended_by, ended.transferred_to) == ("transfer", "2003")
    assert await there.until_hears(CALLER_HERTZ)
    await until(lambda: caller.sound.hears(COLLEAGUE_HERTZ))
    assert any(isinstance(e, TransferEnded) and e.refusal is None for e in desk.events)


async def test_a_transferred_caller_nobody_takes_comes_back(
    desk: Desk, begin: Begin, sipp_call: SippCalls, phones: Phones
) -> None:
    await begin()
    colleague = await phones.register("2003")
    caller = sipp_call(NUMBER, NAME, CALLER_HERTZ)
    call = await ringing(desk)
    await desk.phone.answer(call.id)
    await in_state(desk, call, CallState.TALKING)
    await desk.phone.blind_transfer(call.id, "2003")
    there = await colleague.rings()
    await in_state(desk, call, CallState.ENDED)
    await there.native.reject()
    back = await ringing(desk)
    assert (back.number, back.name) == (NUMBER, NAME)
    assert not caller.over
    # And from there on to the queue.
    await desk.phone.reject(back.id)
    again = await until(
        lambda: next((c for c in desk.snapshot.calls if c.id != back.id and c.state is CallState.RINGING), None)
    )
    assert (again.number, again.queue) == (NUMBER, "oms-1")


async def test_a_transfer_to_nowhere_keeps_the_call(desk: Desk, begin: Begin, sipp_call: SippCalls) -> None:
    await begin()
    sipp_call(NUMBER, NAME, CALLER_HERTZ)
    call = await ringing(desk)
    await desk.phone.answer(call.id)
    await in_state(desk, call, CallState.TALKING)
    await desk.phone.blind_transfer(call.id, "9999")
    failed = await until(lambda: next((e for e in desk.events if isinstance(e, TransferEnded)), None))
    refusal = told(failed.refusal)
    assert refusal is not None
    assert refusal.code is Code.TRANSFER_FAILED
    assert desk.snapshot.call(call.id).state is CallState.TALKING


@pytest.mark.function("K-1.10", "K-1.12")
async def test_attended_transfer(desk: Desk, begin: Begin, sipp_call: SippCalls, phones: Phones) -> None:
    await begin()
    colleague = await phones.register("2003")
    caller = sipp_call(NUMBER, NAME, CALLER_HERTZ)
    call = await ringing(desk)
    await desk.phone.answer(call.id)
    await in_state(desk, call, CallState.TALKING)
    consult_id = await desk.phone.dial("2003")
    assert desk.snapshot.call(call.id).state is CallState.HELD, "one talk at a time"
    there = await colleague.rings()
    await there.answer(COLLEAGUE_HERTZ)
    consult = desk.snapshot.call(consult_id)
    assert consult is not None
    await in_state(desk, consult, CallState.TALKING)
    await desk.phone.attended_transfer(call.id, consult_id)
    first, second = await in_state(desk, call, CallState.ENDED), await in_state(desk, consult, CallState.ENDED)
    assert (first.ended_by, first.transferred_to) == ("transfer", "2003")
    assert second.ended_by == "transfer"
    assert await there.until_hears(CALLER_HERTZ)
    await until(lambda: caller.sound.hears(COLLEAGUE_HERTZ))
    assert not there.over
