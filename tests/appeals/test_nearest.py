"""When something is due for an appeal: one instant for the sign, its days and the order of the lists."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operator_tui.appeals.card import Card, Source, Status
from operator_tui.appeals.deadlines import day_end_ms, local_date
from operator_tui.appeals.nearest import nearest_days, nearest_ms
from operator_tui.appeals.promises import promise_of
from operator_tui.appeals.terms import terms_of
from operator_tui.reference import packaged_catalogue

ZONE = "Europe/Moscow"
NOW_MS = 1_790_000_000_000
DAY_MS = 86_400_000
FORWARDED = "Ж-12.2"  # its group is another authority
OWN = "Ж-03.1"
ZONES = st.sampled_from(["Europe/Moscow", "Europe/Kaliningrad", "Asia/Kamchatka", "Asia/Almaty", "UTC"])


def card(status: Status = Status.IN_WORK, deadline: str = "", created_ms: int = NOW_MS, **fields: Any) -> Card:
    return Card("k:1", "26/tf", 1, status, 1, 1, fields, {}, f"{created_ms << 16:016x}", deadline=deadline)


@given(st.dates(date(1970, 1, 3), date(9998, 1, 1)), ZONES)
def test_a_date_ends_where_the_next_one_begins(day: date, zone: str) -> None:
    end = day_end_ms(day, zone)
    assert local_date(end, zone) == day
    assert local_date(end + 1, zone) > day


def test_the_last_date_of_the_calendar_has_an_end_too() -> None:
    assert nearest_days(card(deadline="9999-12-31"), packaged_catalogue(), NOW_MS, "America/Anchorage") is not None
    assert nearest_days(card(deadline="9999-12-31"), packaged_catalogue(), NOW_MS, "Asia/Kamchatka") is not None


@pytest.mark.parametrize("status", [Status.CLOSED, Status.VOID])
def test_nothing_is_due_for_what_is_finished(status: Status) -> None:
    finished = card(status, "2026-09-22", promise_due=NOW_MS)
    assert nearest_ms(finished, packaged_catalogue(), ZONE) is None
    assert nearest_days(finished, packaged_catalogue(), NOW_MS, ZONE) is None


def test_a_term_lasts_to_the_end_of_its_day_and_a_promise_to_its_minute() -> None:
    ends = day_end_ms(date(2026, 9, 25), ZONE)
    for due, nearest in ((ends - 1, ends - 1), (ends + 1, ends), (0, ends)):
        promised = card(Status.DEFERRED, "2026-09-25", promise_due=due)
        assert nearest_ms(promised, packaged_catalogue(), ZONE) == nearest
    resumed = card(Status.IN_WORK, "2026-09-25", promise_due=ends - 1)
    assert nearest_ms(resumed, packaged_catalogue(), ZONE) == ends, "what was promised waits no more"


def test_the_term_to_forward_counts_until_it_went_elsewhere() -> None:
    written: dict[str, Any] = {"theme": FORWARDED, "source": Source.LETTER.value}
    forward = local_date(NOW_MS + 7 * DAY_MS, ZONE)
    for fields, until in (
        (written, forward),
        ({**written, "theme": OWN}, date(2026, 12, 1)),
        ({**written, "source": Source.CALL.value}, date(2026, 12, 1)),
        ({**written, "result": "R13"}, date(2026, 12, 1)),
    ):
        due_ms = nearest_ms(card(deadline="2026-12-01", **fields), packaged_catalogue(), ZONE)
        assert due_ms == day_end_ms(until, ZONE)


@given(
    status=st.sampled_from(Status),
    deadline=st.one_of(st.just(""), st.dates(date(2020, 1, 1), date(2030, 1, 1)).map(date.isoformat)),
    due=st.one_of(st.just(0), st.integers(NOW_MS - 40 * DAY_MS, NOW_MS + 40 * DAY_MS)),
    created_ms=st.integers(NOW_MS - 40 * DAY_MS, NOW_MS),
    theme=st.sampled_from([FORWARDED, OWN, "", "unknown"]),
    source=st.sampled_from([Source.LETTER.value, Source.CALL.value]),
    zone=ZONES,
)
def test_it_falls_on_the_day_of_the_nearest_term_or_promise(
    status: Status, deadline: str, due: int, created_ms: int, theme: str, source: str, zone: str
) -> None:
    made = card(status, deadline, created_ms, promise_due=due, theme=theme, source=source)
    known = packaged_catalogue().themes.get(theme)
    days = [term.left for term in terms_of(made, known.level2_group if known else "", NOW_MS, zone)]
    if (promise := promise_of(made)) is not None and promise.due_ms:
        days.append((local_date(promise.due_ms, zone) - local_date(NOW_MS, zone)).days)
    assert nearest_days(made, packaged_catalogue(), NOW_MS, zone) == min(days, default=None)
