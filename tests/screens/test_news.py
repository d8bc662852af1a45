"""Announcements and checks at the beginning of a shift."""

from __future__ import annotations

from operator_tui.appeals.catalogue import catalogue_of
from operator_tui.appeals.operations import Kind
from screens.news import NewsScreen
from screens.shift import ShiftScreen
from tests.screens.page import DeskPage, List, open_desk
from tests.screens.test_states import facts

QUIET = {"simulated_first_seconds": 600.0}
ROW = {
    "code": "n1", "title": "Новый приказ", "text": "С понедельника [полис] выдаётся|по-новому.", "begins": "2020-01-01",
    "ends": "", "roles": "",
}  # fmt: skip


def announce(desk: DeskPage, op: str) -> None:
    """The administrator's row is here, as a change of the lists brings it."""
    now = desk.desk.catalogue.reference.changed([("news", {"n1": ROW}, op)])
    desk.desk.catalogue = catalogue_of(now)


def rows(desk: DeskPage) -> list[tuple[str, ...]]:
    return List(desk, "#waiting").rows()


async def test_an_announcement_is_read_once_and_again_when_it_was_changed() -> None:
    async with open_desk(phone=QUIET) as desk:
        await desk.until(lambda: "свободен" in desk.line("#who"), "free")
        announce(desk, "k7q2mx:1")
        await desk.press("ctrl+y")
        await desk.until(lambda: isinstance(desk.app.screen, ShiftScreen), "the list")
        assert rows(desk)[0] == ("объявление", "Новый приказ")
        kind, words = rows(desk)[-1]
        assert kind == "проверка"
        assert "линия: на связи" in words
        await desk.press("enter")
        await desk.until(lambda: isinstance(desk.app.screen, NewsScreen), "the announcement")
        await desk.press("escape")
        await desk.until(lambda: isinstance(desk.app.screen, ShiftScreen), "later: it waits on")
        await desk.press("enter")
        await desk.until(lambda: isinstance(desk.app.screen, NewsScreen), "the announcement")
        await desk.press("enter")
        await desk.until_screen("journal")
        (read,) = await facts(desk, Kind.NEWS_READ)
        assert read.x == {"news": "n1@k7q2mx:1"}
        assert await desk.desk.phone.shift.unread() == []
        announce(desk, "k7q2mx:2")
        assert [one.mark for one in await desk.desk.phone.shift.unread()] == ["n1@k7q2mx:2"]


async def test_the_checks_keep_nobody_from_ending_his_work() -> None:
    async with open_desk(phone=QUIET) as desk:
        await desk.until(lambda: "свободен" in desk.line("#who"), "free")
        await desk.press("ctrl+e")
        await desk.until(lambda: "Не активен" in desk.line("#who"), "ended at once")
