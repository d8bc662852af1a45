"""A 64 kbit/s office whose line loses every twentieth packet and is up to 60 ms late."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from operator_tui.desk.line_words import LineWords
from operator_tui.phone.line import CallState, Quality, RegistrationState
from tests.peers.asterisk import Asterisk
from tests.peers.lossy import LossyRelay
from tests.peers.sipp import SippCalls
from tests.phone.conftest import Desk, until
from tests.phone.test_media import OPERATOR_HERTZ, hears, setting, voice
from tests.phone.test_pbx import desk, in_state, ringing

__all__ = ["desk"]

pytestmark = [pytest.mark.needs("asterisk", "sipp", "sound")]

RATE = 48_000
MOST_KBIT_S, MOST_KBIT_S_IN = 24.0, 40.0
LEAST_MOS = 3.0


class Reader:
    """What the operator reads."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def notice(self, text: str, *, urgent: bool = False) -> None:
        self.said.append(text)


def warned(desk: Desk) -> str:
    """What the desk says of the reports so far; empty while it says nothing."""
    reader = Reader()
    words = LineWords(reader)  # type: ignore[arg-type]  # of a desk they use no more than this
    for report in [event for event in desk.events if isinstance(event, Quality)]:
        words.quality(report)
    return next(iter(reader.said), "")


@pytest.fixture
def relay(asterisk: Asterisk) -> Iterator[LossyRelay]:
    made = LossyRelay(asterisk.sip, loss=0.05, jitter_ms=60)
    yield made
    made.close()


async def test_speech_stays_on_a_line_that_loses_and_delays(
    desk: Desk, asterisk: Asterisk, relay: LossyRelay, sipp_call: SippCalls, tmp_path: Path
) -> None:
    setting(asterisk, "allow", "opus:60")  # what deploy/asterisk/README.md says of a slow office's telephones
    heard = tmp_path / "heard.wav"
    ways = {"sound": "wav", "input_device": str(voice(tmp_path, RATE)), "output_device": str(heard)}
    config = asterisk.line("2001", server=relay.server, slow_line=True, **ways)
    await desk.phone.begin_work(config, asterisk.secret("2001"))
    await until(lambda: desk.snapshot.registration.state is RegistrationState.OK)
    await asterisk.until("queue show oms-1", "2001 (PJSIP/2001)", "Not in use")
    caller = sipp_call("+78652012345", "", 1000)
    call = await ringing(desk)
    await desk.phone.answer(call.id)
    await in_state(desk, call, CallState.TALKING)
    await until(lambda: caller.sound.hears(OPERATOR_HERTZ))
    await until(hears(heard, RATE))
    warning = await until(lambda: warned(desk))
    assert "Связь ухудшается" in warning
    quality = next(e for e in reversed(desk.events) if isinstance(e, Quality))
    print(  # noqa: T201  # the figures are what this test is for
        f"slow line: {relay.kbit_s('near'):.1f} kbit/s out, {relay.kbit_s('far'):.1f} in, "
        f"lost {relay.lost}, of {relay.sent}; MOS {quality.mos}, loss {quality.loss} %, jitter {quality.jitter} ms"
    )
    assert relay.lost["near"] > 0
    assert relay.kbit_s("near") < MOST_KBIT_S, "with its headers, so that the desk's own traffic fits beside it"
    # Asterisk sends Opus in frames of 20 ms whatever it is asked for: the headers cost more that way.
    assert relay.kbit_s("far") < MOST_KBIT_S_IN
    assert quality.mos > LEAST_MOS
    assert quality.loss < 20
    await desk.phone.hang_up(call.id)
    await in_state(desk, call, CallState.ENDED)
