"""One frame in flight, and never a screen that stands still because an answer was lost."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from operator_tui.terminal.pacing import PATIENCE_S, Pacer

SERIAL = 9_600


def test_the_next_frame_waits_for_the_answer() -> None:
    pacer = Pacer(SERIAL)
    assert pacer.may_send(0.0)
    assert pacer.sending(96, 0.0)
    assert not pacer.may_send(0.05)
    assert pacer.answered(0.12)
    assert pacer.may_send(0.12)
    assert pacer.round_trip == 0.12


def test_a_large_frame_is_given_the_time_it_needs_on_the_line() -> None:
    pacer = Pacer(SERIAL)
    pacer.sending(9_600, 0.0)
    assert not pacer.may_send(10.0 + PATIENCE_S - 0.1)
    assert pacer.may_send(10.0 + PATIENCE_S)


def test_a_terminal_that_does_not_answer_is_sent_to_freely() -> None:
    pacer = Pacer(SERIAL)
    pacer.sending(10, 0.0)
    assert pacer.may_send(PATIENCE_S + 1)
    assert not pacer.answers
    assert not pacer.sending(10, 4.0)
    assert pacer.may_send(4.0)


def test_a_late_answer_brings_pacing_back() -> None:
    pacer = Pacer(SERIAL)
    pacer.sending(10, 0.0)
    assert pacer.may_send(5.0)
    assert pacer.answered(6.0)
    assert pacer.round_trip is None
    assert pacer.sending(10, 7.0)


def test_a_report_nobody_asked_for_is_no_answer() -> None:
    pacer = Pacer(SERIAL)
    assert not pacer.answered(1.0)
    pacer.sending(10, 2.0)
    assert pacer.answered(2.1)
    assert not pacer.answered(2.2)


def test_a_restart_forgets_what_is_under_way() -> None:
    pacer = Pacer(SERIAL)
    pacer.sending(10, 0.0)
    pacer.restart()
    assert pacer.may_send(0.0)
    assert not pacer.answered(0.1)


@given(st.lists(st.tuples(st.booleans(), st.floats(0.001, 4.0), st.integers(1, 5_000)), max_size=40))
def test_sending_never_stops_for_longer_than_the_frame_and_the_patience(
    steps: list[tuple[bool, float, int]],
) -> None:
    pacer = Pacer(SERIAL)
    now, blocked_until = 0.0, 0.0
    for answer, pause, size in steps:
        now += pause
        if answer:
            pacer.answered(now)
        if pacer.may_send(now):
            if pacer.sending(size, now):
                blocked_until = now + size * 10 / SERIAL + PATIENCE_S
        else:
            assert now < blocked_until
            assert pacer.lost_at is not None
