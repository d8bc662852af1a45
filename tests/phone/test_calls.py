"""The table of a call's moves, the picture folded from events, and the numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.phone.calls import CONNECTED, MOVES, CallBook, Move, moved, new_id, possible
from operator_tui.phone.line import (
    PROTOCOL,
    RECENT_CALLS,
    Call,
    CallChanged,
    CallState,
    Direction,
    EndedBy,
    Snapshot,
    folded,
)
from operator_tui.phone.numbers import dialable, normalised


def fresh(direction: Direction, call_id: str = "1") -> Call:
    state = CallState.RINGING if direction is Direction.INCOMING else CallState.DIALING
    return Call(call_id, direction, "+78652012345", state, started_ms=1000)


@given(st.sampled_from(Direction), st.lists(st.sampled_from(Move), max_size=30))
def test_no_path_leaves_the_table(direction: Direction, wishes: list[Move]) -> None:
    call, now = fresh(direction), 1000
    for move in wishes:
        now += 10
        before = call
        if not possible(before, move):
            with pytest.raises(Refusal) as refused:
                moved(call, move, at_ms=now)
            assert refused.value.code is Code.CALL_STATE
            continue
        call = moved(call, move, at_ms=now, by=EndedBy.THERE)
        assert (before.state, move) in MOVES
        assert call.id == before.id
        assert call.started_ms == 1000
        # What the state says and what the fields say is one thing.
        assert call.over == (call.ended_ms is not None)
        assert (call.ended_by is EndedBy.NOBODY) == (not call.over)
        if call.state in CONNECTED:
            assert call.answered_ms is not None
            assert (call.held_ms is not None) == (call.held or call.remote_held)
            assert (call.state is CallState.HELD) == call.held
            assert (call.state is CallState.REMOTE_HELD) == (call.remote_held and not call.held)
        if before.answered_ms is not None:
            assert call.answered_ms == before.answered_ms, "a call is answered once"
        if before.over:
            pytest.fail("nothing moves a call that is over")


def test_our_hold_over_theirs_comes_back_to_theirs() -> None:
    call = moved(fresh(Direction.INCOMING), Move.ANSWER, at_ms=1)
    call = moved(call, Move.REMOTE_HOLD, at_ms=2)
    call = moved(call, Move.HOLD, at_ms=3)
    assert call.state is CallState.HELD
    call = moved(call, Move.RESUME, at_ms=4)
    assert call.state is CallState.REMOTE_HELD
    assert moved(call, Move.REMOTE_RESUME, at_ms=5).state is CallState.TALKING


@pytest.mark.parametrize(
    ("by", "answered", "abandoned"),
    [
        (EndedBy.THERE, False, True),
        (EndedBy.NETWORK, False, True),
        (EndedBy.HERE, False, False),
        (EndedBy.THERE, True, False),
        (EndedBy.TRANSFER, True, False),
    ],
)
def test_abandoned_is_given_up_before_the_answer(by: EndedBy, answered: bool, abandoned: bool) -> None:
    call = fresh(Direction.INCOMING)
    if answered:
        call = moved(call, Move.ANSWER, at_ms=1)
    assert moved(call, Move.END, at_ms=2, by=by).abandoned is abandoned


def test_the_book_refuses_what_is_not_there() -> None:
    book = CallBook()
    with pytest.raises(Refusal) as gone:
        book.get("1")
    assert gone.value.code is Code.NO_SUCH_CALL
    book.put(fresh(Direction.INCOMING))
    with pytest.raises(Refusal) as early:
        book.need("1", Move.HOLD)
    assert early.value.code is Code.CALL_STATE
    with pytest.raises(Refusal) as refused:
        book.need_connected("1")
    assert refused.value.code is Code.CALL_STATE
    book.put(moved(book.get("1"), Move.END, at_ms=1))
    assert book.live() == ()


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from(Move)), max_size=60))
def test_the_picture_has_every_live_call_once(steps: list[tuple[int, Move]]) -> None:
    picture = Snapshot(v=PROTOCOL, engine="e")
    calls: dict[int, Call] = {}
    ended: list[str] = []
    for slot, move in steps:
        call = calls.get(slot)
        if call is None or call.over:
            call = fresh(Direction.INCOMING, new_id())
        elif possible(call, move):
            call = moved(call, move, at_ms=5)
        calls[slot] = call
        if call.over:
            ended.append(call.id)
        picture = folded(picture, CallChanged(call))
        picture = folded(picture, CallChanged(call))  # told twice is told once
    assert {c.id for c in picture.calls} == {c.id for c in calls.values() if not c.over}
    assert len(picture.calls) == len({c.id for c in picture.calls})
    assert [c.id for c in picture.recent] == list(dict.fromkeys(ended))[-RECENT_CALLS:]


@pytest.mark.parametrize(
    ("raw", "number"),
    [
        ("+78652012345", "+78652012345"),
        ("88652012345", "+78652012345"),
        ("8 (8652) 01-23-45", "+78652012345"),
        ("2003", "2003"),
        ("1411", "1411"),
        ("anonymous", "anonymous"),
        ("", ""),
        ("+77172000000", "+77172000000"),
    ],
)
def test_numbers_are_kept_as_e164(raw: str, number: str) -> None:
    assert normalised(raw) == number


@given(st.text(max_size=40))
def test_a_strange_number_still_rings(raw: str) -> None:
    assert isinstance(normalised(raw), str)


@pytest.mark.parametrize("number", ["", "сто", "2003;transport=tcp", "2003@evil", "1 2\r\nX: y", "+" * 3, "1" * 30])
def test_what_is_no_number_is_not_dialled(number: str) -> None:
    with pytest.raises(Refusal) as refused:
        dialable(number)
    assert refused.value.code is Code.NUMBER_INVALID
