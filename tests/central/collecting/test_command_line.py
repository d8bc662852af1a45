"""The commands, over a server and collectors that are processes of their own."""

from __future__ import annotations

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import IO

import msgspec
import pytest
import sqlalchemy as sa

from central.collected import FILE, Collection
from central.collecting import enrol, follow
from central.collecting_report import described
from central.devices import collector_code
from central.store import tables as t
from central.store.database import Database
from operator_tui.appeals.clock import SystemClock
from operator_tui.appeals.hlc import next_stamp
from operator_tui.appeals.operations import Operation
from operator_tui.profiles import open_profile
from operator_tui.secrets import profile_secrets
from operator_tui.sync.link import Link
from operator_tui.sync.packing import FrameReader, pack
from operator_tui.sync.protocol import (
    ENROL_PATH,
    SYNC_PATH,
    SYNC_VERSION,
    EnrolAnswer,
    Results,
    SyncRequest,
    plain_operation,
)
from operator_tui.sync.settings import CentralSettings
from tests.central.collecting.wire import FUND, cut_off, line
from tests.central.desks import CONSULTATION, Desk, Office
from tests.peers.central import CentralServer

PASSPHRASE = "длинный пароль хранилища"
UNIT = Path(__file__).parents[3] / "deploy" / "systemd" / "operator-tui-collector@.service"
_COMMAND = (sys.executable, "-m", "operator_tui", "central")


def _central(*arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*_COMMAND, *arguments], input=typed, capture_output=True, text=True, check=False, timeout=300
    )


@pytest.fixture
def following() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts a collector that goes on, with the code on its stdin; whatever still runs is killed at the end."""
    running: list[subprocess.Popen[str]] = []

    def start(*arguments: str, typed: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [*_COMMAND, "collect", *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        running.append(process)
        assert process.stdin is not None
        process.stdin.write(typed + "\n")
        process.stdin.flush()
        return process

    yield start
    for process in running:
        process.kill()
        process.communicate()


async def test_by_the_command_line_over_a_real_server_and_kill_9(
    home: Path, folder: Path, following: Callable[..., subprocess.Popen[str]]
) -> None:
    with CentralServer(None, arguments=("--port", "0")) as server:
        where = ("--url", f"http://{server.address}", "--into", str(folder))
        link = Link(CentralSettings(url=f"http://{server.address}"))
        desk = await _enrolled(link, server.enrolment_code("Петрова Анна"))
        await _save(link, desk, 1)
        code = _central("collector-code", "26").stdout.strip()
        assert len(code) == 14, code
        assert _central("collector-code", "99").returncode == 1
        process = following(*where, typed=code)
        assert process.stderr is not None
        _until(process.stderr, '"collected"')
        taken = _central("collect", *where, "--once")
        assert "другой процесс" in taken.stderr
        process.kill()
        process.wait()
        for n in (2, 3):
            await _save(link, desk, n)
        done = _central("collect", *where, "--once")
        assert (done.returncode, done.stdout) == (0, "Принято событий: 2. Цепочки целы.\n"), done.stderr
        figures = folder.with_name("26.prom")
        here = open_profile("demo")
        tampered = Database.sqlite(here.central_file, profile_secrets(here).key("central", create=False))
        with closing(tampered):
            cut = sa.update(t.stream).where(t.stream.c.id == FUND).values(seq=2)
            tampered.write(lambda connection: connection.execute(cut))
            broken = _central("collect", *where, "--once", "--metrics", str(figures))
            assert (broken.returncode, broken.stdout) == (1, "Принято событий: 0.\n")
            assert "НАРУШЕНО 26/tf, запись 3: конец истории отрезан." in broken.stderr
            assert '"chain broken"' in broken.stderr
            assert 'operator_tui_collector_broken_streams{region="26"} 1\n' in figures.read_text()
            put_right = sa.update(t.stream).where(t.stream.c.id == FUND).values(seq=3)
            tampered.write(lambda connection: connection.execute(put_right))
        device = _central("collectors").stdout.split("\t")[0]
        assert _central("collectors", "--revoke", "nobody").returncode == 1
        assert _central("collectors", "--revoke", device).returncode == 0
        assert "отозван" in _central("collectors").stdout
        await _save(link, desk, 4)
        over = _central("collect", *where, "--once")
        assert (over.returncode, "не узнал" in over.stderr, "Traceback" in over.stderr) == (1, True, False)
        await link.close()
    key = profile_secrets(open_profile("demo")).key("collector", create=False)
    with Collection.opened(folder, key) as collection:
        assert [(seq, op) for seq, _, op, _ in collection.events(FUND)] == [
            (n, f"{desk.device}:{n}") for n in (1, 2, 3)
        ]
    assert "Рассказ" not in (folder / FILE).read_bytes().decode(errors="ignore")


@pytest.mark.parametrize("open_database", ["sqlite"], indirect=True)
async def test_what_was_collected_is_looked_at_while_it_goes_on_and_taken_anew_when_it_stands(
    home: Path, folder: Path, office: Office, region: tuple[Desk, Desk]
) -> None:
    key = profile_secrets(open_profile("demo")).key("collector")
    nothing = _central("collected", "--into", str(folder))
    assert (nothing.returncode, "нет такого файла" in nothing.stderr) == (1, True)
    with Collection.opened(folder, key) as collection:
        await enrol(line(office), collection, collector_code(office.database, "26", office.clock.now_ms()))
        await follow(line(office), collection, once=True)
        cut_off(office, FUND, 1)
        await follow(line(office), collection, once=True)
        looked = _central("collected", "--into", str(folder))
        assert (looked.returncode, looked.stdout.splitlines()) == (1, described(collection))
        assert "нарушена: 26/tf, запись 2" in looked.stderr
        busy = _central("collected", "--into", str(folder), "--anew", FUND)
        assert (busy.returncode, "другой процесс" in busy.stderr) == (1, True)
    assert _central("collected", "--into", str(folder), "--anew", FUND).returncode == 0
    sound = _central("collected", "--into", str(folder), "--anew", FUND)
    assert (sound.returncode, "не нарушена" in sound.stderr) == (1, True)
    with Collection.opened(folder, key) as collection:
        await follow(line(office), collection, once=True)
        assert (collection.broken(), collection.gone(), len(collection.events(FUND))) == ([], 1, 1)
    assert _central("collected", "--into", str(folder)).returncode == 0


def test_the_unit_collects_with_the_passphrase_of_its_credential(home: Path, folder: Path, tmp_path: Path) -> None:
    """The line of deploy/systemd as it stands, but for its places: enrolled once by hand, then started by systemd."""
    credentials, figures = tmp_path / "credentials", tmp_path / "figures"
    for made in (credentials, figures):
        made.mkdir()
    (credentials / "vault").write_text(f"{PASSPHRASE}\n")
    (line,) = re.findall(r"^ExecStart=(.*)$", UNIT.read_text().replace("\\\n", " "), re.MULTILINE)
    places = {
        "/opt/operator-tui/bin/operator-tui": f"{sys.executable} -m operator_tui",
        "/var/lib/operator-tui/collected/%i": str(folder),
        "/run/operator-tui-collector/%i": str(figures / "26"),
    }
    for there, here in places.items():
        assert there in line
        line = line.replace(there, here)
    with (
        CentralServer(None, arguments=("--port", "0")) as server,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd,
    ):
        systemd.bind(str(home / "notify"))
        systemd.settimeout(300)
        server.enrolment_code("Петрова Анна")
        code, where = _central("collector-code", "26").stdout.strip(), ("--url", f"http://{server.address}")
        byhand = ("collect", "--profile", "federal", *where, "--into", str(folder), "--once")
        enrolled = _central(*byhand, typed=f"{PASSPHRASE}\n{code}\n")
        assert (enrolled.returncode, "Цепочки целы" in enrolled.stdout) == (0, True), enrolled.stderr
        environment = {
            **os.environ,
            **{"URL": f"http://{server.address}", "OPTIONS": "", "CREDENTIALS_DIRECTORY": str(credentials)},
            "NOTIFY_SOCKET": str(home / "notify"),
        }
        unit = subprocess.Popen(shlex.split(line), env=environment, stdout=subprocess.DEVNULL)
        try:
            said = ""
            while "сервер" in said or not said:
                said = systemd.recv(4096).decode()
            assert said.startswith("READY=1\nSTATUS=Цепочки целы; собрано событий: ")
        finally:
            unit.terminate()
            ended = unit.wait(timeout=300)
    assert ended == -signal.SIGTERM, "which systemd takes for a clean end"
    assert 'operator_tui_collector_broken_streams{region="26"} 0' in (figures / "26.prom").read_text()


async def _enrolled(link: Link, code: str) -> EnrolAnswer:
    async with link.post(ENROL_PATH, msgspec.json.encode({"v": 1, "code": code}), packed=False) as chunks:
        return msgspec.json.decode(b"".join([chunk async for chunk in chunks]), type=EnrolAnswer)


async def _save(link: Link, desk: EnrolAnswer, n: int) -> None:
    """The n-th card of that desk, taken by the server."""
    x = {"type": CONSULTATION.type.value, "theme": CONSULTATION.code, "text": "Рассказ"}
    operation = Operation(n=n, k="card.new", at=next_stamp("", SystemClock().now_ms()), x=x)
    sent = SyncRequest(v=SYNC_VERSION, d=desk.device, o=[plain_operation(operation)])
    async with link.post(SYNC_PATH, pack(sent), token=desk.token) as chunks:
        frames = FrameReader().feed(b"".join([chunk async for chunk in chunks]))
    (results,) = [frame for frame in frames if isinstance(frame, Results)]
    assert [outcome.s for outcome in results.r] == ["applied"]


def _until(lines: IO[str], word: str) -> None:
    for said in lines:
        if word in said:
            return
    raise AssertionError(f"it ended without {word}")
