"""Journals for the tests of the way to the server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from operator_tui.appeals.clock import SystemClock
from operator_tui.journal.journal import Journal
from operator_tui.profiles import Profile, open_profile
from operator_tui.reference import packaged_catalogue
from tests.central.conftest import ENGINES, open_database
from tests.peers.central import CentralServer
from tests.peers.postgres import Postgres
from tests.peers.tables import lay_tables, postgres_of

__all__ = ["ENGINES", "open_database"]

KEY = bytes(range(32, 64))


async def run(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """The journal's thread, as the desk has one."""
    return await asyncio.to_thread(function, *args, **kwargs)


@pytest.fixture
def open_journal(tmp_path: Path) -> Iterator[Callable[[str], Journal]]:
    """Opens the journal of a name, the same one each time; it is closed at the end."""
    opened: list[Journal] = []

    def open_one(name: str = "journal") -> Journal:
        path = tmp_path / f"{name}.db"
        opened.append(Journal.open(path, KEY, catalogue=packaged_catalogue(), clock=SystemClock()))
        return opened[-1]

    yield open_one
    for journal in opened:
        journal.close()


@pytest.fixture
def profile() -> Profile:
    profile = open_profile("demo")
    profile.make_folders()
    return profile


@pytest.fixture(params=ENGINES)
def url(request: pytest.FixtureRequest) -> str:
    """PostgreSQL's address, empty for the profile's own file."""
    if request.param == "sqlite":
        return ""
    server: Postgres = request.getfixturevalue("postgres")
    return postgres_of(server)


@pytest.fixture
def server(profile: Profile, url: str) -> Iterator[CentralServer]:
    """A server process at the profile's socket."""
    if not url:
        lay_tables(profile)
    with CentralServer(profile.central_socket, database=url) as started:
        yield started


async def until(condition: Callable[[], bool | Awaitable[bool]], within: float = 180.0) -> None:
    """Wait for a condition; AssertionError when it does not come."""
    deadline = asyncio.get_running_loop().time() + within
    while True:
        found = condition()
        if found if isinstance(found, bool) else await found:
            return
        assert asyncio.get_running_loop().time() < deadline, "it did not come to that"
        await asyncio.sleep(0.01)
