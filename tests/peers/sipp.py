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

import contextlib
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.peers.asterisk import Asterisk
from tests.peers.ports import free_block
from tests.peers.rtp import RtpEnd

SCENARIOS = Path(__file__).parent / "sipp"
_GOODBYE_SECONDS = 30.0
# What the scenario takes as "hang up now".
_INFO = """\
INFO sip:caller@127.0.0.1 SIP/2.0\r
Via: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK-test\r
From: <sip:test@127.0.0.1>;tag=test\r
To: <sip:caller@127.0.0.1>\r
Call-ID: @ID@\r
CSeq: 1 INFO\r
Content-Length: 0\r
\r
"""


class SippCall:
    """One caller on the way or in a call."""

    def __init__(self, pbx: tuple[str, int], to: str, number: str, display: str, asserted: str, tone: float) -> None:
        self.number = number
        self.sound = RtpEnd(tone)
        self._port = free_block(4)
        self._id = uuid4().hex
        self.folder = Path(tempfile.mkdtemp(prefix="sipp-"))
        text = (SCENARIOS / "caller.xml").read_text(encoding="utf-8")
        words = {"TO": to, "NAME": display, "NUMBER": number, "ASSERTED": asserted, "RTP": str(self.sound.port)}
        for word, value in words.items():
            text = text.replace(f"@{word}@", value)
        scenario = self.folder / "caller.xml"
        scenario.write_text(text, encoding="utf-8")
        # It dies with the test run, also with one that is killed.
        command = [
            "setpriv",
            "--pdeathsig",
            "KILL",
            "sipp",
            "-sf",
            str(scenario),
            f"{pbx[0]}:{pbx[1]}",
            "-i",
            "127.0.0.1",
        ]
        command += ["-p", str(self._port), "-cid_str", self._id, "-m", "1", "-nostdin", "-trace_err"]
        with (self.folder / "screen").open("wb") as screen:
            self._process = subprocess.Popen(command, cwd=self.folder, stdout=screen, stderr=subprocess.STDOUT)

    @property
    def over(self) -> bool:
        return self._process.poll() is not None

    def hang_up(self) -> None:
        """Say BYE once the call is answered, and wait until it is said."""
        deadline = time.monotonic() + _GOODBYE_SECONDS
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mouth:
            while not self.over and time.monotonic() < deadline:
                mouth.sendto(_INFO.replace("@ID@", self._id).encode(), ("127.0.0.1", self._port))
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(0.5)
        if not self.over:
            self._process.kill()
            self._process.wait()

    def close(self) -> None:
        if not self.over:
            self.hang_up()
        self.sound.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def log(self) -> str:
        return "\n".join(file.read_text(errors="replace")[-3000:] for file in self.folder.glob("*errors.log"))


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
