"""An engine and desks for the telephone's tests."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from operator_tui.appeals.clock import ManualClock
from operator_tui.phone.engine import Engine
from operator_tui.phone.line import Call, CallChanged, LineConfig, PhoneEvent, Snapshot
from operator_tui.phone.remote import RemotePhone
from operator_tui.phone.simulated import SimulatedLine
from operator_tui.profiles import Profile

PATIENCE = 60.0
QUICK = LineConfig(extension="2001", sound="null", simulated_first_seconds=1.0, simulated_next_seconds=5.0)


def profile_in(folder: Path, name: str = "test") -> Profile:
    """A profile with all its folders in ``folder``."""
    made = Profile(name, folder / "config", folder / "data", folder / "state", folder / "run")
    made.make_folders()
    return made


def engines(profile: Profile) -> set[int]:
    """Pids that this profile's log says were started."""
    log = profile.logs / "phone.log"
    lines = log.read_text().splitlines() if log.exists() else []
    return {record["pid"] for record in map(json.loads, lines) if record["event"] == "started"}


async def until(what: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    """The first true value of ``what()``; TimeoutError when it does not come."""
    async with asyncio.timeout(seconds):
        while not (value := what()):  # noqa: ASYNC110  # what is polled is a picture, not an event
            await asyncio.sleep(0.01)
        return value


class Desk:
    """A RemotePhone whose events are kept."""

    def __init__(self, phone: RemotePhone) -> None:
        self.phone = phone
        self.events: list[PhoneEvent] = []
        self._task = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for event in self.phone.events():
            self.events.append(event)

    @property
    def snapshot(self) -> Snapshot:
        return self.phone.snapshot

    def history(self, call_id: str) -> list[Call]:
        """The call as it was told, step by step."""
        return [e.call for e in self.events if isinstance(e, CallChanged) and e.call.id == call_id]

    async def close(self) -> None:
        self._task.cancel()
        await self.phone.detach()


class Stepping(SimulatedLine):
    """A simulated line that counts how often it has looked at the clock."""

    stepped = 0

    def step(self) -> None:
        super().step()
        self.stepped += 1


class Bench:
    """An engine in this process with a clock that only we move, and desks for it."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self.clock = ManualClock()
        self.lines: list[Stepping] = []
        self.engine = Engine(profile.phone_socket, clock=self.clock, line=self._line, poll_seconds=0.01)
        self.looked = 0  # how many times the engine has looked whether there is a reason to live
        self.engine._sound.look = self._look  # type: ignore[method-assign]  # it looks there each time
        self.running = asyncio.create_task(self.engine.run())
        self.desks: list[Desk] = []

    def _look(self) -> None:
        self.looked += 1
        type(self.engine._sound).look(self.engine._sound)

    async def looks(self) -> None:
        """The engine and its line have seen everything as it is now, each from the beginning of a look to its end."""
        seen = self.looked
        stepped = [line.stepped for line in self.lines]
        await until(lambda: self.looked >= seen + 3 or self.running.done())
        await until(lambda: all(line.stepped >= n + 2 for line, n in zip(self.lines, stepped, strict=False) if n))

    def _line(self, *_: object) -> Stepping:
        line = Stepping(self.clock, tick_seconds=0.01)
        self.lines.append(line)
        return line

    async def desk(self) -> Desk:
        await until(self.profile.phone_socket.exists)
        desk = Desk(RemotePhone(self.profile, start_engine=False))
        self.desks.append(desk)
        await desk.phone.attach()
        return desk

    async def ring(self, desk: Desk) -> Call:
        """Let time pass until a caller rings at the desk."""

        def ringing() -> Call | None:
            self.clock.advance(0.5)
            return next((c for c in desk.snapshot.calls if c.state == "ringing"), None)

        call = await until(ringing)
        assert isinstance(call, Call)
        return call


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    made = Bench(profile_in(tmp_path))
    yield made
    for desk in made.desks:
        await desk.close()
    made.engine.end()
    await asyncio.wait_for(made.running, PATIENCE)
