"""The desk's own central server, where none is configured: a child process on a UNIX socket.

It gets its key through a pipe, never as an argument or in the environment, and lives as long as the pipe is open:
whatever ends the desk, kill -9 too, ends it.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import sys
from pathlib import Path
from typing import Any

import msgspec

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.people import Operator, Role
from operator_tui.profiles import Profile

# The operator of a desk with nothing configured; made up, as all people of the profile are.
DEMO_OPERATOR = Operator(
    user=0, name="Петрова Анна Сергеевна", role=Role.OPERATOR_1, extension="2001", organisation="26/tf"
)
_READY_S = 30.0
_STOP_S = 2.0
_RESTART_S = 5.0


class EmbeddedServer:
    """A running server. ``enrolment_code`` is a one-time code for ``operator``, good for 15 minutes."""

    def __init__(self, profile: Profile, key: bytes, operator: Operator | None) -> None:
        self._profile = profile
        self._key = key
        self._operator = operator
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self.enrolment_code = ""

    @classmethod
    async def start(cls, profile: Profile, key: bytes, operator: Operator | None = DEMO_OPERATOR) -> EmbeddedServer:
        """Start it and wait until it takes requests. Refusals: CENTRAL_FAILED (reason), and those of its database."""
        server = cls(profile, key, operator)
        await server._launch()
        server._keeper = asyncio.create_task(server._keep())
        return server

    @property
    def socket(self) -> Path:
        """Where it listens."""
        return self._profile.central_socket

    @property
    def pid(self) -> int | None:
        """Its process, None when it does not run."""
        return self._process.pid if self._process and self._process.returncode is None else None

    async def stop(self) -> None:
        """Cut its lifeline and wait for its end, two seconds at most."""
        if self._keeper:
            self._keeper.cancel()
            await asyncio.wait({self._keeper})
        if self._process:
            await _end(self._process)

    async def _keep(self) -> None:
        """Start it again when it died."""
        while True:
            if self._process:
                await self._process.wait()
            with contextlib.suppress(Refusal):
                await self._launch()
                continue
            await asyncio.sleep(random.uniform(0.5, _RESTART_S))

    async def _launch(self) -> None:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "operator_tui", "central", "serve"),
            *("--profile", self._profile.name, "--socket", str(self.socket), "--stop-with-parent"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,  # it tells what it has to tell in its first line and its log
            start_new_session=True,  # Ctrl+C in the terminal is the desk's alone
        )
        try:
            ready = await asyncio.wait_for(self._introduce(process), _READY_S)
        except BaseException as error:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()  # on its way up it does not look at its lifeline yet
            await _end(process)
            if isinstance(error, TimeoutError):
                raise Refusal(Code.CENTRAL_FAILED, reason="timeout") from None
            raise
        self._process = process
        self.enrolment_code = str(ready.get("enrolment_code", ""))

    async def _introduce(self, process: asyncio.subprocess.Process) -> dict[str, Any]:
        assert process.stdin
        assert process.stdout
        first = {"key": self._key.hex(), "enrol": self._operator}
        with contextlib.suppress(ConnectionError):
            process.stdin.write(msgspec.json.encode(first) + b"\n")
            await process.stdin.drain()
        line = await process.stdout.readline()
        try:
            told: dict[str, Any] = msgspec.json.decode(line)
        except msgspec.DecodeError:
            raise Refusal(Code.CENTRAL_FAILED, reason=f"exit {await process.wait()}") from None
        if "code" in told:
            raise Refusal.from_wire(told)
        return told


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.stdin:
        process.stdin.close()
    try:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), _STOP_S)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    # Its pipes are closed when their ends have been read, not when the process is gone.
    if process.stdout:
        await process.stdout.read()
