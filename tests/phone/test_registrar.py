"""The SIP line against Kamailio and SIPp: holds on any exchange, and stays proved where no Asterisk can be had."""

from __future__ import annotations

import asyncio
import contextlib
import wave
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from operator_tui.appeals.clock import SystemClock
from operator_tui.appeals.errors import Code
from operator_tui.phone.line import (
    Call,
    CallChanged,
    CallState,
    Direction,
    EndedBy,
    PhoneEvent,
    RegistrationState,
    told,
)
from operator_tui.phone.ports import WavPort
from operator_tui.phone.tones import tone
from tests.peers.kamailio import Kamailio, kamailio
from tests.peers.tones import holds
from tests.phone.conftest import until

__all__ = ["kamailio"]

pytestmark = pytest.mark.needs("kamailio", "sipp", "sound")

OURS, THEIRS = 600.0, 1000.0


class Line:
    """A BaresipLine that speaks ``OURS`` and writes what it hears to ``heard``."""

    def __init__(self, folder: Path) -> None:
        # The SIP stack is global to its process and loaded by these tests alone.
        from operator_tui.phone.sip import BaresipLine

        voice = folder / "voice.wav"
        with wave.open(str(voice), "wb") as sound:
            sound.setparams((1, 2, 8000, 0, "NONE", ""))
            sound.writeframes(tone(OURS, 8000, 4.0))
        self.heard = folder / "heard.wav"
        self.line = BaresipLine(WavPort(voice, self.heard), SystemClock())
        self.changes: list[Call] = []
        self.events: list[PhoneEvent] = []
        self._reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for event in self.line.events():
            self.events.append(event)
            if isinstance(event, CallChanged):
                self.changes.append(event.call)

    def hears(self, hertz: float) -> bool:
        """Whether the last half second of what was heard is that tone."""
        if not self.heard.exists() or self.heard.stat().st_size < 8000:
            return False
        return holds(self.heard.read_bytes()[-8000:], 8000, hertz)

    async def reached(self, state: CallState) -> Call:
        call = await until(lambda: next((c for c in self.changes if c.state is state), None))
        assert isinstance(call, Call)
        return call

    async def registered(self, state: RegistrationState) -> None:
        await until(lambda: self.line.registration().state is state)

    async def close(self) -> None:
        await self.line.stop()
        self._reader.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._reader


@pytest.fixture
async def line(tmp_path: Path) -> AsyncIterator[Line]:
    made = Line(tmp_path)
    yield made
    await made.close()


@pytest.mark.function("K-5.0.2", "K-5.1.1.2", "K-5.1.1.3", "K-4.7", "K-1.10")
async def test_a_caller_is_answered_heard_and_hangs_up(kamailio: Kamailio, line: Line) -> None:
    await line.line.start(kamailio.line("2001"), kamailio.secret("2001"))
    await line.registered(RegistrationState.OK)
    caller = kamailio.call("2001", "+78652012345", "Иванова Мария", hertz=THEIRS)
    ringing = await line.reached(CallState.RINGING)
    assert ringing.direction is Direction.INCOMING
    assert (ringing.number, ringing.name) == ("+78652012345", "Иванова Мария")
    await line.line.answer(ringing.id)
    await until(lambda: caller.sound.hears(OURS))
    await until(lambda: line.hears(THEIRS))
    await asyncio.to_thread(caller.hang_up)
    over = await line.reached(CallState.ENDED)
    assert over.ended_by is EndedBy.THERE
    assert over.answered_ms is not None


@pytest.mark.function("K-4.8", "K-1.12")
async def test_a_subscriber_is_called_and_sound_goes_both_ways(kamailio: Kamailio, line: Line) -> None:
    await line.line.start(kamailio.line("2001"), kamailio.secret("2001"))
    await line.registered(RegistrationState.OK)
    subscriber = kamailio.subscriber()
    call = await line.line.dial("9100")
    await line.reached(CallState.TALKING)
    # He sends back what he hears: our own voice in our ear has gone both ways.
    await until(lambda: line.hears(OURS))
    await line.line.hang_up(call)
    over = await line.reached(CallState.ENDED)
    assert over.ended_by is EndedBy.HERE
    assert await asyncio.to_thread(subscriber.wait, 30) == 0


async def test_a_wrong_secret_is_said_and_not_repeated(kamailio: Kamailio, line: Line) -> None:
    await line.line.start(kamailio.line("2001"), "not-the-secret")
    await line.registered(RegistrationState.FAILED)
    refusal = told(line.line.registration().refusal)
    assert refusal is not None
    assert refusal.code is Code.PHONE_PASSWORD
    assert "not-the-secret" not in str(refusal.wire())


async def test_a_stopped_line_leaves_room_for_the_next(kamailio: Kamailio, line: Line, tmp_path: Path) -> None:
    """Also where it is stopped while it closes its stack by itself, as it does after a wrong secret."""
    await line.line.start(kamailio.line("2001"), "not-the-secret")
    await line.registered(RegistrationState.FAILED)
    await line.line.stop()
    await line.line.stop()
    (tmp_path / "next").mkdir()
    other = Line(tmp_path / "next")
    try:
        await other.line.start(kamailio.line("2001"), kamailio.secret("2001"))
        await other.registered(RegistrationState.OK)
    finally:
        await other.close()
