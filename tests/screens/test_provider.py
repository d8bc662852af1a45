"""Signing in through a provider on the real desk: the code and the picture at 80x24, the PIN, no line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from central.store.database import Database
from operator_tui.profiles import open_profile
from operator_tui.secrets import kernel, profile_secrets
from screens.lock import LockScreen
from screens.provider import ProviderScreen
from screens.sign_in import Way
from tests.peers.central import CentralServer
from tests.peers.oidc import CLIENT, SECRET, OidcProvider, serving
from tests.screens.live import OpenLive, enter, keyring_as_it_was, open_live, stands, way
from tests.screens.page import DeskPage
from tests.signin.conftest import Office

__all__ = ["keyring_as_it_was", "open_live"]

PIN = "246810"
BY_PROVIDER = {"oidc": True}


@pytest.fixture
def provider() -> Iterator[OidcProvider]:
    with serving() as running:
        yield running


@pytest.fixture
def office(home: Path, provider: OidcProvider) -> Iterator[Office]:
    profile = open_profile("demo")
    profile.make_folders()
    secret = home / "client-secret"
    secret.write_text(SECRET)
    secret.chmod(0o600)
    named = ("--oidc-issuer", provider.issuer, "--oidc-client", CLIENT, "--oidc-secret-file", str(secret))
    with CentralServer(None, arguments=("--port", "0", *named)) as server:
        database = Database.sqlite(profile.central_file, profile_secrets(profile).key("central"))
        yield Office(server, database)
        database.close()


async def at_the_provider(desk: DeskPage) -> None:
    await desk.until(lambda: isinstance(desk.app.screen, ProviderScreen), "the code and the picture")


@pytest.mark.function("K-3.1")
async def test_a_code_and_a_picture_then_the_journal(
    office: Office, provider: OidcProvider, open_live: OpenLive
) -> None:
    async with open_live(signin=BY_PROVIDER) as desk:
        await desk.until(lambda: way(desk) is Way.ENROL, "the enrolment")
        assert "ПИН-код этого места" in desk.text()
        await enter(desk, office.hire("petrova"), PIN, PIN)
        await at_the_provider(desk)
        text = desk.text()
        assert "BDWD-HQPK" in text
        assert f"{provider.issuer}/go" in text
        picture = [line for line in text.splitlines() if "█" in line]
        assert 12 <= len(picture) <= 21, "it stands whole in 24 rows"
        assert desk.desk.parts.journal is None
        provider.say_yes("petrova")
        await stands(desk)
        assert "Петрова petrova" in desk.line("#who")
        await desk.press("alt+l")
        await desk.until(lambda: isinstance(desk.app.screen, LockScreen), "the lock")
        assert "ПИН-код" in desk.text()
        await enter(desk, PIN)
        await desk.until(lambda: not isinstance(desk.app.screen, LockScreen), "unlocked")
        await desk.press("ctrl+o")
        await enter(desk, PIN, "135791", "135791")
        await desk.until_screen("journal")
        await desk.press("ctrl+q")
        await desk.until(lambda: desk.app._exit, "out")
    async with open_live(signin=BY_PROVIDER) as desk:
        await desk.until(lambda: way(desk) is Way.PASSWORD, "the PIN")
        await enter(desk, PIN)
        await desk.until(lambda: "неверны" in desk.text(), "the old PIN is none")
        await enter(desk, "135791")
        await at_the_provider(desk)
        await desk.press("escape")
        await desk.until(lambda: way(desk) is Way.PASSWORD, "back")
        assert desk.desk.parts.journal is None
        await enter(desk, "135791")
        await at_the_provider(desk)
        provider.say_yes("sidorova")
        await desk.until(lambda: "другого человека" in desk.text(), "another person is said to be another")
        assert desk.desk.parts.journal is None


async def test_without_the_server_the_pin_is_enough_for_a_while(
    office: Office, provider: OidcProvider, open_live: OpenLive
) -> None:
    async with open_live(signin=BY_PROVIDER) as desk:
        await desk.until(lambda: way(desk) is Way.ENROL, "the enrolment")
        await enter(desk, office.hire("petrova"), PIN, PIN)
        await at_the_provider(desk)
        provider.say_yes("petrova")
        await stands(desk)
    kernel.drop("tfoms26")
    office.server.stop()
    async with open_live(signin=BY_PROVIDER) as desk:
        await desk.until(lambda: way(desk) is Way.PASSWORD, "the PIN")
        await enter(desk, PIN)
        await stands(desk)
        await desk.until(lambda: "НЕДОСТУПЕН" in desk.line("#lights"), "the server is away")
