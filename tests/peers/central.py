"""The central server as a process of its own, to be killed and started again like a real one."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO

from operator_tui.appeals.people import Role

_COMMAND = (sys.executable, "-m", "operator_tui", "central")


class CentralServer:
    """``database`` is PostgreSQL's address, else the encrypted file of the profile; listens on ``socket`` or, with
    ``arguments``, where they say. A context manager: leaving it ends the process."""

    def __init__(
        self, socket: Path | None, *, database: str = "", profile: str = "demo", arguments: tuple[str, ...] = ()
    ):
        self._where = ("--profile", profile, *(("--database", database) if database else ()))
        self._listen = (("--socket", str(socket)) if socket else ()) + arguments
        self._process: subprocess.Popen[str] | None = None
        self.address = ""

    def __enter__(self) -> CentralServer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start it and wait for its first line."""
        # Not a pipe: nobody reads it, and after 64 KB of log lines the server would wait for ever.
        with tempfile.TemporaryFile("w+") as said:
            self._process = subprocess.Popen(
                [*_COMMAND, "serve", *self._where, *self._listen], stdout=subprocess.PIPE, stderr=said, text=True
            )
            line = self._out(self._process.stdout).readline()
            if not line:
                said.seek(0)
                self.kill()
                raise AssertionError(said.read())
        self.address = json.loads(line)["address"]

    @property
    def pid(self) -> int:
        """Of the running process."""
        assert self._process is not None
        return self._process.pid

    def stop(self, how: signal.Signals = signal.SIGTERM, *, within_s: float = 120.0) -> int:
        """End it; its exit code (0 when it had ended before)."""
        if self._process is None:
            return 0
        process, self._process = self._process, None
        process.send_signal(how)
        try:
            return process.wait(timeout=within_s)
        finally:
            process.kill()
            process.wait()
            self._out(process.stdout).close()

    def kill(self) -> None:
        """kill -9."""
        self.stop(signal.SIGKILL)

    def enrolment_code(
        self, name: str, role: Role = Role.OPERATOR_1, *, extension: str = "2001", organisation: str = "26/tf"
    ) -> str:
        """A one-time code, as an administrator makes it."""
        about = ("--name", name, "--role", role.value, "--extension", extension, "--organisation", organisation)
        command = [*_COMMAND, "enrolment-code", *self._where, *about]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=300).stdout.strip()

    @staticmethod
    def _out(pipe: IO[str] | None) -> IO[str]:
        assert pipe is not None
        return pipe
