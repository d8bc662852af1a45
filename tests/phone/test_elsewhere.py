"""The engine of one user on his thin client, the desk of another on the terminal server, by the files of deploy."""

from __future__ import annotations

import array
import asyncio
import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from operator_tui.phone.line import CallState, LineConfig, PhoneAway
from operator_tui.phone.playing import FarPlayback, Played
from operator_tui.phone.recording import wav_header
from operator_tui.phone.remote import RemotePhone
from operator_tui.phone.tones import tone
from tests.peers.ports import free_block
from tests.peers.tones import holds
from tests.phone.conftest import Desk, profile_in, until

pytestmark = [pytest.mark.needs("root", "ssh")]

DEPLOY = Path(__file__).parents[2] / "deploy" / "thin-client"
RATE = 8000
NOBODY = pwd.getpwnam("nobody")  # the operator's account on the thin client; on the server he is root
QUICK = LineConfig(extension="2001", sound="null", simulated_first_seconds=0.5)


def rendered(name: str, **words: object) -> str:
    text = (DEPLOY / name).read_text(encoding="utf-8")
    for word, value in words.items():
        text = text.replace(f"@{word}@", str(value))
    return text


@dataclass
class Places:
    """Two machines in one: the thin client's folder, and the terminal server's."""

    client: Path
    server: Path
    running: list[subprocess.Popen[bytes]]

    def start(self, *command: object, nobody: bool = False) -> subprocess.Popen[bytes]:
        # A Python that stands in a home of root's is still found by the processes that this one starts.
        reads = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
        to_nobody = [f"--reuid={NOBODY.pw_uid}", f"--regid={NOBODY.pw_gid}", "--clear-groups"]
        dropped = ["setpriv", *reads, *to_nobody] if nobody else []
        folders = {"CONFIG_HOME": "config", "DATA_HOME": "data", "STATE_HOME": "state", "RUNTIME_DIR": "run"}
        own = {f"XDG_{name}": str(self.client / place) for name, place in folders.items()} if nobody else {}
        with (self.server / "log").open("ab") as log:
            process = subprocess.Popen(
                [*dropped, *map(str, command)], env=os.environ | own | ({"HOME": str(self.client)} if nobody else {}),
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log,
            )  # fmt: skip
        self.running.append(process)
        return process

    @property
    def engine_socket(self) -> Path:
        return self.client / "run" / "operator-tui" / "work" / "phone.sock"

    def key(self, file: Path, owner: int) -> None:
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(file)], check=True)
        os.chown(file, owner, -1)

    def lend(self, config: Path) -> subprocess.Popen[bytes]:
        """`ssh operator-tui`, without its desk: the desk of this test is this process."""
        return self.start("ssh", "-F", config, "-N", "-o", "RemoteCommand=none", "operator-tui", nobody=True)


@pytest.fixture
def places() -> Iterator[Places]:
    # Not tmp_path: nobody may not go there, and a socket's path must stay short.
    client, server = Path(tempfile.mkdtemp(prefix="tc-")), Path(tempfile.mkdtemp(prefix="ts-"))
    for name in ("", "config", "data", "state", "run"):
        (client / name).mkdir(exist_ok=True, mode=0o700)
        os.chown(client / name, NOBODY.pw_uid, NOBODY.pw_gid)
    made = Places(client, server, [])
    yield made
    for process in made.running:
        process.kill()
        process.wait()
    print((server / "log").read_text(errors="replace"))  # noqa: T201
    for folder in (client, server):
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def ssh_config(places: Places) -> Path:
    """A terminal server that listens, and how the thin client goes there."""
    profile, port = profile_in(places.server, "work"), free_block(2)
    places.key(places.server / "host", 0)
    places.key(places.client / "id", NOBODY.pw_uid)
    keys = places.server / "authorized_keys"
    keys.write_bytes((places.client / "id.pub").read_bytes())
    config = places.server / "sshd_config"
    config.write_text(
        f"ListenAddress 127.0.0.1\nPort {port}\nHostKey {places.server}/host\nAuthorizedKeysFile {keys}\n"
        f"PidFile {places.server}/pid\nStrictModes no\nUsePAM no\n" + rendered("sshd_config"),
        encoding="utf-8",
    )
    Path("/run/sshd").mkdir(exist_ok=True)
    places.start(shutil.which("sshd", path="/usr/sbin:/usr/bin"), "-D", "-e", "-f", config)
    text = rendered(
        "ssh_config", SERVER="127.0.0.1", USER="root", PROFILE="work", CLIENT_SOCKET=places.engine_socket,
        SERVER_SOCKET=profile.phone_socket,
    )  # fmt: skip
    own = f"  Port {port}\n  IdentityFile {places.client}/id\n  UserKnownHostsFile {places.client}/known\n"
    made = places.client / "ssh_config"
    made.write_text(text + own + "  StrictHostKeyChecking accept-new\n  BatchMode yes\n", encoding="utf-8")
    os.chown(made, NOBODY.pw_uid, -1)
    return made


@pytest.fixture
async def desk(places: Places, ssh_config: Path) -> AsyncIterator[Desk]:
    """The desk on the server; what it is lent comes later."""
    made = Desk(RemotePhone(profile_in(places.server, "work"), start_engine=False))
    await made.phone.attach()
    yield made
    await made.close()


def nothing_said(path: Path) -> bool:
    """Whether the other end closes without a word."""
    with socket.socket(socket.AF_UNIX) as stranger:
        stranger.settimeout(5)
        stranger.connect(str(path))
        return stranger.recv(4) == b""


async def lent_engine(places: Places, desk: Desk) -> None:
    """The thin client's engine, attached to the desk of the server."""
    places.start(sys.executable, "-m", "operator_tui", "phone", "--profile", "work", "--foreground", nobody=True)
    await until(places.engine_socket.exists)
    places.lend(places.client / "ssh_config")
    await until(lambda: desk.phone.attached)


async def test_a_recording_is_heard_on_the_thin_client_and_leaves_nothing_there(
    places: Places, ssh_config: Path, desk: Desk
) -> None:
    await lent_engine(places, desk)
    speak, heard = places.client / "speak.wav", places.client / "data" / "heard.wav"
    mono = bytearray(wav_header(RATE, 1600) + bytes(1600))
    mono[22:24], mono[28:30], mono[32:34] = b"\1\0", (2 * RATE).to_bytes(2, "little"), b"\2\0"
    speak.write_bytes(mono)
    sides = tone(600, RATE, 20.0)
    both = array.array("h", bytes(2 * len(sides)))
    both[::2] = array.array("h", sides)
    content = wav_header(RATE) + both.tobytes()
    told: list[Played] = []
    config = LineConfig(sound="wav", input_device=str(speak), output_device=str(heard))
    before = set(places.client.rglob("*"))
    playback = await FarPlayback.start(desk.phone, content, config, told.append)
    await until(lambda: heard.exists() and holds(heard.read_bytes()[-RATE:], RATE, 600))
    assert heard.stat().st_uid == NOBODY.pw_uid, "played by the engine's user"
    playback.speed(2.0)
    await until(lambda: bool(told) and told[-1].speed == 2.0)
    await until(lambda: holds(heard.read_bytes()[-RATE // 2 :], RATE, 600))
    await playback.stop()
    assert set(places.client.rglob("*")) - before == {heard}, "the sound itself touches no disk"


async def test_the_desk_of_the_server_has_the_telephone_of_the_thin_client(
    places: Places, ssh_config: Path, desk: Desk
) -> None:
    assert not desk.phone.attached
    engine = places.start(
        sys.executable, "-m", "operator_tui", "phone", "--profile", "work", "--foreground", nobody=True
    )
    await until(places.engine_socket.exists)
    # root may open the file of anybody; the engine looks who he is.
    assert await asyncio.to_thread(nothing_said, places.engine_socket)
    line = places.lend(ssh_config)
    await until(lambda: desk.phone.attached)
    lent = profile_in(places.server, "work").phone_socket
    assert stat.S_IMODE(lent.stat().st_mode) == 0o600
    await desk.phone.begin_work(QUICK)
    call = await until(lambda: next((c for c in desk.snapshot.calls if c.state is CallState.RINGING), None))
    await desk.phone.answer(call.id)
    await until(lambda: desk.snapshot.call(call.id).state is CallState.TALKING)

    line.send_signal(signal.SIGKILL)  # the line to the server breaks
    await until(lambda: any(isinstance(event, PhoneAway) for event in desk.events[-3:]))
    assert engine.poll() is None, "the call goes on without it"
    began = asyncio.get_running_loop().time()
    places.lend(ssh_config)
    await until(lambda: desk.phone.attached)
    known = desk.snapshot.call(call.id)
    assert known is not None
    assert known.state is CallState.TALKING
    print(f"attached again {asyncio.get_running_loop().time() - began:.1f} s after the line came back")  # noqa: T201
    await desk.phone.hang_up(call.id)
    await until(lambda: desk.snapshot.call(call.id).over)
