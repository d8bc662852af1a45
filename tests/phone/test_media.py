"""Every way of the signalling with every codec, plain and encrypted: both voices through a real Asterisk."""

from __future__ import annotations

import wave
from collections.abc import Callable
from pathlib import Path

import pytest

from operator_tui.phone.line import CallState, RegistrationState
from operator_tui.phone.tones import tone
from tests.peers.asterisk import Asterisk
from tests.peers.sipp import SippCalls
from tests.peers.tones import holds
from tests.phone.conftest import Desk, until
from tests.phone.test_pbx import desk, in_state, ringing

__all__ = ["desk"]

pytestmark = [pytest.mark.needs("asterisk", "sipp", "sound")]

OPERATOR_HERTZ, CALLER_HERTZ = 440, 1000
CODECS = {"pcma": 8000, "pcmu": 8000, "g722/16000/1": 16_000, "opus/48000/2": 48_000}


def voice(folder: Path, rate: int) -> Path:
    """The operator's tone as a file at the codec's rate."""
    file = folder / f"voice-{rate}.wav"
    with wave.open(str(file), "wb") as sound:
        sound.setparams((1, 2, rate, 0, "NONE", ""))
        sound.writeframes(tone(OPERATOR_HERTZ, rate, 1.0))
    return file


def hears(file: Path, rate: int) -> Callable[[], bool]:
    """Whether the last half second of what the operator heard is the caller's tone."""

    def now() -> bool:
        return file.exists() and file.stat().st_size > rate and holds(file.read_bytes()[-rate:], rate, CALLER_HERTZ)

    return now


def setting(asterisk: Asterisk, name: str, value: str) -> None:
    """Another value of a setting of the operators' telephones, which stand first in the file."""
    file = asterisk.folder / "etc" / "pjsip.conf"
    lines = file.read_text(encoding="utf-8").splitlines()
    place = next(at for at, line in enumerate(lines) if line.startswith(f"{name} = "))
    changed = [*lines[:place], f"{name} = {value}", *lines[place + 1 :]]
    file.write_text("\n".join(changed) + "\n", encoding="utf-8")
    asterisk.cli("module reload res_pjsip.so")


@pytest.mark.parametrize(("transport", "srtp"), [("udp", False), ("tcp", False), ("tls", False), ("tls", True)])
async def test_both_voices_by_every_codec(
    desk: Desk, asterisk: Asterisk, sipp_call: SippCalls, tmp_path: Path, transport: str, srtp: bool
) -> None:
    if srtp:
        setting(asterisk, "media_encryption_optimistic", "no")
    port = asterisk.tls_port if transport == "tls" else asterisk.port
    for codec, rate in CODECS.items():
        heard = tmp_path / f"heard-{rate}-{codec[:4]}.wav"
        config = asterisk.line(
            "2001", server=f"127.0.0.1:{port}", transport=transport, ca_file=str(asterisk.certificate), srtp=srtp,
            codecs=(codec,), sound="wav", input_device=str(voice(tmp_path, rate)), output_device=str(heard),
        )  # fmt: skip
        await desk.phone.begin_work(config, asterisk.secret("2001"))
        await until(lambda: desk.snapshot.registration.state is RegistrationState.OK)
        await asterisk.until("queue show oms-1", "2001 (PJSIP/2001)", "Not in use")
        caller = sipp_call("+78652012345", "", CALLER_HERTZ)
        call = await ringing(desk)
        await desk.phone.answer(call.id)
        await in_state(desk, call, CallState.TALKING)
        await until(lambda caller=caller: caller.sound.hears(OPERATOR_HERTZ))
        await until(hears(heard, rate))
        await desk.phone.hang_up(call.id)
        await in_state(desk, call, CallState.ENDED)
        await desk.phone.end_work()


async def test_a_line_that_wants_secrecy_takes_no_plain_call(desk: Desk, asterisk: Asterisk) -> None:
    """The PBX offers plain sound to this telephone alone: no call comes about."""
    setting(asterisk, "media_encryption", "no")
    setting(asterisk, "media_encryption_optimistic", "no")
    config = asterisk.line(
        "2001", server=f"127.0.0.1:{asterisk.tls_port}", transport="tls", ca_file=str(asterisk.certificate), srtp=True
    )
    await desk.phone.begin_work(config, asterisk.secret("2001"))
    await until(lambda: desk.snapshot.registration.state is RegistrationState.OK)
    dialled = await desk.phone.dial("1411")
    ended = await until(lambda: (call := desk.snapshot.call(dialled)) and call.over and call)
    assert ended.cause.startswith("488")
    assert ended.answered_ms is None
