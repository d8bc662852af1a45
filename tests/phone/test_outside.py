"""Callers given to somebody outside the centre: the emergency services, through a real Asterisk."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from operator_tui.phone.line import CallState, RegistrationState, TransferEnded
from tests.peers.asterisk import Asterisk
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


async def test_a_caller_is_given_to_the_emergency_service_and_hears_it(
    desk: Desk, asterisk: Asterisk, sipp_call: SippCalls, emergency: subprocess.Popen[bytes]
) -> None:
    await desk.phone.begin_work(asterisk.line("2001"), asterisk.secret("2001"))
    await until(lambda: desk.snapshot.registration.state is RegistrationState.OK)
    await asterisk.until("queue show oms-1", "2001 (PJSIP/2001)", "Not in use")
    caller = sipp_call("+78652012345", "", CALLER_HERTZ)
    call = await ringing(desk)
    assert call.language == "ru", "the PBX says in which language he was greeted"
    await desk.phone.answer(call.id)
    await in_state(desk, call, CallState.TALKING)
    await desk.phone.blind_transfer(call.id, "112")
    ended = await in_state(desk, call, CallState.ENDED)
    assert (ended.ended_by, ended.transferred_to) == ("transfer", "112")
    await until(lambda: any(isinstance(event, TransferEnded) and event.refusal is None for event in desk.events))
    await until(lambda: caller.sound.hears(CALLER_HERTZ))
