"""Several people and several workstations: joining, work left elsewhere, changing seats, a workstation revoked."""

from __future__ import annotations

from central.auth import accounts, sealed_work, seats
from operator_tui.appeals.people import Role
from operator_tui.desk.state import Light
from operator_tui.profiles import open_profile
from operator_tui.secrets import kernel
from screens.lock import LockScreen
from screens.seats import SeatsScreen
from screens.shift import ShiftScreen
from screens.sign_in import Way
from tests.screens.live import (
    OpenLive,
    enter,
    go_out,
    keyring_as_it_was,
    leave_unsent,
    office,
    open_live,
    stands,
    take_the_seat,
    way,
)
from tests.screens.page import List
from tests.signin.conftest import PASSWORD, Office

__all__ = ["keyring_as_it_was", "office", "open_live"]

OTHER_PASSWORD = "другой пароль 3"
UNSENT = 5


async def test_a_known_person_sits_down_at_anothers_workstation_and_sees_what_waits_at_his_own(
    office: Office, open_live: OpenLive
) -> None:
    async with open_live(at="north") as desk:
        await take_the_seat(desk, office.hire("sidorova"), OTHER_PASSWORD)
        number = desk.desk.parts.signin.identity.number
        await leave_unsent(desk, UNSENT)
        unsent = desk.desk.state.lights.unsent
        assert unsent >= UNSENT
        await go_out(desk)
    async with open_live() as desk:
        await take_the_seat(desk, office.hire("petrova"))
        await leave_unsent(desk, UNSENT)
        hers = await desk.desk.on_journal(lambda journal: journal.unsent())
        await go_out(desk)
    async with open_live() as desk:
        await desk.until(lambda: way(desk) is Way.PASSWORD, "the password")
        await desk.press("f7")
        await enter(desk, "sidorova", OTHER_PASSWORD)
        await desk.until(lambda: desk.desk.state.ready, "the other one's desk")
        await stands(desk)
        assert "Петрова sidorova" in desk.line("#who")
        wanted = f"НЕ ОТПРАВЛЕНО на месте {number}: {unsent}"
        await desk.until(lambda: wanted in desk.line("#journal-title"), "what waits elsewhere")
        assert await desk.desk.on_journal(lambda journal: journal.unsent()) < hers, "a journal of her own"
        await go_out(desk)
    async with open_live() as desk:
        await desk.until(lambda: way(desk) is Way.PASSWORD, "the password")
        assert desk.app.screen.query_one("#ask-login").value == "sidorova", "who sat here last"
        await desk.press("f7")
        await enter(desk, "petrova", PASSWORD)
        await stands(desk)
        assert "Петрова petrova" in desk.line("#who")
        await desk.until(lambda: desk.desk.state.lights.unsent == 0, "her own work went when she came back")


async def test_who_finds_a_locked_desk_sits_down_without_its_password(office: Office, open_live: OpenLive) -> None:
    office.hire("ivanova", password=OTHER_PASSWORD)
    async with open_live() as desk:
        await take_the_seat(desk, office.hire("petrova"))
        await desk.press("alt+l")
        await desk.until(lambda: isinstance(desk.app.screen, LockScreen), "the lock")
        assert "^Q — выйти: сядет другой" in desk.text()
        await desk.press("ctrl+q")
        await desk.until(lambda: desk.app._exit, "out")
        assert desk.app.seat_is_free
    async with open_live() as desk:
        await desk.until(lambda: way(desk) is Way.PASSWORD, "the password: nobody is let in by the way")
        await desk.press("f7")
        await enter(desk, "ivanova", "не тот пароль")
        await desk.until(lambda: "неверны" in desk.text(), "a wrong password joins nobody")
        await enter(desk, OTHER_PASSWORD)
        await stands(desk)
        assert "Петрова ivanova" in desk.line("#who")


async def test_a_lost_workstation_is_revoked_by_the_administrator(office: Office, open_live: OpenLive) -> None:
    async with open_live(at="north") as desk:
        await take_the_seat(desk, office.hire("petrova"), OTHER_PASSWORD)
        device = desk.desk.parts.signin.identity.code
    async with open_live() as desk:
        await take_the_seat(desk, office.hire("orlova", Role.ADMINISTRATOR))
        await desk.press("alt+a")
        await desk.until_screen("people")
        found = List(desk, "#people")
        await desk.until(lambda: len(found.rows()) == 2, "the people")
        await desk.type("orlova")
        await desk.press("ctrl+d")
        await desk.until(lambda: isinstance(desk.app.screen, SeatsScreen), "her workstations")
        await desk.press("f9", "f9")
        await desk.until(lambda: "за которым вы сидите" in desk.text(), "not her own")
        await desk.press("escape", "escape")
        await desk.type("petrova")
        await desk.press("ctrl+d")
        await desk.until(lambda: isinstance(desk.app.screen, SeatsScreen), "the workstations")
        await desk.until(lambda: device in desk.text() and "сеанс идёт" in desk.text(), "it is open")
        await desk.press("f9")
        await desk.until(lambda: "Вернуть его нельзя" in desk.text(), "asked first")
        assert isinstance(desk.app.screen, SeatsScreen)
        await desk.press("f9")
        await desk.until_screen("people")
        await desk.until(lambda: "отозвано" in desk.notice, "revoked")
        await desk.press("ctrl+d")
        await desk.until(lambda: "ОТОЗВАНО" in desk.text(), "seen")
    async with open_live(at="north") as desk:
        await desk.until(lambda: way(desk) is not None or "отозвано" in desk.text(), "what is said there")
        if way(desk) is Way.PASSWORD:
            await enter(desk, OTHER_PASSWORD)
        await desk.until(lambda: "Это рабочее место отозвано" in desk.text(), "why")


def test_every_profile_has_its_own_folder() -> None:
    assert open_profile("north").data != open_profile("tfoms26").data


async def test_an_engine_left_behind_by_another_person_is_stopped(office: Office, open_live: OpenLive) -> None:
    office.hire("ivanova", password=OTHER_PASSWORD)
    accounts.change(office.database, "ivanova", office.now(), values={"extension": "2009"})
    async with open_live() as desk:
        await take_the_seat(desk, office.hire("petrova"))
        await desk.press("ctrl+b")
        await desk.until(lambda: desk.desk.phone.works_as == "2001", "work has begun")
    kernel.drop("tfoms26")
    async with open_live() as desk:
        await desk.until(lambda: way(desk) is Way.PASSWORD, "the password")
        await desk.press("f7")
        await enter(desk, "ivanova", OTHER_PASSWORD)
        await stands(desk)
        await desk.until(lambda: desk.desk.state.lights.phone is Light.OFF, "nobody's calls come here")
        assert desk.desk.phone.works_as == ""
        await desk.press("ctrl+b")
        await desk.until(lambda: desk.desk.phone.works_as == "2009", "her own work")
        await desk.until(lambda: isinstance(desk.app.screen, ShiftScreen), "what waits")
        await desk.press("escape")
        await desk.until_screen("journal")
        await go_out(desk)


async def test_a_place_revoked_while_somebody_works_there_says_so_and_loses_nothing(
    office: Office, open_live: OpenLive
) -> None:
    async with open_live() as desk:
        await take_the_seat(desk, office.hire("petrova"))
        await desk.until(lambda: desk.desk.state.lights.server.value == "on", "the server")
        device = desk.desk.parts.signin.identity.code
        await desk.press("ctrl+n")
        await desk.until_screen("work")
        await desk.surname.type("Недописанная")
        seats.revoke(office.database, device, office.now())
        desk.desk.parts.kick()
        await desk.until(lambda: "Рабочее место отозвано" in desk.text(), "what happened")
        assert "Неотправленное запечатано" in desk.text()
        assert not (open_profile("tfoms26").data / "vault").exists()
        await desk.until(lambda: sealed_work.waiting(office.database), "what was unsent is at the server, sealed")
        (left,) = sealed_work.waiting(office.database)
        assert left.device == device
        await desk.press("enter")
        await desk.until(lambda: desk.app._exit, "out")
        assert desk.app.seat_is_free, "the first screen comes next"
    async with open_live() as desk:
        await desk.until(lambda: way(desk) is Way.ENROL, "nobody sits here any more")
