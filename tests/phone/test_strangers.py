"""A call that does not come from the PBX: anybody on the network can send an INVITE to the desk's port."""

from __future__ import annotations

import socket

import pytest

from operator_tui.phone.line import RegistrationState
from tests.peers.asterisk import Asterisk
from tests.peers.sipp import SippCalls
from tests.phone.conftest import Desk, until
from tests.phone.test_malformed import INVITE
from tests.phone.test_pbx import desk, ringing

__all__ = ["desk"]

pytestmark = [pytest.mark.needs("asterisk", "sipp", "sound")]

ELSEWHERE = "127.0.0.9"


def invite(port: int, number: int, via: str) -> bytes:
    """A whole INVITE, as a stranger writes it; ``via`` is where he says that he is."""
    body = INVITE.partition("\n\n")[2]
    text = INVITE.replace("127.0.0.1:9;", f"{via};rport;")
    for word, value in {"PORT": port, "N": number, "LENGTH": len(body.replace("\n", "\r\n"))}.items():
        text = text.replace(f"@{word}@", str(value))
    return text.replace("\n", "\r\n").encode()


async def at_work(desk: Desk, asterisk: Asterisk, *, only_pbx: bool) -> int:
    config = asterisk.line("2001", only_pbx=only_pbx)
    await desk.phone.begin_work(config, asterisk.secret("2001"))
    await until(lambda: desk.snapshot.registration.state is RegistrationState.OK)
    return config.sip_port


def strangers_call(port: int, pbx: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mouth:
        mouth.bind((ELSEWHERE, 0))
        own = f"{ELSEWHERE}:{mouth.getsockname()[1]}"
        for number, via in enumerate((own, pbx)):  # as himself, and as if he were the PBX
            mouth.sendto(invite(port, number, via), ("127.0.0.1", port))


async def test_only_the_pbx_rings_here(desk: Desk, asterisk: Asterisk, sipp_call: SippCalls) -> None:
    port = await at_work(desk, asterisk, only_pbx=True)
    await asterisk.until("queue show oms-1", "2001 (PJSIP/2001)", "Not in use")
    strangers_call(port, f"127.0.0.1:{asterisk.port}")
    sipp_call("+78652012345", "", 1000)
    assert (await ringing(desk)).number == "+78652012345"
    assert len(desk.snapshot.calls) == 1
    assert not desk.snapshot.recent


async def test_by_setting_anybody_may(desk: Desk, asterisk: Asterisk) -> None:
    port = await at_work(desk, asterisk, only_pbx=False)
    strangers_call(port, f"127.0.0.1:{asterisk.port}")
    assert (await ringing(desk)).number == "nobody"
