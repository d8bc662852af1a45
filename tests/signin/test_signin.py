"""Who sits at the desk: enrolled, in with the server and without it, locked, and out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sqlalchemy as sa

from central.auth import accounts
from central.store import tables as t
from operator_tui.appeals.clock import ManualClock, SystemClock
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.people import Role
from operator_tui.profiles import Profile, open_profile
from operator_tui.secrets import kernel
from operator_tui.signin.seat import SIP_SECRET
from tests.signin.conftest import PASSWORD, Office, Sit

HOUR_S = 3600.0
# Three working days are over whatever today is: the longest holidays, those of the New Year, are a fortnight.
TOO_LONG_S = 25 * 24 * HOUR_S
NOWHERE = "http://127.0.0.1:9"


async def refusal(act: object) -> Refusal:
    with pytest.raises(Refusal) as refused:
        await act  # type: ignore[misc]  # a coroutine
    return refused.value


@pytest.mark.function("K-3.1", "K-4.4", "K-4.5", "K-4.6")
async def test_enrolled_once_then_in_by_name_and_password(office: Office, sit: Sit, profile: Profile) -> None:
    seat = sit()
    assert seat.tag is None
    await seat.enrol(office.hire("petrova", sip_secret="sip-пароль"), PASSWORD)
    assert seat.secrets.get(SIP_SECRET) == "sip-пароль".encode()
    who = seat.identity.operator
    assert (who.name, who.role, who.extension) == ("Петрова petrova", Role.OPERATOR_1, "2001")
    key = seat.secrets.key("journal")
    await seat.sign_out()
    again = sit()
    assert not await again.resume()
    assert again.tag is not None
    assert again.tag.login == "petrova"
    assert await again.sign_in("Petrova", PASSWORD)
    assert again.secrets.key("journal", create=False) == key
    assert len(await again.token()) > 40
    for file in profile.data.iterdir():
        content = file.read_bytes()
        for secret in (PASSWORD.encode(), "sip-пароль".encode(), key, (await again.token()).encode()):
            assert secret not in content


async def test_a_wrong_password_opens_nothing(office: Office, sit: Sit) -> None:
    await sit().enrol(office.hire("petrova"), PASSWORD)
    seat = sit()
    assert (await refusal(seat.sign_in("petrova", "не тот пароль"))).code is Code.SIGN_IN_WRONG
    assert (await refusal(seat.sign_in("sidorova", PASSWORD))).code is Code.SIGN_IN_WRONG
    with pytest.raises(Refusal) as refused:
        assert seat.secrets
    assert refused.value.code is Code.VAULT_LOCKED
    assert await seat.sign_in("petrova", PASSWORD)


async def test_a_code_that_is_none_leaves_nothing_behind(office: Office, sit: Sit, profile: Profile) -> None:
    seat = sit()
    assert (await refusal(seat.enrol("0000-0000-0000", PASSWORD))).code is Code.ENROLMENT_CODE
    assert not (profile.data / "vault").exists()
    await seat.enrol(office.hire("petrova"), "совсем другой пароль")


async def test_a_desk_that_was_killed_goes_on_in_its_shift(office: Office, sit: Sit) -> None:
    first = sit()
    await first.enrol(office.hire("petrova"), PASSWORD)
    if kernel.get("tfoms26") is None:
        pytest.skip("this kernel keeps no keys: the password is asked then")
    second = sit()
    assert await second.resume()
    assert second.identity.code == first.identity.code
    assert await second.token() != await first.token()
    await second.lock()
    assert not await sit().resume(), "a locked desk is not opened by killing it"
    assert not await second.unlock("не тот пароль")
    assert await second.unlock(PASSWORD)
    assert await sit().resume()
    await second.sign_out()
    assert not await sit().resume()


async def test_where_the_kernel_refuses_the_password_is_asked(
    office: Office, sit: Sit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernel, "_calls", lambda: None)
    await sit().enrol(office.hire("petrova"), PASSWORD)
    seat = sit()
    assert not await seat.resume()
    assert await seat.sign_in("petrova", PASSWORD)


async def test_without_the_server_for_three_working_days(office: Office, sit: Sit, clock: ManualClock) -> None:
    await sit().enrol(office.hire("petrova"), PASSWORD)
    away = sit(NOWHERE)
    assert await away.sign_in("petrova", PASSWORD) is False
    assert (await refusal(sit(NOWHERE).sign_in("petrova", "не тот пароль"))).code is Code.SIGN_IN_WRONG
    clock.advance(TOO_LONG_S)
    late = await refusal(sit(NOWHERE).sign_in("petrova", PASSWORD))
    assert (late.code, late.params) == (Code.OFFLINE_TOO_LONG, {"hours": 72})
    assert (await refusal(away.token())).code is Code.SERVER_AWAY


async def test_eight_hours_more_by_a_code_given_by_voice(office: Office, sit: Sit, clock: ManualClock) -> None:
    await sit().enrol(office.hire("petrova"), PASSWORD)
    clock.advance(TOO_LONG_S)
    assert (await refusal(sit(NOWHERE).sign_in("petrova", PASSWORD, "1234 5678"))).code is Code.VOICE_CODE
    (told,) = accounts.codes_by_voice(office.database, "petrova", clock.now_ms()).values()
    assert await sit(NOWHERE).sign_in("petrova", PASSWORD, told) is False
    clock.advance(7.9 * HOUR_S)
    assert await sit(NOWHERE).sign_in("petrova", PASSWORD) is False
    assert await sit(NOWHERE).sign_in("petrova", PASSWORD, told) is False
    clock.advance(0.2 * HOUR_S)
    assert (await refusal(sit(NOWHERE).sign_in("petrova", PASSWORD))).code is Code.OFFLINE_TOO_LONG
    again = (await refusal(sit(NOWHERE).sign_in("petrova", PASSWORD, told))).code
    assert again in (Code.OFFLINE_TOO_LONG, Code.VOICE_CODE), "a code counts once"
    (told,) = accounts.codes_by_voice(office.database, "petrova", clock.now_ms()).values()
    assert await sit(NOWHERE).sign_in("petrova", PASSWORD, told) is False, "the next one does"
    assert (await refusal(sit(NOWHERE).sign_in("petrova", PASSWORD, "²²²² ٣٣٣٣"))).code is Code.VOICE_CODE


async def test_a_clock_turned_back_allows_nothing(office: Office, sit: Sit, clock: ManualClock) -> None:
    await sit().enrol(office.hire("petrova"), PASSWORD)
    clock.advance(-HOUR_S)
    assert (await refusal(sit(NOWHERE).sign_in("petrova", PASSWORD))).code is Code.OFFLINE_CLOCK


async def test_a_copied_profile_folder_opens_nowhere_without_the_password(
    office: Office, sit: Sit, profile: Profile
) -> None:
    await sit().enrol(office.hire("petrova"), PASSWORD)
    thief = open_profile("copied")
    thief.make_folders()
    for file in profile.data.iterdir():
        (thief.data / file.name).write_bytes(file.read_bytes())
        (thief.data / file.name).chmod(0o600)
    from operator_tui.signin.settings import SignInSettings
    from operator_tui.signin.signin import SignIn

    seat = SignIn(thief, SignInSettings(), SystemClock(), sit()._connect)
    assert not await seat.resume()
    assert (await refusal(seat.sign_in("petrova", "догадка"))).code is Code.SIGN_IN_WRONG


@pytest.mark.parametrize("part", ["box", "nonce"])
async def test_a_tampered_vault_is_refused_and_kept(office: Office, sit: Sit, profile: Profile, part: str) -> None:
    await sit().enrol(office.hire("petrova"), PASSWORD)
    kernel.drop(profile.name)
    file = profile.data / "vault"
    whole = json.loads(file.read_text())
    letter = whole[part][3]
    whole[part] = whole[part][:3] + ("A" if letter != "A" else "B") + whole[part][4:]
    file.write_text(json.dumps(whole))
    changed = file.read_bytes()
    assert (await refusal(sit().sign_in("petrova", PASSWORD))).code is Code.SIGN_IN_WRONG
    assert file.read_bytes() == changed


async def test_another_password_opens_the_same_vault(office: Office, sit: Sit) -> None:
    seat = sit()
    await seat.enrol(office.hire("petrova"), PASSWORD)
    key = seat.secrets.key("journal")
    await seat.change_password(PASSWORD, "новый пароль 2")
    await seat.sign_out()
    assert (await refusal(sit().sign_in("petrova", PASSWORD))).code is Code.SIGN_IN_WRONG
    again = sit()
    await again.sign_in("petrova", "новый пароль 2")
    assert again.secrets.key("journal", create=False) == key


async def test_a_password_changed_elsewhere_is_said(office: Office, sit: Sit) -> None:
    await sit().enrol(office.hire("petrova"), PASSWORD)
    from central.auth.passwords import password_hash

    fresh = password_hash("сменён на сервере", "petrova")
    office.database.write(lambda connection: connection.execute(sa.update(t.account).values(password_hash=fresh)))
    assert (await refusal(sit().sign_in("petrova", PASSWORD))).code is Code.PASSWORD_ELSEWHERE


async def test_a_blocked_person_does_not_come_in_by_cutting_the_line_alone(office: Office, sit: Sit) -> None:
    await sit().enrol(office.hire("petrova"), PASSWORD)
    accounts.change(office.database, "petrova", office.now(), blocked=True)
    assert (await refusal(sit().sign_in("petrova", PASSWORD))).code is Code.ACCOUNT_BLOCKED


async def test_a_session_ended_at_the_server_wants_the_password(office: Office, sit: Sit) -> None:
    seat = sit()
    await seat.enrol(office.hire("petrova"), PASSWORD)
    office.database.write(lambda connection: connection.execute(sa.update(t.session).values(ended_at=1)))
    seat.spoiled()
    assert (await refusal(seat.token())).code is Code.SIGN_IN_NEEDED
    await seat.sign_in_again(PASSWORD)
    assert await seat.token()


async def test_a_name_tag_holds_no_secret(office: Office, sit: Sit, profile: Profile) -> None:
    seat = sit()
    await seat.enrol(office.hire("petrova"), PASSWORD)
    tag: Path = profile.data / "seat.json"
    assert json.loads(tag.read_text()) == {"device": seat.identity.code, "login": "petrova"}
    assert tag.stat().st_mode & 0o077 == 0
