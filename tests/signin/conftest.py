"""A real server with people, and a live profile's seat that reaches it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator

import keyring
import pytest

from central.auth import accounts
from central.store.database import Database
from operator_tui.appeals.clock import ManualClock
from operator_tui.appeals.people import Operator, Role
from operator_tui.profiles import Profile, open_profile
from operator_tui.secrets import kernel, profile_secrets
from operator_tui.signin.settings import SignInSettings
from operator_tui.signin.signin import SignIn
from operator_tui.sync.link import Link
from operator_tui.sync.settings import CentralSettings
from tests.peers.central import CentralServer
from tests.peers.ports import free_block
from tests.peers.tables import lay_tables

PASSWORD = "верный пароль 1"


class Office:
    """The server and its administrator."""

    def __init__(self, server: CentralServer, database: Database) -> None:
        self.server = server
        self.database = database

    @property
    def url(self) -> str:
        return f"http://{self.server.address}"

    def hire(
        self, login: str, role: Role = Role.OPERATOR_1, organisation: str = "26/tf", **more: str | list[str]
    ) -> str:
        """A new person; his enrolment code."""
        who = Operator(user=0, name=f"Петрова {login}", role=role, extension="2001", organisation=organisation)
        accounts.add(self.database, login, who, self.now(), **more)  # type: ignore[arg-type]  # password, sip_secret
        return self.code(login)

    def code(self, login: str) -> str:
        return accounts.enrolment_code(self.database, login, self.now())

    def now(self) -> int:
        from operator_tui.appeals.clock import SystemClock

        return SystemClock().now_ms()


@pytest.fixture
def office(home: object) -> Iterator[Office]:
    profile = open_profile("demo")
    profile.make_folders()
    lay_tables(profile)
    # Of the range no client takes one of: a test that stops the server starts it again where it was.
    with CentralServer(None, arguments=("--port", str(free_block()))) as server:
        database = Database.sqlite(profile.central_file, profile_secrets(profile).key("central"))
        yield Office(server, database)
        database.close()


@pytest.fixture(autouse=True)
def _keyring_as_it_was() -> Iterator[None]:
    before = keyring.core._keyring_backend
    yield
    keyring.core._keyring_backend = before


@pytest.fixture
def profile() -> Iterator[Profile]:
    opened = open_profile("tfoms26")
    opened.make_folders()
    yield opened
    kernel.drop(opened.name)


@pytest.fixture(autouse=True)
def _cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cheap vault: the price is another test's."""
    monkeypatch.setattr("operator_tui.secrets.vault._MEMORY_KIB", 64)
    monkeypatch.setattr("operator_tui.secrets.vault._PASSES", 1)


Sit = Callable[..., SignIn]


@pytest.fixture
def clock() -> ManualClock:
    from operator_tui.appeals.clock import SystemClock

    return ManualClock(SystemClock().now_ms())


@pytest.fixture
async def sit(office: Office, profile: Profile, clock: ManualClock) -> AsyncIterator[Sit]:
    """Sit down at the profile's desk, each time anew, as a process started anew would."""
    links: list[Link] = []

    def make(url: str = "", **settings: float) -> SignIn:
        link = Link(CentralSettings(url=url or office.url))
        links.append(link)

        async def connect() -> Link:
            return link

        return SignIn(profile, SignInSettings(**settings), clock, connect)

    yield make
    for link in links:
        await link.close()
