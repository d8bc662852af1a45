"""A server in this process and several workstations that reach it: one transaction's price a question."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from central.app import create_app
from central.auth import accounts
from central.auth.oidc import OidcProvider, OidcSettings
from central.keys import ServerKeys, bind
from central.store.database import Database
from operator_tui.appeals.clock import ManualClock
from operator_tui.appeals.operations import Kind
from operator_tui.appeals.people import Operator, Role
from operator_tui.journal.journal import Journal
from operator_tui.profiles import open_profile
from operator_tui.reference import packaged_catalogue
from operator_tui.signin.farewell import Unsent
from operator_tui.signin.settings import SignInSettings
from operator_tui.signin.signin import SignIn
from operator_tui.sync.link import Link
from operator_tui.sync.protocol import plain_operation
from operator_tui.sync.settings import CentralSettings
from tests.peers.serving import serving
from tests.peers.tables import sqlite_at


class Town:
    """``cut`` is a line that is down."""

    def __init__(self, database: Database, keys: ServerKeys, socket: Path, clock: ManualClock) -> None:
        self.database, self.keys, self.clock = database, keys, clock
        self.cut = False
        self._socket = socket
        self._links: list[Link] = []

    def hire(self, login: str, role: Role = Role.OPERATOR_1, organisation: str = "26/tf", **more: Any) -> str:
        """A new person; his enrolment code."""
        who = Operator(user=0, name=f"Петрова {login}", role=role, extension="2001", organisation=organisation)
        accounts.add(self.database, login, who, self.clock.now_ms(), **more)
        return accounts.enrolment_code(self.database, login, self.clock.now_ms())

    def sit(self, machine: str = "tfoms26") -> SignIn:
        """Sit down at that machine, as a process started anew would."""
        profile = open_profile(machine)
        profile.make_folders()
        there = Link(CentralSettings(), socket=self._socket)
        nowhere = Link(CentralSettings(url="http://127.0.0.1:9"))
        self._links += [there, nowhere]

        async def connect() -> Link:
            return nowhere if self.cut else there

        return SignIn(profile, SignInSettings(), self.clock, connect)

    def journal(self, seat: SignIn) -> Journal:
        """The journal of who sits there."""
        opened = Journal.open(
            seat.journal_file, seat.secrets.key("journal"), catalogue=packaged_catalogue(), clock=self.clock
        )
        if opened.device is None:
            opened.enrol(seat.identity)
        return opened

    def with_unsent(self, seat: SignIn, count: int) -> Journal:
        """A journal with that many operations that nobody has sent; ``seat`` gives them when its place ends."""
        journal = self.journal(seat)
        for number in range(count):
            journal.record(Kind.CALL_OFFERED, {"call": str(number)})

        async def export() -> Unsent:
            waiting = [plain_operation(operation) for operation in journal.outbox(1 << 31)]
            journal.close()
            return Unsent(waiting)

        seat.export = export
        return journal

    async def close(self) -> None:
        for link in self._links:
            await link.close()


@asynccontextmanager
async def town(folder: Path, oidc: str = "") -> AsyncIterator[Town]:
    """``oidc`` is a provider's issuer (tests/peers/oidc.py)."""
    from operator_tui.appeals.clock import SystemClock
    from tests.peers.oidc import CLIENT, SECRET

    database = sqlite_at(folder / "central.db", bytes(range(32)))
    keys = ServerKeys.fresh()
    bind(database, keys)
    clock = ManualClock(SystemClock().now_ms())
    provider = OidcProvider(OidcSettings(oidc, CLIENT, SECRET)) if oidc else None
    app = create_app(database, keys, clock=clock, provider=provider)
    socket = folder / "c.sock"
    async with serving(app, socket, hub=app.state.hub):
        built = Town(database, keys, socket, clock)
        try:
            yield built
        finally:
            await built.close()
