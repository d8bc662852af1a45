"""«Выход» with unsent work, over a real server: it is tried, then asked about, and a sender may stay."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from operator_tui.appeals.operations import Kind, Outcome
from operator_tui.desk import leaving
from operator_tui.desk.leaving import Leaving
from operator_tui.journal.journal import Journal
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
from tests.signin.test_send_files import NAME, SOUND, at_server, recorded

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


async def leave_a_recording(desk: DeskPage) -> Path:
    """A recording that does not get away from here, while operations do; the journal's file."""
    await desk.until(lambda: desk.desk.state.lights.server.value == "on", "the server")
    journal, here = desk.desk.parts.journal, desk.desk
    await here.files.stop()
    await here.run_journal(recorded, journal, here.profile)
    here.parts.kick()
    await desk.until(lambda: here.state.lights.unsent == 0 and not journal.unsent(), "the operations are sent")
    return Path(journal._store.path)


def operations_gone(journal: Journal) -> None:
    """As the sender does it: the outbox is even."""
    waiting = journal.outbox(1000)
    journal.settle([Outcome(one.n, "applied", q=n) for n, one in enumerate(waiting, 1)], durable=0)


def night_after(hours: float) -> dict[str, Any]:
    """Recordings go in an hour that begins then."""
    at = datetime.now(UTC) + timedelta(hours=3 + hours)  # the office is in Moscow
    return {"recordings": "night", "night": f"{at:%H:%M}-{at + timedelta(hours=1):%H:%M}"}


async def test_files_alone_are_not_waited_for_and_go_by_themselves(office: Office, open_live: OpenLive) -> None:
    async with open_live() as desk:
        await take_the_seat(desk, office.hire("petrova"))
        file = await leave_a_recording(desk)
        await desk.press("ctrl+q")
        await desk.until(lambda: "Отправлено всё, кроме файлов." in said(desk), "the question")
        await desk.until(lambda: "Файлов: 1 (2 МБ), ждать их не нужно: до" in said(desk), "how much")
        assert "не пропадут" in said(desk)
        await desk.until(lambda: "Выйти: файлы уйдут сами" in desk.text(), "the ways")
        await desk.press("escape")
        await desk.until_screen("journal")
        await desk.press("ctrl+q")
        await desk.until(lambda: isinstance(desk.app.screen, LeavingScreen), "asked again")
        await go_out_by(desk, Leaving.SEND)
    await until(lambda: apart.holder(apart.sender_lock(file)) is None)
    assert at_server() == {NAME: SOUND}


async def test_when_the_operations_get_through_he_is_out_and_the_files_follow(
    office: Office, open_live: OpenLive
) -> None:
    async with open_live() as desk:
        await take_the_seat(desk, office.hire("petrova"))
        file = await leave_a_recording(desk)
        await leave_unsent(desk, UNSENT)
        await desk.press("ctrl+q")
        await desk.until(lambda: f"Отправляем: осталось {UNSENT}. Ждём ещё" in said(desk), "the try")
        await desk.until(lambda: "Файлов: 1 (2 МБ), ждать их не нужно" in said(desk), "and the files")
        await desk.desk.on_journal(operations_gone)
        await desk.until(lambda: desk.app._exit, "out")
    await until(lambda: apart.holder(apart.sender_lock(file)) is None)
    assert at_server() == {NAME: SOUND}


async def test_files_that_go_after_the_shift_are_said_to_wait_and_are_not_asked_about(
    office: Office, open_live: OpenLive
) -> None:
    async with open_live(files=night_after(14)) as desk:
        await take_the_seat(desk, office.hire("petrova"))
        file = await leave_a_recording(desk)
        await leave_unsent(desk, 1)
        await desk.press("ctrl+q")
        words = "Файлов: 1 (2 МБ), уйдут после вашего следующего входа на это место."
        await desk.until(lambda: words in said(desk), "when they go")
        await desk.desk.on_journal(operations_gone)
        await desk.until(lambda: desk.app._exit, "out: nothing else is to be decided")
    assert apart.holder(apart.sender_lock(file)) is None
    assert at_server() == {}


async def test_a_night_within_the_shift_is_waited_for_by_the_sender(office: Office, open_live: OpenLive) -> None:
    async with open_live(files=night_after(4)) as desk:
        await take_the_seat(desk, office.hire("petrova"))
        await leave_a_recording(desk)
        left = await desk.desk.leaving.left()
        assert (left.records, left.files.count, left.files.size, left.later.count) == (0, 1, len(SOUND), 0)


async def test_files_that_stay_by_the_settings_are_nobodys_matter(office: Office, open_live: OpenLive) -> None:
    async with open_live(files={"recordings": "stay"}) as desk:
        await take_the_seat(desk, office.hire("petrova"))
        file = await leave_a_recording(desk)
        await desk.press("ctrl+q")
        await desk.until(lambda: desk.app._exit, "out")
    assert apart.holder(apart.sender_lock(file)) is None


async def test_who_sits_down_at_a_locked_desk_is_not_asked_about_anothers_files(
    office: Office, open_live: OpenLive
) -> None:
    async with open_live() as desk:
        await take_the_seat(desk, office.hire("petrova"))
        file = await leave_a_recording(desk)
        await desk.press("alt+l")
        await desk.until(lambda: desk.app.locked, "locked")
        await desk.press("ctrl+q")
        await desk.until(lambda: desk.app._exit, "out")
    await until(lambda: apart.holder(apart.sender_lock(file)) is None)
    assert at_server() == {NAME: SOUND}
