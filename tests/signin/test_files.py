"""A recording is encrypted for the fund; its key comes back over the server alone, for a role and a logged purpose."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa

from central.auth import accounts, passwords
from central.store import tables as t
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.papers import Paper
from operator_tui.appeals.people import Role
from operator_tui.desk.desk import Desk
from operator_tui.journal.attachments import Attachments
from operator_tui.profiles import open_profile
from operator_tui.secrets import running, sealed
from operator_tui.secrets.address import FileKind, fund_address
from operator_tui.settings import load
from operator_tui.signin.files import PURPOSE_TITLES, Purpose
from operator_tui.signin.signin import SignIn
from tests.signin.test_signin import refusal
from tests.signin.town import Town, town

PASSWORD = "верный пароль 1"
PLAIN = b"talk" * 20_000


@pytest.fixture
async def here(home: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Town]:
    monkeypatch.setattr(passwords, "_MEMORY_KIB", 64)
    monkeypatch.setattr(passwords, "_PASSES", 1)
    monkeypatch.setattr(passwords, "_LANES", 1)
    async with town(home) as built:
        yield built


async def seat(here: Town, login: str, role: Role, organisation: str = "26/tf") -> SignIn:
    made = here.sit(f"at-{login}")
    await made.enrol(here.hire(login, role, organisation), PASSWORD)
    return made


def recorded(path: Path, address: bytes) -> Path:
    file = running.RunningFile(path, address)
    file.write(PLAIN)
    file.close()
    return path


def attached(path: Path, address: bytes) -> Path:
    sealed.seal_file(io.BytesIO(PLAIN), path, address)
    return path


async def test_a_recording_is_read_by_the_administrator_for_a_purpose_that_is_logged(
    here: Town, tmp_path: Path
) -> None:
    operator = await seat(here, "petrova", Role.OPERATOR_1)
    boss = await seat(here, "orlova", Role.ADMINISTRATOR)
    file = recorded(tmp_path / "a.otr", fund_address(operator.fund, FileKind.RECORDING, "26/tf"))
    box = running.box_of(file)
    assert (await refusal(operator.file_key(FileKind.RECORDING, box, Purpose.APPEAL))).code is Code.RIGHT_MISSING
    key = await boss.file_key(FileKind.RECORDING, box, Purpose.QUALITY, "k7q2mx:29")
    opened = running.open_with_key(file, key)
    assert (opened.plain, opened.whole) == (PLAIN, True)
    with here.database.read() as connection:
        said = connection.execute(sa.select(t.audit).order_by(t.audit.c.seq.desc())).first()
    assert said is not None
    assert (said.action, said.actor) == ("recording.opened", boss.identity.operator.user)
    assert msgspec.json.decode(said.detail) == {"purpose": "quality", "card": "k7q2mx:29"}
    assert set(PURPOSE_TITLES) == set(Purpose)


async def test_every_way_round_it_is_refused_and_seen(here: Town, tmp_path: Path) -> None:
    boss = await seat(here, "orlova", Role.ADMINISTRATOR)
    second = await seat(here, "sidorova", Role.OPERATOR_2)
    far = await seat(here, "far", Role.ADMINISTRATOR, "27/tf")
    recording = fund_address(boss.fund, FileKind.RECORDING, "26/tf")
    attachment = fund_address(boss.fund, FileKind.ATTACHMENT, "26/tf")
    talk, paper = (
        running.box_of(recorded(tmp_path / "a", recording)),
        sealed.box_of(attached(tmp_path / "b", attachment)),
    )
    assert b"".join(
        sealed.open_with_key(tmp_path / "b", await second.file_key(FileKind.ATTACHMENT, paper, Purpose.APPEAL))
    )
    recovery = here.keys.public["recovery"]
    journal = running.box_of(
        recorded(tmp_path / "c", fund_address(bytes.fromhex(recovery), FileKind.RECORDING, "26/tf"))
    )
    changed = talk[:-1] + bytes([talk[-1] ^ 1])
    for who, kind, box, code in (
        (far, FileKind.RECORDING, talk, Code.FILE_OTHER),  # another organisation's
        (second, FileKind.ATTACHMENT, talk, Code.FILE_OTHER),  # a recording called an attachment
        (boss, FileKind.RECORDING, paper, Code.FILE_OTHER),
        (second, FileKind.RECORDING, talk, Code.RIGHT_MISSING),
        (boss, FileKind.RECORDING, journal, Code.FIELD_INVALID),  # sealed to the recovery key: a journal's, say
        (boss, FileKind.RECORDING, changed, Code.FIELD_INVALID),
        (boss, FileKind.RECORDING, talk[:80], Code.FIELD_INVALID),
        (boss, FileKind.RECORDING, b"", Code.FIELD_INVALID),
    ):
        assert (await refusal(who.file_key(kind, box, Purpose.COMPLAINT))).code is code
    assert (await refusal(boss.file_key(FileKind.RECORDING, talk, "because"))).code is Code.BAD_REQUEST  # type: ignore[arg-type]  # not of the list
    assert (await refusal(boss.file_key(FileKind.RECORDING, talk, Purpose.APPEAL, "Иванов"))).code is Code.FIELD_INVALID
    with here.database.read() as connection:
        tried = (
            connection.execute(sa.select(t.audit.c.action).where(t.audit.c.action.like("%.refused"))).scalars().all()
        )
    assert sorted(tried) == ["attachment.refused", "recording.refused", "recording.refused"]


async def test_nobody_at_the_desk_opens_what_it_wrote(here: Town, tmp_path: Path) -> None:
    desk = await seat(here, "petrova", Role.OPERATOR_1)
    assert desk.fund.hex() == here.keys.public["fund"]
    address = fund_address(desk.fund, FileKind.RECORDING, "26/tf")
    file = recorded(tmp_path / "a", address)
    paper = attached(tmp_path / "b", address)
    kept = [desk.secrets.key(name) for name in ("journal", "registry", "device-key", "voice-key", "recordings")]
    for key in kept:
        with pytest.raises(Refusal) as refused:
            running.open_running(file, key)
        assert refused.value.code is Code.FILE_SEAL
        with pytest.raises(Refusal) as refused:
            list(sealed.open_sealed(paper, key))
        assert refused.value.code is Code.FILE_SEAL
        with pytest.raises(Refusal) as refused:
            running.open_with_key(file, key)
        assert refused.value.code is Code.FILE_SEAL
    assert running.open_running(file, here.keys.fund).plain == PLAIN
    assert b"".join(sealed.open_sealed(paper, here.keys.fund)) == PLAIN


def desk_of(signin: SignIn, machine: str) -> Desk:
    profile = open_profile(machine)
    desk = Desk(profile, load(profile))
    desk.parts._signin = signin
    return desk


async def test_an_attachment_is_the_funds_and_outlives_a_forgotten_password(here: Town) -> None:
    second = await seat(here, "sidorova", Role.OPERATOR_2)
    desk = desk_of(second, "at-sidorova")
    paper = desk.papers._store().keep(PLAIN, "a.pdf", number="1", day="2026-09-20")
    file = desk.parts.files_folder() / f"{paper.sha256}.sealed"
    key = await second.file_key(FileKind.ATTACHMENT, sealed.box_of(file), Purpose.APPEAL)
    assert b"".join(sealed.open_with_key(file, key)) == PLAIN
    await second.sign_out()
    again = here.sit("at-sidorova")
    await again.reset(accounts.reset_code(here.database, "sidorova", here.clock.now_ms()), "новый пароль 2")
    assert desk_of(again, "at-sidorova").papers._store().read(paper) == PLAIN


async def test_two_people_of_one_machine_keep_the_same_document_each_for_himself(here: Town) -> None:
    first = await seat(here, "sidorova", Role.OPERATOR_2)
    paper = desk_of(first, "at-sidorova").papers._store().keep(PLAIN, "a.pdf", number="1", day="2026-09-20")
    other = here.sit("at-sidorova")
    await other.enrol(here.hire("volkova", Role.OPERATOR_2), PASSWORD)
    store = desk_of(other, "at-sidorova").papers._store()
    assert (await refusal(_read(store, paper))).code is Code.FILE_NOT_HERE
    store.keep(PLAIN, "b.pdf", number="2", day="2026-09-21")
    assert store.read(paper) == PLAIN
    assert desk_of(first, "at-sidorova").papers._store().read(paper) == PLAIN


async def _read(store: Attachments, paper: Paper) -> bytes:
    return store.read(paper)
