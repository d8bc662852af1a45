"""Presence: the one table of what an operator is doing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.presence import TITLES, Move, Presence, State, moved, possible


def after(*moves: Move) -> Presence:
    presence = Presence()
    for at, move in enumerate(moves, 1):
        presence = moved(presence, move, at_ms=at, kind="обед" if move is Move.BREAK else "")
    return presence


@pytest.mark.function("K-3.6", "K-5.4.1.1")
def test_the_account_is_active_from_the_beginning_of_work_to_its_end() -> None:
    assert Presence().account == "Не активен"
    assert after(Move.BEGIN_WORK).account == "Активен"
    assert after(Move.BEGIN_WORK, Move.RING, Move.ANSWER).account == "Активен"
    assert after(Move.BEGIN_WORK, Move.END_WORK).account == "Не активен"


def test_a_call_from_ring_to_ready() -> None:
    moves = (Move.BEGIN_WORK, Move.RING, Move.ANSWER, Move.HANG_UP, Move.READY)
    states = [after(*moves[: n + 1]).state.value for n in range(len(moves))]
    assert states == ["free", "ringing", "talking", "wrap_up", "free"]


def test_a_break_keeps_its_kind_while_a_colleague_rings() -> None:
    on_break = after(Move.BEGIN_WORK, Move.BREAK)
    assert (on_break.state, on_break.kind, on_break.since_ms) == (State.BREAK, "обед", 2)
    assert moved(on_break, Move.RING, at_ms=9) == on_break
    answered = moved(on_break, Move.ANSWER, at_ms=10)
    assert (answered.state, answered.kind, answered.since_ms) == (State.TALKING, "", 10)


def test_work_does_not_end_in_a_talk() -> None:
    with pytest.raises(Refusal) as refused:
        moved(after(Move.BEGIN_WORK, Move.RING, Move.ANSWER), Move.END_WORK, at_ms=5)
    assert refused.value.code is Code.MOVE_NOT_ALLOWED


@given(st.lists(st.sampled_from(Move), max_size=40))
def test_every_walk_stays_in_the_vocabulary(walk: list[Move]) -> None:
    presence = Presence()
    for at, move in enumerate(walk, 1):
        if not possible(presence.state, move):
            with pytest.raises(Refusal) as refused:
                moved(presence, move, at_ms=at)
            assert refused.value.code is Code.MOVE_NOT_ALLOWED
            continue
        new = moved(presence, move, at_ms=at, kind="обед")
        assert new.state in TITLES
        assert bool(new.kind) == (new.state is State.BREAK)
        assert new.since_ms == (at if new != presence else presence.since_ms)
        presence = new
