"""An appeal sent to another organisation by keys, and how it stands there, on the desk that sent it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from central import devices
from central.apply import push
from central.devices import Device
from central.store import tables as t
from operator_tui.appeals.hlc import next_stamp
from operator_tui.appeals.number import number_to_tell
from operator_tui.appeals.operations import Operation
from operator_tui.appeals.people import Operator, Role
from operator_tui.desk.state import Light
from operator_tui.reference import packaged_catalogue
from operator_tui.sync.protocol import plain_operation
from screens.ask import AskScreen
from tests.screens.live import OpenLive, keyring_as_it_was, office, open_live, take_the_seat
from tests.screens.page import List
from tests.signin.conftest import Office

__all__ = ["keyring_as_it_was", "office", "open_live"]

INSURER = "26/smo-26001"


class Colleague:
    """An insurer's representative: what he does reaches the centre without a screen."""

    def __init__(self, office: Office, role: Role = Role.INSURER_2, organisation: str = INSURER) -> None:
        who = Operator(0, "Ёлкина Мария", role, "2007", organisation)
        code = devices.enrolment_code(office.database, who, office.now())
        enrolled = devices.enrol(office.database, code, office.now())
        self._office, self._n = office, 0
        self._device = Device(enrolled.device, enrolled.operator)

    def card(self) -> Any:
        with self._office.database.read() as connection:
            return connection.execute(sa.select(t.card.c.id, t.card.c.body)).one()

    def make(self, **fields: str) -> str:
        """A new appeal; its number."""
        number = number_to_tell(7, self._n + 1)
        given = {"type": "Консультация", "theme": "К-01.1", "phone": "+7 8652 000001", "number": number}
        self._push("card.new", "", {}, {**given, **fields})
        return number

    def move(self, act: str, **x: Any) -> None:
        card = self.card()
        stamps = card.body["stamps"]
        seen = {field: stamps[field][0] for field in ("status", "comment") if field in stamps}
        self._push("card.move", card.id, seen, {"act": act, **x})

    def _push(self, kind: str, card: str, seen: dict[str, str], x: dict[str, Any]) -> None:
        self._n += 1
        stamp = next_stamp("", self._office.now())
        operation = Operation(self._n, kind, stamp, card, "Europe/Moscow", seen, x)
        done = push(self._office.database, self._device, [plain_operation(operation)], self._office.now(),
                    packaged_catalogue())  # fmt: skip
        assert [msgspec.to_builtins(outcome)["s"] for outcome in done.outcomes] == ["applied"]


@pytest.mark.function("K-6.0.3")
async def test_it_goes_whole_and_its_status_lives_on(office: Office, open_live: OpenLive) -> None:
    colleague = Colleague(office)
    async with open_live() as desk:
        await take_the_seat(desk, office.hire("petrova", Role.OPERATOR_2))
        await desk.press("insert")
        await desk.until_screen("work")
        desk.desk.card.choose_theme(packaged_catalogue().theme("К-01.1"))
        desk.desk.card.type_field("surname", "Тайная")
        await desk.press("ctrl+s")
        await desk.until(lambda: desk.desk.state.card is not None and desk.desk.state.card.saved, "saved")
        await desk.press("ctrl+z")
        await desk.until(lambda: isinstance(desk.app.screen, AskScreen), "the deeds")
        await desk.type("другую орг")
        await desk.press("enter")
        await desk.until(lambda: "СМО «Синтез-Мед»" in desk.text(), "the organisations")
        await desk.type("синтез")
        await desk.press("enter")
        await desk.until(lambda: "передано: СМО «Синтез-Мед»" in desk.notice, "sent")
        await desk.until(lambda: colleague.card().body["stream"] == INSURER, "there")
        await desk.press("ctrl+f")
        await desk.until_screen("journal")
        await desk.press("ctrl+p")
        await desk.until(lambda: isinstance(desk.app.screen, AskScreen), "the filters")
        await desk.type("передано в другие")
        await desk.press("enter")
        rows = List(desk, "#journal")
        await desk.until(lambda: len(rows.rows()) == 1 and "Передано" in rows.rows()[0][2], "the stub")
        number, _, who, what, status, _ = rows.rows()[0]
        assert (who, what, status) == ("Передано: СМО «Синтез-Мед»", "Консультация", "В работе")
        assert "Тайная" not in desk.text()
        colleague.move("take")
        colleague.move("close", result="R01", comment="Разъяснено")
        await desk.until(lambda: rows.rows()[0][4] == "На рассмотрении", "how it stands there")
        assert rows.rows()[0][0] == number


@pytest.mark.function("K-6.0.3", "K-5.2.0.1")
@pytest.mark.parametrize(("here", "there"), [("26/tf", INSURER), (INSURER, "26/tf")])
async def test_what_is_sent_to_an_organisation_is_announced_there(
    office: Office, open_live: OpenLive, here: str, there: str
) -> None:
    sender = Colleague(office, Role.OPERATOR_2 if here == "26/tf" else Role.INSURER_2, here)
    role = Role.OPERATOR_2 if there == "26/tf" else Role.INSURER_2
    async with open_live() as desk:
        await take_the_seat(desk, office.hire("petrova", role, organisation=there))
        await desk.until(lambda: desk.desk.state.lights.server is Light.ON, "the server")
        number, bells = sender.make(surname="Тайная"), desk.desk.state.bells
        sender.move("send", to=there)
        await desk.until(lambda: f"Из другой организации: {number}" in desk.notice, "announced")
        assert desk.desk.state.bells == bells + 1, "heard once"
        await desk.until(lambda: "Новых у вас: 1" in desk.line("#journal-title"), "counted")


@pytest.mark.function("K-6.0.4")
async def test_what_an_insurer_closes_stands_in_the_funds_queue(office: Office, open_live: OpenLive) -> None:
    insurer = Colleague(office)
    async with open_live() as desk:
        await take_the_seat(desk, office.hire("orlova", Role.ADMINISTRATOR))
        insurer.make(surname="Тайная")
        insurer.move("close", result="R02", comment="Разъяснено")
        await desk.press("alt+u")
        await desk.until_screen("review")
        queue = List(desk, "#review")
        await desk.until(lambda: len(queue.rows()) == 1, "the queue")
        await desk.press("f5")
        await desk.until(lambda: "утверждено и закрыто" in desk.notice, "approved")
        await desk.until(lambda: insurer.card().body["status"] == "closed", "closed at the centre")
        assert insurer.card().body["stream"] == INSURER
