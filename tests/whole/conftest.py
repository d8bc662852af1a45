"""The desk as it is installed, in a pseudo-terminal, with the central server as a process of its own."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from operator_tui.profiles import Profile, open_profile
from operator_tui.registry.index import Registry
from operator_tui.registry.people import Person
from operator_tui.secrets import profile_secrets
from tests.peers.ports import free_block
from tests.peers.postgres import Postgres
from tests.peers.pty import PATIENCE, PtyDesk

DESK = [sys.executable, "-m", "operator_tui"]


class Central:
    """The central server as a process; ``kill`` and ``start`` as often as a test likes, always at the same address."""

    def __init__(self, database: str) -> None:
        self.database = database
        self.port = free_block(1)
        self._process: subprocess.Popen[str] | None = None
        self._scheme = "http"

    def start(self, tls: tuple[Path, Path] | None = None) -> None:
        """Start it; ``tls`` is a certificate and its key."""
        self._scheme = "https" if tls else "http"
        arguments = ["central", "serve", "--database", self.database, "--port", str(self.port)]
        if tls:
            arguments += ["--tls-cert", str(tls[0]), "--tls-key", str(tls[1])]
        self._process = subprocess.Popen([*DESK, *arguments], stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self.kill()
        assert line, "the server did not start"
        assert json.loads(line)["ready"] is True

    def freeze(self, frozen: bool = True) -> None:
        """It takes connections, by its kernel, and answers nothing; or it goes on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP if frozen else signal.SIGCONT)

    def kill(self) -> None:
        """As the kernel would."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            if process.stdout:
                process.stdout.close()

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self.port}"

    def enrolment_code(self, extension: str) -> str:
        who = ["--name", "Иванова Анна Петровна", "--role", "o1", "--extension", extension, "--organisation", "26/tf"]
        command = [*DESK, "central", "enrolment-code", "--database", self.database, *who]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def central(postgres: Postgres) -> Iterator[Central]:
    """A running central server on a fresh PostgreSQL database."""
    server = Central(postgres.fresh())
    server.start()
    try:
        yield server
    finally:
        server.kill()


class Workplace:
    """One workstation of profile demo: its settings, its desk, what stands in its files."""

    def __init__(self, home: Path) -> None:
        self.profile: Profile = open_profile("demo")
        self.profile.make_folders()
        self.home = home
        self._desks: list[PtyDesk] = []

    def configure(self, **sections: dict[str, Any]) -> None:
        """Write the profile's settings.toml."""
        text = ""
        for name, values in sections.items():
            lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values.items()]
            text += "\n".join([f"[{name}]", *lines, ""])
        self.profile.settings_file.write_text(text, encoding="utf-8")

    def keep_secret(self, name: str, value: str) -> None:
        profile_secrets(self.profile).set(name, value.encode())

    def desk(self, rows: int = 24, cols: int = 80, **env: str) -> PtyDesk:
        """Start a desk; one may be started after another."""
        started = PtyDesk(DESK, rows=rows, cols=cols, env=dict(env))
        self._desks.append(started)
        return started

    def somebody(self) -> Person:
        """A person of the registry who is alone with his telephone number."""
        registry = Registry.open(self.profile.registry_file, profile_secrets(self.profile).key("registry"))
        try:
            for letter in "абвгдеклмн":
                for hit in registry.search(letter).hits:
                    if hit.person.phone and len(registry.by_phone(hit.person.phone)) == 1:
                        return hit.person
        finally:
            registry.close()
        raise AssertionError("nobody has a telephone of his own")

    def close(self) -> None:
        """End the desks; engines and servers they started end with the test's home (tests/conftest.py)."""
        for desk in self._desks:
            with suppress(OSError):
                desk.close()


@pytest.fixture
def workplace(home: Path) -> Iterator[Workplace]:
    """An empty workstation."""
    place = Workplace(home)
    yield place
    place.close()


def rests_since(began_ns: int, file: Path) -> bool:
    """Whether a file was written after that moment, and for longer than a draft waits not any more."""
    written_ns = file.stat().st_mtime_ns
    return written_ns > began_ns and time.time_ns() - written_ns > 2_000_000_000


Until = Callable[[Callable[[], Any], str], Any]


@pytest.fixture
def until() -> Until:
    """``until(condition, what)``: poll until it gives something true; what came is at most a minute away."""
    from time import monotonic, sleep

    def wait(condition: Callable[[], Any], what: str) -> Any:
        deadline = monotonic() + PATIENCE
        while not (found := condition()):
            assert monotonic() < deadline, f"never came: {what}"
            sleep(0.05)
        return found

    return wait
