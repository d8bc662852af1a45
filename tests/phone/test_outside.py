"""Callers given to somebody outside the levels: emergency services, psychologist, experts, through a real Asterisk."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from operator_tui.phone.line import CallState, RegistrationState, TransferEnded
from operator_tui.reference import packaged_catalogue
from tests.peers.asterisk import Asterisk
from tests.peers.phones import Phones
from tests.peers.ports import free_block
from tests.peers.sipp import SippCalls
from tests.phone.conftest import Desk, until
from tests.phone.test_pbx import CALLER_HERTZ, desk, in_state, ringing

__all__ = ["desk"]

pytestmark = [pytest.mark.needs("asterisk", "sipp", "sound")]

ECHO = Path(__file__).parents[1] / "peers" / "sipp" / "echo.xml"


@pytest.fixture
def emergency(asterisk: Asterisk, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Whoever answers behind the provider's gateway; he sends back what he hears."""
    command = ["sipp", "-sf", str(ECHO), "-i", "127.0.0.1", "-mi", "127.0.0.1", "-rtp_echo", "-m", "1", "-nostdin"]
    command += ["-p", str(asterisk.trunk_port), "-mp", str(free_block(4)), "-timeout", "60"]
    process = subprocess.Popen(command, cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    yield process
    process.kill()
    process.wait()


def test_every_target_of_the_list_has_its_way_through_the_dial_plan(asterisk: Asterisk) -> None:
    reference = packaged_catalogue().reference
    assert {"103", "112", "2090", "2091"} <= set(reference.open("outside"))
    for number in reference.open("outside"):
        plan = asterisk.cli(f"dialplan show {number}@operators")
        assert "Dial(" in plan, number


@pytest.mark.parametrize("number", ["2090", "2091"])
async def test_a_caller_is_given_to_the_psychologist_and_to_the_experts(
    desk: Desk, asterisk: Asterisk, sipp_call: SippCalls, phones: Phones, number: str
) -> None:
    helper = await phones.register(number)
    await desk.phone.begin_work(asterisk.line("2001"), asterisk.secret("2001"))
    await until(lambda: desk.snapshot.registration.state is RegistrationState.OK)
    await asterisk.until("queue show oms-1", "2001 (PJSIP/2001)", "Not in use")
    caller = sipp_call("+78652012345", "", CALLER_HERTZ)
    call = await ringing(desk)
    await desk.phone.answer(call.id)
    await in_state(desk, call, CallState.TALKING)
    await desk.phone.blind_transfer(call.id, number)
    given = await helper.rings()
    await given.answer(700)
    await until(lambda: caller.sound.hears(700))
    assert await given.until_hears(CALLER_HERTZ)


@pytest.mark.parametrize("number", ["112", "103"])
async def test_a_caller_is_given_to_the_emergency_service_and_hears_it(
    desk: Desk, asterisk: Asterisk, sipp_call: SippCalls, emergency: subprocess.Popen[bytes], number: str
) -> None:
    await desk.phone.begin_work(asterisk.line("2001"), asterisk.secret("2001"))
    await until(lambda: desk.snapshot.registration.state is RegistrationState.OK)
    await asterisk.until("queue show oms-1", "2001 (PJSIP/2001)", "Not in use")
    caller = sipp_call("+78652012345", "", CALLER_HERTZ)
    call = await ringing(desk)
    assert call.language == "ru", "the PBX says in which language he was greeted"
    await desk.phone.answer(call.id)
    await in_state(desk, call, CallState.TALKING)
    await desk.phone.blind_transfer(call.id, number)
    ended = await in_state(desk, call, CallState.ENDED)
    assert (ended.ended_by, ended.transferred_to) == ("transfer", number)
    await until(lambda: any(isinstance(event, TransferEnded) and event.refusal is None for event in desk.events))
    await until(lambda: caller.sound.hears(CALLER_HERTZ))
