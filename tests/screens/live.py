"""A live profile's desk over a real server: whoever is hired there signs in here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import keyring
import pytest

from operator_tui.app import make_app
from operator_tui.appeals.operations import Kind
from operator_tui.desk.desk import Desk
from operator_tui.desk.leaving import Leaving
from operator_tui.desk.state import Light
from operator_tui.journal.journal import Journal
from operator_tui.profiles import open_profile
from operator_tui.secrets import kernel
from operator_tui.settings import load
from screens.leaving import LeavingScreen
from screens.sign_in import SignInScreen, Way
from tests.screens.page import DeskPage
from tests.signin.conftest import PASSWORD, Office, office
from widgets.rows import Rows

__all__ = [
    "OpenLive",
    "enter",
    "go_out",
    "go_out_by",
    "keyring_as_it_was",
    "leave_unsent",
    "office",
    "open_live",
    "stands",
    "take_the_seat",
    "way",
]

OpenLive = Callable[..., AbstractAsyncContextManager[DeskPage]]


@pytest.fixture(autouse=True)
def keyring_as_it_was(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """And a vault that costs little: its price is another test's."""
    monkeypatch.setattr("operator_tui.secrets.vault._MEMORY_KIB", 64)
    monkeypatch.setattr("operator_tui.secrets.vault._PASSES", 1)
    before = keyring.core._keyring_backend
    yield
    keyring.core._keyring_backend = before
    kernel.drop("tfoms26")


@pytest.fixture
def open_live(office: Office) -> OpenLive:
    """The desk of a live profile; a context that is left is a desk that was ended without «Выход»."""

    @asynccontextmanager
    async def live(
        size: tuple[int, int] = (80, 24), *, at: str = "tfoms26", **sections: dict[str, Any]
    ) -> AsyncIterator[DeskPage]:
        profile = open_profile(at)
        profile.make_folders()
        options = {
            "central": {"url": office.url, "poll_s": 0.2},
            "phone": {"sound": "null", "simulated_first_seconds": 600.0},
        }
        for section, values in sections.items():
            options[section] = {**options.get(section, {}), **values}
        app = make_app(Desk(profile, load(profile, options=options)))
        async with app.run_test(size=size) as pilot:
            page = DeskPage(app, pilot)
            try:
                yield page
            finally:
                if not app._ending:
                    app._ending = True
                    await app.desk.stop(leave=False)

    return live


def way(desk: DeskPage) -> Way | None:
    """How the first screen wants one to come in; None when it is not there."""
    return desk.app.screen._way if isinstance(desk.app.screen, SignInScreen) else None


async def enter(desk: DeskPage, *texts: str) -> None:
    """Type each and press Enter."""
    for text in texts:
        await desk.type(text)
        await desk.press("enter")


async def take_the_seat(desk: DeskPage, code: str, password: str = PASSWORD) -> None:
    """Enrol by a code, until the journal stands."""
    await desk.until(lambda: way(desk) is Way.ENROL, "the enrolment")
    await enter(desk, code, password, password)
    await stands(desk)


async def stands(desk: DeskPage) -> None:
    """The journal and the engine of the telephone stand: a desk that ends before leaves its starter behind."""
    await desk.until(lambda: desk.desk.state.ready, "the desk is ready")
    await desk.until(lambda: desk.desk.state.lights.phone is not Light.STARTING, "the engine")


async def leave_unsent(desk: DeskPage, count: int) -> None:
    """Work that does not get away from here: the exchange stands still."""
    await desk.until(lambda: desk.desk.state.lights.server.value == "on", "the server")
    sender = desk.desk.parts._sender
    assert sender is not None
    await sender.stop()

    def record(journal: Journal) -> None:
        for number in range(count):
            journal.record(Kind.CALL_OFFERED, {"call": str(number)})

    await desk.desk.on_journal(record)
    await desk.desk.refresh_journal()


async def go_out(desk: DeskPage, how: Leaving = Leaving.KEEP) -> None:
    """«Выход», without waiting for what is unsent."""
    await desk.press("ctrl+q")
    await desk.until(lambda: desk.app._exit or isinstance(desk.app.screen, LeavingScreen), "out or asked")
    if not desk.app._exit:
        await desk.press("ctrl+q")
        await go_out_by(desk, how)


async def go_out_by(desk: DeskPage, how: Leaving) -> None:
    """Choose it where what is unsent is asked about."""
    rows = desk.app.screen.query_one(Rows)
    await desk.until(lambda: rows.has_focus and bool(rows.rows), "what to do with it")
    for _ in range([row.key for row in rows.rows].index(how.value)):
        await desk.press("down")
    await desk.press("enter")
    await desk.until(lambda: desk.app._exit, "out")
