"""The PBX goes away in the middle of things and comes back, and a goodbye gets lost on the way."""

from __future__ import annotations

import signal

import msgspec
import pytest

from operator_tui.appeals.errors import Code
from operator_tui.phone.line import Call, CallState, EndedBy, RegistrationState, told
from tests.peers.asterisk import Asterisk
from tests.peers.kamailio import Kamailio, kamailio
from tests.peers.sipp import SippCalls
from tests.phone.conftest import Desk, until
from tests.phone.test_pbx import desk, in_state, ringing
from tests.phone.test_registrar import OURS, Line, line

__all__ = ["desk", "kamailio", "line"]

NUMBER = "+78652012345"
VANISHED_SECONDS = 3


async def at_work(desk: Desk, asterisk: Asterisk) -> None:
    config = asterisk.line("2001", vanished_seconds=VANISHED_SECONDS)
    await desk.phone.begin_work(config, asterisk.secret("2001"))
    await until(lambda: desk.snapshot.registration.state is RegistrationState.OK)


async def talking(desk: Desk, asterisk: Asterisk, sipp_call: SippCalls, number: str) -> Call:
    await asterisk.until("queue show oms-1", "2001 (PJSIP/2001)", "Not in use")
    sipp_call(number, "", 1000)
    call = await ringing(desk)
    assert call.number == number
    await desk.phone.answer(call.id)
    return await in_state(desk, call, CallState.TALKING)


@pytest.mark.needs("asterisk", "sipp", "sound")
async def test_a_pbx_killed_in_a_talk_ends_it_by_the_network_and_is_found_again(
    desk: Desk, asterisk: Asterisk, sipp_call: SippCalls
) -> None:
    await at_work(desk, asterisk)
    call = await talking(desk, asterisk, sipp_call, NUMBER)
    asterisk.kill()
    ended = await in_state(desk, call, CallState.ENDED)
    assert ended.ended_by is EndedBy.NETWORK, "nobody hung up"
    await until(lambda: desk.snapshot.registration.state is RegistrationState.LOST)
    refusal = told(desk.snapshot.registration.refusal)
    assert refusal is not None
    assert refusal.code is Code.PBX_AWAY
    asterisk.start()
    await until(lambda: desk.snapshot.registration.state is RegistrationState.OK)
    again = await talking(desk, asterisk, sipp_call, "+78652054321")
    await desk.phone.hang_up(again.id)
    await in_state(desk, again, CallState.ENDED)


@pytest.mark.needs("asterisk", "sipp", "sound")
async def test_a_pbx_killed_while_it_registers_us_is_found_when_it_is_back(
    desk: Desk, asterisk: Asterisk, sipp_call: SippCalls
) -> None:
    asterisk.kill(signal.SIGSTOP)  # it takes the REGISTER and says nothing any more
    await desk.phone.begin_work(asterisk.line("2001"), asterisk.secret("2001"))
    await until(lambda: desk.snapshot.registration.state is RegistrationState.REGISTERING)
    asterisk.kill()
    asterisk.start()
    await until(lambda: desk.snapshot.registration.state is RegistrationState.OK)
    call = await talking(desk, asterisk, sipp_call, NUMBER)
    await desk.phone.hang_up(call.id)


@pytest.mark.needs("kamailio", "sipp", "sound")
async def test_who_vanishes_without_a_goodbye_is_missed_by_his_silence(kamailio: Kamailio, line: Line) -> None:
    config = msgspec.structs.replace(kamailio.line("2001"), vanished_seconds=VANISHED_SECONDS)
    await line.line.start(config, kamailio.secret("2001"))
    await line.registered(RegistrationState.OK)
    subscriber = kamailio.subscriber()
    await line.line.dial("9100")
    await line.reached(CallState.TALKING)
    await until(lambda: line.hears(OURS))
    subscriber.kill()
    over = await line.reached(CallState.ENDED)
    assert over.ended_by is EndedBy.NETWORK
    assert not line.line.calls()
    await line.registered(RegistrationState.OK)
