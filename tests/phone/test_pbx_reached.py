"""How a desk comes to its PBX, a real Asterisk: transports, secrets, certificates, and what is said when it fails."""

from __future__ import annotations

import pytest

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.phone.line import CallState, LineConfig, RegistrationState, told
from tests.peers.asterisk import Asterisk
from tests.peers.sipp import SippCalls
from tests.phone.conftest import Desk, until
from tests.phone.test_pbx import CALLER_HERTZ, NAME, NUMBER, Begin, begin, desk, in_state, ringing

__all__ = ["begin", "desk"]

pytestmark = [pytest.mark.needs("asterisk", "sipp", "sound")]


async def test_a_wrong_secret_is_told_and_not_tried_again(desk: Desk, asterisk: Asterisk) -> None:
    await desk.phone.begin_work(asterisk.line("2001"), "wrong")
    await until(lambda: desk.snapshot.registration.state is RegistrationState.FAILED)
    refusal = told(desk.snapshot.registration.refusal)
    assert refusal is not None
    assert refusal.code is Code.PHONE_PASSWORD
    assert refusal.params == {"extension": "2001"}
    with pytest.raises(Refusal) as away:
        await desk.phone.dial("2003")
    assert away.value.code is Code.PBX_AWAY
    # The right one, by the same engine.
    await desk.phone.end_work()
    await desk.phone.begin_work(asterisk.line("2001"), asterisk.secret("2001"))
    await until(lambda: desk.snapshot.registration.state is RegistrationState.OK)


@pytest.mark.parametrize("transport", ["tcp", "tls"])
async def test_the_line_also_goes_over_tcp_and_tls(
    desk: Desk, begin: Begin, sipp_call: SippCalls, asterisk: Asterisk, transport: str
) -> None:
    server = f"127.0.0.1:{asterisk.tls_port if transport == 'tls' else asterisk.port}"
    await begin(server=server, transport=transport, ca_file=str(asterisk.certificate))
    caller = sipp_call(NUMBER, NAME, CALLER_HERTZ)
    call = await ringing(desk)
    await desk.phone.answer(call.id)
    await in_state(desk, call, CallState.TALKING)
    await desk.phone.hang_up(call.id)
    await until(lambda: caller.over)


async def test_a_pbx_whose_certificate_nobody_vouches_for_gets_no_password(desk: Desk, asterisk: Asterisk) -> None:
    config = asterisk.line("2001", server=f"127.0.0.1:{asterisk.tls_port}", transport="tls")
    await desk.phone.begin_work(config, asterisk.secret("2001"))
    await until(lambda: desk.snapshot.registration.state is RegistrationState.LOST)
    refusal = told(desk.snapshot.registration.refusal)
    assert refusal is not None
    assert refusal.code is Code.PBX_UNTRUSTED
    assert "REGISTER" not in asterisk.log()
    assert "Unavailable" in asterisk.cli("queue show oms-1")


async def test_no_pbx_is_told_and_found_when_it_comes(desk: Desk, asterisk: Asterisk) -> None:
    config = asterisk.line("2001")
    asterisk.stop()
    await desk.phone.begin_work(config, asterisk.secret("2001"))
    await until(lambda: desk.snapshot.registration.state is RegistrationState.LOST)
    refusal = told(desk.snapshot.registration.refusal)
    assert refusal is not None
    assert refusal.code is Code.PBX_AWAY
    asterisk.start()
    await until(lambda: desk.snapshot.registration.state is RegistrationState.OK)


async def test_no_part_of_the_set_up_means_a_sentence(desk: Desk) -> None:
    with pytest.raises(Refusal) as nowhere:
        await desk.phone.begin_work(LineConfig(line="sip", extension="2001", sound="null"), "x")
    assert nowhere.value.code is Code.PHONE_SETUP
    assert nowhere.value.params == {"key": "phone.server"}
