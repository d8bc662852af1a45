"""Patroni with etcd and HAProxy on loopback, from the templates of deploy/cluster: three nodes of PostgreSQL.

Kill a node as the loss of its machine would, and start it again.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx
import psycopg

from tests.peers.ports import free_block
from tests.peers.postgres import own_user
from tests.plugins.peers import postgresql_bin

TEMPLATES = Path(__file__).parents[2] / "deploy" / "cluster"
DATABASE = "central"
_NODES = 3


class Cluster:
    """A context manager; ``url`` is what ``--database`` takes. ``ttl_s``: after so long a dead primary is replaced."""

    def __init__(self, ttl_s: int = 6) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="ot-ha-"))
        self._as = {**own_user(), "cwd": "/"}
        self._as["env"] = {**self._as["env"], "PATH": f"{os.defpath}:/usr/sbin"}  # haproxy
        self._own(self.folder)
        self._password = secrets.token_urlsafe(16)
        self._ttl_s = ttl_s
        self._ports = [free_block() for _ in range(_NODES)]
        self._etcd, self.port = free_block(), free_block()
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        # libpq reads the password from here: an address may not hold one.
        self.passwords = self.folder / "pgpass"
        self._write(self.passwords, f"127.0.0.1:*:*:postgres:{self._password}\n")

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{DATABASE}"

    def __enter__(self) -> Self:
        try:
            self._start_etcd()
            for number in range(_NODES):
                self.start(number)
            self._start_haproxy()
            self.wait(lambda: self.primary() is not None and len(self.standbys()) == _NODES - 1, 300)
            self.wait(self._made, 120)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name in [name for name in self._running if name.startswith("node")]:
            self.lose(int(name.removeprefix("node")))
        for process in self._running.values():
            _end(process, signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self, number: int) -> None:
        """Start a node, new or come back."""
        rest, port = self._ports[number] + 1, self._ports[number]
        data = self.folder / f"node{number}"
        settings = {
            "NAME": f"node{number}", "HOST": "127.0.0.1", "REST_PORT": rest, "PORT": port, "DATA": data,
            "ETCD": f"127.0.0.1:{self._etcd}", "TTL": self._ttl_s, "LOOP": 1, "RETRY": 2,
            "BIN": postgresql_bin(), "SOCKETS": self.folder, "NETWORK": "127.0.0.1/32",
            "SUPERUSER_PASSWORD": self._password, "REPLICATION_PASSWORD": self._password[::-1],
            "REST_PASSWORD": f"rest{self._password}",
        }  # fmt: skip
        file = self.folder / f"node{number}.yml"
        self._write(file, _filled("patroni.yml", settings))
        self._run(f"node{number}", "patroni", str(file))

    def lose(self, number: int) -> None:
        """kill -9 of everything of a node at once: Patroni and PostgreSQL, as when its machine goes."""
        process = self._running.pop(f"node{number}")
        process.send_signal(signal.SIGSTOP)  # it must not see its PostgreSQL end and give the place away in order
        with contextlib.suppress(FileNotFoundError, ValueError):
            postmaster = int((self.folder / f"node{number}" / "postmaster.pid").read_text().split("\n", 1)[0])
            # Each process of PostgreSQL has a session of its own.
            children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
            for pid in (postmaster, *map(int, children)):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        _end(process, signal.SIGKILL)

    def primary(self) -> int | None:
        """The node that takes writes now."""
        return next((number for number in range(_NODES) if self._says(number, "primary")), None)

    def standbys(self) -> list[int]:
        """The nodes that follow."""
        return [number for number in range(_NODES) if self._says(number, "replica")]

    def synchronous(self) -> list[int]:
        """The standbys that a commit waits for."""
        return [number for number in range(_NODES) if self._says(number, "synchronous")]

    def connect(self) -> psycopg.Connection[tuple[object, ...]]:
        """To the primary, as the servers see it."""
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user="postgres", dbname=DATABASE,
            passfile=str(self.passwords), connect_timeout=10, autocommit=True,
        )  # fmt: skip

    def told_by_a_stranger(self, number: int, act: str) -> int:
        """The status that a node answers with to who has no password and wants it to do something."""
        return httpx.post(f"http://127.0.0.1:{self._ports[number] + 1}/{act}", json={}, timeout=60).status_code

    def wait(self, condition: Callable[[], bool], seconds: float) -> None:
        """AssertionError with the nodes' logs when it does not come to pass."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError("\n".join(log.read_text()[-1500:] for log in sorted(self.folder.glob("*.log"))))
            time.sleep(0.1)

    def _says(self, number: int, role: str) -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{self._ports[number] + 1}/{role}", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False

    def _made(self) -> bool:
        """The database is there, made through HAProxy."""
        try:
            with psycopg.connect(
                host="127.0.0.1", port=self.port, user="postgres", dbname="postgres",
                passfile=str(self.passwords), connect_timeout=10, autocommit=True,
            ) as connection:  # fmt: skip
                connection.execute(f"CREATE DATABASE {DATABASE}")
        except psycopg.errors.DuplicateDatabase:
            return True
        except psycopg.OperationalError:
            return False
        return True

    def _start_etcd(self) -> None:
        url, peers = f"http://127.0.0.1:{self._etcd}", f"http://127.0.0.1:{self._etcd + 1}"
        self._run(
            *("etcd", "etcd", "--data-dir", str(self.folder / "etcd"), "--name", "one"),
            *("--listen-client-urls", url, "--advertise-client-urls", url, "--unsafe-no-fsync"),
            *("--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers, "--initial-cluster", f"one={peers}"),
        )

    def _start_haproxy(self) -> None:
        servers = "\n".join(
            f"    server node{number} 127.0.0.1:{port} check port {port + 1}" for number, port in enumerate(self._ports)
        )
        file = self.folder / "haproxy.cfg"
        self._write(file, _filled("haproxy.cfg", {"HOST": "127.0.0.1", "PORT": self.port, "SERVERS": servers}))
        self._run("haproxy", "haproxy", "-db", "-f", str(file))

    def _run(self, name: str, *command: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True, **self._as)

    def _write(self, file: Path, text: str) -> None:
        file.touch(mode=0o600)
        file.write_text(text)
        self._own(file)

    def _own(self, path: Path) -> None:
        if "user" in self._as:
            shutil.chown(path, self._as["user"], self._as["group"])


def _filled(name: str, settings: dict[str, object]) -> str:
    text = (TEMPLATES / name).read_text()
    for key, value in settings.items():
        text = text.replace(f"@{key}@", str(value))
    return text


def _end(process: subprocess.Popen[bytes], how: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, how)
    process.wait(timeout=120)
