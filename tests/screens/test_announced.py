"""What a colleague hands over, and what becomes due, announces itself: line, bell and count, after a ringing call."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from operator_tui.appeals.card import Source
from operator_tui.appeals.deadlines import local_date
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.lifecycle import Act
from operator_tui.appeals.operations import Kind
from operator_tui.appeals.people import Role
from operator_tui.desk.patient import Patient
from operator_tui.desk.state import Light, Topic
from operator_tui.journal import attachments
from operator_tui.phone.line import Call, CallState, Direction
from operator_tui.sentences import sentence
from tests.screens.elsewhere import COLLEAGUE, become
from tests.screens.live import OpenLive, keyring_as_it_was, office, open_live, take_the_seat
from tests.screens.page import DeskPage, open_desk
from tests.screens.test_desk import QUIET, with_theme
from tests.signin.conftest import Office
from tests.timing import tell_if_slow

__all__ = ["keyring_as_it_was", "office", "open_live"]

WITHIN_S = 2.0
DAY_MS = 86_400_000


async def on_line(desk: DeskPage) -> None:
    await desk.until(lambda: desk.desk.state.lights.server is Light.ON, "the server")
    await desk.until(lambda: desk.desk.state.lights.unsent == 0, "everything sent")


@pytest.mark.function("K-5.2.0.1", "K-5.1.0.4")
async def test_two_desks_and_a_server_a_forwarded_appeal_is_there_within_two_seconds(
    office: Office, open_live: OpenLive, record_property: Callable[[str, object], None]
) -> None:
    async with open_live(at="north") as worker:
        await take_the_seat(worker, office.hire("rabotnik", Role.OPERATOR_2))
        await on_line(worker)
        user = worker.desk.state.operator
        assert user is not None
        async with open_live() as sender:
            await take_the_seat(sender, office.hire("petrova"))
            await sender.press("insert")
            await sender.until_screen("work")
            await with_theme(sender)
            await sender.press("ctrl+s")
            await sender.until(lambda: "Сохранено" in sender.notice, "saved")
            await on_line(sender)
            (card,) = await sender.desk.active()
            bells = worker.desk.state.bells
            begun = time.monotonic()
            await sender.desk.appeals.move(card.id, Act.FORWARD, operator=str(user.user))
            await worker.until(lambda: f"Вам передано: {card.value('number')}" in worker.notice, "announced")
            took = time.monotonic() - begun
        record_property("handed_over_s", round(took, 3))
        assert worker.desk.state.bells == bells + 1, "heard once"
        await worker.until(lambda: "Новых у вас: 1" in worker.line("#journal-title"), "counted")
        await worker.press("enter")
        await worker.until_screen("work")
        assert not worker.desk.state.fresh, "opened: it is new no more"
    tell_if_slow("an appeal handed over, seen at the other desk", took, WITHIN_S)


async def test_nothing_is_said_over_a_ringing_call_and_nothing_is_lost() -> None:
    async with open_desk(phone=QUIET) as desk:
        elsewhere = await become(desk, Role.OPERATOR_2)
        operator = desk.desk.state.operator
        assert operator is not None
        made = {"type": "Консультация", "theme": "К-01.3", "number": "13-00001-1", "zone": "Europe/Moscow"}
        card = await elsewhere.does(COLLEAGUE, Kind.CARD_NEW, made)
        forward = {"act": Act.FORWARD.value, "operator": operator.user}
        await elsewhere.does(COLLEAGUE, Kind.CARD_MOVE, forward, card)
        ringing = Call("r", Direction.INCOMING, "+78652000101", CallState.RINGING, 1)
        desk.desk.change(Topic.PHONE, call=ringing, calls=(ringing,))
        bells = desk.desk.state.bells
        await desk.desk.announcing.heard([card])
        assert "Вам передано" not in desk.notice
        assert desk.desk.state.bells == bells
        assert card in desk.desk.state.fresh, "counted all the same"
        desk.desk.change(Topic.PHONE, call=None, calls=())
        await desk.until(lambda: "Вам передано: 13-00001-1" in desk.notice, "said when nothing rings")
        assert desk.desk.state.bells == bells + 1


async def test_a_groups_appeal_is_said_to_its_members_and_is_new_until_somebody_takes_it() -> None:
    async with open_desk(phone=QUIET) as desk:
        elsewhere = await become(desk, Role.OPERATOR_2)
        operator = desk.desk.state.operator
        assert operator is not None
        desk.desk.change(Topic.PHONE, operator=msgspec.structs.replace(operator, groups=("policy",)))
        for number, group in (("13-00001-1", "policy"), ("13-00002-1", "money")):
            made = {"type": "Консультация", "theme": "К-01.3", "number": number, "zone": "Europe/Moscow"}
            card = await elsewhere.does(COLLEAGUE, Kind.CARD_NEW, made)
            await elsewhere.does(COLLEAGUE, Kind.CARD_MOVE, {"act": Act.FORWARD.value, "group": group}, card)
        await desk.desk.announcing.heard(list(elsewhere.cards))
        await desk.until(lambda: "Вам передано: 13-00001-1." in desk.notice, "said")
        assert "13-00002-1" not in desk.notice
        (fresh,) = desk.desk.state.fresh
        other = replace(COLLEAGUE, user=7, role=Role.OPERATOR_2)
        await elsewhere.does(other, Kind.CARD_MOVE, {"act": Act.TAKE.value}, fresh)
        await desk.desk.announcing.heard([fresh])
        assert not desk.desk.state.fresh


async def test_what_becomes_due_is_said_once_also_while_the_folder_of_scans_hangs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = threading.Event()

    def hang(_: str) -> list[Path]:
        away.wait()
        return []

    monkeypatch.setattr(attachments, "new_scans", hang)
    async with open_desk(phone=QUIET, papers={"inbox": str(tmp_path)}) as desk:
        desk.desk.papers._folder = Patient(0.2)
        desk.desk.announcing._scans_due = 0.0
        elsewhere = await become(desk, Role.OPERATOR_2)
        operator = desk.desk.state.operator
        assert operator is not None
        me = replace(COLLEAGUE, user=operator.user, role=Role.OPERATOR_2)
        made = {"type": "Консультация", "theme": "К-01.3", "phone": "+78652000101", "zone": "Europe/Moscow"}
        soon = await elsewhere.does(me, Kind.CARD_NEW, {**made, "number": "13-00001-1"})
        due = desk.desk.clock.now_ms() + 1_800_000
        await elsewhere.does(me, Kind.CARD_MOVE, {"act": Act.DEFER.value, "promise_due": due}, soon)
        await elsewhere.does(me, Kind.CARD_NEW, {**made, "number": "13-00002-1", "deadline": "2020-01-01"})
        await elsewhere.does(me, Kind.CARD_NEW, {**made, "number": "13-00003-1"})
        bells = desk.desk.state.bells
        await desk.desk.announcing.look()
        assert desk.desk.state.bells == bells + 2, "a call to make, and a term"
        await desk.until(lambda: "Последний день срока: 13-00002-1." in desk.notice, "the term")
        desk.desk.notice("")
        await desk.desk.announcing.look()
        assert desk.desk.state.bells == bells + 2, "each once"
        with pytest.raises(Refusal) as refused:
            await desk.desk.papers.inbox()
        assert refused.value.code is Code.FILE_UNREADABLE
        assert "папка не отвечает" in sentence(refused.value)
    away.set()


async def test_each_term_has_warnings_of_its_own(tmp_path: Path) -> None:
    """Three days to register, seven to forward, thirty to answer: each said at 3, 1 and 0 days, once, in one line."""
    inbox = tmp_path / "in"
    inbox.mkdir()
    scan = inbox / "скан.pdf"
    scan.write_bytes(b"%PDF-1.7")
    async with open_desk(phone=QUIET, papers={"inbox": str(inbox)}) as desk:
        elsewhere = await become(desk, Role.OPERATOR_2)
        operator = desk.desk.state.operator
        assert operator is not None
        me = replace(COLLEAGUE, user=operator.user, role=Role.OPERATOR_2)
        now_ms = desk.desk.clock.now_ms()
        today = local_date(now_ms, operator.zone)
        for number, days_ago, theme, source, deadline in (
            ("13-00001-1", 6, "Ж-17.4", Source.LETTER, 20),  # one day left to forward
            ("13-00002-1", 8, "Ж-17.4", Source.LETTER, 20),  # too late to forward
            ("13-00003-1", 8, "Ж-17.4", Source.CALL, 20),  # spoken: nothing is forwarded by the law
            ("13-00004-1", 8, "К-01.3", Source.CALL, 3),
            ("13-00005-1", 8, "К-01.3", Source.CALL, 1),
            ("13-00006-1", 8, "К-01.3", Source.CALL, 4),
        ):
            made = {"type": "Жалоба", "theme": theme, "number": number, "zone": operator.zone, "source": source.value,
                    "deadline": (today + timedelta(days=deadline)).isoformat()}  # fmt: skip
            if theme == "К-01.3":
                made["type"] = "Консультация"
            await elsewhere.does(me, Kind.CARD_NEW, made, ago_ms=days_ago * DAY_MS)
        bells = desk.desk.state.bells
        came = (now_ms - 2 * DAY_MS) / 1000
        os.utime(scan, (came, came))
        desk.desk.announcing._scans_due = 0.0
        await desk.desk.announcing.look()
        said = desk.desk.state.notice.text
        assert said.split(". ") == [
            "Последний день, чтобы переадресовать: 13-00002-1",
            "Переадресовать до завтра: 13-00001-1",
            "Срок завтра: 13-00005-1",
            "Зарегистрировать до завтра: скан.pdf",
            "Срок в три дня: 13-00004-1.",
        ]
        assert desk.desk.state.bells == bells + 1, "one bell for all of them"
        desk.desk.notice("")
        desk.desk.announcing._scans_due = 0.0
        await desk.desk.announcing.look()
        assert not desk.desk.state.notice.text, "each once"
