"""The desk is killed in a talk: nobody hears of it, and the recording has no gap."""

from __future__ import annotations

import asyncio
import sys
import time

import pytest

from operator_tui.phone.line import CallState
from operator_tui.phone.remote import RemotePhone
from operator_tui.profiles import open_profile
from tests.peers.programs import program
from tests.peers.sipp import SippCalls
from tests.peers.tones import loudness
from tests.phone.conftest import PATIENCE, Desk, until
from tests.phone.test_pbx import in_state, ringing
from tests.phone.test_recording import OPERATOR_HERTZ, desk, recorded, sides
from tests.timing import tell_if_slow

__all__ = ["desk"]

pytestmark = [pytest.mark.needs("asterisk", "sipp", "sound")]

AWAY_SECONDS = 2.0
WINDOW_SECONDS = 0.05
AUDIBLE = 500.0
# A desk of its own process, which says when it is attached and then does nothing.
DESK = """
import asyncio, sys
from operator_tui.phone.remote import RemotePhone
from operator_tui.profiles import open_profile

async def main():
    await RemotePhone(open_profile("work"), start_engine=False).attach()
    print("attached", flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


def longest_silence(side: bytes, rate: int) -> float:
    """Seconds, from the first sound to the last."""
    size = int(rate * WINDOW_SECONDS) * 2
    heard = [loudness(side[at : at + size]) > AUDIBLE for at in range(0, len(side) - size, size)]
    first, last = heard.index(True), len(heard) - heard[::-1].index(True)
    runs = "".join("x" if one else " " for one in heard[first:last]).split("x")
    return max(map(len, runs)) * WINDOW_SECONDS


async def test_a_killed_desk_leaves_no_gap_and_the_next_one_is_there_at_once(desk: Desk, sipp_call: SippCalls) -> None:
    caller = sipp_call("+78652012345", "Иванов Иван", 1000)
    call = await ringing(desk)
    await desk.phone.answer(call.id)
    talking = await in_state(desk, call, CallState.TALKING)
    await until(lambda: caller.sound.hears(OPERATOR_HERTZ, 1.0))
    await desk.phone.detach()
    async with program(sys.executable, "-c", DESK, stdout=asyncio.subprocess.PIPE) as other:
        assert other.stdout is not None
        assert await asyncio.wait_for(other.stdout.readline(), PATIENCE) == b"attached\n"
    await asyncio.sleep(AWAY_SECONDS)  # a gap would be as long as nobody was there
    began = time.monotonic()
    again = Desk(RemotePhone(open_profile("work")))
    snapshot = await again.phone.attach()
    tell_if_slow("a new desk at a call", time.monotonic() - began, 2)
    known = snapshot.call(call.id)
    assert known is not None
    assert (known.state, known.answered_ms) == (CallState.TALKING, talking.answered_ms)
    await again.phone.hang_up(call.id)
    ended = await until(lambda: recorded(again, call.id))
    await again.close()
    await desk.phone.attach()
    left, right, rate, whole = sides(open_profile("work").recordings / ended.file)
    assert whole
    assert min(len(left), len(right)) / 2 / rate > AWAY_SECONDS
    assert longest_silence(left, rate) < AWAY_SECONDS / 2, "the operator"
    assert longest_silence(right, rate) < AWAY_SECONDS / 2, "the caller"
