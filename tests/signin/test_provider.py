"""Signing in through a provider from the workstation: a code and a picture, then the place opens by its PIN."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from operator_tui.appeals.errors import Code
from operator_tui.secrets import kernel
from operator_tui.signin.provider import DeviceFlow
from operator_tui.signin.qr import qr_rows
from operator_tui.signin.signin import SignIn
from tests.peers.oidc import OidcProvider, serving
from tests.signin.test_signin import TOO_LONG_S, refusal
from tests.signin.town import Town, town

PIN, OTHER_PIN = "246810", "135790"


@pytest.fixture(scope="module")
def provider() -> Iterator[OidcProvider]:
    with serving() as running:
        yield running


@pytest.fixture
async def here(home: Path, provider: OidcProvider) -> AsyncIterator[Town]:
    async with town(home, provider.issuer) as built:
        yield built
    kernel.drop("tfoms26")


async def come_in(here: Town, provider: OidcProvider, seat: SignIn, login: str = "petrova", pin: str = PIN) -> None:
    flow = await seat.begin_oidc(login, pin)
    assert isinstance(flow, DeviceFlow)
    assert flow.code == "BDWD-HQPK"
    assert len(flow.picture) > 10
    coming = asyncio.create_task(seat.finish_oidc(pin))
    provider.say_yes(login)
    while not coming.done():
        here.clock.advance(1)
        await asyncio.wait({coming}, timeout=0.5)
    await coming


async def test_a_person_of_the_provider_has_a_pin_here_and_no_password_anywhere(
    here: Town, provider: OidcProvider
) -> None:
    seat = here.sit()
    assert (await refusal(seat.enrol(here.hire("petrova"), "1234", oidc=True))).code is Code.PIN_NEEDED
    from central.auth import accounts

    code = accounts.enrolment_code(here.database, "petrova", here.clock.now_ms())
    await seat.enrol(code, PIN, oidc=True)
    assert seat.tag is not None
    assert seat.tag.oidc
    await come_in(here, provider, seat)
    key = seat.secrets.key("journal")
    assert await seat.token()
    (person,) = accounts.people(here.database)
    assert not person.has_password
    await seat.lock()
    assert not await seat.unlock(OTHER_PIN)
    assert await seat.unlock(PIN), "the lock opens by the PIN"
    await seat.change_pin(OTHER_PIN)
    await seat.sign_out()

    again = here.sit()
    assert (await refusal(again.begin_oidc("petrova", PIN))).code is Code.SIGN_IN_WRONG
    assert (await refusal(again.sign_in("petrova", OTHER_PIN))).code is Code.PASSWORD_ELSEWHERE
    await come_in(here, provider, again, pin=OTHER_PIN)
    assert again.secrets.key("journal", create=False) == key
    await again.sign_out()

    here.cut = True
    away = here.sit()
    assert await away.begin_oidc("petrova", OTHER_PIN) is None, "in without the server"
    assert away.secrets.key("journal", create=False) == key
    here.clock.advance(TOO_LONG_S)
    assert (await refusal(here.sit().begin_oidc("petrova", OTHER_PIN))).code is Code.OFFLINE_TOO_LONG
    told = accounts.codes_by_voice(here.database, "petrova", here.clock.now_ms())
    assert await here.sit().begin_oidc("petrova", OTHER_PIN, told[away.identity.code]) is None


async def test_another_persons_yes_opens_nothing(here: Town, provider: OidcProvider) -> None:
    seat = here.sit()
    await seat.enrol(here.hire("petrova"), PIN, oidc=True)
    await seat.begin_oidc("petrova", PIN)
    provider.say_yes("sidorova")
    coming = asyncio.create_task(seat.finish_oidc(PIN))
    while not coming.done():
        here.clock.advance(1)
        await asyncio.wait({coming}, timeout=0.5)
    assert (await refusal(coming)).code is Code.OIDC_STRANGER
    assert (await refusal(seat.token())).code is Code.VAULT_LOCKED
    assert (await refusal(seat.finish_oidc(PIN))).code is Code.TOKEN_EXPIRED
    assert (await refusal(seat.begin_oidc("sidorova", PIN))).code is Code.DEVICE_OTHER


@pytest.mark.parametrize(
    "address", ["https://id.example/go", "https://id.example/go?user_code=BDWD-HQPK&x=" + "y" * 60]
)
def test_a_camera_reads_the_picture(address: str) -> None:
    """Its modules are those of the library's own drawing, and it stands in a frame of light ones."""
    import segno

    rows = qr_rows(address)
    modules = []
    for row in rows:
        modules.append([letter in " ▄" for letter in row])
        modules.append([letter in " ▀" for letter in row])
    wanted = [[bool(module) for module in row] for row in segno.make_qr(address, error="l").matrix_iter(border=2)]
    assert modules[: len(wanted)] == wanted
    assert len({len(row) for row in rows}) == 1
    assert len(rows) <= 24
    assert len(rows[0]) <= 80
