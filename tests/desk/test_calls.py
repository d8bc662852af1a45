"""What a change of a call means: facts to record and moves of presence."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from operator_tui.appeals.operations import REQUIRED_KEYS, Kind
from operator_tui.appeals.presence import Move, Presence, State, moved, possible
from operator_tui.desk.calls import facts, fallen_to, presence_move, remembered
from operator_tui.desk.state import DeskState
from operator_tui.phone.line import Call, CallState, Direction, EndedBy

RINGING = Call(
    id="c1",
    direction=Direction.INCOMING,
    number="+78652012345",
    state=CallState.RINGING,
    started_ms=1_000,
    queue="oms-1",
)
TALKING = msgspec.structs.replace(RINGING, state=CallState.TALKING, answered_ms=4_000)
HELD = msgspec.structs.replace(TALKING, state=CallState.HELD, held=True, held_ms=6_000)
OVER = msgspec.structs.replace(TALKING, state=CallState.ENDED, ended_ms=64_000, ended_by=EndedBy.THERE)
GIVEN_UP = msgspec.structs.replace(RINGING, state=CallState.ENDED, ended_ms=31_000, ended_by=EndedBy.THERE)


def kinds(before: Call | None, after: Call) -> list[Kind]:
    return [kind for kind, _ in facts(before, after)]


@pytest.mark.function("K-1.10", "K-5.0.2")
def test_an_offered_call_is_recorded_with_number_and_queue() -> None:
    (offered, about), (ringing, _) = facts(None, RINGING)
    assert (offered, ringing) == (Kind.CALL_OFFERED, Kind.CALL_RINGING)
    assert about == {"call": "c1", "ms": 1_000, "number": "+78652012345", "queue": "oms-1"}


def test_an_answered_call_knows_its_wait_and_its_talk() -> None:
    assert facts(RINGING, TALKING) == [(Kind.CALL_ANSWERED, {"call": "c1", "ms": 4_000, "wait_ms": 3_000})]
    assert facts(TALKING, OVER) == [(Kind.CALL_ENDED, {"call": "c1", "ms": 64_000, "by": "caller", "talk_ms": 60_000})]


@pytest.mark.function("1414-7")
def test_a_caller_who_gives_up_is_abandoned_not_ended() -> None:
    assert facts(RINGING, GIVEN_UP) == [(Kind.CALL_ABANDONED, {"call": "c1", "ms": 31_000, "wait_ms": 30_000})]
    assert presence_move(RINGING, GIVEN_UP) is Move.MISS


def test_hold_and_resume_are_facts() -> None:
    assert kinds(TALKING, HELD) == [Kind.CALL_HELD]
    assert kinds(HELD, TALKING) == [Kind.CALL_RESUMED]
    assert presence_move(TALKING, HELD) is None


def test_a_desk_that_was_away_learns_everything_at_once() -> None:
    assert kinds(None, OVER) == [Kind.CALL_OFFERED, Kind.CALL_RINGING, Kind.CALL_ANSWERED, Kind.CALL_ENDED]


@pytest.mark.function("K-1.12")
def test_an_outgoing_call_is_marked_as_such() -> None:
    dialing = Call(id="c2", direction=Direction.OUTGOING, number="2002", state=CallState.DIALING, started_ms=5)
    ((kind, about),) = facts(None, dialing)
    assert kind is Kind.CALL_RINGING
    assert about["out"] is True
    assert presence_move(None, dialing) is Move.DIAL


WAITS = msgspec.structs.replace(HELD, id="c2")


def test_a_call_has_fallen_to_the_front_while_it_is_not_talked_to() -> None:
    assert fallen_to("", TALKING, OVER, WAITS) == "c2"
    assert fallen_to("c2", WAITS, WAITS, WAITS) == "c2", "another word of it changes nothing"
    assert fallen_to("c2", WAITS, msgspec.structs.replace(WAITS, state=CallState.TALKING, held=False), None) == ""
    talked_to = msgspec.structs.replace(WAITS, state=CallState.TALKING, held=False)
    assert fallen_to("c2", WAITS, talked_to, talked_to) == ""


@pytest.mark.parametrize(
    ("in_front", "ended"),
    [
        (TALKING, msgspec.structs.replace(OVER, ended_by=EndedBy.HERE)),
        (TALKING, msgspec.structs.replace(OVER, ended_by=EndedBy.TRANSFER)),
        (RINGING, GIVEN_UP),
        (WAITS, OVER),
    ],
)
def test_no_key_was_meant_for_who_was_ended_here_or_never_talked_to(in_front: Call, ended: Call) -> None:
    assert fallen_to("", in_front, ended, WAITS) == ""


STAGES = st.lists(st.sampled_from([RINGING, TALKING, HELD, OVER, GIVEN_UP]), max_size=8)


@given(STAGES)
def test_facts_have_what_their_kind_demands_and_no_fact_comes_without_a_change(stages: list[Call]) -> None:
    before: Call | None = None
    for after in stages:
        for kind, about in facts(before, after):
            assert set(about) >= REQUIRED_KEYS.get(kind, frozenset())
        assert facts(after, after) == []
        before = after


@given(STAGES)
def test_presence_follows_any_calls_without_leaving_its_table(stages: list[Call]) -> None:
    presence = Presence(State.FREE)
    before: Call | None = None
    for after in stages:
        move = presence_move(before, after)
        if move is not None and possible(presence.state, move):
            presence = moved(presence, move, at_ms=1)
        before = None if after.over else after
    assert presence.state in State


@pytest.mark.parametrize(("direction", "word"), [(Direction.INCOMING, "ringing"), (Direction.OUTGOING, "dialing")])
def test_what_rings_at_a_colleague_does_not_ring_here(direction: Direction, word: str) -> None:
    ringing = msgspec.structs.replace(RINGING, direction=direction, state=CallState.RINGING)
    assert DeskState(call=ringing, calls=(ringing,)).phone_word() == word


@pytest.mark.parametrize(
    "over",
    [
        OVER,
        GIVEN_UP,
        msgspec.structs.replace(OVER, ended_by=EndedBy.TRANSFER, transferred_to="2003", number=""),
        msgspec.structs.replace(GIVEN_UP, ended_by=EndedBy.HERE),
        msgspec.structs.replace(GIVEN_UP, direction=Direction.OUTGOING, queue="", ended_by=EndedBy.NETWORK),
    ],
)
def test_a_call_that_is_over_is_known_again_by_its_facts(over: Call) -> None:
    assert remembered(facts(None, over)) == over


@pytest.mark.parametrize(
    "known", [[], facts(None, RINGING), facts(TALKING, OVER), [(Kind.CALL_OFFERED, {"call": "c"})]]
)
def test_facts_that_do_not_tell_beginning_and_end_are_no_call(known: list[tuple[Kind, dict[str, object]]]) -> None:
    assert remembered(known) is None
