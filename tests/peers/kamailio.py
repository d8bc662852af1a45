"""A real Kamailio as registrar and proxy, and SIPp as the public network: the telephone without any Asterisk.

    @pytest.mark.needs("kamailio", "sipp", "sound")
    async def test_it(kamailio: Kamailio) -> None:
        config, secret = kamailio.line("2001"), kamailio.secret("2001")
        caller = kamailio.call("2001", "+78652012345", "Иванова Мария", hertz=1000)   # tests.peers.sipp.SippCall
        subscriber = kamailio.subscriber()    # SIPp answers a number from 9 once and echoes; wait() is its exit code

These tests stay when Debian's sid yields no Asterisk one day (docs/decisions/0006).
"""

from __future__ import annotations

import contextlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from operator_tui.phone.line import LineConfig
from tests.peers.ports import free_block
from tests.peers.sipp import SippCall

HERE = Path(__file__).parent
_COMMON_SECRET = "synthetic"
_START_SECONDS = 60.0
_SIPP_SECONDS = 30


class Kamailio:
    """A running Kamailio on 127.0.0.1 and the SIPp programs of one test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_block(2)
        self.trunk_port = free_block(2)
        self._calls: list[SippCall] = []
        self._running: list[subprocess.Popen[bytes]] = []

    @staticmethod
    def secret(extension: str) -> str:
        return f"{_COMMON_SECRET}-{extension}"

    def line(self, extension: str) -> LineConfig:
        """How an operator's desk is set up for this registrar."""
        rtp = free_block(20)
        return LineConfig(
            line="sip",
            server=f"127.0.0.1:{self.port}",
            extension=extension,
            net_interface="127.0.0.1",
            sip_port=free_block(10),
            rtp_ports=f"{rtp}-{rtp + 19}",
            codecs=("pcma",),
            sound="null",
        )

    def call(self, extension: str, number: str, display: str, *, hertz: float) -> SippCall:
        """A caller from the public network who dials the line; ``sound`` says the tone and measures what he hears."""
        made = SippCall(("127.0.0.1", self.port), extension, number, display, number, hertz)
        self._calls.append(made)
        return made

    def subscriber(self) -> subprocess.Popen[bytes]:
        """Whoever is called in the public network: answers once and sends back what he hears."""
        return self._sipp(HERE / "sipp" / "echo.xml")

    def plays(self, text: str) -> subprocess.Popen[bytes]:
        """The same by another scenario (tests.peers.scenarios)."""
        file = self.folder / "scenario.xml"
        file.write_text(text, encoding="utf-8")
        return self._sipp(file)

    def _sipp(self, scenario: Path) -> subprocess.Popen[bytes]:
        command = ["sipp", "-sf", str(scenario), "-i", "127.0.0.1", "-mi", "127.0.0.1", "-rtp_echo", "-trace_err"]
        command += ["-p", str(self.trunk_port), "-mp", str(free_block(4)), "-m", "1", "-nostdin"]
        process = self._start([*command, "-timeout", str(_SIPP_SECONDS), "-timeout_error"], "subscriber")
        deadline = time.monotonic() + _START_SECONDS
        while not _bound(self.trunk_port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"SIPp does not start:\n{self.log()}")
            time.sleep(0.01)
        return process

    def start(self) -> None:
        modules = next(Path("/usr/lib").glob("**/kamailio/modules/tm.so")).parent
        text = (HERE / "kamailio.cfg").read_text(encoding="utf-8")
        words = {"PORT": self.port, "TRUNK": self.trunk_port, "MODULES": modules, "SECRET": _COMMON_SECRET}
        for word, value in words.items():
            text = text.replace(f"@{word}@", str(value))
        config = self.folder / "kamailio.cfg"
        config.write_text(text, encoding="utf-8")
        command = ["kamailio", "-f", config, "-DD", "-E", "-m", "32", "-M", "8", "-Y", self.folder]
        process = self._start([*map(str, command), "-P", str(self.folder / "pid")], "kamailio")
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"Kamailio does not start:\n{self.log()}")

    def _answers(self) -> bool:
        """Whether an OPTIONS request is answered, with whatever (RFC 3261 section 11)."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.settimeout(0.2)
            probe.connect(("127.0.0.1", self.port))
            here = f"127.0.0.1:{probe.getsockname()[1]}"
            lines = [
                f"OPTIONS sip:nobody@127.0.0.1:{self.port} SIP/2.0",
                f"Via: SIP/2.0/UDP {here};branch=z9hG4bK-probe",
                f"From: <sip:probe@{here}>;tag=1",
                f"To: <sip:nobody@127.0.0.1:{self.port}>",
                "Call-ID: probe",
                "CSeq: 1 OPTIONS",
                "Max-Forwards: 5",
                "Content-Length: 0",
            ]
            try:
                probe.send("\r\n".join([*lines, "", ""]).encode())
                return probe.recv(4096).startswith(b"SIP/2.0 ")
            except OSError:
                return False

    def _start(self, command: list[str], name: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                command,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._running.append(process)
        return process

    def log(self) -> str:
        """What Kamailio and SIPp wrote; for a failing test."""
        return "\n".join(log.read_text(errors="replace")[-4000:] for log in sorted(self.folder.glob("*.log")))

    def stop(self) -> None:
        for call in self._calls:
            call.close()
        for process in reversed(self._running):
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _bound(port: int) -> bool:
    """Whether somebody has that UDP port (proc(5): the local address ends with it, in hexadecimal)."""
    return any(line.split()[1].endswith(f":{port:04X}") for line in Path("/proc/net/udp").read_text().splitlines())


@pytest.fixture
def kamailio() -> Iterator[Kamailio]:
    """A Kamailio of this test's own; its log is printed, so that pytest shows it when the test fails."""
    folder = Path(tempfile.mkdtemp(prefix="kam-"))
    registrar = Kamailio(folder)
    try:
        registrar.start()
        yield registrar
    finally:
        print(registrar.log())  # noqa: T201
        registrar.stop()
        shutil.rmtree(folder, ignore_errors=True)
