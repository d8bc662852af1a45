"""The first screen of a live profile, over a real server: enrolment, password, lock, forgotten password."""

from __future__ import annotations

from time import perf_counter

import pytest
import sqlalchemy as sa

from central.auth import accounts
from central.store import tables as t
from operator_tui.desk.leaving import Leaving
from operator_tui.letters import to_russian_layout
from operator_tui.secrets import kernel
from operator_tui.signin.tries import FREE
from screens.lock import LockScreen
from screens.sign_in import Way
from tests.screens.live import (
    OpenLive,
    enter,
    go_out,
    go_out_by,
    keyring_as_it_was,
    leave_unsent,
    open_live,
    stands,
    take_the_seat,
    way,
)
from tests.screens.page import open_desk
from tests.signin.conftest import PASSWORD, Office, office
from tests.timing import tell_if_slow

UNSENT = 30

__all__ = ["keyring_as_it_was", "office", "open_live"]


@pytest.mark.function("K-3.1", "K-5.4.2.1")
async def test_from_the_first_start_to_the_way_out(office: Office, open_live: OpenLive) -> None:
    code = office.hire("petrova")
    async with open_live() as desk:
        await desk.until(lambda: way(desk) is Way.ENROL, "the enrolment")
        assert desk.desk.parts.journal is None
        await enter(desk, code, PASSWORD, PASSWORD)
        await stands(desk)
        assert "Петрова petrova" in desk.text()
        await desk.desk.card.open()
        await desk.until(lambda: desk.desk.state.lights.server.value == "on", "the server has it all")
    async with open_live() as desk:
        if kernel.get("tfoms26") is None:
            await desk.until(lambda: way(desk) is Way.PASSWORD, "the password")
            await enter(desk, PASSWORD)
        await stands(desk)
        await desk.press("ctrl+q")
        await desk.until(lambda: desk.app._exit, "out")
    async with open_live() as desk:
        await desk.until(lambda: way(desk) is Way.PASSWORD, "after «Выход» the password is asked")
        await enter(desk, "не тот пароль")
        await desk.until(lambda: "Имя или пароль неверны" in desk.text(), "why not")
        begin = perf_counter()
        await enter(desk, PASSWORD)
        await stands(desk)
        tell_if_slow("a password until the desk is ready", perf_counter() - begin, 10)
        await desk.press("alt+l")
        await desk.until(lambda: isinstance(desk.app.screen, LockScreen), "the lock")
        await enter(desk, "не тот пароль")
        await desk.until(lambda: "не подходит" in desk.text(), "still locked")
        await enter(desk, PASSWORD)
        await desk.until(lambda: not isinstance(desk.app.screen, LockScreen), "unlocked")


async def test_two_passwords_that_differ_use_up_no_code(office: Office, open_live: OpenLive) -> None:
    code = office.hire("petrova")
    async with open_live() as desk:
        await desk.until(lambda: way(desk) is Way.ENROL, "the enrolment")
        await enter(desk, code, PASSWORD, "не такой же")
        await desk.until(lambda: "не совпадают" in desk.text(), "why not")
        await enter(desk, PASSWORD, PASSWORD)
        await stands(desk)


async def test_a_forgotten_password_loses_none_of_thirty_unsent_operations(office: Office, open_live: OpenLive) -> None:
    code = office.hire("petrova")
    async with open_live() as desk:
        await take_the_seat(desk, code)
        await leave_unsent(desk, UNSENT)
        assert desk.desk.state.lights.unsent == UNSENT
        await go_out(desk)
    with office.database.read() as connection:
        before = connection.execute(sa.select(sa.func.count()).select_from(t.op_log)).scalar_one()
    async with open_live() as desk:
        await desk.until(lambda: way(desk) is Way.PASSWORD, "the password")
        await desk.press("f8")
        await desk.until(lambda: way(desk) is Way.RESET, "the reset")
        told = accounts.reset_code(office.database, "petrova", office.now())
        # Typed with the Russian layout on: the keys are what was read aloud, the letters are not.
        await enter(desk, to_russian_layout(told), "новый пароль", "новый пароль")
        await stands(desk)
        await desk.until(lambda: desk.desk.state.lights.server.value == "on", "the server")
        await desk.until(lambda: desk.desk.state.lights.unsent == 0, "all of it went")
    with office.database.read() as connection:
        after = connection.execute(sa.select(sa.func.count()).select_from(t.op_log)).scalar_one()
    assert after >= before + UNSENT


async def test_the_lock_says_how_many_tries_are_left_and_then_how_long_to_wait(
    office: Office, open_live: OpenLive
) -> None:
    async with open_live() as desk:
        await take_the_seat(desk, office.hire("petrova"))
        await desk.press("alt+l")
        await desk.until(lambda: isinstance(desk.app.screen, LockScreen), "the lock")
        for number in range(FREE):
            await enter(desk, f"не тот {number}")
            await desk.until(lambda: not desk.app.screen._busy, "looked at")
            said = " ".join(desk.text().split())
            left = FREE - 1 - number
            assert ("Попыток до паузы" in said) is (left <= 2), said
            assert left > 2 or f"Попыток до паузы: {left}." in said
        await enter(desk, PASSWORD)
        await desk.until(lambda: "Слишком много неверных паролей" in desk.text(), "it slows down")
        assert isinstance(desk.app.screen, LockScreen)


async def test_a_password_changed_elsewhere_is_said_on_the_desk_and_asked_for_next_time(
    office: Office, open_live: OpenLive
) -> None:
    async with open_live() as desk:
        await take_the_seat(desk, office.hire("petrova"))
        await desk.until(lambda: desk.desk.state.lights.server.value == "on", "the server")
        number = desk.desk.parts.signin.identity.operator.user
        accounts.change_password(office.database, number, PASSWORD, "новый пароль 2", office.now(), at="elsewhere")
        desk.desk.parts.signin.spoiled()
        await desk.desk.card.open()
        await desk.until(lambda: "изменён на другом месте" in " ".join(desk.text().split()), "it is said")
        assert desk.desk.state.lights.unsent > 0
        await desk.press("ctrl+q")
        await desk.until(lambda: "ничего не принимает" in " ".join(desk.text().split()), "no sender could do more")
        assert "отправить без меня" not in desk.text()
        await go_out_by(desk, Leaving.KEEP)
    async with open_live() as desk:
        await desk.until(lambda: way(desk) is Way.PASSWORD, "the first screen")
        await enter(desk, PASSWORD)
        await desk.until(lambda: way(desk) is Way.CHANGED, "the new one is asked for")
        await enter(desk, "новый пароль 2")
        await stands(desk)
        await desk.until(lambda: desk.desk.state.lights.unsent == 0, "and what waited goes")


async def test_the_demonstration_asks_nobody() -> None:
    async with open_desk() as desk:
        assert desk.desk.parts.signin is None
        assert desk.desk.state.ready
