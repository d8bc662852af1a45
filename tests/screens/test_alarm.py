"""One switch of the administrator for every desk, and what the desks tell him."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from operator_tui.appeals.alarm import Report, Told
from operator_tui.appeals.operations import Kind
from operator_tui.appeals.people import Role
from operator_tui.desk.state import Topic
from operator_tui.phone.line import CallState
from screens.ask import AskScreen
from screens.threat import ThreatScreen
from tests.screens.elsewhere import COLLEAGUE, Elsewhere
from tests.screens.page import DeskPage, List, open_desk
from tests.screens.test_call import answered
from tests.screens.test_states import QUIET, facts

BOSS = replace(COLLEAGUE, user=3001, role=Role.ADMINISTRATOR)


def be_administrator(desk: DeskPage) -> None:
    operator = desk.desk.state.operator
    assert operator is not None
    desk.desk.change(Topic.PHONE, operator=replace_role(operator))


def replace_role(operator: object) -> object:
    return msgspec.structs.replace(operator, role=Role.ADMINISTRATOR)  # type: ignore[type-var]  # a struct


async def test_an_alarm_from_elsewhere_says_what_to_do_until_it_is_taken_back() -> None:
    async with open_desk(phone=QUIET) as desk:
        await desk.until(lambda: "свободен" in desk.line("#who"), "free")
        elsewhere = await Elsewhere.of(desk)
        bells = desk.desk.state.bells
        now = desk.desk.clock.now_ms()
        await elsewhere.does(BOSS, Kind.ALARM, {"kind": "evacuation", "since_ms": now})
        await desk.desk.alarms.look()
        await desk.until(lambda: "ЭВАКУАЦИЯ: попрощайтесь и выходите" in desk.notice, "what to do")
        assert desk.desk.state.bells == bells + 1
        assert "ТРЕВОГА" in desk.line("#who")
        await desk.press("f3")
        await desk.until(lambda: "Разговора сейчас нет" in desk.notice, "another word meanwhile")
        desk.desk.notice("")
        await desk.until(lambda: "ЭВАКУАЦИЯ" in desk.notice, "it stands for as long as it holds")
        await elsewhere.does(BOSS, Kind.ALARM, {"kind": "none", "since_ms": now + 1})
        await desk.desk.alarms.look()
        await desk.until(lambda: "Отбой тревоги" in desk.notice, "it is over")
        assert "ТРЕВОГА" not in desk.line("#who")


async def test_the_alarm_is_the_administrators_key() -> None:
    async with open_desk(phone=QUIET) as desk:
        await desk.press("alt+t")
        await desk.until(lambda: desk.desk.state.notice.urgent, "not an operator's")
        assert not isinstance(desk.app.screen, AskScreen)
        assert await facts(desk, Kind.ALARM) == []


async def test_a_threat_keeps_the_recording_shows_what_to_say_and_whom_to_ask() -> None:
    async with open_desk() as desk:
        await answered(desk)
        call = desk.desk.state.call
        assert call is not None
        await desk.press("shift+f6")
        await desk.until(lambda: isinstance(desk.app.screen, ThreatScreen), "the script")
        assert "Трубку не кладите" in desk.text()
        assert List(desk, "#helpers").rows()[0][2] == "психолог"
        (threat,) = await facts(desk, Kind.CALL_THREAT)
        assert threat.x == {"call": call.id}
        (told,) = await facts(desk, Kind.REPORTED)
        assert (told.x["kind"], told.x["call"], told.x["extension"]) == ("threat", call.id, "2001")
        await desk.press("escape")
        await desk.until(lambda: "Об угрозе сообщено администратору" in desk.notice, "what was done stays to be read")
        await desk.press("shift+f6")
        await desk.until(lambda: isinstance(desk.app.screen, ThreatScreen), "again")
        await desk.press("enter")
        await desk.until(lambda: (front := desk.desk.state.call) and front.number == "2090", "the psychologist")
        assert any(one.id == call.id and one.held for one in desk.desk.state.calls), "the caller waits"


async def test_a_threat_is_of_the_one_who_is_talked_to_also_while_another_rings() -> None:
    async with open_desk(phone={"simulated_waiting_seconds": 0.5}) as desk:
        await answered(desk)
        call = desk.desk.state.call
        assert call is not None
        await desk.desk.phone.engine().hold(call.id)
        await desk.until(lambda: (front := desk.desk.state.call) and front.rings_here, "another in front")
        talks = desk.desk.phone.talks
        await talks.threat(talks.threatening())
        (threat,) = await facts(desk, Kind.CALL_THREAT)
        (told,) = await facts(desk, Kind.REPORTED)
        assert (threat.x["call"], told.x["call"]) == (call.id, call.id)


async def test_of_a_card_that_is_not_saved_the_administrator_hears_number_and_theme() -> None:
    async with open_desk() as desk:
        await answered(desk)
        theme = next(iter(desk.desk.catalogue.themes.values()))
        desk.desk.card.choose_theme(theme)
        desk.desk.card.type_field("phone", "+78652000077")
        call = desk.desk.state.call
        assert call is not None
        await desk.desk.alarms.report(Told.INCIDENT, "дым", of=msgspec.structs.replace(call, number=""))
        await desk.desk.alarms.report(Told.INCIDENT, "я" * 500)
        long, short = await desk.desk.alarms.reports()
        assert (short.number, short.text, short.card) == ("+78652000077", f"дым · {theme.title}", "")
        assert (long.number, long.text) == (call.number, "я" * 500), "what was typed is never cut"
        await desk.desk.alarms.report(Told.THREAT, of=msgspec.structs.replace(call, id="before", number=""))
        (threat, *_) = await desk.desk.alarms.reports()
        assert (threat.number, threat.text) == ("", ""), "the card at hand is another caller's"


async def test_without_a_talk_there_is_no_threat() -> None:
    async with open_desk(phone=QUIET) as desk:
        await desk.until(lambda: "свободен" in desk.line("#who"), "free")
        await desk.press("shift+f6")
        await desk.until(lambda: "Разговора сейчас нет" in desk.notice, "why not")


async def test_an_incident_is_told_and_stands_on_the_administrators_list() -> None:
    async with open_desk(phone=QUIET) as desk:
        await desk.press("shift+f9")
        await desk.until(lambda: isinstance(desk.app.screen, AskScreen), "what")
        await desk.type("дым")
        await desk.press("enter")
        await desk.until(lambda: "Администратору сообщено: дым" in desk.notice, "told")
        (one,) = await desk.desk.alarms.reports()
        assert (one.kind, one.text) == (Told.INCIDENT, "дым")
        assert "нештатная ситуация" in desk.desk.alarms.words(one)


async def test_an_administrator_sees_at_once_who_asks_for_help() -> None:
    async with open_desk(phone=QUIET) as desk:
        await desk.until(lambda: "свободен" in desk.line("#who"), "free")
        be_administrator(desk)
        elsewhere = await Elsewhere.of(desk)
        x = {
            "id": "h1",
            "kind": "help",
            "extension": "2002",
            "number": "+78652000041",
            "ms": desk.desk.clock.now_ms() + 1,
        }
        await elsewhere.does(COLLEAGUE, Kind.REPORTED, x)
        await desk.desk.alarms.look()
        await desk.until(lambda: "просит помощи" in desk.notice, "said at once")
        assert "+78652000041" in desk.notice
        assert "Донесений: 1" in desk.line("#who")
        await desk.press("alt+h")
        await desk.until(lambda: isinstance(desk.app.screen, AskScreen), "the list")
        await desk.until(lambda: desk.desk.state.reports == 0, "looked at")
        await desk.press("enter")
        await desk.until(lambda: (call := desk.desk.state.call) and call.number == "2002", "he is called")


async def test_a_caller_without_a_card_is_reported_once_and_gone_with_his_card() -> None:
    async with open_desk(phone=QUIET) as desk:
        number = "+78652000041"
        for kind, about in ((Kind.CALL_OFFERED, {"number": number}), (Kind.CALL_ANSWERED, {})):
            x = {"call": "lost", **about}
            await desk.desk.run_journal(desk.desk.parts.journal.record, kind, x)
        for _ in range(2):
            await desk.desk.alarms.tell_without_card()
        (one,) = await desk.desk.alarms.reports()
        assert one == Report("no_card:lost", Told.NO_CARD, "", "lost", number, "", "2001", one.ms, one.by)
        theme = next(iter(desk.desk.catalogue.themes.values()))
        elsewhere = await Elsewhere.of(desk)
        card = {"type": theme.type.value, "theme": theme.code, "phone": number, "call": "lost"}
        await elsewhere.does(COLLEAGUE, Kind.CARD_NEW, card)
        assert await desk.desk.alarms.reports() == []


@pytest.mark.function("K-4.10")
async def test_whoever_handled_the_callers_earlier_appeal_stands_first() -> None:
    async with open_desk() as desk:
        await answered(desk)
        call = desk.desk.state.call
        assert call is not None
        card = desk.desk.state.card
        assert card is not None
        made = replace(card, history=(history_card(3, "26-000041"),))
        desk.desk.change(Topic.CARD, card=made)
        await desk.press("f7")
        rows = List(desk, "#colleagues")
        await desk.until(lambda: rows.rows()[0][0] == "2003", "first")
        assert "вёл обращение 26-000041" in rows.rows()[0][4]
        assert rows.rows()[-1][1:4:2] == ("", "внешний"), "outside targets are there too"
        await desk.press("enter")
        await desk.until_quiet()


def history_card(worker: int, number: str) -> object:
    from operator_tui.appeals.card import Card, Status

    return Card(
        id="zzzzzz:1", stream="26/tf", rev=1, status=Status.CLOSED, author=worker, worker=worker,
        fields={"number": number}, stamps={}, created="01a0c4506c000000",
    )  # fmt: skip


async def test_a_talk_goes_on_at_another_telephone_and_its_card_stays() -> None:
    async with open_desk(shift={"wrap_up_s": 0.5}) as desk:
        await answered(desk)
        call = desk.desk.state.call
        assert call is not None
        await desk.surname.type("Переехавший")
        await desk.press("shift+f7")
        await desk.until(lambda: isinstance(desk.app.screen, AskScreen), "where to")
        await desk.type("2044")
        await desk.press("enter")
        await desk.until_quiet()
        await desk.until(lambda: "продолжается на телефоне 2044" in desk.notice, "where it is")
        assert desk.desk.state.limit_ms is None, "he talks still"
        card = desk.desk.state.card
        assert card is not None
        assert card.call == call.id
        (moved,) = await facts(desk, Kind.CALL_MOVED)
        assert moved.x == {"call": call.id, "to": "2044"}
        assert desk.call_state() is not CallState.TALKING
