"""Seventy-two hours of working days: with the holidays of Russia, and the days that a decree has moved."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operator_tui.appeals.calendar import WorkingCalendar
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.signin.offline import demand_recent

MOSCOW = ZoneInfo("Europe/Moscow")
CALENDAR = WorkingCalendar()


def at(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=MOSCOW).timestamp() * 1000)


def admitted(contact: str, now: str, **more: int) -> bool:
    """Any other refusal comes out."""
    try:
        demand_recent(at(contact), at(now), hours=72, zone="Europe/Moscow", calendar=CALENDAR, **more)
    except Refusal as refusal:
        if refusal.code is not Code.OFFLINE_TOO_LONG:
            raise
        return False
    return True


@pytest.mark.parametrize(
    ("contact", "now", "expected"),
    [
        pytest.param("2025-06-16T09:00", "2025-06-19T09:00", True, id="three days of a week"),
        pytest.param("2025-06-16T09:00", "2025-06-19T09:01", False, id="and a minute"),
        pytest.param("2025-06-06T12:00", "2025-06-11T12:00", True, id="over a weekend"),
        pytest.param("2025-06-06T12:00", "2025-06-11T12:01", False, id="a weekend and a minute"),
        pytest.param("2024-12-28T18:00", "2025-01-10T18:00", True, id="over the holidays of the new year"),
        pytest.param("2025-04-30T12:00", "2025-05-07T12:00", True, id="May: Thursday and a Friday moved there"),
        pytest.param("2025-04-30T12:00", "2025-05-07T12:01", False, id="May and a minute"),
        pytest.param("2025-10-31T12:00", "2025-11-06T12:00", True, id="a Saturday that was made a working day"),
        pytest.param("2025-10-31T12:00", "2025-11-06T12:01", False, id="such a Saturday and a minute"),
    ],
)
def test_days_that_are_not_worked_do_not_count(contact: str, now: str, expected: bool) -> None:
    assert admitted(contact, now) is expected


def test_a_code_by_voice_allows_what_the_hours_do_not() -> None:
    until = at("2025-06-30T20:00")
    assert admitted("2025-06-16T09:00", "2025-06-30T19:59", allowed_until_ms=until)
    assert not admitted("2025-06-16T09:00", "2025-06-30T20:00", allowed_until_ms=until)


@given(st.integers(0, 700 * 24), st.integers(0, 2000), st.integers(0, 2000))
def test_waiting_longer_never_lets_anybody_in_again(start: int, first: int, more: int) -> None:
    begin = datetime(2024, 6, 1, tzinfo=MOSCOW) + timedelta(hours=start)
    contact = begin.isoformat()[:16]
    early, late = ((begin + timedelta(hours=hours)).isoformat()[:16] for hours in (first, first + more))
    assert admitted(contact, early) or not admitted(contact, late)


def test_a_clock_before_the_last_word_allows_nothing() -> None:
    with pytest.raises(Refusal) as refused:
        demand_recent(at("2025-06-16T09:00"), at("2025-06-16T08:50"), hours=72, zone="Europe/Moscow", calendar=CALENDAR)
    assert refused.value.code is Code.OFFLINE_CLOCK
