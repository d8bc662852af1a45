"""What one call costs the operator's machine, and how soon and how late its sound is.

`python -m bench.telephone`: the real engine process with PortAudio on PipeWire's null devices, a real Asterisk, a
caller by SIPp. Prints `name value unit target peer verdict`, tab-separated. The peer is Debian's baresip, in a
call of the same length through the same Asterisk in the same run; it plays a file and writes one, without a sound card.

answer_to_sound_ms: from the act «Ответить» until both ends hear one another (the later of the two). buffered_ms: how
long the caller still hears the operator after the microphone was switched off: what lies between microphone and caller.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import wave
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.terminal import Row, told
from operator_tui.phone.line import CallState, RegistrationState
from operator_tui.phone.remote import RemotePhone
from operator_tui.phone.tones import peak, tone
from operator_tui.profiles import open_profile
from operator_tui.secrets.running import public_key
from tests.peers.asterisk import Asterisk
from tests.peers.pipewire import SoundCard
from tests.peers.ports import free_block
from tests.peers.rtp import RtpEnd
from tests.peers.sipp import SippCalls
from tests.peers.tones import holds
from tests.phone.conftest import Desk, engines, until

TALK_SECONDS = 10.0
OPERATOR_HERTZ, CALLER_HERTZ = 440.0, 1000.0
RATE, WINDOW_SECONDS = 8000, 0.04
QUIET = 0.02


@dataclass(frozen=True)
class Cost:
    """Of a process during a talk: percent of one core, megabytes resident."""

    cpu: float
    rss: float


async def cost_of(pid: int) -> Cost:
    before, began = _cpu_seconds(pid), time.monotonic()
    await asyncio.sleep(TALK_SECONDS)
    cpu = 100 * (_cpu_seconds(pid) - before) / (time.monotonic() - began)
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    rss = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
    return Cost(round(cpu, 2), round(rss / 1024, 1))


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Speaker:
    """Notes when the speaker first sounds."""

    def __init__(self, card: SoundCard) -> None:
        self.sounded: float | None = None
        client = card._client("parec", "speaker.monitor")
        self._recorder = subprocess.Popen(client, env=card._env(), stdout=subprocess.PIPE)
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self._recorder.stdout is not None
        while pcm := self._recorder.stdout.read(960):
            if self.sounded is None and peak(pcm) > QUIET:
                self.sounded = time.monotonic()

    def close(self) -> None:
        self._recorder.terminate()
        self._recorder.wait()


def hears(sound: RtpEnd, hertz: float) -> bool:
    """Whether the caller's newest frames are that tone."""
    pcm = sound.heard(WINDOW_SECONDS)
    return len(pcm) >= int(RATE * WINDOW_SECONDS) * 2 and holds(pcm, RATE, hertz)


async def at(what: Callable[[], bool], seconds: float = 10.0) -> float:
    """The moment it became true, looked at every 2 ms."""
    async with asyncio.timeout(seconds):
        while not what():  # noqa: ASYNC110  # sound is not an event
            await asyncio.sleep(0.002)
    return time.monotonic()


async def own(pbx: Asterisk, card: SoundCard, calls: SippCalls) -> tuple[Cost, float, float]:
    """Cost, answer to sound and buffered sound of the engine, recording as it does at work."""
    profile = open_profile("bench")
    profile.make_folders()
    desk = Desk(RemotePhone(profile))
    await desk.phone.attach()
    key = public_key(bytes(32)).hex()
    config = pbx.line("2001", **card.devices)
    await desk.phone.begin_work(config, pbx.secret("2001"), record_key=key)
    await until(lambda: desk.snapshot.registration.state is RegistrationState.OK)
    card.speak(OPERATOR_HERTZ)
    caller = calls("+78652012345", "Иванов Иван", CALLER_HERTZ)
    call = await until(lambda: next((c for c in desk.snapshot.calls if c.state is CallState.RINGING), None), 30)
    speaker = Speaker(card)
    await asyncio.sleep(1.0)  # the listener is there before the sound
    speaker.sounded = None
    began = time.monotonic()
    await desk.phone.answer(call.id)
    there = await at(lambda: hears(caller.sound, OPERATOR_HERTZ))
    await at(lambda: speaker.sounded is not None)
    assert speaker.sounded is not None
    answer_ms = 1000 * (max(there, speaker.sounded) - began)
    speaker.close()
    (pid,) = engines(profile)
    cost = await cost_of(pid)
    began = time.monotonic()
    await desk.phone.mute(call.id, True)
    quiet = await at(lambda: peak(caller.sound.heard(0.02)) < QUIET)
    await desk.phone.hang_up(call.id)
    await desk.phone.end_work()
    await desk.phone.shut_down()
    await desk.close()
    return cost, round(answer_ms, 1), round(1000 * (quiet - began), 1)


_PEER = """\
poll_method epoll
sip_listen 127.0.0.1:{sip}
net_interface 127.0.0.1
call_max_calls 2
audio_player aufile,{folder}/heard.wav
audio_source aufile,{folder}/voice.wav
audio_alert aufile,/dev/null
ausrc_srate 8000
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
rtp_ports {rtp}-{last}
module_path {modules}
module g711.so
module aufile.so
module_tmp uuid.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:{control}
"""


def _tell_peer(port: int, command: str) -> None:
    body = f'{{"command":"{command}"}}'
    with socket.create_connection(("127.0.0.1", port), 5) as connection:
        connection.sendall(f"{len(body)}:{body},".encode())


async def debian(pbx: Asterisk, calls: SippCalls, folder: Path) -> tuple[Cost, float] | None:
    """Cost and answer to sound (at the caller) of Debian's baresip; None where it is not installed."""
    program = shutil.which("baresip")
    if program is None:
        return None
    modules = next(Path("/usr/lib").glob("**/baresip/modules"), Path("/usr/lib/baresip/modules"))
    sip, rtp, control = free_block(10), free_block(20), free_block(2)
    values = {"sip": sip, "rtp": rtp, "last": rtp + 19, "control": control, "folder": folder, "modules": modules}
    (folder / "config").write_text(_PEER.format(**values), encoding="utf-8")
    account = f"<sip:2002@127.0.0.1:{pbx.port}>;auth_user=2002;auth_pass={pbx.secret('2002')};regint=60"
    (folder / "accounts").write_text(account + ";answermode=manual;audio_codecs=pcma\n", encoding="utf-8")
    (folder / "contacts").touch()
    with wave.open(str(folder / "voice.wav"), "wb") as voice:
        voice.setparams((1, 2, RATE, 0, "NONE", ""))
        voice.writeframes(tone(OPERATOR_HERTZ, RATE, 1.0) * 60)
    log = (folder / "log").open("wb")
    peer = subprocess.Popen(
        ["setpriv", "--pdeathsig", "KILL", program, "-f", str(folder)],
        stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        await pbx.until("queue show oms-1", "2002 (PJSIP/2002)", "Not in use", seconds=20)
        caller = calls("+78652054321", "", CALLER_HERTZ)
        await pbx.until("queue show oms-1", "2002 (PJSIP/2002)", "(Ringing)", seconds=20)
        began = time.monotonic()
        await asyncio.to_thread(_tell_peer, control, "accept")
        there = await at(lambda: hears(caller.sound, OPERATOR_HERTZ))
        cost = await cost_of(peer.pid)
        caller.hang_up()
        return cost, round(1000 * (there - began), 1)
    finally:
        peer.terminate()
        peer.wait()
        log.close()


@contextmanager
def home() -> Iterator[Path]:
    """A home of this run's own: nobody's real profile is touched."""
    folder = Path(tempfile.mkdtemp(prefix="ot-"))
    places = {"CONFIG_HOME": ".config", "DATA_HOME": "data", "STATE_HOME": "state", "RUNTIME_DIR": "run"}
    os.environ["HOME"] = str(folder)
    for name, place in places.items():
        (folder / place).mkdir(mode=0o700)
        os.environ[f"XDG_{name}"] = str(folder / place)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def measured(folder: Path) -> list[Row]:
    pbx = Asterisk(Path(tempfile.mkdtemp(prefix="ast-")))
    card = SoundCard(Path(tempfile.mkdtemp(prefix="pw-")))
    try:
        pbx.start()
        card.start()
        (folder / ".asoundrc").write_text(card.asoundrc(), encoding="utf-8")
        os.environ.update(card.environment)
        calls = SippCalls(pbx)
        cost, answer, buffered = await own(pbx, card, calls)
        (folder / "peer").mkdir()
        peer = await debian(pbx, calls, folder / "peer")
        calls.close()
    finally:
        card.stop()
        pbx.stop()
        shutil.rmtree(pbx.folder, ignore_errors=True)
        shutil.rmtree(card.folder, ignore_errors=True)
    return [
        Row("cpu_percent", cost.cpu, "%", 5.0, peer[0].cpu if peer else None),
        Row("rss_mb", cost.rss, "MB", 60.0, peer[0].rss if peer else None),
        Row("answer_to_sound_ms", answer, "ms", 150.0, peer[1] if peer else None),
        Row("buffered_ms", buffered, "ms", 60.0),
    ]


def main() -> int:
    with home() as folder:
        rows = asyncio.run(measured(folder))
    return told(rows)


if __name__ == "__main__":
    sys.exit(main())
