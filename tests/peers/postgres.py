"""A real PostgreSQL in a scratch folder: a UNIX socket there and a free port of 127.0.0.1, any number of databases.

``initdb`` refuses root, so as root it runs as a user of its own.
"""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.peers.ports import free_block
from tests.plugins.peers import postgresql_bin

USER = "operator_tui"
_START_S = 180.0  # reading its log again after a kill, on a busy disk
_STOP_S = 120.0
# Not the test's own: what runs in a test's home is ended with the test (tests/conftest.py), this server is not.
_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "HOME": "/"}


class Postgres:
    """One server. ``durable`` keeps fsync on: only where the loss of the machine itself is tested. ``follows``: it is
    a standby of that one."""

    def __init__(self, folder: Path, *, durable: bool = False, follows: Postgres | None = None) -> None:
        found = postgresql_bin()
        assert found is not None, "needs('postgresql') comes first"
        self._bin = found
        self._folder = folder
        self._data = folder / "data"
        self._as: dict[str, Any] = own_user()
        if "user" in self._as:
            shutil.chown(folder, self._as["user"], self._as["group"])
        self._settings = {} if durable else {"fsync": "off", "full_page_writes": "off"}
        self._numbers = itertools.count(1)
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_block()
        if follows is not None:
            source = f"{follows._dsn('postgres').removesuffix(' dbname=postgres')} application_name={folder.name}"
            self._run("pg_basebackup", "-D", str(self._data), "-d", source, "-R", "--checkpoint=fast", "--no-sync")
            return
        self._run(
            *("initdb", "-D", str(self._data), "-U", USER, "-A", "trust", "-E", "UTF8"),
            *("--locale=C.UTF-8", "--no-sync", "--no-instructions"),
        )

    def start(self) -> None:
        """Start it and wait until it answers."""
        settings = {
            **self._settings,
            "port": str(self.port),
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": str(self._folder),
            "timezone": "UTC",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(self._bin / "postgres"), "-D", str(self._data), *options],
                **{**self._as, "cwd": "/", "stdout": log, "stderr": log, "start_new_session": True},
            )
        deadline = time.monotonic() + _START_S
        while True:
            try:
                psycopg.connect(self._dsn("postgres"), connect_timeout=10).close()
            except psycopg.OperationalError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise AssertionError((self._folder / "log").read_text(errors="replace")) from None
                time.sleep(0.02)
            else:
                return

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT ends it in order, SIGQUIT at once as after a crash, SIGKILL as the kernel would."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(timeout=_STOP_S)
            self._process = None

    def kill(self) -> None:
        """kill -9 of all its processes at once, as the kernel would when memory is out."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(timeout=_STOP_S)
            self._process = None

    def fresh(self, like: str = "template1") -> str:
        """The address of a new database, as ``--database`` takes it: empty, or a copy of ``like``."""
        name = f"t{next(self._numbers)}"
        deadline = time.monotonic() + _START_S
        with psycopg.connect(self._dsn("postgres"), autocommit=True) as connection:
            while True:
                try:
                    connection.execute(f"CREATE DATABASE {name} TEMPLATE {like}")  # a name cannot be a parameter
                except psycopg.errors.ObjectInUse:
                    # Who closed his connection to ``like`` is not gone yet; PostgreSQL waits for him five seconds.
                    if time.monotonic() > deadline:
                        raise
                else:
                    break
        return f"postgresql+psycopg://{USER}@127.0.0.1:{self.port}/{name}"

    def _dsn(self, name: str) -> str:
        return f"host=127.0.0.1 port={self.port} user={USER} dbname={name}"

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [str(self._bin / program), *arguments],
            check=True,
            stdout=subprocess.DEVNULL,
            timeout=300,
            cwd="/",
            **self._as,
        )


def own_user() -> dict[str, Any]:
    if os.geteuid() != 0:
        return {"env": _ENVIRONMENT}
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": [], "umask": 0o077, "env": _ENVIRONMENT}
    raise AssertionError("no user to run PostgreSQL as")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """The session's server; each test takes a database of its own with ``fresh()``. Needs ``needs("postgresql")``."""
    # Not tmp_path: its parents are closed to the user PostgreSQL runs as.
    folder = Path(tempfile.mkdtemp(prefix="ot-pg-"))
    server = Postgres(folder)
    try:
        server.start()
        yield server
    finally:
        server.stop(signal.SIGQUIT)  # at once: nobody needs what is in it
        shutil.rmtree(folder, ignore_errors=True)
