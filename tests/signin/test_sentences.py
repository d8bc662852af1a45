"""Every refusal of signing in comes to the person as a clear sentence: what happened, what was kept, what to do."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa

from central.auth import accounts, passwords
from central.store import tables as t
from operator_tui.appeals.errors import Code
from operator_tui.appeals.people import Role
from operator_tui.profiles import open_profile
from operator_tui.secrets import kernel
from operator_tui.sentences import sentence
from operator_tui.signin.ask import ask
from operator_tui.signin.messages import REFRESH_PATH, Granted, RefreshRequest, refresh_text
from operator_tui.signin.people import PEOPLE_PATH, PeopleAnswer, PeopleRequest
from operator_tui.signin.signin import SignIn
from operator_tui.sync.link import Link
from operator_tui.sync.protocol import SYNC_PATH
from operator_tui.sync.settings import CentralSettings
from tests.signin.test_signin import TOO_LONG_S, refusal
from tests.signin.town import Town, town
from tests.sync.test_link import make_certificate, serving

PASSWORD = "верный пароль 1"
_KEPT = re.compile("целы|хранятся|не изменено|не переданы|не отозвано|не открыт|уничтожены|ничего не изменено")
_TO_DO = re.compile(
    "Проверьте|Повторите|повторите|обратитесь|Обратитесь|Сообщите|Войдите|войдите|Введите|Дождитесь|попросите|Попросите|"
    "Подтвердите|Начните|Выйдите|получите|Разблокируйте|Укажите|Верните|Исправьте|Отзовите|Выберите|Оно для ролей|"
    "записана|Сначала"
)


@pytest.fixture
async def here(home: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Town]:
    for name, value in (("_MEMORY_KIB", 64), ("_PASSES", 1), ("_LANES", 1)):
        monkeypatch.setattr(passwords, name, value)
    async with town(home) as built:
        yield built
    kernel.drop("tfoms26")


async def told(act: Awaitable[object], code: Code) -> str:
    """The sentence of what the act is refused with."""
    refused = await refusal(act)
    assert refused.code is code
    text = sentence(refused)
    assert re.fullmatch(r"[А-ЯЁ].*\.", text), text
    assert not re.search(r"[{}]|[a-z_]{6,}", text.replace("certificate", "")), f"words for programs: {text}"
    assert _KEPT.search(text), f"not said what was kept: {text}"
    assert _TO_DO.search(text), f"not said what to do: {text}"
    assert PASSWORD not in text
    return text


async def enrolled(
    here: Town, login: str = "petrova", machine: str = "tfoms26", role: Role = Role.OPERATOR_1
) -> SignIn:
    seat = here.sit(machine)
    await seat.enrol(here.hire(login), PASSWORD)
    return seat


async def test_a_wrong_password(here: Town) -> None:
    await enrolled(here)
    assert "неверны" in await told(here.sit().sign_in("petrova", "не тот"), Code.SIGN_IN_WRONG)
    for _ in range(5):
        await refusal(here.sit().sign_in("sidorova", "не тот"))
    assert "15 мин" in await told(here.sit().sign_in("sidorova", "не тот"), Code.SIGN_IN_LATER)


async def test_a_replayed_and_an_expired_token(here: Town) -> None:
    seat = await enrolled(here)
    link, device = await seat._connect(), seat.identity.code

    def asked(token: str) -> RefreshRequest:
        return RefreshRequest(1, device, token, seat._seat.sign(refresh_text(token, device)))

    first = seat._seat.refresh
    second = await ask(link, REFRESH_PATH, asked(first), Granted)
    await refusal(ask(link, PEOPLE_PATH, PeopleRequest(1), PeopleAnswer, second.access))  # the new pair was used
    assert "уже использованный" in await told(ask(link, REFRESH_PATH, asked(first), Granted), Code.TOKEN_REPLAYED)
    await seat.sign_in("petrova", PASSWORD)
    here.clock.advance(13 * 3600)
    expired = asked(seat._seat.refresh)
    assert "Срок входа истёк" in await told(ask(link, REFRESH_PATH, expired, Granted), Code.TOKEN_EXPIRED)
    seat.spoiled()
    assert "Сеанс на сервере окончен" in await told(seat.token(), Code.SIGN_IN_NEEDED)


async def test_anothers_device(here: Town) -> None:
    mine = await enrolled(here)
    other = await enrolled(here, "sidorova", "tfoms27")
    token = other._seat.refresh
    device = mine.identity.code
    stolen = RefreshRequest(1, device, token, mine._seat.sign(refresh_text(token, device)))
    link = await mine._connect()
    assert "другому рабочему месту" in await told(ask(link, REFRESH_PATH, stolen, Granted), Code.DEVICE_OTHER)
    forged = RefreshRequest(1, other.identity.code, token, mine._seat.sign(refresh_text(token, other.identity.code)))
    assert "не узнал ключ" in await told(ask(link, REFRESH_PATH, forged, Granted), Code.DEVICE_SIGNATURE)
    body = {"v": 1, "d": device, "o": []}
    act = ask(link, SYNC_PATH, body, dict, await other.token())
    assert "другому рабочему месту" in await told(act, Code.DEVICE_OTHER)


async def test_a_forged_role(here: Town) -> None:
    """The desk's own file says administrator; the server looks at what it keeps itself."""
    seat = await enrolled(here)
    place = seat._seat.place
    boss = msgspec.structs.replace(place.operator, role=Role.ADMINISTRATOR)
    seat._seat.keep_place(msgspec.structs.replace(place, operator=boss))
    assert seat.identity.operator.role is Role.ADMINISTRATOR
    act = seat.ask(PEOPLE_PATH, PeopleRequest(1), PeopleAnswer)
    assert "Администратор контакт-центра" in await told(act, Code.RIGHT_MISSING)
    seat.spoiled()
    await seat.token()
    assert seat.identity.operator.role is Role.OPERATOR_1, "and says so at the next word"


async def test_a_tampered_vault_and_a_copied_folder(here: Town) -> None:
    await enrolled(here)
    kernel.drop("tfoms26")
    data = open_profile("tfoms26").data
    copied = open_profile("copied")
    copied.make_folders()
    for file in data.iterdir():
        if file.is_file():
            (copied.data / file.name).write_bytes(file.read_bytes())
            (copied.data / file.name).chmod(0o600)
    thief = here.sit("copied")
    assert not await thief.resume()
    assert "неверны" in await told(thief.sign_in("petrova", "догадка"), Code.SIGN_IN_WRONG)
    vault = data / "vault"
    whole = json.loads(vault.read_text())
    whole["header"]["m"] = 32  # cheaper to guess, if it were believed
    vault.write_text(json.dumps(whole))
    assert "неверны" in await told(here.sit().sign_in("petrova", PASSWORD), Code.SIGN_IN_WRONG)
    whole["header"]["m"] = 8  # less than Argon2 can do
    for text in (json.dumps(whole), "not a vault"):
        vault.write_text(text)
        refused = await refusal(here.sit().sign_in("petrova", PASSWORD))
        assert refused.code is Code.FILE_UNREADABLE
        assert "не читается" in sentence(refused)


@pytest.mark.parametrize("how", ["ca_file", "pin"])
async def test_a_server_that_is_not_ours(home: Path, tmp_path: Path, how: str) -> None:
    """A wrong authority, another's certificate: nothing is said to it."""
    ours, theirs = make_certificate(tmp_path, "ours"), make_certificate(tmp_path, "theirs")

    async def reply(*_: object) -> None:
        raise AssertionError("something was said to it")

    async with serving(reply, theirs) as port:
        trust = {"ca_file": str(ours.cert)} if how == "ca_file" else {"pin": ours.pin}
        link = Link(CentralSettings(url=f"https://127.0.0.1:{port}", **trust))
        text = await told(ask(link, PEOPLE_PATH, PeopleRequest(1), PeopleAnswer), Code.SERVER_UNTRUSTED)
        assert "не подтверждён" in text
        await link.close()


async def test_a_server_of_an_older_tls(home: Path, tmp_path: Path) -> None:
    ours = make_certificate(tmp_path, "ours")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(ours.cert, ours.key)
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def refuse() -> None:
            connection, _ = listening.accept()
            with connection, contextlib.suppress(ssl.SSLError):
                context.wrap_socket(connection, server_side=True)

        refusing = asyncio.create_task(asyncio.to_thread(refuse))
        url = f"https://127.0.0.1:{listening.getsockname()[1]}"
        link = Link(CentralSettings(url=url, ca_file=str(ours.cert)))
        await told(ask(link, PEOPLE_PATH, PeopleRequest(1), PeopleAnswer), Code.SERVER_UNTRUSTED)
        await refusing
        await link.close()


async def test_a_revoked_place_and_one_that_needs_the_server(here: Town) -> None:
    seat = await enrolled(here)
    here.hire("sidorova", password=PASSWORD)
    here.cut = True
    assert "ещё не входили" in await told(here.sit().sign_in("sidorova", PASSWORD), Code.SEAT_NEEDS_SERVER)
    here.clock.advance(TOO_LONG_S)
    assert "72 ч" in await told(here.sit().sign_in("petrova", PASSWORD), Code.OFFLINE_TOO_LONG)
    assert "Код от администратора" in await told(here.sit().sign_in("petrova", PASSWORD, "1"), Code.VOICE_CODE)
    here.cut = False
    here.database.write(lambda connection: connection.execute(sa.update(t.device).values(revoked=True)))
    assert "отозвано" in await told(here.sit().sign_in("petrova", PASSWORD), Code.DEVICE_REVOKED)
    assert "Код сброса" in await told(seat.reset("0000-0000-0000", "новый пароль"), Code.RESET_CODE)
    code = accounts.enrolment_code(here.database, "petrova", here.clock.now_ms())
    assert "не короче" in sentence(await refusal(seat.enrol(code, "1", oidc=True)))
