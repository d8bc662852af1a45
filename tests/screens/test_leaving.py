"""«Выход» with unsent work, over a real server: it is tried, then asked about, and a sender may stay."""

from __future__ import annotations

import asyncio

import pytest

from operator_tui.appeals.operations import Kind
from operator_tui.desk import leaving
from operator_tui.desk.leaving import Leaving
from operator_tui.signin import apart
from screens.leaving import LeavingScreen
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
from tests.screens.page import DeskPage
from tests.signin.conftest import PASSWORD, Office, office
from tests.signin.test_send import arrived, until

__all__ = ["keyring_as_it_was", "office", "open_live"]

UNSENT = 5


def said(desk: DeskPage) -> str:
    return " ".join(desk.text().split())


async def test_what_goes_at_once_is_not_asked_about(office: Office, open_live: OpenLive) -> None:
    async with open_live() as desk:
        await take_the_seat(desk, office.hire("petrova"))
        await desk.until(lambda: desk.desk.state.lights.server.value == "on", "the server")
        journal = desk.desk.parts.journal
        await desk.desk.run_journal(journal.record, Kind.CALL_OFFERED, {"call": "1"})  # nobody was woken for it
        await desk.press("ctrl+q")
        await desk.until(lambda: desk.app._exit, "out")
        assert arrived(office) == 1
        assert apart.holder(apart.sender_lock(journal._store.path)) is None


async def test_a_server_that_is_away_is_not_waited_for_and_one_may_stay(office: Office, open_live: OpenLive) -> None:
    async with open_live() as desk:
        await take_the_seat(desk, office.hire("petrova"))
        await desk.until(lambda: desk.desk.state.lights.server.value == "on", "the server")
        office.server.stop()
        await desk.desk.on_journal(lambda journal: journal.record(Kind.CALL_OFFERED, {"call": "1"}))
        await desk.until(lambda: desk.desk.state.lights.server.value == "away", "the server is gone")
        await desk.press("ctrl+q")
        await desk.until(lambda: "Связи с сервером нет. Не отправлено: 1." in said(desk), "why")
        assert "не пропадут" in said(desk)
        await desk.until(lambda: "Вернуться к работе" in desk.text(), "the ways")
        await desk.press("escape")
        await desk.until_screen("journal")
        assert not desk.app._ending
        await go_out(desk, Leaving.KEEP)
        assert desk.app.seat_is_free


async def test_after_the_try_a_sender_goes_on_and_the_next_who_signs_in_finds_all_sent(
    office: Office, open_live: OpenLive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leaving, "TRY_S", 2.0)
    async with open_live() as desk:
        await take_the_seat(desk, office.hire("petrova"))
        await leave_unsent(desk, UNSENT)
        file = desk.desk.parts.journal._store.path
        await desk.press("ctrl+q")
        await desk.until(lambda: f"Отправляем: осталось {UNSENT}. Ждём ещё" in said(desk), "the try")
        await desk.until(lambda: f"Отправить не успели. Не отправлено: {UNSENT}." in said(desk), "the try is over")
        assert isinstance(desk.app.screen, LeavingScreen)
        await go_out_by(desk, Leaving.SEND)
    await until(lambda: apart.holder(apart.sender_lock(file)) is None)
    assert arrived(office) == UNSENT
    async with open_live() as desk:
        await desk.until(lambda: way(desk) is not None, "the password: the sender let nobody in")
        await enter(desk, PASSWORD)
        await stands(desk)
        assert await asyncio.to_thread(desk.desk.parts.journal.unsent) == 0
