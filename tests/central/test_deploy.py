"""What deploy/ hands to an administrator does what it says: certificates, units, PgBouncer, a copy by pgBackRest."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import click
import httpx
import psycopg
import pytest
from click.testing import CliRunner
from litestar.testing import TestClient

from central.app import create_app
from central.devices import epoch
from central.store.database import Database
from central.verify import verify
from operator_tui.appeals.clock import ManualClock
from operator_tui.cli import cli
from operator_tui.profiles import open_profile
from tests.central.desks import Office
from tests.peers.central import CentralServer
from tests.peers.ports import free_block
from tests.peers.postgres import USER, Postgres, own_user

DEPLOY = Path(__file__).parents[2] / "deploy"
CERTIFICATES = DEPLOY / "certificates"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))


def test_the_certificate_is_one_that_desks_of_its_authority_believe(tmp_path: Path) -> None:
    folder = tmp_path / "tls"
    for _ in range(2):  # a second run renews it under the same authority
        subprocess.run([CERTIFICATES, folder, "127.0.0.1", "central.example"], check=True, capture_output=True)
    assert all((folder / name).stat().st_mode & 0o077 == 0 for name in ("ca.key", "server.key"))
    served = ("--port", "0", "--tls-cert", str(folder / "server.pem"), "--tls-key", str(folder / "server.key"))
    with CentralServer(None, arguments=served) as server:
        health = f"https://{server.address}/v1/health"
        assert httpx.get(health, verify=_trust(folder), timeout=60).status_code == 200
        with pytest.raises(httpx.ConnectError, match="certificate"):
            httpx.get(health, timeout=60)


def _trust(folder: Path) -> object:
    import ssl

    return ssl.create_default_context(cafile=str(folder / "ca.pem"))


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_says_what_the_command_takes(unit: Path) -> None:
    text = unit.read_text().replace("\\\n", " ")
    (line,) = re.findall(r"^ExecStart=(.*)$", text, re.MULTILINE)
    said = shlex.split(line)
    if said[:2] == ["/bin/sh", "-c"]:
        said = said[2].removeprefix("exec ").split()
    command: click.Command = cli
    names = said[1:]
    while isinstance(command, click.Group):
        found = command.get_command(click.Context(command), names.pop(0))
        assert found is not None
        command = found
    known = {option for parameter in command.params for option in parameter.opts}
    assert {name for name in names if name.startswith("--")} <= known
    assert "$HINTS" not in names or {"--redis", "--redis-password-file"} <= known
    for wanted in ("User=operator-tui", "LimitCORE=0", "NoNewPrivileges=yes"):
        assert wanted in text


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_may_write_where_its_command_writes(unit: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """ProtectSystem leaves /etc to be read alone, and the program sees to the mode of all its folders at each start."""
    text = unit.read_text()
    said = dict(pair.split("=", 1) for line in re.findall(r"^Environment=(.*)$", text, re.M) for pair in line.split())
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"):
        monkeypatch.setenv(name, said.get(name, "").replace("%t", "/run"))
    profile = open_profile("central")
    written = [profile.config, profile.data, profile.state, profile.runtime]
    written += map(Path, re.findall(r"(?:KEYS|OPERATOR_TUI_FILES)=(/[\w./-]+)", text))
    (protects,) = re.findall(r"^ProtectSystem=(.*)$", text, re.M)
    may = [Path("/tmp")] if "PrivateTmp=yes" in text else []
    for key, root in (("StateDirectory", "/var/lib"), ("RuntimeDirectory", "/run"), ("ReadWritePaths", "/")):
        names = " ".join(re.findall(rf"^{key}=(.*)$", text, re.M)).split()
        may += [Path(root) / name.removeprefix("-") for name in names]
    for path in written:
        kept = protects == "strict" or path.is_relative_to("/etc") or path.is_relative_to("/usr")
        assert not kept or any(path.is_relative_to(root) for root in may), path


def test_copies_have_a_folder_and_fill_no_disk(tmp_path: Path) -> None:
    text = (DEPLOY / "systemd" / "operator-tui-backup.service").read_text().replace("\\\n", " ")
    (where,) = re.findall(r"/var/lib/(operator-tui/\w+)/\$\(date", text)
    (made,) = re.findall(r"^StateDirectory=(.*)$", text, re.MULTILINE)
    assert where in made.split(), "systemd makes the folder that the copy is written into"
    (line,) = re.findall(r"^ExecStartPost=(.*)$", text, re.MULTILINE)
    copies = [f"202611{day:02}T120000Z" for day in range(1, 13)]
    for name in [*copies, "20261113T120000Z.part", "note"]:
        (tmp_path / name).touch()
    script = shlex.split(line.replace("%%", "%"))[2].replace(f"/var/lib/{where}", str(tmp_path))
    for kept in (5, 5, 3):
        subprocess.run(["/bin/sh", "-c", script], check=True, env={"PATH": os.environ["PATH"], "COPIES": str(kept)})
        left = sorted(path.name for path in tmp_path.iterdir())
        assert left == sorted([*copies[-kept:], "20261113T120000Z.part", "note"])


def test_systemd_understands_every_line_of_every_unit(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not here: apt-get install systemd")
    units = []
    for unit in (DEPLOY / "systemd").iterdir():
        instance = tmp_path / unit.name.replace("@.", "@26.")
        instance.write_text(unit.read_text().replace("/opt/operator-tui/bin/operator-tui", "/bin/true"))
        units.append(instance)
    done = subprocess.run(
        [program, "verify", "--man=no", *units], capture_output=True, text=True, timeout=120, check=False
    )
    assert [said for said in (done.stdout + done.stderr).splitlines() if "operator-tui" in said] == []


@pytest.mark.needs("postgresql", "pgbouncer")
def test_behind_pgbouncer_the_server_listens_and_waits_for_no_lock_without_end(postgres: Postgres) -> None:
    url = postgres.fresh()
    with (
        bouncer(postgres, url.rpartition("/")[2]) as port,
        CentralServer(
            None, database=f"postgresql+psycopg://{USER}@127.0.0.1:{port}/central", arguments=("--port", "0")
        ) as server,
    ):
        deadline = time.monotonic() + 120
        while not httpx.get(f"http://{server.address}/v1/health", timeout=60).json()["hints"]["up"]:
            assert time.monotonic() < deadline, "it does not listen"
            time.sleep(0.05)
        database = Database.postgres(f"postgresql+psycopg://{USER}@127.0.0.1:{port}/central")
        with database.read() as connection:
            assert connection.exec_driver_sql("SHOW lock_timeout").scalar_one() == "10s"
        clock = ManualClock()
        with TestClient(create_app(database, clock=clock)) as client:
            desk = Office(database, client, clock).desk("Петрова")
            assert desk.send(desk.new_card()).states == ["applied"]


class bouncer:
    """PgBouncer with the settings of deploy/postgresql in front of one database; the port it listens on."""

    def __init__(self, server: Postgres, name: str) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="ot-pb-"))
        self.port = free_block()
        text = (DEPLOY / "postgresql" / "pgbouncer.ini").read_text()
        for old, new in (
            ("port=5000 dbname=central", f"port={server.port} dbname={name}"),
            ("listen_port = 6432", f"listen_port = {self.port}"),
            ("auth_type = scram-sha-256", "auth_type = trust"),
            ("/etc/pgbouncer/userlist.txt", str(self._folder / "userlist.txt")),
        ):
            assert old in text
            text = text.replace(old, new)
        (self._folder / "pgbouncer.ini").write_text(text)
        (self._folder / "userlist.txt").write_text(f'"{USER}" ""\n')

    def __enter__(self) -> int:
        own = own_user()
        if "user" in own:
            for path in (self._folder, *self._folder.iterdir()):
                shutil.chown(path, own["user"], own["group"])
        program = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin")
        assert program is not None
        self._process = subprocess.Popen([program, "-q", str(self._folder / "pgbouncer.ini")], cwd="/", **own)
        deadline, where = time.monotonic() + 120, f"host=127.0.0.1 port={self.port} user={USER} dbname=central"
        while True:
            try:
                psycopg.connect(where, connect_timeout=10).close()
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    self.__exit__()
                    raise
                time.sleep(0.05)
            else:
                return self.port

    def __exit__(self, *_: object) -> None:
        self._process.kill()  # newer ones wait, when asked to end, until the last client has gone
        self._process.wait(timeout=60)
        shutil.rmtree(self._folder, ignore_errors=True)


class Rehearsal:
    """PostgreSQL whose log goes to pgBackRest with the settings of deploy/postgresql, on this machine's own disk."""

    def __init__(self, folder: Path) -> None:
        self.server = Postgres(folder, durable=True)
        self._data = folder / "data"
        self._own = own_user()
        self._file = folder / "pgbackrest.conf"
        text = (DEPLOY / "postgresql" / "pgbackrest.conf").read_text()
        here = {
            **{"repo1-path": folder / "repo", "log-path": folder, "lock-path": folder},
            **{"repo1-cipher-pass": "synthetic", "log-level-file": "off"},
        }
        text = re.sub(r"^repo1-host.*\n", "", text, flags=re.MULTILINE)
        text = re.sub(r"^(spool-path)=.*$", rf"\1={folder}", text, flags=re.MULTILINE)
        text = re.sub(r"^(pg1-path)=.*$", rf"\1={self._data}", text, flags=re.MULTILINE)
        text = text.replace("[global]\n", "[global]\n" + "".join(f"{name}={value}\n" for name, value in here.items()))
        self._file.write_text(
            f"{text}\npg1-port={self.server.port}\npg1-socket-path={folder}\npg1-user={USER}\npg1-database=postgres\n"
        )
        if "user" in self._own:
            shutil.chown(self._file, self._own["user"], self._own["group"])
        push = f"pgbackrest --config={self._file} --stanza=operator-tui archive-push %p"
        self.server._settings |= {"archive_mode": "on", "archive_command": push}

    def pgbackrest(self, *words: str) -> None:
        """Run it as PostgreSQL's own user."""
        done = subprocess.run(
            ["pgbackrest", f"--config={self._file}", "--stanza=operator-tui", *words],
            capture_output=True, text=True, timeout=300, check=False, cwd="/", **self._own,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr

    def lose(self) -> None:
        """The machine is gone, its disk too."""
        self.server.kill()
        shutil.rmtree(self._data)
        self._data.mkdir(mode=0o700)
        if "user" in self._own:
            shutil.chown(self._data, self._own["user"], self._own["group"])


@pytest.fixture
def rehearsal() -> Iterator[Rehearsal]:
    folder = Path(tempfile.mkdtemp(prefix="ot-br-"))
    made = Rehearsal(folder)
    try:
        made.server.start()
        yield made
    finally:
        made.server.stop(signal.SIGQUIT)
        shutil.rmtree(folder, ignore_errors=True)


def _wait_until_it_writes(url: str) -> None:
    deadline = time.monotonic() + 180
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        while connection.execute("SELECT pg_is_in_recovery()").fetchone() != (False,):
            assert time.monotonic() < deadline, "the log is read without end"
            time.sleep(0.05)


@pytest.mark.needs("postgresql", "pgbackrest")
def test_the_rehearsal_brings_back_what_was_in_the_copy_and_in_the_log(rehearsal: Rehearsal) -> None:
    server, clock = rehearsal.server, ManualClock()
    rehearsal.pgbackrest("stanza-create")
    url = server.fresh()
    database = Database.postgres(url)
    with TestClient(create_app(database, clock=clock)) as client:
        desk = Office(database, client, clock).desk("Петрова")
        assert desk.send(desk.new_card()).states == ["applied"]
        rehearsal.pgbackrest("--type=full", "backup")
        assert desk.send(desk.new_card()).states == ["applied"], "behind the copy: it is in the log alone"
        with database.read() as connection:
            before = epoch(connection)
            connection.exec_driver_sql("SELECT pg_switch_wal()")
        rehearsal.pgbackrest("check")  # the log is in the repository up to here
    rehearsal.lose()
    rehearsal.pgbackrest("--archive-mode=off", "restore")
    server.start()
    _wait_until_it_writes(url)
    said = CliRunner().invoke(cli, ["central", "new-epoch", "--database", url], catch_exceptions=False)
    assert (said.exit_code, "Новая эпоха" in said.output) == (0, True)
    restored = Database.postgres(url)
    with restored.read() as connection:
        assert epoch(connection) != before
        assert connection.exec_driver_sql("SELECT count(*) FROM card").scalar_one() == 2
    assert verify(restored).faults == ()
    restored.close()
