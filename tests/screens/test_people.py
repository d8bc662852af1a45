"""The administrator's list of people on the real desk, over a real server: keys in, accounts out."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from central.auth import accounts
from operator_tui.appeals.people import Role
from screens.ask import AskScreen
from screens.code import CodeScreen
from screens.person import PersonScreen
from screens.sign_in import Way
from tests.screens.live import OpenLive, enter, keyring_as_it_was, office, open_live, stands, take_the_seat, way
from tests.screens.page import DeskPage, List
from tests.signin.conftest import PASSWORD, Office

__all__ = ["keyring_as_it_was", "office", "open_live"]


def person(office: Office, login: str) -> accounts.Person:
    return next(one for one in accounts.people(office.database) if one.login == login)


async def people_of(desk: DeskPage, office: Office, *, count: int) -> List:
    """An administrator at his desk, with the list before him."""
    await take_the_seat(desk, office.hire("orlova", Role.ADMINISTRATOR))
    await desk.press("alt+a")
    await desk.until_screen("people")
    found = List(desk, "#people")
    await desk.until(lambda: len(found.rows()) == count, "the people")
    return found


def shown_code(desk: DeskPage) -> str:
    """The code as the administrator reads it: the groups that stand first in their lines."""
    lines = [line.split() for line in desk.text().splitlines() if line.startswith("    ")]
    return "-".join(words[0] for words in lines if words)


@pytest.mark.function("K-1.2", "K-4.4", "K-4.5", "K-4.6")
async def test_a_person_is_added_and_comes_in_by_the_code_that_was_read_aloud(
    office: Office, open_live: OpenLive
) -> None:
    async with open_live() as desk:
        await people_of(desk, office, count=1)
        await desk.press("f5")
        await desk.until(lambda: isinstance(desk.app.screen, PersonScreen), "the form")
        await enter(desk, "sidorova", "Сидорова Ольга Ивановна", "2005")
        # The organisation is the administrator's; groups, zone and the telephone's password stay as they are.
        await desk.press("enter", "enter", "enter", "enter")
        await desk.press("3", "f9")
        await desk.until_screen("people")
        await desk.until(lambda: "Добавлен: Сидорова" in desk.notice, "added")
        added = person(office, "sidorova").operator
        assert (added.name, added.extension, added.organisation) == ("Сидорова Ольга Ивановна", "2005", "26/tf")
        assert added.role is Role.INSURER_1
        await desk.press("ctrl+g")
        await desk.until(lambda: isinstance(desk.app.screen, CodeScreen), "the code")
        code = shown_code(desk)
        assert len(code) == 14
        await desk.press("enter")
        await desk.until_screen("people")
        assert code[:4] not in desk.text()
        await desk.press("escape")
        await desk.until_screen("journal")
        await desk.press("ctrl+q")
        await desk.until(lambda: desk.app._exit, "out")
    from operator_tui.profiles import open_profile

    for file in ("seat.json", "vault", "journal.db"):
        (open_profile("tfoms26").data / file).unlink()
    async with open_live() as desk:
        await take_the_seat(desk, code)
        assert "Сидорова" in desk.line("#who")
        assert "доб. 2005" in desk.line("#who")


@pytest.mark.function("K-1.2", "K-1.3", "K-1.4", "K-1.5", "K-1.6", "K-1.7")
async def test_every_role_of_the_customer_can_be_given(office: Office, open_live: OpenLive) -> None:
    office.hire("petrova")
    async with open_live() as desk:
        found = await people_of(desk, office, count=2)
        for place, role in enumerate((role for role in Role if role is not Role.TRAINEE), 1):
            await desk.type("petrova")
            await desk.until(lambda: found.keys() == ["petrova"], "found")
            await desk.press("f6")
            await desk.until(lambda: isinstance(desk.app.screen, PersonScreen), "the form")
            desk.app.screen.query_one("#roles").focus()
            await desk.press(str(place), "f9")
            await desk.until_screen("people")
            assert person(office, "petrova").operator.role is role


async def test_search_change_and_what_is_refused(office: Office, open_live: OpenLive) -> None:
    office.hire("petrova")
    office.hire("ivanova", Role.INSURER_2)
    async with open_live() as desk:
        found = await people_of(desk, office, count=3)
        await desk.type("страховой 2")
        await desk.until(lambda: found.keys() == ["ivanova"], "by role")
        await desk.press("enter")
        await desk.until(lambda: isinstance(desk.app.screen, PersonScreen), "the form")
        extension = desk.app.screen.query_one("#input-extension")
        extension.focus()
        await desk.press("end", *["backspace"] * 4)
        await desk.press("f9")
        await desk.until(lambda: "Не заполнено: Внутренний номер" in desk.text(), "why not")
        await desk.type("2077")
        await desk.until(lambda: "Не заполнено" not in desk.text(), "it was of what stood there")
        await desk.press("down")
        await desk.until(lambda: desk.app.focused is desk.app.screen.query_one("#input-organisation"), "the next line")
        await desk.press("up")
        await desk.until(lambda: desk.app.focused is extension, "and back")
        await desk.press("escape")
        await desk.until_screen("people")
        assert person(office, "ivanova").operator.extension == "2001", "nothing was saved"
        await desk.press("enter")
        await desk.until(lambda: isinstance(desk.app.screen, PersonScreen), "the form again")
        assert desk.app.screen.query_one("#input-extension").value == "2077", "what was typed is there again"
        groups = desk.app.screen.query_one("#input-groups")
        groups.focus()
        await desk.type("policy, access")
        await desk.press("f9")
        await desk.until_screen("people")
        await desk.until(lambda: "Изменено" in desk.notice, "changed")
        changed = person(office, "ivanova")
        assert (changed.operator.extension, changed.groups) == ("2077", ["access", "policy"])
        await desk.press("f5")
        await desk.until(lambda: isinstance(desk.app.screen, PersonScreen), "the form")
        await enter(desk, "petrova", "Другая Петрова", "2099")
        await desk.press("f9")
        await desk.until(lambda: "уже занято" in desk.text(), "why not")
        assert isinstance(desk.app.screen, PersonScreen), "the form stays with what was typed"


async def test_a_blocked_person_is_shown_as_one_and_the_last_administrator_stays(
    office: Office, open_live: OpenLive
) -> None:
    office.hire("petrova")
    async with open_live() as desk:
        found = await people_of(desk, office, count=2)
        await desk.type("petrova")
        await desk.until(lambda: found.keys() == ["petrova"], "found")
        await desk.press("f9")
        await desk.until(lambda: isinstance(desk.app.screen, AskScreen), "the question")
        await desk.press("enter")
        await desk.until(lambda: "ЗАБЛОК." in desk.text(), "blocked")
        assert person(office, "petrova").blocked
        await desk.press("f9")
        await desk.until(lambda: "Вход открыт" in desk.notice, "open again")
        assert not person(office, "petrova").blocked
        await desk.press("escape")
        await desk.type("orlova")
        await desk.press("f9")
        await desk.until(lambda: isinstance(desk.app.screen, AskScreen), "the question")
        await desk.press("enter")
        await desk.until(lambda: "единственный действующий администратор" in desk.notice, "why not")
        assert not person(office, "orlova").blocked


async def test_a_list_of_before_a_change_does_not_undo_it_on_the_screen(
    office: Office, open_live: OpenLive, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.hire("petrova")
    async with open_live() as desk:
        found = await people_of(desk, office, count=2)
        await desk.type("petrova")
        await desk.until(lambda: found.keys() == ["petrova"], "found")
        people, lists = type(desk.desk.seat.people), 0
        listed, seen = asyncio.Event(), asyncio.Event()
        everybody, block = people.everybody, people.block

        async def late(them: Any) -> Any:
            nonlocal lists
            lists += 1
            answer = await everybody(them)
            listed.set()
            await seen.wait()
            return answer

        async def after_the_list(them: Any, login: str, *, blocked: bool) -> Any:
            await listed.wait()
            return await block(them, login, blocked=blocked)

        monkeypatch.setattr(people, "everybody", late)
        monkeypatch.setattr(people, "block", after_the_list)
        await desk.press("f9")
        await desk.until(lambda: isinstance(desk.app.screen, AskScreen), "the question")
        await desk.press("enter")
        await desk.until(lambda: "Вход закрыт" in desk.notice, "blocked")
        asked = lists
        seen.set()
        await desk.until(lambda: lists > asked, "asked for once more")
        await desk.until(lambda: "ЗАБЛОК." in desk.text(), "as it is now")


async def test_a_forgotten_password_and_eight_hours_by_voice(office: Office, open_live: OpenLive) -> None:
    office.hire("petrova")
    async with open_live() as desk:
        found = await people_of(desk, office, count=2)
        await desk.type("petrova")
        await desk.until(lambda: found.keys() == ["petrova"], "found")
        await desk.press("ctrl+v")
        await desk.until(lambda: "ещё нет рабочего места" in desk.notice, "why not")
        await desk.press("escape")
        await desk.type("orlova")
        await desk.press("ctrl+v")
        await desk.until(lambda: isinstance(desk.app.screen, CodeScreen), "the code by voice")
        device = desk.desk.parts.signin.identity.code
        assert f"Рабочее место {device}" in desk.text()
        told = accounts.codes_by_voice(office.database, "orlova", office.now())[device]
        assert all(group in desk.text() for group in told.split())
        await desk.press("enter")
        await desk.press("ctrl+r")
        await desk.until(lambda: "Код сброса пароля" in desk.text(), "the reset code")
        code = shown_code(desk)
        await desk.press("enter", "escape", "escape")
        await desk.until_screen("journal")
        await desk.press("ctrl+q")
        await desk.until(lambda: desk.app._exit, "out")
    async with open_live() as desk:
        await desk.until(lambda: way(desk) is Way.PASSWORD, "the password")
        await desk.press("f8")
        await enter(desk, code, "новый пароль 2", "новый пароль 2")
        await stands(desk)


async def test_ones_own_password(office: Office, open_live: OpenLive) -> None:
    async with open_live() as desk:
        await take_the_seat(desk, office.hire("petrova"))
        await desk.press("ctrl+o")
        await desk.until(lambda: "Сменить пароль" in desk.text(), "the form")
        await enter(desk, "не тот пароль", "новый пароль 2", "новый пароль 2")
        await desk.until(lambda: "Имя или пароль неверны" in desk.text(), "why not")
        await enter(desk, PASSWORD, "новый пароль 2", "новый пароль 3")
        await desk.until(lambda: "не совпадают" in desk.text(), "why not")
        await enter(desk, "новый пароль 2", "новый пароль 2")
        await desk.until_screen("journal")
        await desk.until(lambda: "Сменён" in desk.notice, "changed")
        await desk.press("ctrl+q")
        await desk.until(lambda: desk.app._exit, "out")
    async with open_live() as desk:
        await desk.until(lambda: way(desk) is Way.PASSWORD, "the password")
        await enter(desk, PASSWORD)
        await desk.until(lambda: "неверны" in desk.text(), "the old one is none")
        await enter(desk, "новый пароль 2")
        await stands(desk)


async def test_the_list_is_closed_to_who_is_no_administrator(office: Office, open_live: OpenLive) -> None:
    async with open_live() as desk:
        await take_the_seat(desk, office.hire("petrova"))
        await desk.press("alt+a")
        await desk.until(lambda: "Администратор контакт-центра" in desk.notice, "whose it is")
        await desk.until_screen("journal")
