"""What comes after a talk: limits, breaks, and what was chosen to come next, when something goes wrong on the way."""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from operator_tui.appeals.clock import ManualClock
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.presence import Move, State
from operator_tui.desk import states as room
from operator_tui.desk.settings import ShiftSettings
from operator_tui.desk.state import DeskState, Topic
from operator_tui.desk.states import END, StateDesk
from operator_tui.desk.talks import TalkDesk
from operator_tui.phone.line import Call, CallState, Direction, EndedBy
from operator_tui.reference import packaged_catalogue, text_of


class Place:
    """As much of a desk as this room looks at; what it would do in the background is not done."""

    def __init__(self, **settings: Any) -> None:
        self.state = DeskState()
        self.clock = ManualClock()
        self.catalogue = packaged_catalogue()
        self.said: list[str] = []
        self._settings = ShiftSettings(**settings)
        self.settings = SimpleNamespace(get=lambda _: self._settings)

    def change(self, _: Topic, **values: Any) -> None:
        self.state = replace(self.state, **values)

    def notice(self, text: str, *, urgent: bool = False) -> None:
        self.said.append(text)

    def background(self, work: Coroutine[Any, Any, Any]) -> None:
        work.close()


async def _nothing() -> None:
    return None


async def _refused() -> None:
    raise Refusal(Code.LINE_BUSY)


def made(place: Place, end: Any = _nothing) -> StateDesk:
    return StateDesk(place, _nothing, end)  # type: ignore[arg-type]  # made up


def state(place: Place) -> State:
    return place.state.presence.state


def at(place: Place, states: StateDesk, *moves: Move) -> None:
    for move in moves:
        states.move(move)


def test_a_colleague_who_rings_and_gives_up_ends_no_wrap_up() -> None:
    place = Place()
    states = made(place)
    at(place, states, Move.BEGIN_WORK, Move.RING, Move.ANSWER, Move.HANG_UP)
    limit, since = place.state.limit_ms, place.state.presence.since_ms
    place.clock.advance(5)
    at(place, states, Move.RING, Move.MISS)
    assert (state(place), place.state.limit_ms, place.state.presence.since_ms) == (State.WRAP_UP, limit, since)
    at(place, states, Move.RING, Move.ANSWER)
    assert state(place) is State.TALKING


async def test_an_end_of_work_that_is_refused_is_still_what_he_chose() -> None:
    place = Place()
    states = made(place, _refused)
    at(place, states, Move.BEGIN_WORK, Move.RING, Move.ANSWER)
    await states.choose(END)
    at(place, states, Move.HANG_UP)
    with pytest.raises(Refusal) as refused:
        await states.onward()
    assert refused.value.code is Code.LINE_BUSY
    assert place.state.next_state == END


@pytest.mark.parametrize("before", [(Move.RING, Move.ANSWER, Move.HANG_UP), (Move.BREAK,)], ids=["wrap-up", "a break"])
async def test_who_rings_in_wrap_up_or_on_a_break_is_talked_to_before_the_work_ends(before: tuple[Move, ...]) -> None:
    place, ended = Place(), list[bool]()

    async def end() -> None:
        ended.append(True)

    states = made(place, end)
    at(place, states, Move.BEGIN_WORK, *before, Move.RING)
    ringing = Call("c1", Direction.INCOMING, "+78652000041", CallState.RINGING, 0)
    place.change(Topic.PHONE, calls=(ringing,), call=ringing)
    await states.choose(END)
    await states.onward()  # the limit of the wrap-up passes
    assert not ended
    at(place, states, Move.ANSWER)
    place.change(Topic.PHONE, calls=(), call=None)
    at(place, states, Move.HANG_UP)
    await states.onward()
    assert ended == [True]


@pytest.mark.parametrize("before", [(Move.RING, Move.ANSWER, Move.HANG_UP), (Move.BREAK,)], ids=["wrap-up", "a break"])
async def test_who_is_ready_while_somebody_rings_is_not_free(before: tuple[Move, ...]) -> None:
    place = Place()
    states = made(place)
    at(place, states, Move.BEGIN_WORK, *before, Move.RING)
    ringing = Call("c1", Direction.INCOMING, "+78652000041", CallState.RINGING, 0)
    place.change(Topic.PHONE, calls=(ringing,), call=ringing)
    await states.onward()
    assert state(place) is State.RINGING
    place.change(Topic.PHONE, calls=(), call=None)
    at(place, states, Move.MISS)
    assert state(place) is State.FREE


@pytest.mark.parametrize("rings", [True, False])
async def test_the_work_is_said_to_have_ended_only_where_it_has(rings: bool) -> None:
    place = Place()
    place.card = SimpleNamespace(flush_draft=_nothing)  # type: ignore[attr-defined]  # made up
    states = made(place)
    at(place, states, Move.BEGIN_WORK, Move.RING, Move.ANSWER)
    await states.choose(END)
    at(place, states, Move.HANG_UP)
    ringing = Call("c1", Direction.INCOMING, "+78652000041", CallState.RINGING, 0)
    place.change(Topic.PHONE, calls=(ringing,) if rings else ())
    await states._over(place.state.presence)
    assert ("Работа завершена" in place.said[-1]) is not rings
    assert (place.state.next_state == END) is rings


def test_what_was_to_come_next_does_not_outlive_a_lost_line() -> None:
    place = Place()
    states = made(place)
    at(place, states, Move.BEGIN_WORK, Move.RING, Move.ANSWER)
    place.change(Topic.PHONE, next_state=END)
    at(place, states, Move.HANG_UP, Move.LOST)
    assert (state(place), place.state.next_state) == (State.OFFLINE, "")


def test_the_file_of_breaks_is_read_where_one_chooses_and_not_at_every_paint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "breaks.csv"
    file.write_text("code;title;minutes\nlunch;обед;45\n", encoding="utf-8")
    reads: list[str] = []

    def read(path: str) -> str:
        reads.append(path)
        return text_of(path)

    monkeypatch.setattr(room, "text_of", read)
    states = made(Place(breaks=str(file)))
    for _ in range(100):
        assert states.kind("lunch").minutes == 45
    assert len(reads) == 1
    file.write_text("code;title;minutes\nlunch;обед;30\n", encoding="utf-8")
    assert [kind.minutes for kind in states.kinds] == [30], "who chooses sees it as it stands"
    assert states.kind("lunch").minutes == 30
    file.unlink()
    with pytest.raises(Refusal) as refused:
        _ = states.kinds
    assert refused.value.code is Code.FILE_UNREADABLE
    assert states.kind("lunch").minutes == 0
    assert states.kind("lunch").title == "lunch", "a paint never fails"


@pytest.mark.parametrize(
    ("ended_by", "unlimited"), [(EndedBy.TRANSFER, True), (EndedBy.THERE, False), (EndedBy.NETWORK, False)]
)
def test_a_wrap_up_has_no_end_only_where_the_talk_went_on_elsewhere(ended_by: EndedBy, unlimited: bool) -> None:
    place = Place()
    states = made(place)
    place.phone = SimpleNamespace(states=states)  # type: ignore[attr-defined]  # made up
    talks = TalkDesk(place)  # type: ignore[arg-type]  # made up
    at(place, states, Move.BEGIN_WORK, Move.RING, Move.ANSWER)
    talks._moved.add("c1")
    states.unlimited = True
    talks.changed(Call("c1", Direction.INCOMING, "+78652000001", CallState.ENDED, 0, ended_by=ended_by))
    at(place, states, Move.HANG_UP)
    assert (place.state.limit_ms is None) is unlimited
