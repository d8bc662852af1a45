"""The sender that stays after «Выход»: a real process, a real server that goes and comes back."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from central.auth import accounts
from central.store import tables as t
from operator_tui.appeals.clock import SystemClock
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.operations import Kind
from operator_tui.journal.journal import Journal
from operator_tui.profiles import Profile, open_profile
from operator_tui.reference import packaged_catalogue
from operator_tui.signin import apart
from operator_tui.signin.handed import HandedFiles, until_ms
from operator_tui.signin.signin import SignIn
from operator_tui.sync.settings import CentralSettings, FileSettings
from tests.signin.conftest import PASSWORD, Office, Sit
from tests.timing import tell_if_slow

UNSENT = 7
_HOUR_MS = 3_600_000
# The longest pause between two tries is a minute.
_PATIENCE_S = 240.0


@pytest.fixture(autouse=True)
def _no_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a person would not wait for any longer: a busy machine is given its time."""
    monkeypatch.setattr(apart, "_READY_S", 300.0)


async def until(condition: Callable[[], bool]) -> None:
    """Poll it."""
    async with asyncio.timeout(_PATIENCE_S):
        while not condition():  # noqa: ASYNC110  # another process is looked at
            await asyncio.sleep(0.05)


def arrived(office: Office) -> int:
    """How many of the calls the server has heard of."""
    with office.database.read() as connection:
        told = t.op_log.c.body.contains(f'"{Kind.CALL_OFFERED.value}"')
        return int(connection.execute(sa.select(sa.func.count()).select_from(t.op_log).where(told)).scalar_one())


def journal_of(seat: SignIn) -> Journal:
    """The journal of who sits there, as his desk opens it."""
    apart.end(seat.journal_file)
    key = seat.secrets.key("journal", create=False)
    opened = Journal.open(seat.journal_file, key, catalogue=packaged_catalogue(), clock=SystemClock())
    opened.enrol(seat.identity)
    return opened


def files_of(seat: SignIn, settings: FileSettings | None = None) -> HandedFiles:
    """What «Выход» says of the files of who sits there, at the first profile's workstation."""
    at = open_profile("tfoms26")
    return HandedFiles(
        settings or FileSettings(), "Europe/Moscow", str(at.recordings), str(seat.journal_file.parent / "files"),
        str(at.data), str(at.phone_lock),
    )  # fmt: skip


@asynccontextmanager
async def left(office: Office, seat: SignIn, *, url: str = "") -> AsyncIterator[int]:
    """Somebody has gone out with unsent work; the sender's pid. ``url`` is his way to the server."""
    journal = journal_of(seat)
    for number in range(UNSENT):
        journal.record(Kind.CALL_OFFERED, {"call": str(number)})
    journal.close()
    handed = await seat.hand_over(seat.journal_file, CentralSettings(url=url or office.url), files_of(seat))
    pid = await asyncio.to_thread(apart.start, handed)
    try:
        assert pid
        yield pid
    finally:
        apart.end(seat.journal_file)


def come_back(office: Office) -> None:
    """The server, where it was."""
    office.server._listen = ("--port", office.server.address.rpartition(":")[2])
    office.server.start()


@given(st.integers(0, 10**13), st.integers(0, 10**13), st.floats(0, 100))
def test_a_sender_holds_the_key_to_the_end_of_the_shift_or_for_an_hour(signed_in: int, now: int, hours: float) -> None:
    until = until_ms(signed_in, now, hours)
    assert until >= now + _HOUR_MS
    assert until == now + _HOUR_MS or until == signed_in + round(hours * _HOUR_MS)


async def test_what_was_unsent_at_the_way_out_goes_when_the_server_is_back(
    office: Office, sit: Sit, profile: Profile
) -> None:
    seat = sit()
    await seat.enrol(office.hire("petrova"), PASSWORD)
    key = seat.secrets.key("journal")
    office.server.stop()
    async with left(office, seat) as pid:
        with pytest.raises(Refusal, match=Code.VAULT_LOCKED.value):
            _ = seat.secrets
        assert not await sit().resume()  # who comes next needs the password
        limits = Path(f"/proc/{pid}/limits").read_text().splitlines()
        assert next(line for line in limits if line.startswith("Max core")).split()[4:6] == ["0", "0"]
        assert os.getsid(pid) != os.getsid(0)
        assert arrived(office) == 0
        come_back(office)
        await until(lambda: apart.holder(apart.sender_lock(seat.journal_file)) is None)
        assert arrived(office) == UNSENT
    logged = (profile.logs / "sender.log").read_bytes()
    assert b'"status": "sent", "count": 0' in logged
    assert key.hex().encode() not in logged
    assert "Петрова".encode() not in logged
    with office.database.read() as connection:
        still_open = sa.select(sa.func.count()).select_from(t.session).where(t.session.c.ended_at.is_(None))
        assert connection.execute(still_open).scalar_one() == 0


@pytest.mark.parametrize("how", [None, signal.SIGKILL, signal.SIGSTOP])
async def test_the_next_sign_in_gets_the_journal_with_all_that_is_unsent(
    office: Office, sit: Sit, how: signal.Signals | None
) -> None:
    """The sender as it works, killed before, or standing still: then it is killed."""
    seat = sit()
    await seat.enrol(office.hire("petrova"), PASSWORD)
    office.server.stop()
    async with left(office, seat) as pid:
        if how is not None:
            os.kill(pid, how)
        come_back(office)
        again = sit()
        assert await again.sign_in("petrova", PASSWORD)
        begun = time.perf_counter()
        journal = await asyncio.to_thread(journal_of, again)
        if how is None:
            tell_if_slow("the sender gives the journal back", time.perf_counter() - begun, 1)
        waiting, there = journal.unsent(), arrived(office)
        assert max(waiting, there) <= UNSENT
        # One that arrived while the journal was given back still waits for its answer, and goes again.
        assert waiting + there >= UNSENT
        journal.close()


async def test_it_ends_with_its_session_and_keeps_what_is_unsent(office: Office, sit: Sit, profile: Profile) -> None:
    seat = sit()
    await seat.enrol(office.hire("petrova"), PASSWORD)
    accounts.change(office.database, "petrova", office.now(), blocked=True)
    async with left(office, seat):
        await until(lambda: apart.holder(apart.sender_lock(seat.journal_file)) is None)
    assert arrived(office) == 0
    assert f'"status": "session", "count": {UNSENT}' in (profile.logs / "sender.log").read_text()


async def test_without_a_session_nothing_is_handed_over(office: Office, sit: Sit) -> None:
    seat = sit()
    await seat.enrol(office.hire("petrova"), PASSWORD)
    await seat.sign_out()
    office.server.stop()
    seat = sit()
    assert not await seat.sign_in("petrova", PASSWORD)
    assert not await seat.has_session()
    with pytest.raises(Refusal, match=Code.SIGN_IN_NEEDED.value):
        await seat.hand_over(seat.journal_file, CentralSettings(url=office.url), files_of(seat))
    assert seat.secrets.key("journal", create=False)
    come_back(office)
