"""A Redis of one's own, on a free port of 127.0.0.1, behind a password; it keeps nothing on a disk."""

from __future__ import annotations

import secrets
import socket
import subprocess
import time
from pathlib import Path
from typing import Self

from tests.peers.ports import free_block


class RedisServer:
    """A context manager. ``password_file`` is what ``central serve --redis-password-file`` takes."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, exist_ok=True)
        self.password = secrets.token_hex(16)
        self.port = free_block()
        self.password_file = folder / "password"
        self._settings = folder / "redis.conf"
        for file in (self.password_file, self._settings):
            file.touch(mode=0o600)
        self.password_file.write_text(self.password)
        self._settings.write_text(
            f"bind 127.0.0.1\nport {self.port}\nrequirepass {self.password}\n"
            f'save ""\nappendonly no\ndir {folder}\ndaemonize no\nloglevel warning\n'
        )
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        self._process = subprocess.Popen(
            ["redis-server", str(self._settings)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 120
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                assert time.monotonic() < deadline, "Redis does not start"
                time.sleep(0.02)
            else:
                return

    def kill(self) -> None:
        """kill -9."""
        if self._process is not None:
            process, self._process = self._process, None
            process.kill()
            process.wait(timeout=60)
