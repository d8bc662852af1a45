"""A forgotten password loses no unsent work."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from central.auth import accounts
from central.store import tables as t
from operator_tui.appeals.clock import SystemClock
from operator_tui.appeals.errors import Code
from operator_tui.appeals.operations import Kind
from operator_tui.journal.journal import Journal
from operator_tui.profiles import Profile
from operator_tui.reference import packaged_catalogue
from operator_tui.sync.link import Link
from operator_tui.sync.sender import Sender, ServerLight
from operator_tui.sync.settings import CentralSettings
from tests.signin.conftest import PASSWORD, Office, Sit
from tests.signin.test_signin import refusal
from tests.sync.conftest import run

UNSENT = 30


def open_journal(profile: Profile, key: bytes) -> Journal:
    return Journal.open(profile.journal_file, key, catalogue=packaged_catalogue(), clock=SystemClock())


async def test_thirty_unsent_operations_outlive_a_forgotten_password(
    office: Office, sit: Sit, profile: Profile
) -> None:
    seat = sit()
    await seat.enrol(office.hire("petrova"), PASSWORD)
    journal = open_journal(profile, seat.secrets.key("journal"))
    await seat.keep_journal_key()
    journal.enrol(seat.identity)
    for number in range(UNSENT):
        journal.record(Kind.CALL_OFFERED, {"call": str(number)})
    assert journal.unsent() == UNSENT
    journal.close()
    await seat.sign_out()

    again = sit()
    code = accounts.reset_code(office.database, "petrova", office.now())
    await again.reset(code, "новый пароль 2")
    journal = open_journal(profile, again.secrets.key("journal", create=False))
    assert journal.unsent() == UNSENT
    link = Link(CentralSettings(url=office.url))
    sender = Sender(journal, link, run=run, clock=SystemClock(), session=again)
    await sender.round()
    assert (sender.state.light, sender.state.unsent) == (ServerLight.ON, 0)
    await link.close()
    journal.close()
    with office.database.read() as connection:
        kept = connection.execute(sa.select(sa.func.count()).select_from(t.op_log)).scalar_one()
    assert kept == UNSENT
    assert (await refusal(sit().sign_in("petrova", PASSWORD))).code is Code.SIGN_IN_WRONG
    assert await sit().sign_in("petrova", "новый пароль 2")


async def test_a_reset_code_works_once_for_its_owner_and_a_quarter_of_an_hour(
    office: Office, sit: Sit, profile: Profile
) -> None:
    await sit().enrol(office.hire("petrova"), PASSWORD)
    before = (profile.data / "vault").read_bytes()
    assert (await refusal(sit().reset("0000-0000-0000", "новый пароль 2"))).code is Code.RESET_CODE
    office.hire("sidorova")
    foreign = accounts.reset_code(office.database, "sidorova", office.now())
    assert (await refusal(sit().reset(foreign, "новый пароль 2"))).code is Code.DEVICE_OTHER
    old = accounts.reset_code(office.database, "petrova", office.now() - 15 * 60_000)
    assert (await refusal(sit().reset(old, "новый пароль 2"))).code is Code.RESET_CODE
    code = accounts.reset_code(office.database, "petrova", office.now())
    assert (await refusal(sit().reset(code, "короткий"[:5]))).code is Code.PASSWORD_WEAK
    assert (profile.data / "vault").read_bytes() == before, "nothing was changed by what was refused"
    await sit().reset(code, "новый пароль 2")
    assert (await refusal(sit().reset(code, "новый пароль 3"))).code is Code.RESET_CODE


async def test_the_journal_key_is_at_the_server_only_sealed(office: Office, sit: Sit) -> None:
    seat = sit()
    await seat.enrol(office.hire("petrova"), PASSWORD)
    key = seat.secrets.key("journal")
    await seat.keep_journal_key()
    with office.database.read() as connection:
        kept: Any = connection.execute(sa.select(t.device_key.c.journal_key)).scalar_one()
    assert len(kept) == 80
    assert key not in kept


async def test_a_key_that_could_not_be_opened_again_is_not_kept(office: Office, sit: Sit) -> None:
    from operator_tui.signin.messages import ESCROW_PATH, Done, EscrowRequest

    seat = sit()
    await seat.enrol(office.hire("petrova"), PASSWORD)
    for sealed in ("", "zz", "00" * 80, "00" * 79):
        refused = await refusal(seat.ask(ESCROW_PATH, EscrowRequest(1, sealed), Done))
        assert (refused.code, refused.params) == (Code.FIELD_INVALID, {"field": "sealed"})
