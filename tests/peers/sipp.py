"""Callers by SIPp: real people's telephones for a PBX under test.

    @pytest.mark.needs("asterisk", "sipp")
    async def test_it(asterisk: Asterisk, sipp_call: SippCalls) -> None:
        caller = sipp_call("+78652012345", "Иванов Иван", tone=1000)   # dials the hot line at once
        await until(lambda: caller.sound.hears(500))                   # hears the greeting
        caller.hang_up()                                               # says BYE
        assert caller.over                                             # the call has ended, by whichever side

The caller comes over the trunk, not registered, with a display name in UTF-8 and P-Asserted-Identity. ``sound`` is a
``tests.peers.rtp.RtpEnd``: it says the tone and measures what the caller hears.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.peers.asterisk import Asterisk
from tests.peers.ports import free_block
from tests.peers.rtp import RtpEnd

SCENARIOS = Path(__file__).parent / "sipp"
_GOODBYE_SECONDS = 5.0


class SippCall:
    """One caller on the way or in a call."""

    def __init__(self, pbx: tuple[str, int], to: str, number: str, display: str, asserted: str, tone: float) -> None:
        self.number = number
        self.sound = RtpEnd(tone)
        self.folder = Path(tempfile.mkdtemp(prefix="sipp-"))
        text = (SCENARIOS / "caller.xml").read_text(encoding="utf-8")
        words = {"TO": to, "NAME": display, "NUMBER": number, "ASSERTED": asserted, "RTP": str(self.sound.port)}
        for word, value in words.items():
            text = text.replace(f"@{word}@", value)
        scenario = self.folder / "caller.xml"
        scenario.write_text(text, encoding="utf-8")
        command = ["sipp", "-sf", str(scenario), f"{pbx[0]}:{pbx[1]}", "-i", "127.0.0.1"]
        command += ["-p", str(free_block(4)), "-m", "1", "-nostdin", "-trace_err"]
        with (self.folder / "screen").open("wb") as screen:
            self._process = subprocess.Popen(command, cwd=self.folder, stdout=screen, stderr=subprocess.STDOUT)

    @property
    def over(self) -> bool:
        return self._process.poll() is not None

    def hang_up(self) -> None:
        """Say BYE (or CANCEL) and wait until it is said."""
        self._process.send_signal(signal.SIGINT)
        self._wait()

    def close(self) -> None:
        if not self.over:
            self.hang_up()
        self.sound.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def log(self) -> str:
        return "\n".join(file.read_text(errors="replace")[-3000:] for file in self.folder.glob("*errors.log"))

    def _wait(self) -> None:
        try:
            self._process.wait(_GOODBYE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class SippCalls:
    """Makes callers; called like a function."""

    def __init__(self, pbx: Asterisk) -> None:
        self._pbx = pbx
        self._made: list[SippCall] = []

    def __call__(
        self,
        number: str = "+78652012345",
        display: str = "Иванов Иван",
        tone: float = 1000,
        *,
        to: str = "",
        asserted: str = "",
    ) -> SippCall:
        """Dial ``to`` (the hot line) as ``number``; ``asserted`` is what the network vouches for (the same)."""
        made = SippCall(self._pbx.sip, to or self._pbx.hot_line, number, display, asserted or number, tone)
        self._made.append(made)
        return made

    def close(self) -> None:
        for call in self._made:
            call.close()


@pytest.fixture
def sipp_call(asterisk: Asterisk) -> Iterator[SippCalls]:
    """Callers of this test's Asterisk; all are gone at its end."""
    calls = SippCalls(asterisk)
    yield calls
    calls.close()
