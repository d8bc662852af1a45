"""Files after «Выход»: a real sender, a real server, a line that stands still in the middle of a part."""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import signal
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa

from central.auth import sealed_work, seats
from central.keys import keys_file_of, server_keys
from central.store import tables as t
from operator_tui.appeals.clock import Clock, ManualClock, SystemClock
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.operations import Kind
from operator_tui.journal.journal import Journal
from operator_tui.profiles import Profile, open_profile
from operator_tui.reference import packaged_catalogue
from operator_tui.signin import apart, ending, send
from operator_tui.signin.farewell import Unsent
from operator_tui.signin.handed import Handed
from operator_tui.signin.signin import SignIn
from operator_tui.signin.staying import Look, Step, Why, next_step
from operator_tui.sync import tus
from operator_tui.sync.asking import as_signed_in
from operator_tui.sync.files import FileLane
from operator_tui.sync.link import Link
from operator_tui.sync.settings import CentralSettings, FileSettings
from tests.peers.halting import HaltingLine
from tests.signin.conftest import PASSWORD, Office, Sit
from tests.signin.test_send import UNSENT, arrived, files_of, journal_of, left, until
from tests.timing import tell_if_slow

SOUND = random.Random(11).randbytes(1_500_001)
NAME = hashlib.sha256(SOUND).hexdigest()
LARGEST = 256 << 10  # a part (sync.files)
_HOUR_S = 3600


@pytest.fixture(autouse=True)
def _looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "_READY_S", 300.0)
    monkeypatch.setattr(send, "_LOOK_S", 0.02)


def recorded(journal: Journal, profile: Profile, content: bytes = SOUND, call: str = "c1") -> None:
    """A talk was recorded at this workstation."""
    profile.recordings.mkdir(exist_ok=True)
    (profile.recordings / f"{call}.otr").write_bytes(content)
    about = {"call": call, "file": f"{call}.otr", "sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
    journal.record(Kind.CALL_RECORDED, about)


def at_server() -> dict[str, bytes]:
    """What lies in the server's folder, by name."""
    folder = open_profile("demo").data / "central-files" / "26"
    return {file.name: file.read_bytes() for file in folder.glob("*")}


async def with_a_recording(office: Office, sit: Sit, profile: Profile, url: str = "") -> SignIn:
    """Somebody sits there, and a recording of his waits."""
    seat = sit(url)
    await seat.enrol(office.hire("petrova"), PASSWORD)
    journal = journal_of(seat)
    recorded(journal, profile)
    journal.close()
    return seat


async def handed_by(office: Office, seat: SignIn, settings: FileSettings | None = None) -> Handed:
    return await seat.hand_over(seat.journal_file, CentralSettings(url=office.url), files_of(seat, settings))


async def sent_on(journal: Journal, seat: SignIn, profile: Profile, url: str) -> None:
    """As the desk of who comes next does it, until nothing waits."""
    link = Link(CentralSettings(url=url))

    async def run(function: Callable[..., object], *args: object, **kwargs: object) -> object:
        return await asyncio.to_thread(function, *args, **kwargs)

    lane = FileLane(
        journal, link, run=run, signed_in=lambda work: as_signed_in(seat, work),
        folder=files_of(seat).folder, free=lambda kind: True, clock=SystemClock(),
    )  # fmt: skip
    try:
        async with asyncio.timeout(240):
            while journal.unsent_files():
                await lane.round()
    finally:
        await link.close()


async def test_operations_go_first_then_the_recording_and_the_session_ends(
    office: Office, sit: Sit, profile: Profile
) -> None:
    seat = await with_a_recording(office, sit, profile)
    async with HaltingLine(_port(office)).running() as line, left(office, seat, url=line.url):
        await until(lambda: apart.holder(apart.sender_lock(seat.journal_file)) is None)
    assert arrived(office) == UNSENT
    assert at_server() == {NAME: SOUND}
    assert sum(line.parts) == len(SOUND), "no byte twice"
    assert max(line.parts) <= LARGEST
    logged = (profile.logs / "sender.log").read_text()
    assert '"status": "sent", "count": 0, "files": 0' in logged
    with office.database.read() as connection:
        still_open = sa.select(sa.func.count()).select_from(t.session).where(t.session.c.ended_at.is_(None))
        assert connection.execute(still_open).scalar_one() == 0
    again = sit()
    await again.sign_in("petrova", PASSWORD)
    journal = await asyncio.to_thread(journal_of, again)
    assert (journal.unsent(), journal.unsent_files()) == (0, 0)
    journal.close()


@pytest.mark.parametrize(("how", "answer"), [(signal.SIGTERM, False), (signal.SIGKILL, True)])
async def test_ended_in_the_middle_of_a_file_it_is_gone_on_with_by_the_next_desk(
    office: Office, sit: Sit, profile: Profile, how: signal.Signals, answer: bool
) -> None:
    """With half of a part on the line, or with all of it there and its answer under way."""
    async with HaltingLine(_port(office), part=4, answer=answer).running() as line:
        seat = await with_a_recording(office, sit, profile)
        async with left(office, seat, url=line.url) as pid:
            async with asyncio.timeout(240):
                await line.halted.wait()
            begun = time.perf_counter()
            os.kill(pid, how)
            await until(lambda: apart.holder(apart.sender_lock(seat.journal_file)) is None)
            tell_if_slow("the sender ends within a part", time.perf_counter() - begun, 1)
            again = sit()
            assert await again.sign_in("petrova", PASSWORD)
            journal = await asyncio.to_thread(journal_of, again)
            assert journal.unsent_files() == 1
            assert (profile.recordings / "c1.otr").read_bytes() == SOUND
            halted = line.parts[3]
            await sent_on(journal, again, profile, line.url)
            journal.close()
    assert at_server() == {NAME: SOUND}
    twice = sum(line.parts) - len(SOUND)
    assert twice == (0 if answer else halted), "one part at most goes again"
    if how is signal.SIGTERM:
        assert '"status": "asked"' in (profile.logs / "sender.log").read_text()


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[Step | Why]:
    """What the sender of this process does, as it comes."""
    found: list[Step | Why] = []

    def told(look: Look) -> Step | Why:
        found.append(next_step(look))
        return found[-1]

    monkeypatch.setattr(send, "next_step", told)
    return found


@pytest.mark.parametrize("part", [0, 3])
async def test_a_colleague_who_sits_down_has_the_line_and_cards_go_all_the_same(
    office: Office, sit: Sit, profile: Profile, steps: list[Step | Why], monkeypatch: pytest.MonkeyPatch, part: int
) -> None:
    """Before the first part, or while the third is on its way."""
    seat = await with_a_recording(office, sit, profile)
    other, append, desks, parts = sit(), tus.append, list[Journal](), 0
    office.hire("sidorova", password="другой пароль 2")
    await other.sign_in("sidorova", "другой пароль 2")

    async def sat_down() -> None:
        desks.append(await asyncio.to_thread(journal_of, other))

    async def counted(link: Link, token: str, name: str, offset: int, piece: bytes) -> int:
        nonlocal parts
        parts += 1
        if parts == part:
            await sat_down()
        return await append(link, token, name, offset, piece)

    monkeypatch.setattr(tus, "append", counted)
    if not part:
        await sat_down()
    staying = asyncio.create_task(send.stay(await handed_by(office, seat), SystemClock(), ready=lambda: None))
    await until(lambda: Step.WAIT in steps)
    assert _recordings_told(office) == 1
    assert parts == part, "no part begins beside a colleague's work"
    assert NAME not in at_server()
    desks[0].close()
    assert await staying is Why.SENT
    assert at_server() == {NAME: SOUND}


async def test_files_of_the_night_wait_for_it_within_the_shift(
    office: Office, sit: Sit, profile: Profile, steps: list[Step | Why]
) -> None:
    seat = await with_a_recording(office, sit, profile)
    now = _at_noon()
    settings = FileSettings(recordings="night", night="13:00-14:00")
    handed = await handed_by(office, seat, settings)
    handed = msgspec.structs.replace(handed, until_ms=now.now_ms() + 90 * 60_000)
    staying = asyncio.create_task(send.stay(handed, now, ready=lambda: None))
    await until(lambda: Step.WAIT in steps)
    assert _recordings_told(office) == 1
    assert at_server() == {}
    now.advance(_HOUR_S)
    assert await staying is Why.SENT
    assert at_server() == {NAME: SOUND}


@pytest.mark.parametrize(
    ("settings", "hours", "why"),
    [
        (FileSettings(recordings="night", night="13:00-14:00"), 1.0, Why.LATER),
        (FileSettings(recordings="stay"), 8.0, Why.SENT),
    ],
)
async def test_what_can_not_go_in_this_shift_holds_no_key(
    office: Office, sit: Sit, profile: Profile, settings: FileSettings, hours: float, why: Why
) -> None:
    seat = await with_a_recording(office, sit, profile)
    now = _at_noon()
    handed = msgspec.structs.replace(
        await handed_by(office, seat, settings), until_ms=now.now_ms() + round(hours * _HOUR_S * 1000)
    )
    assert await send.stay(handed, now, ready=lambda: None) is why
    assert _recordings_told(office) == 1
    assert at_server() == {}
    journal = _opened(handed, now)
    assert journal.unsent_files() == 1
    journal.close()


async def test_the_end_of_the_shift_ends_it_between_two_parts(
    office: Office, sit: Sit, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    seat = await with_a_recording(office, sit, profile)
    now = _at_noon()
    handed = await handed_by(office, seat)
    handed = msgspec.structs.replace(handed, until_ms=now.now_ms() + _HOUR_S * 1000)
    append, parts = tus.append, 0

    async def counted(link: Link, token: str, name: str, offset: int, piece: bytes) -> int:
        nonlocal parts
        parts += 1
        if parts == 3:
            now.advance(_HOUR_S)
        return await append(link, token, name, offset, piece)

    monkeypatch.setattr(tus, "append", counted)
    assert await send.stay(handed, now, ready=lambda: None) is Why.SHIFT
    assert parts == 3
    journal = _opened(handed, now)
    (one,) = journal.files_waiting()
    assert 0 < one.sent < len(SOUND)
    assert len(at_server()[f"{NAME}.part"]) >= one.sent
    journal.close()


@pytest.mark.parametrize("line", ["there", "gone"])
async def test_a_place_revoked_meanwhile_is_sealed_and_its_keys_end_at_the_next_sign_in(
    office: Office, sit: Sit, profile: Profile, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    seat = sit()
    await seat.enrol(office.hire("petrova"), PASSWORD)
    journal = journal_of(seat)
    for number in range(UNSENT):
        journal.record(Kind.CALL_OFFERED, {"call": str(number)})
    journal.close()
    device, key = seat.identity.code, seat.secrets.key("journal")
    handed = await handed_by(office, seat)
    seats.revoke(office.database, device, office.now())
    with monkeypatch.context() as patched:
        if line == "gone":  # the refusal came, then the line was cut
            patched.setattr(ending, "deliver", _no_line)
        assert await send.stay(handed, SystemClock(), ready=lambda: None) is Why.SESSION
    pieces = list((profile.data / "sealed").glob("*.sealed"))
    assert len(pieces) == (1 if line == "gone" else 0)
    assert all(key not in piece.read_bytes() for piece in pieces)
    again = sit()
    if line == "gone":
        assert await again.deliver() == 0
    # Nothing of it waits for his next sign-in, which may never come.
    keys = server_keys(office.database, keys_file_of(open_profile("demo")))
    taken = sealed_work.take(office.database, keys, device, office.now(), packaged_catalogue())
    assert (taken.applied, taken.refused, taken.skipped) == (UNSENT, 0, 0)
    assert arrived(office) == UNSENT
    # The vault was closed to the sender: here its keys end, and what comes a second time is there once.
    again.export = _export_of(again)
    with pytest.raises(Refusal, match=Code.DEVICE_REVOKED.value):
        await again.sign_in("petrova", PASSWORD)
    assert again.tag is None
    assert not (profile.data / "vault").exists()
    sealed_work.take(office.database, keys, device, office.now(), packaged_catalogue())
    assert arrived(office) == UNSENT


async def _no_line(*_: object) -> int:
    raise Refusal(Code.SERVER_AWAY)


def _export_of(seat: SignIn) -> Callable[[], Awaitable[Unsent]]:
    async def export() -> Unsent:
        journal = await asyncio.to_thread(journal_of, seat)
        found = ending.unsent_in(journal)
        journal.close()
        return found

    return export


def _opened(handed: Handed, clock: Clock) -> Journal:
    return Journal.open(Path(handed.journal), handed.key, catalogue=packaged_catalogue(), clock=clock)


def _at_noon() -> ManualClock:
    """In the office's zone, today: the server's own clock goes on."""
    now = SystemClock().now_ms()
    day = 86_400_000
    return ManualClock(now - now % day + 9 * _HOUR_S * 1000)


def _port(office: Office) -> int:
    return int(office.server.address.rpartition(":")[2])


def _recordings_told(office: Office) -> int:
    with office.database.read() as connection:
        told = t.op_log.c.body.contains(f'"{Kind.CALL_RECORDED.value}"')
        return int(connection.execute(sa.select(sa.func.count()).select_from(t.op_log).where(told)).scalar_one())
