"""Several people at one workstation, one person at several, and the end of a workstation."""

from __future__ import annotations

import warnings
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from time import perf_counter

import pytest
import sqlalchemy as sa
import zstandard
from nacl.public import PublicKey, SealedBox

from central.auth import accounts, devices, passwords, sealed_work, seats
from central.store import tables as t
from operator_tui.appeals.clock import ManualClock
from operator_tui.appeals.errors import Code
from operator_tui.appeals.people import Operator, Role
from operator_tui.desk import second_copy
from operator_tui.profiles import open_profile
from operator_tui.reference import packaged_catalogue
from operator_tui.secrets import kernel
from operator_tui.sentences import sentence
from operator_tui.signin.admin import People
from operator_tui.signin.ask import ask
from operator_tui.signin.farewell import Unsent, packed
from operator_tui.signin.messages import SEALED_WORK_PATH, Done, SealedWorkRequest, sealed_work_text
from operator_tui.signin.signin import SignIn
from operator_tui.sync.protocol import plain_operation
from tests.signin.test_signin import refusal
from tests.signin.town import Town, town

PASSWORD, OTHERS = "верный пароль 1", "другой пароль 2"
UNSENT = 30


@pytest.fixture
async def here(home: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Town]:
    monkeypatch.setattr(passwords, "_MEMORY_KIB", 64)
    monkeypatch.setattr(passwords, "_PASSES", 1)
    monkeypatch.setattr(passwords, "_LANES", 1)
    async with town(home) as built:
        yield built
    for name in ("tfoms26", "tfoms27"):
        kernel.drop(name)


async def test_a_known_person_sits_down_at_an_enrolled_workstation_with_his_password(here: Town) -> None:
    first = here.sit()
    await first.enrol(here.hire("petrova", sip_secret="p"), PASSWORD)
    journal = here.with_unsent(first, 3)
    registry = first.secrets.key("registry", create=False)
    await first.sign_out()
    journal.close()
    here.hire("sidorova", password=OTHERS, sip_secret="s")
    second = here.sit()
    assert second.tag is not None
    assert second.tag.login == "petrova", "who sat here last is offered"
    begin = perf_counter()
    assert await second.sign_in("Sidorova", OTHERS)
    changed_seats_s = perf_counter() - begin
    if changed_seats_s > 5:
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            warnings.warn(f"changing seats took {changed_seats_s:.1f} s", stacklevel=1)
    assert second.identity.operator.name == "Петрова sidorova"
    assert second.secrets.get("sip") == b"s"
    assert second.secrets.key("registry", create=False) == registry, "one copy of the registry for all of a machine"
    assert second.journal_file != first.journal_file
    other = here.journal(second)
    assert other.unsent() == 0, "nobody sees another's work"
    other.close()
    await second.sign_out()
    back = here.sit()
    assert back.tag is not None
    assert back.tag.login == "sidorova"
    assert await back.sign_in("petrova", PASSWORD)
    again = here.journal(back)
    assert again.unsent() == 3
    again.close()


async def test_who_may_not_join_learns_nothing_and_leaves_nothing(here: Town) -> None:
    await here.sit().enrol(here.hire("petrova"), PASSWORD)
    here.hire("sidorova", password=OTHERS)
    here.hire("far", password=OTHERS, organisation="27/tf")
    seat = here.sit()
    assert (await refusal(seat.sign_in("sidorova", "не тот пароль"))).code is Code.SIGN_IN_WRONG
    assert (await refusal(seat.sign_in("nobody", "не тот пароль"))).code is Code.SIGN_IN_WRONG
    assert (await refusal(seat.sign_in("far", OTHERS))).code is Code.DEVICE_OTHER
    accounts.change(here.database, "sidorova", here.clock.now_ms(), blocked=True)
    assert (await refusal(seat.sign_in("sidorova", OTHERS))).code is Code.ACCOUNT_BLOCKED
    accounts.change(here.database, "sidorova", here.clock.now_ms(), blocked=False)
    here.cut = True
    assert (await refusal(seat.sign_in("sidorova", OTHERS))).code is Code.SEAT_NEEDS_SERVER
    here.cut = False
    for _ in range(4):
        await refusal(seat.sign_in("sidorova", "не тот пароль"))
    assert (await refusal(seat.sign_in("sidorova", OTHERS))).code is Code.SIGN_IN_LATER
    here.clock.advance(16 * 60)
    stranger = here.sit("tfoms27")
    assert (await refusal(stranger.sign_in("sidorova", OTHERS))).code is Code.NOT_ENROLLED
    # A machine nobody has enrolled signs with a key the server does not know.
    await refusal(stranger._join("sidorova", OTHERS))
    assert (await refusal(stranger._join("sidorova", OTHERS))).code is Code.DEVICE_SIGNATURE
    assert stranger.tag is None
    assert not (open_profile("tfoms26").data / "seats").exists()


async def test_what_waits_at_his_old_place_is_told_at_the_new_one(here: Town) -> None:
    first = here.sit()
    await first.enrol(here.hire("petrova"), PASSWORD)
    await here.sit("tfoms27").enrol(here.hire("sidorova"), OTHERS)
    first.unsent = lambda: 7
    await first.sign_out()
    second = here.sit("tfoms27")
    assert await second.sign_in("petrova", PASSWORD)
    (old,) = await second.elsewhere()
    assert (old.device, old.unsent, old.open, old.revoked) == (first.tag and first.tag.device, 7, False, False)
    assert old.seen_ms == here.clock.now_ms()
    back = here.sit()
    await back.sign_in("petrova", PASSWORD)
    (other,) = await second.elsewhere()
    assert (other.unsent, other.open) == (None, True), "a session goes on: it is not known"
    back.unsent = lambda: 0
    await back.sign_out()
    assert await second.elsewhere() == []


async def test_an_administrator_does_all_of_it_from_his_desk(here: Town) -> None:
    boss = here.sit()
    await boss.enrol(here.hire("orlova", Role.ADMINISTRATOR), PASSWORD)
    people = People(boss)
    who = Operator(user=0, name="Новая Анна", role=Role.OPERATOR_1, extension="2009", organisation="26/tf")
    added = await people.add("new", who, groups=["1"], sip="sip-secret")
    assert (added.login, added.groups, added.has_password) == ("new", ["1"], False)
    assert [person.login for person in await people.everybody()] == ["new", "orlova"]
    desk = here.sit("tfoms27")
    await desk.enrol(await people.enrolment_code("new"), OTHERS)
    assert desk.secrets.get("sip") == b"sip-secret"
    assert (await people.change("new", values={"extension": "2010"}, sip="another")).operator.extension == "2010"
    assert len((await people.voice_codes("new"))[desk.identity.code]) == 9
    (seat,) = await people.seats("new")
    assert (seat.device, seat.open, seat.revoked) == (desk.identity.code, True, False)
    assert (await refusal(people.revoke(boss.identity.code))).code is Code.OWN_SEAT
    assert (await refusal(people.revoke("zzzzzz"))).code is Code.ACCOUNT_UNKNOWN
    await people.block("new")
    assert (await refusal(desk.sign_in("new", OTHERS))).code is Code.ACCOUNT_BLOCKED
    await people.block("new", blocked=False)
    await desk.reset(await people.reset_code("new"), "новый пароль 3")
    await desk.change_password("новый пароль 3", "новый пароль 4")
    assert (await refusal(desk.change_password("не тот", "новый пароль 5"))).code is Code.SIGN_IN_WRONG
    operator = People(desk)
    assert (await refusal(operator.everybody())).code is Code.RIGHT_MISSING
    assert (await refusal(operator.revoke(boss.identity.code))).code is Code.RIGHT_MISSING


@pytest.mark.parametrize("met", ["at work", "at sign-in", "with the line down"])
async def test_a_revoked_place_loses_its_keys_and_no_work(here: Town, met: str) -> None:
    seat = here.sit()
    await seat.enrol(here.hire("petrova"), PASSWORD)
    device, key = seat.identity.code, seat.secrets.key("journal")
    journal = here.with_unsent(seat, UNSENT)
    if met == "at sign-in":
        await seat.sign_out()
        journal.close()
        seat = here.sit()
        seat.export = _export_of(here, seat)
    seats.revoke(here.database, device, here.clock.now_ms())
    if met == "with the line down":
        seat.deliver = _no_line  # type: ignore[method-assign]  # the answer still came, then the line was gone
    seat.spoiled()
    act = seat.sign_in("petrova", PASSWORD) if met == "at sign-in" else seat.token()
    assert (await refusal(act)).code is Code.DEVICE_REVOKED
    # Nothing opens here any more: no vault, no kept key, no tag, and the journal's file is put aside.
    assert seat.tag is None
    assert not await here.sit().resume()
    assert kernel.get("tfoms26") is None
    left = open_profile("tfoms26").data
    assert not (left / "vault").exists()
    assert not (left / "journal.db").exists()
    assert (left / f"journal.{device}.revoked").exists()
    assert all(key not in file.read_bytes() for file in left.rglob("*") if file.is_file())
    assert (await refusal(seat.sign_in("petrova", PASSWORD))).code is Code.NOT_ENROLLED
    waiting = list((left / "sealed").glob("*.sealed"))
    if met == "with the line down":
        assert len(waiting) == 1
        assert await here.sit().deliver() == 0
    assert not list((left / "sealed").glob("*.sealed"))
    # At the server it lies sealed until an administrator takes it: then all of it is there, once.
    (kept,) = sealed_work.waiting(here.database)
    assert (kept.device, kept.pieces) == (device, 1)
    taken = sealed_work.take(here.database, here.keys, device, here.clock.now_ms(), packaged_catalogue())
    assert (taken.applied, taken.refused) == (UNSENT, 0)
    assert (await refusal(_take(here, device))).code is Code.ACCOUNT_UNKNOWN
    with here.database.read() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(t.op_log)).scalar_one() == UNSENT
    # And the place is anybody's again.
    again = here.sit()
    await again.enrol(accounts.enrolment_code(here.database, "petrova", here.clock.now_ms()), PASSWORD)
    fresh = here.journal(again)
    assert fresh.unsent() == 0
    fresh.close()


async def test_what_a_dead_disk_had_unsent_comes_from_the_second_copy_once(here: Town, tmp_path: Path) -> None:
    seat = here.sit()
    await seat.enrol(here.hire("petrova"), PASSWORD)
    journal, device, other = here.with_unsent(seat, UNSENT), seat.identity.code, tmp_path / "other disk"
    found = second_copy.unsent(journal)
    await seat.copy_unsent(other, found)
    await seat.copy_unsent(other, found)
    (piece,) = other.glob("*.sealed")
    assert piece.stat().st_mode & 0o777 == 0o600
    assert found.operations[0]["at"].encode() not in piece.read_bytes(), "nobody but the server reads it"
    assert second_copy.waits_long(found, here.clock) is None
    late = ManualClock(here.clock.now_ms() + 15 * 86_400_000)
    assert (told := second_copy.waits_long(found, late)) is not None
    assert (told.code, told.params["days"]) == (Code.UNSENT_LONG, 15)
    # The disk is dead: its place is revoked, the piece goes from any workstation, the administrator takes it, once.
    seats.revoke(here.database, device, here.clock.now_ms())
    left = open_profile("tfoms26").data / "sealed"
    left.mkdir(exist_ok=True)
    (left / piece.name).write_bytes(piece.read_bytes())
    (left / piece.name).chmod(0o600)
    assert await seat.deliver() == 0
    taken = sealed_work.take(here.database, here.keys, device, here.clock.now_ms(), packaged_catalogue())
    assert (taken.applied, taken.refused) == (UNSENT, 0)
    await seat.copy_unsent(other, Unsent([]))
    assert not list(other.glob("*.sealed")), "what was sent lies nowhere else"
    journal.close()


async def test_a_kill_while_the_keys_are_destroyed_leaves_a_place_to_enrol_at(
    here: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    seat = here.sit()
    await seat.enrol(here.hire("petrova"), PASSWORD)
    here.with_unsent(seat, UNSENT)
    device = seat.identity.code
    seats.revoke(here.database, device, here.clock.now_ms())
    seat.spoiled()

    replace = Path.replace

    def killed(self: Path, target: Path) -> Path:
        if target.name.endswith(".revoked"):
            raise SystemError("killed")
        return replace(self, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", killed)
        with pytest.raises(SystemError):
            await seat.token()
    again = here.sit()
    await again.enrol(accounts.enrolment_code(here.database, "petrova", here.clock.now_ms()), PASSWORD)
    fresh = here.journal(again)
    assert fresh.unsent() == 0
    fresh.close()
    assert await again.deliver() == 0
    taken = sealed_work.take(here.database, here.keys, device, here.clock.now_ms(), packaged_catalogue())
    assert (taken.applied, taken.refused) == (UNSENT, 0)


async def test_a_kill_within_an_enrolment_does_not_bind_the_machine_to_its_password(
    here: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise SystemError("killed")

    with monkeypatch.context() as patched:
        patched.setattr("operator_tui.signin.seat.write_private", killed)
        with pytest.raises(SystemError):
            await here.sit().enrol(here.hire("petrova"), PASSWORD)
    other = here.sit()
    await other.enrol(here.hire("sidorova"), "другой пароль 2")
    assert other.identity.operator.name == "Петрова sidorova"


async def _take(here: Town, device: str) -> object:
    return sealed_work.take(here.database, here.keys, device, here.clock.now_ms(), packaged_catalogue())


async def _no_line() -> int:
    from operator_tui.appeals.errors import Refusal

    raise Refusal(Code.SERVER_AWAY)


def _export_of(here: Town, seat: SignIn) -> Callable[[], Awaitable[Unsent]]:
    async def export() -> Unsent:
        journal = here.journal(seat)
        waiting = [plain_operation(operation) for operation in journal.outbox(1 << 31)]
        journal.close()
        return Unsent(waiting)

    return export


async def test_sealed_work_is_taken_from_its_own_device_alone(here: Town) -> None:
    seat = here.sit()
    await seat.enrol(here.hire("petrova"), PASSWORD)
    device = seat.identity.code
    link = await seat._connect()
    sealed = "00" * 100
    signed = seat._seat.sign(sealed_work_text(device, sealed))
    for d, sig, code in (
        (device, "00" * 64, Code.DEVICE_SIGNATURE),
        ("zzzzzz", signed, Code.DEVICE_SIGNATURE),
        (device, signed, Code.DEVICE_OTHER),  # not revoked: it sends its work itself
    ):
        asked = SealedWorkRequest(1, d, sealed, sig)
        assert (await refusal(ask(link, SEALED_WORK_PATH, asked, Done))).code is code
    seats.revoke(here.database, device, here.clock.now_ms())
    for _ in range(2):
        await ask(link, SEALED_WORK_PATH, SealedWorkRequest(1, device, sealed, signed), Done)
    (kept,) = sealed_work.waiting(here.database)
    assert kept.pieces == 1, "the same again is the same"
    taken = sealed_work.take(here.database, here.keys, device, here.clock.now_ms(), packaged_catalogue())
    assert (taken.applied, taken.skipped) == (0, 1), "it does not open: nothing is taken"
    assert sealed_work.waiting(here.database) == [kept]


async def test_a_forged_sealed_piece_stops_none_of_the_others(here: Town) -> None:
    """Who has the disk and the key of a lost machine seals whatever he likes in its name."""
    seat = here.sit()
    await seat.enrol(here.hire("petrova"), PASSWORD)
    device, inner = seat.identity.code, seat._seat
    journal = here.with_unsent(seat, UNSENT)
    operations = [plain_operation(operation) for operation in journal.outbox(1 << 31)]
    box = SealedBox(PublicKey(bytes.fromhex(here.keys.public["recovery"])))

    def sealed(content: bytes) -> SealedWorkRequest:
        text = box.encrypt(content).hex()
        return SealedWorkRequest(1, device, text, inner.sign(sealed_work_text(device, text)))

    contradicts = [{**operations[0], "k": "call.answered"}]
    pieces = [
        sealed(b"no piece"),
        sealed(zstandard.ZstdCompressor().compress(b'{"operations":[{"n":"x"}]}')),
        *map(sealed, packed(Unsent(operations[UNSENT // 2 :], [{"comment": "недописанное"}]))),
        *map(sealed, packed(Unsent(operations[: UNSENT // 2]))),
        *map(sealed, packed(Unsent([{**operations[-1], "n": 99}]))),  # behind a gap
    ]
    late = [*map(sealed, packed(Unsent(contradicts)))]
    journal.close()
    link = await seat._connect()
    seats.revoke(here.database, device, here.clock.now_ms())
    for asked in pieces:
        await ask(link, SEALED_WORK_PATH, asked, Done)
    here.clock.advance(1)
    for asked in late:
        await ask(link, SEALED_WORK_PATH, asked, Done)
    taken = sealed_work.take(here.database, here.keys, device, here.clock.now_ms(), packaged_catalogue())
    assert (taken.applied, taken.refused, taken.skipped) == (UNSENT, 0, 4)
    assert len(taken.drafts) == 1
    (left,) = sealed_work.waiting(here.database)
    assert left.pieces == 4, "they are left for who looks into it"
    with here.database.read() as connection:
        said = connection.execute(sa.select(t.audit.c.detail).where(t.audit.c.action == "sealed_work.taken")).scalar()
    assert said == '{"applied":30,"refused":0,"skipped":4}'
    for _ in range(devices._MAX_PIECES - len(pieces) - len(late)):
        await ask(link, SEALED_WORK_PATH, sealed(b"and more"), Done)
    full = await refusal(ask(link, SEALED_WORK_PATH, sealed(b"and more"), Done))
    assert full.params["reason"] == "too_many", "nor does he fill the disk"


async def test_a_password_changed_at_one_place_is_told_at_the_other_and_costs_nothing(here: Town) -> None:
    first = here.sit()
    await first.enrol(here.hire("petrova"), PASSWORD)
    await here.sit("tfoms27").enrol(here.hire("sidorova"), OTHERS)
    second = here.sit("tfoms27")
    await second.sign_in("petrova", PASSWORD)
    journal = here.with_unsent(second, UNSENT)
    await first.change_password(PASSWORD, "новый пароль 2")
    assert await first.token(), "who has changed it goes on"
    second.spoiled()
    told = await refusal(second.token())
    assert told.code is Code.PASSWORD_CHANGED
    assert "изменён на другом месте" in sentence(told)
    assert (await refusal(second.sign_in_again(PASSWORD))).code is Code.PASSWORD_CHANGED
    journal.close()
    await second.sign_out()
    again = here.sit("tfoms27")
    assert (await refusal(again.sign_in("petrova", PASSWORD))).code is Code.PASSWORD_ELSEWHERE
    assert (await refusal(again.sign_in_anew("petrova", PASSWORD, "не тот"))).code is Code.SIGN_IN_WRONG
    assert (await refusal(again.sign_in_anew("nobody", PASSWORD, "не тот"))).code is Code.DEVICE_OTHER
    await again.sign_in_anew("petrova", PASSWORD, "новый пароль 2")
    assert await again.token()
    journal = here.journal(again)
    assert journal.unsent() == UNSENT
    journal.close()
    await again.sign_out()
    assert await here.sit("tfoms27").sign_in("petrova", "новый пароль 2"), "this place opens with it from now on"


async def test_without_a_way_to_save_his_work_nothing_is_destroyed(here: Town) -> None:
    seat = here.sit()
    await seat.enrol(here.hire("petrova"), PASSWORD)
    journal = here.with_unsent(seat, 1)
    seat.export = None
    seats.revoke(here.database, seat.identity.code, here.clock.now_ms())
    seat.spoiled()
    assert (await refusal(seat.token())).code is Code.DEVICE_REVOKED
    assert (open_profile("tfoms26").data / "vault").exists()
    assert journal.unsent() == 1
    journal.close()
