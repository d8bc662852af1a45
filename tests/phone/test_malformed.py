"""What anybody on the network may send to the engine: it lives, its call goes on, the next call comes."""

from __future__ import annotations

import os
import random
import socket
import struct

import pytest

from operator_tui.phone.line import CallState, RegistrationState
from operator_tui.profiles import open_profile
from tests.peers.asterisk import Asterisk
from tests.peers.sipp import SippCalls
from tests.phone.conftest import Desk, engines, until
from tests.phone.test_media import OPERATOR_HERTZ, voice
from tests.phone.test_pbx import desk, in_state, ringing

__all__ = ["desk"]

pytestmark = [pytest.mark.needs("asterisk", "sipp", "sound")]

MESSAGES = 600
INVITE = """\
INVITE sip:2001@127.0.0.1:@PORT@ SIP/2.0
Via: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK-@N@
Max-Forwards: 70
From: "Иванов Иван" <sip:nobody@127.0.0.1>;tag=@N@
To: <sip:2001@127.0.0.1>
Call-ID: malformed-@N@
CSeq: 1 INVITE
Contact: <sip:nobody@127.0.0.1:9>
Content-Type: application/sdp
Content-Length: @LENGTH@

v=0
o=- 1 1 IN IP4 127.0.0.1
s=-
c=IN IP4 127.0.0.1
t=0 0
m=audio 9 RTP/AVP 8
a=rtpmap:8 PCMA/8000
"""
# After the kinds of RFC 4475: broken start lines, numbers out of range, endless and missing fields, wrong lengths.
BROKEN = (
    ("INVITE sip", "INVITE  sip"),
    ("SIP/2.0\n", "SIP/7.0\n"),
    ("CSeq: 1 INVITE", "CSeq: 36893488147419103232 INVITE"),
    ("CSeq: 1 INVITE", "CSeq: 1 BYE"),
    ("Max-Forwards: 70", "Max-Forwards: -1"),
    ("Via: ", "Via: , , ;;;"),
    ("Content-Length: @LENGTH@", "Content-Length: 999999999"),
    ("Content-Length: @LENGTH@", "Content-Length: -5"),
    ("Contact: <sip:nobody@127.0.0.1:9>", "Contact: <" + "x" * 4000),
    ("To: <sip:2001@127.0.0.1>\n", ""),
    ("Call-ID: malformed-@N@\n", ""),
    ('From: "Иванов Иван"', 'From: "Иванов \\'),
    ("m=audio 9 RTP/AVP 8", "m=audio 99999999 RTP/AVP 8 8 8 8"),
    ("m=audio 9 RTP/AVP 8", "m=audio"),
    ("v=0", "\0\0\0"),
    ("c=IN IP4 127.0.0.1", "c=IN IP6 :::::"),
    ("INVITE sip:2001@127.0.0.1:@PORT@", "NOTIFY sip:2001@127.0.0.1:@PORT@"),
    ("INVITE sip:2001@127.0.0.1:@PORT@", "REFER sip:2001@127.0.0.1:@PORT@"),
)


def messages(port: int, chance: random.Random) -> list[bytes]:
    """Broken in a known way each, then at random places."""
    made: list[bytes] = []
    for number in range(MESSAGES):
        text = INVITE
        if number < len(BROKEN):
            text = text.replace(*BROKEN[number])
        body = text.partition("\n\n")[2]
        for word, value in {"PORT": port, "N": number, "LENGTH": len(body.replace("\n", "\r\n"))}.items():
            text = text.replace(f"@{word}@", str(value))
        packet = bytearray(text.replace("\n", "\r\n").encode())
        if number >= len(BROKEN):
            for _ in range(chance.randrange(1, 30)):
                place = chance.randrange(len(packet))
                packet[place : place + chance.randrange(3)] = chance.randbytes(chance.randrange(4))
        made.append(bytes(packet))
    return made


def rtp_packets(chance: random.Random) -> list[bytes]:
    """Sound of no known kind, too short, of an endless header, or of nothing but chance; RTCP the same."""
    header = struct.Struct("!BBHII")
    made = [header.pack(0xBF, chance.randrange(256), n, n, n) + chance.randbytes(20) for n in range(200)]
    made += [chance.randbytes(chance.randrange(1, 1400)) for _ in range(200)]
    made += [b"\x81\xc8\xff\xff" + chance.randbytes(chance.randrange(60)) for _ in range(200)]
    return made


async def test_nothing_sent_to_it_ends_the_engine_or_its_call(
    desk: Desk, asterisk: Asterisk, sipp_call: SippCalls, tmp_path: object
) -> None:
    # Open to everybody: else the stack takes no connection of a stranger, and none of this would reach what reads it.
    sound = {"input_device": str(voice(tmp_path, 8000)), "output_device": os.devnull}  # type: ignore[arg-type]
    config = asterisk.line("2001", sound="wav", only_pbx=False, **sound)
    await desk.phone.begin_work(config, asterisk.secret("2001"))
    await until(lambda: desk.snapshot.registration.state is RegistrationState.OK)
    await asterisk.until("queue show oms-1", "2001 (PJSIP/2001)", "Not in use")
    caller = sipp_call("+78652012345", "", 1000)
    call = await ringing(desk)
    await desk.phone.answer(call.id)
    await in_state(desk, call, CallState.TALKING)
    (pid,) = engines(open_profile("work"))
    chance = random.Random(1411)
    first, last = map(int, config.rtp_ports.split("-"))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mouth:
        for packet in messages(config.sip_port, chance):
            mouth.sendto(packet, ("127.0.0.1", config.sip_port))
        for packet in rtp_packets(chance):
            for port in range(first, last + 1):
                mouth.sendto(packet, ("127.0.0.1", port))
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", config.sip_port), 5) as stream:
            stream.sendall(chance.randbytes(2000))
    caller.sound.forget()
    await until(lambda: caller.sound.hears(OPERATOR_HERTZ))
    assert engines(open_profile("work")) == {pid}, "the same engine"
    await desk.phone.hang_up(call.id)
    await in_state(desk, call, CallState.ENDED)
    for stray in desk.snapshot.calls:
        await desk.phone.hang_up(stray.id)
    sipp_call("+78652054321", "", 1000)
    again = await until(lambda: next((c for c in desk.snapshot.calls if c.number == "+78652054321"), None))
    await desk.phone.answer(again.id)
    await in_state(desk, again, CallState.TALKING)
    assert engines(open_profile("work")) == {pid}
    await desk.phone.hang_up(again.id)
