"""The working calendar: moved days, terms in working days, hours without week-ends."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operator_tui.appeals.calendar import Country, OfficeHours, WorkingCalendar, parse_changes
from operator_tui.appeals.errors import Code, Refusal

MOSCOW = "Europe/Moscow"
RUSSIA = WorkingCalendar()
_HOUR_MS = 3_600_000


def ms(year: int, month: int, day: int, hour: int = 0, minute: int = 0, zone: str = MOSCOW) -> int:
    return round(datetime(year, month, day, hour, minute, tzinfo=ZoneInfo(zone)).timestamp() * 1000)


@pytest.mark.parametrize(
    ("day", "worked"),
    [
        (date(2025, 11, 1), True),  # a Saturday worked, moved to Monday the 3rd
        (date(2025, 11, 3), False),
        (date(2026, 1, 8), False),
        (date(2026, 1, 9), False),  # moved from Saturday 3 January
        (date(2026, 1, 12), True),
        (date(2026, 5, 11), False),  # Victory Day falls on a Saturday
        (date(2026, 12, 31), False),
        (date(2027, 2, 20), True),  # a Saturday
    ],
)
def test_days_moved_by_decree_in_russia(day: date, worked: bool) -> None:
    assert RUSSIA.is_working(day) is worked


def test_kazakhstan_has_its_own_holidays() -> None:
    kazakhstan = WorkingCalendar(Country.KAZAKHSTAN)
    assert not kazakhstan.is_working(date(2026, 3, 24))  # Nauryz, moved from Saturday
    assert RUSSIA.is_working(date(2026, 3, 24))
    assert kazakhstan.is_working(date(2026, 6, 12))


def test_a_year_without_a_decree_is_provisional() -> None:
    assert not RUSSIA.is_provisional(2026)
    assert RUSSIA.is_provisional(2031)
    decreed = WorkingCalendar(changes={date(2031, 1, 9): False})
    assert not decreed.is_provisional(2031)


def test_the_centres_own_days_win_over_the_library() -> None:
    own = WorkingCalendar(changes=parse_changes("date;day\n2026-04-17;off\n2026-04-18;work\n"))
    assert not own.is_working(date(2026, 4, 17))
    assert own.is_working(date(2026, 4, 18))
    assert own.after(date(2026, 4, 16), 1) == date(2026, 4, 18)


@pytest.mark.parametrize("text", ["date;day\n2026-13-01;off\n", "date;day\n2026-01-01;maybe\n", "day\nwork\n"])
def test_a_wrong_row_is_named(text: str) -> None:
    with pytest.raises(Refusal) as refused:
        parse_changes(text, file="days.csv")
    assert (refused.value.code, refused.value.params["row"]) == (Code.ROW_INVALID, 2)


def test_one_working_day_from_the_last_hours_before_the_holidays() -> None:
    due = RUSSIA.due_ms(ms(2025, 12, 30, 15, 20), 1, MOSCOW)
    assert due == ms(2026, 1, 12, 15, 20)


def test_asked_outside_of_hours_counts_from_the_next_opening() -> None:
    assert RUSSIA.due_ms(ms(2026, 4, 18, 11), 1, MOSCOW) == ms(2026, 4, 21, 9)  # a Saturday
    assert RUSSIA.due_ms(ms(2026, 4, 15, 22), 1, MOSCOW) == ms(2026, 4, 17, 9)
    assert RUSSIA.due_ms(ms(2026, 4, 15, 6), 1, MOSCOW) == ms(2026, 4, 16, 9)
    hours = OfficeHours.parse("08:30-20:00")
    assert RUSSIA.due_ms(ms(2026, 4, 15, 19, 10), 1, MOSCOW, hours) == ms(2026, 4, 16, 19, 10)


def test_hours_over_the_new_year_holidays_do_not_count() -> None:
    away = RUSSIA.working_ms(ms(2025, 12, 30, 18), ms(2026, 1, 12, 9), MOSCOW)
    assert away == (6 + 9) * _HOUR_MS


@pytest.mark.parametrize("text", ["", "9-18", "18:00-09:00", "09:00-09:00", "09:00"])
def test_office_hours_that_are_none(text: str) -> None:
    with pytest.raises(Refusal) as refused:
        OfficeHours.parse(text)
    assert refused.value.code is Code.FIELD_INVALID


def test_a_calendar_without_work_is_refused_not_searched_for_ever() -> None:
    none = WorkingCalendar(changes={date(2026, 1, 1) + timedelta(days=one): False for one in range(1200)})
    with pytest.raises(Refusal) as refused:
        none.after(date(2026, 1, 1), 1)
    assert refused.value.code is Code.FIELD_INVALID


days = st.dates(date(2020, 1, 1), date(2027, 12, 31))


@given(days, st.integers(1, 30), st.sampled_from(list(Country)))
def test_a_term_ends_on_a_working_day_and_counts_back(day: date, wanted: int, country: Country) -> None:
    calendar = WorkingCalendar(country)
    due = calendar.after(day, wanted)
    assert calendar.is_working(due)
    assert calendar.days_between(day, due) == wanted


@given(
    st.integers(ms(2025, 1, 1), ms(2027, 12, 1)),
    st.floats(0, 400),
    st.sampled_from(["Europe/Moscow", "Asia/Vladivostok", "Asia/Almaty", "Europe/Kaliningrad"]),
)
def test_working_time_is_never_more_than_time(since: int, hours: float, zone: str) -> None:
    until = since + round(hours * _HOUR_MS)
    middle = (since + until) // 2
    whole = RUSSIA.working_ms(since, until, zone)
    assert 0 <= whole <= until - since
    assert whole == RUSSIA.working_ms(since, middle, zone) + RUSSIA.working_ms(middle, until, zone)
