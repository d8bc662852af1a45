"""A real Asterisk 22 for tests, running the very files of deploy/asterisk.

    @pytest.mark.needs("asterisk")
    async def test_it(asterisk: Asterisk) -> None:
        config = asterisk.line("2001")         # LineConfig of an operator's line
        secret = asterisk.secret("2001")       # its SIP secret
        asterisk.hot_line                      # "1411"
        asterisk.sip                           # ("127.0.0.1", port)
        asterisk.cli("queue show oms-1")       # the console's answer
        await asterisk.until("queue show oms-1", "PJSIP/2001", "Not in use")

The fixture starts one Asterisk for each test that asks for it (about 2 s): a stale call of another test would send
sound to reused ports. It listens on 127.0.0.1 only, on free ports. Asterisk runs in the root that deploy/test-peers
built (``chroot``), in a mount namespace of its own: its configuration, spool and sockets are a scratch folder bound to
the root's /mnt there, so nothing is written into the root, runs do not meet, and the kernel takes the mounts away with
the process.

The greeting is a tone of 500 Hz of two seconds (``GREETING_HERTZ``) and the announcement about recording one of
620 Hz of half a second; the music on hold is 350 Hz. At night (``asterisk.cli("database put oms mode night")``) 740 Hz
says that nobody works, 880 Hz is the tone, and messages lie in ``asterisk.night``. Where the rules offer a choice
540 Hz asks for the language, 560 Hz for the theme.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import shutil
import signal
import subprocess
import tempfile
import time
import wave
from collections.abc import Iterator
from pathlib import Path

import pytest

from operator_tui.phone.line import LineConfig
from operator_tui.phone.tones import tone
from tests.peers.ports import free_block
from tests.plugins.peers import asterisk_root

DEPLOY = Path(__file__).parents[2] / "deploy" / "asterisk"
GREETING_HERTZ, RECORDED_HERTZ, MUSIC_HERTZ = 500, 620, 350
GREETING_SECONDS = 2.0
NIGHT_HERTZ, BEEP_HERTZ = 740, 880
LANGUAGE_HERTZ, THEME_HERTZ = 540, 560
_INSIDE = "/mnt"  # where the scratch folder appears in the root
_START_SECONDS = 60.0
_STOP_SECONDS = 5.0
_COMMON_SECRET = "synthetic"


class Asterisk:
    """A running Asterisk; made by ``started``."""

    hot_line = "1411"
    queue = "oms-1"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_block(2)
        self.tls_port = free_block(2)
        self.trunk_port = free_block(2)  # where calls to the public network go: start a SIPp there
        self.ami_port = free_block(2)
        self.rtp = free_block(80)
        self.ami_secret = "synthetic-ami"
        self._process: subprocess.Popen[bytes] | None = None
        self._render()

    # what a test needs to know

    @property
    def sip(self) -> tuple[str, int]:
        return "127.0.0.1", self.port

    @property
    def night(self) -> Path:
        """Where messages of the night voice mail lie."""
        return self.folder / "spool" / "oms-night"

    @property
    def recordings(self) -> Path:
        """Where talks recorded at the PBX lie."""
        return self.folder / "spool" / "oms-calls"

    @property
    def etc(self) -> Path:
        """Its configuration."""
        return self.folder / "etc"

    @property
    def console(self) -> list[str]:
        """The command that tells it something; what to say comes behind it."""
        return [*self._enter(), "asterisk", "-C", f"{_INSIDE}/etc/asterisk.conf", "-rx"]

    @property
    def certificate(self) -> Path:
        """Its self-signed certificate for 127.0.0.1: the CA file of a desk that trusts it."""
        return self.folder / "etc" / "pbx.pem"

    @staticmethod
    def secret(extension: str) -> str:
        return f"{_COMMON_SECRET}-{extension}"

    def line(self, extension: str, **changes: object) -> LineConfig:
        """How an operator's desk is set up for this PBX; without sound unless told otherwise."""
        rtp = free_block(20)
        values: dict[str, object] = {
            "line": "sip",
            "server": f"127.0.0.1:{self.port}",
            "extension": extension,
            "net_interface": "127.0.0.1",
            "sip_port": free_block(10),
            "rtp_ports": f"{rtp}-{rtp + 19}",
            "codecs": ("pcma", "pcmu"),
            "sound": "null",
        }
        return LineConfig(**(values | changes))  # type: ignore[arg-type]  # the caller names the fields

    def cli(self, command: str) -> str:
        """What the console says to a command (``pjsip show contacts``)."""
        done = subprocess.run(
            [*self.console, command],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.stdout + done.stderr

    async def until(self, command: str, *words: str, seconds: float = 60.0) -> str:
        """The console's answer once it holds all the words; TimeoutError with what it says otherwise."""
        deadline = time.monotonic() + seconds
        while True:
            said = await asyncio.to_thread(self.cli, command)
            if all(word in said for word in words):
                return said
            if time.monotonic() > deadline:
                raise TimeoutError(f"{command}: no {words} in\n{said}")
            await asyncio.sleep(0.1)

    # its life

    def start(self) -> None:
        """Start, also again after ``stop``: then registrations and the queue's members are as they were."""
        root = asterisk_root()
        script = (
            f'mount --bind "{self.folder}" "{root}{_INSIDE}" && mount -t proc proc "{root}/proc" && '
            f'exec chroot "{root}" asterisk -C {_INSIDE}/etc/asterisk.conf -f'
        )
        with (self.folder / "console").open("wb") as console:
            self._process = subprocess.Popen(
                # It dies with the test run, also with one that is killed.
                ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "sh", "-c", script],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + _START_SECONDS
        while "Asterisk has fully booted" not in self.cli("core waitfullybooted"):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"Asterisk does not start:\n{self.log()}")
            time.sleep(0.1)

    def log(self) -> str:
        """What it wrote; for a failing test."""
        texts = [self.folder / "console", self.folder / "log" / "messages"]
        return "\n".join(text.read_text(errors="replace")[-8000:] for text in texts if text.exists())

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it; its mounts and sockets go with it. In order it takes most of a second."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, how)
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """As a power cut would end it; or another signal, to all its processes."""
        assert self._process is not None
        os.killpg(self._process.pid, number)
        if number is signal.SIGKILL:
            self._process.wait()
            self._process = None

    def _enter(self) -> list[str]:
        """A command in its mount namespace and root."""
        assert self._process is not None
        return ["nsenter", f"--mount=/proc/{self._process.pid}/ns/mnt", "chroot", str(asterisk_root())]

    def _render(self) -> None:
        for name in ("etc", "var/keys", "spool", "run", "log", "share/moh", "share/sounds/ru/oms", "spool/oms-night",
                     "spool/oms-calls"):  # fmt: skip
            (self.folder / name).mkdir(parents=True)
        words = {
            "ETC": f"{_INSIDE}/etc",
            "MODULES": _modules_folder(),
            "VAR": f"{_INSIDE}/var",
            "SHARE": f"{_INSIDE}/share",
            "SPOOL": f"{_INSIDE}/spool",
            "RUN": f"{_INSIDE}/run",
            "LOG": f"{_INSIDE}/log",
            "SIP_ADDRESS": "127.0.0.1",
            "SIP_PORT": self.port,
            "TLS_PORT": self.tls_port,
            "CERTIFICATE": f"{_INSIDE}/etc/pbx.pem",
            "KEY": f"{_INSIDE}/etc/pbx.key",
            "TRUNK_ADDRESS": "127.0.0.1",
            "TRUNK_PORT": self.trunk_port,
            "RTP_FIRST": self.rtp,
            "RTP_LAST": self.rtp + 79,
            "AMI_PORT": self.ami_port,
            "AMI_SECRET": self.ami_secret,
            "SECRET": _COMMON_SECRET,
            "HOURS": "*,*,*,*",  # always open: ``night`` is switched
        }
        for source in DEPLOY.glob("*.conf"):
            text = source.read_text(encoding="utf-8")
            for word, value in words.items():
                text = text.replace(f"@{word}@", str(value))
            (self.folder / "etc" / source.name).write_text(text, encoding="utf-8")
        certificate, key = _certificate()
        self.certificate.write_bytes(certificate)
        (self.folder / "etc" / "pbx.key").write_bytes(key)
        share = self.folder / "share"
        (share / "documentation").symlink_to("/usr/share/asterisk/documentation")
        _write_tone(share / "sounds/ru/oms/greeting.wav", GREETING_HERTZ, GREETING_SECONDS)
        _write_tone(share / "sounds/ru/oms/recorded.wav", RECORDED_HERTZ, 0.5)
        _write_tone(share / "sounds/ru/oms/language.wav", LANGUAGE_HERTZ, 1.0)
        _write_tone(share / "sounds/ru/oms/theme.wav", THEME_HERTZ, 1.0)
        _write_tone(share / "sounds/ru/oms/night.wav", NIGHT_HERTZ, 1.0)
        _write_tone(share / "sounds/ru/oms/thanks.wav", NIGHT_HERTZ, 0.2)
        _write_tone(share / "sounds/ru/beep.wav", BEEP_HERTZ, 1.0)
        _write_tone(share / "moh/music.wav", MUSIC_HERTZ, 20.0)


def _modules_folder() -> str:
    """Where the distribution keeps the modules, as seen inside the root (the folder is named by architecture)."""
    root = asterisk_root()
    found = next(root.glob("usr/lib/*/asterisk/modules"), root / "usr/lib/asterisk/modules")
    return f"/{found.relative_to(root)}"


@functools.cache
def _certificate() -> tuple[bytes, bytes]:
    """A self-signed certificate for 127.0.0.1 and its key, made once a run."""
    kind = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    name = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"]
    with tempfile.TemporaryDirectory(prefix="ot-pbx-") as folder:
        key, certificate = Path(folder) / "key", Path(folder) / "certificate"
        files = ["-keyout", str(key), "-out", str(certificate)]
        subprocess.run([*kind, *name, *files], check=True, capture_output=True)
        return certificate.read_bytes(), key.read_bytes()


def _write_tone(file: Path, hertz: float, seconds: float) -> None:
    with wave.open(str(file), "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(_tone(hertz, seconds))


@functools.cache
def _tone(hertz: float, seconds: float) -> bytes:
    return tone(hertz, 8000, seconds)


@pytest.fixture
def asterisk() -> Iterator[Asterisk]:
    """An Asterisk of this test's own; its log is printed, so that pytest shows it when the test fails."""
    # Not tmp_path: the control socket's path must stay short (unix(7)).
    folder = Path(tempfile.mkdtemp(prefix="ast-"))
    pbx = Asterisk(folder)
    try:
        pbx.start()
        yield pbx
    finally:
        print(pbx.log())  # noqa: T201
        pbx.stop(signal.SIGKILL)  # nobody needs it any more
        shutil.rmtree(folder, ignore_errors=True)
