"""Calls that ended while no desk was attached: the journal gets them at the next attach, once."""

from __future__ import annotations

import msgspec

from operator_tui.appeals.alarm import Told
from operator_tui.appeals.operations import Kind
from operator_tui.phone.line import Call, CallState, Direction, EndedBy, Recorded
from tests.screens.page import DeskPage, open_desk
from tests.screens.test_alarm import facts
from tests.screens.test_desk import QUIET

NUMBER, OTHER = "+78652000041", "+78652000107"
DAYS_2_MS = 2 * 86_400_000


def ended(desk: DeskPage, call_id: str, number: str, *, answered: bool, ago_ms: int = 60_000) -> Call:
    began = desk.desk.clock.now_ms() - ago_ms
    return Call(
        id=call_id, direction=Direction.INCOMING, number=number, state=CallState.ENDED, started_ms=began,
        answered_ms=began + 4_000 if answered else None, ended_ms=began + 30_000, ended_by=EndedBy.THERE, queue="oms-1",
    )  # fmt: skip


async def test_what_ended_without_a_desk_is_written_once_and_an_answered_one_without_a_card_is_told() -> None:
    async with open_desk(phone=QUIET) as desk:
        await desk.until(lambda: "свободен" in desk.line("#who"), "free")
        recent = (
            ended(desk, "old", OTHER, answered=True, ago_ms=DAYS_2_MS),
            ended(desk, "bare", NUMBER, answered=True),
            ended(desk, "gone", OTHER, answered=False),
        )
        away = msgspec.structs.replace(desk.desk.phone.engine().snapshot, recent=recent)
        for _ in range(2):
            await desk.desk.phone.following.take(away)
        assert [one.x["call"] for one in await facts(desk, Kind.CALL_OFFERED)] == ["old", "bare", "gone"]
        assert [one.x["call"] for one in await facts(desk, Kind.CALL_ANSWERED)] == ["old", "bare"]
        (talked, _) = sorted(await facts(desk, Kind.CALL_ENDED), key=lambda one: str(one.x["call"]))
        assert (talked.x["call"], talked.x["talk_ms"]) == ("bare", 26_000)
        assert [one.x["wait_ms"] for one in await facts(desk, Kind.CALL_ABANDONED)] == [30_000]
        told = await desk.desk.alarms.reports()
        assert {(one.kind, one.call) for one in told} >= {(Told.NO_CARD, "bare")}
        assert "свободен" in desk.line("#who"), "what is over changes nobody's state"


async def test_calls_of_who_sat_here_before_are_not_written_into_this_journal() -> None:
    async with open_desk(phone=QUIET) as desk:
        await desk.until(lambda: "свободен" in desk.line("#who"), "free")
        following, engine = desk.desk.phone.following, desk.desk.phone.engine()
        own = engine.snapshot
        theirs = msgspec.structs.replace(
            own,
            recent=(ended(desk, "his", NUMBER, answered=True),),
            registration=msgspec.structs.replace(own.registration, extension="2099"),
        )
        following.pictured.clear()  # as a desk that has just been started
        await following.take(theirs)
        await following.take(msgspec.structs.replace(theirs, registration=own.registration))
        assert await facts(desk, Kind.CALL_OFFERED) == []
        assert await desk.desk.on_journal(lambda journal: journal.calls_without_card()) == []


async def test_a_recording_of_days_ago_is_bound_once_however_often_it_is_named() -> None:
    async with open_desk(phone=QUIET) as desk:
        await desk.until(lambda: "свободен" in desk.line("#who"), "free")
        recorded = Recorded(call="old", file="old.otr", sha256="0" * 64, size=5, ms=1_000, whole=True)
        picture = msgspec.structs.replace(desk.desk.phone.engine().snapshot, recorded=(recorded,))
        await desk.desk.phone.following.take(picture)
        await desk.desk.on_journal(
            lambda journal: journal._store.db.execute("UPDATE outbox SET at_ms = 0 WHERE kind = 'call.recorded'")
        )
        await desk.desk.phone.following.take(picture)
        assert [one.x["call"] for one in await facts(desk, Kind.CALL_RECORDED)] == ["old"]
