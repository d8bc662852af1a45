"""A sound card for tests: PipeWire with two null sinks, real-time exact, no hardware.

    @pytest.mark.needs("pipewire", "sound")
    async def test_it(sound_card: SoundCard) -> None:
        sound_card.speak(440)                       # somebody speaks into the microphone, until silence()
        await sound_card.until_heard(1000)          # the speaker gives that tone
        config = asterisk.line("2001", **sound_card.devices)

``devices`` are the settings that choose it: sound, input_device, output_device, ring_device. The desk's and the
engine's processes find it through HOME (an .asoundrc is written there) and PULSE_SERVER, which the fixture sets for
this test; a child process inherits both.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from operator_tui.phone.tones import tone
from tests.peers.tones import holds, loudness

_RATE = 48_000
_START_SECONDS = 60.0
_SINKS = """
context.objects = [
  { factory = adapter args = { factory.name = support.null-audio-sink node.name = "speaker"
      media.class = Audio/Sink object.linger = true audio.position = [ MONO ] monitor.channel-volumes = true } }
  { factory = adapter args = { factory.name = support.null-audio-sink node.name = "mic"
      media.class = Audio/Sink object.linger = true audio.position = [ MONO ] monitor.channel-volumes = true } }
  { factory = adapter args = { factory.name = support.null-audio-sink node.name = "bell"
      media.class = Audio/Sink object.linger = true audio.position = [ MONO ] monitor.channel-volumes = true } }
]
"""
# A hint on one line breaks ALSA's parser, and then PortAudio does not start at all.
_PCM = """
pcm.!%(name)s {
  type asym
  %(way)s.pcm { type pulse device "%(device)s" }
  hint {
    show on
    description "%(name)s"
  }
}
"""
_PCMS = {"speaker": ("playback", "speaker"), "bell": ("playback", "bell"), "mic": ("capture", "mic.monitor")}
# What the system's own ALSA set-up defines, so that no other way to a microphone is left.
_SYSTEM = dict.fromkeys(("default", "pulse", "pipewire"), ("playback", "speaker"))
# Each dies with the one that started it, so that a killed test run leaves nothing behind.
_WITH_PARENT = "setpriv --pdeathsig KILL"
# The session manager gives up where PipeWire does not listen yet.
_SESSION = (
    f"{_WITH_PARENT} pipewire & "
    'until [ -S "$PIPEWIRE_RUNTIME_DIR/pipewire-0" ]; do sleep 0.02; done; '
    f"{_WITH_PARENT} wireplumber & {_WITH_PARENT} pipewire-pulse & wait"
)


class SoundCard:
    """Speak into its microphone, measure its speaker and its bell."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._session: subprocess.Popen[bytes] | None = None
        self._voice: subprocess.Popen[bytes] | None = None

    @property
    def devices(self) -> dict[str, str]:
        """Settings of the telephone that choose this card."""
        return {"sound": "pyaudio", "input_device": "mic", "output_device": "speaker", "ring_device": "bell"}

    @property
    def environment(self) -> dict[str, str]:
        """What a program needs to find it."""
        return {"PULSE_SERVER": f"unix:{self.folder}/pulse/native", "JACK_NO_START_SERVER": "1"}

    @staticmethod
    def asoundrc(*, microphone: bool = True) -> str:
        """The ALSA set-up of the card; without a microphone nothing on the machine can be listened to."""
        pcms = _PCMS | _SYSTEM
        if not microphone:
            del pcms["mic"]
        return "".join(_PCM % {"name": name, "way": way, "device": to} for name, (way, to) in pcms.items())

    def speak(self, hertz: float) -> None:
        """Play a tone into the microphone until ``silence``."""
        self.silence()
        voice = self.folder / "voice.raw"
        voice.write_bytes(tone(hertz, _RATE, 1.0) * 300)
        self._voice = subprocess.Popen([*self._client("pacat", "mic"), str(voice)], env=self._env())

    def silence(self) -> None:
        voice, self._voice = self._voice, None
        if voice is not None:
            voice.terminate()
            voice.wait()

    def heard(self, seconds: float = 0.5, device: str = "speaker") -> bytes:
        """What the device plays during the next seconds, 16-bit mono at 48 kHz."""
        size = int(_RATE * seconds) * 2
        recorder = subprocess.Popen(self._client("parec", f"{device}.monitor"), env=self._env(), stdout=subprocess.PIPE)
        assert recorder.stdout is not None
        try:
            # The first tenth is the client's own start.
            recorder.stdout.read(_RATE // 10 * 2)
            return recorder.stdout.read(size)
        finally:
            recorder.terminate()
            recorder.stdout.close()
            recorder.wait()

    def let_pass(self, seconds: float) -> None:
        """Returns when the microphone's own clock has gone that far: on a loaded machine that may take longer."""
        self.heard(seconds, "mic")

    def hears(self, hertz: float, seconds: float = 0.5, device: str = "speaker") -> bool:
        """Whether that tone comes out of the device now."""
        return holds(self.heard(seconds, device), _RATE, hertz)

    def loudness(self, seconds: float = 0.5, device: str = "speaker") -> float:
        return loudness(self.heard(seconds, device))

    async def until_heard(self, hertz: float, device: str = "speaker", seconds: float = 60.0) -> None:
        """Wait for the tone; TimeoutError when it does not come."""
        async with asyncio.timeout(seconds):
            while not await asyncio.to_thread(self.hears, hertz, 0.5, device):
                pass

    # its life

    def start(self) -> None:
        config = self.folder / "config" / "pipewire" / "pipewire.conf.d"
        config.mkdir(parents=True, exist_ok=True)
        (config / "10-null.conf").write_text(_SINKS)
        # Bluetooth asks logind, and where systemd does not run WirePlumber links no streams at all after that.
        bluetooth = self.folder / "config" / "wireplumber" / "bluetooth.lua.d"
        bluetooth.mkdir(parents=True, exist_ok=True)
        (bluetooth / "50-bluez-config.lua").write_text("bluez_monitor.enabled = false\n")
        with (self.folder / "log").open("wb") as log:
            self._session = subprocess.Popen(
                [*_WITH_PARENT.split(), "dbus-run-session", "--", *_WITH_PARENT.split(), "sh", "-c", _SESSION],
                env=self._env(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + _START_SECONDS
        while not ({"speaker", "mic", "bell"} <= self._sinks() and self._flows()):
            if time.monotonic() > deadline or self._session.poll() is not None:
                raise RuntimeError(f"PipeWire does not start:\n{(self.folder / 'log').read_text(errors='replace')}")
            time.sleep(0.1)

    def stop(self) -> None:
        self.silence()
        session, self._session = self._session, None
        if session is None:
            return
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(session.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                session.wait(2)
        for stale in self.folder.glob("pipewire-0*"):  # the session of a next start waits for it to come
            stale.unlink()

    def _env(self) -> dict[str, str]:
        own = {"HOME": str(self.folder), "XDG_CONFIG_HOME": str(self.folder / "config")}
        runtime = {"XDG_RUNTIME_DIR": str(self.folder), "PIPEWIRE_RUNTIME_DIR": str(self.folder)}
        return os.environ | self.environment | own | runtime

    def _client(self, program: str, device: str) -> list[str]:
        # Without a latency of their own these clients wait for two seconds of sound at a time.
        form = ["--raw", "--format=s16le", f"--rate={_RATE}", "--channels=1", "--latency-msec=40"]
        return [program, f"--device={device}", *form]

    def _flows(self) -> bool:
        """Whether a client gets sound: the session manager links streams some time after the sinks are there."""
        try:
            subprocess.run(
                self._client("parec", "mic.monitor"), env=self._env(), capture_output=True, timeout=0.5, check=False
            )
        except subprocess.TimeoutExpired as enough:
            return bool(enough.stdout)
        return False

    def _sinks(self) -> set[str]:
        listed = subprocess.run(
            ["pactl", "list", "short", "sinks"], env=self._env(), capture_output=True, text=True, check=False
        )
        return {line.split("\t")[1] for line in listed.stdout.splitlines() if "\t" in line}


@pytest.fixture
def sound_card(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SoundCard]:
    """A card of this test's own (about 1 s to start)."""
    folder = Path(tempfile.mkdtemp(prefix="pw-"))
    card = SoundCard(folder)
    try:
        card.start()
        (home / ".asoundrc").write_text(card.asoundrc())
        for name, value in card.environment.items():
            monkeypatch.setenv(name, value)
        yield card
    finally:
        card.stop()
        shutil.rmtree(folder, ignore_errors=True)
