"""Deadlines are local dates of the organisation (DESIGN rule 11)."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import msgspec

# Where no theme says otherwise (59-ФЗ article 12).
DEFAULT_DAYS = 30
# The last date whose end can be counted in every zone.
_LAST = date.max - timedelta(days=2)


class TermDays(msgspec.Struct, frozen=True):
    """The terms in calendar days: those of 59-ФЗ until the administration sets others (the list ``terms``)."""

    register: int = 3
    forward: int = 7
    answer: int = DEFAULT_DAYS
    extension: int = 30


BY_LAW = TermDays()


def local_date(instant_ms: int, zone: str) -> date:
    """The date at the organisation when the instant (UTC milliseconds) falls."""
    return datetime.fromtimestamp(instant_ms / 1000, tz=UTC).astimezone(ZoneInfo(zone)).date()


@lru_cache(maxsize=4096)
def day_end_ms(day: date, zone: str) -> int:
    """The last instant (UTC milliseconds) of a date at the organisation."""
    following = datetime.combine(min(day, _LAST) + timedelta(days=1), time.min, ZoneInfo(zone))
    return round(following.timestamp() * 1000) - 1


def answer_deadline(days: int, registered_ms: int, zone: str) -> str:
    """Last local date (ISO) for the answer: calendar days from registration (59-ФЗ article 12)."""
    return (local_date(registered_ms, zone) + timedelta(days=days)).isoformat()


def days_left(until: date, now_ms: int, zone: str) -> int:
    """Days from the local date of now to that date; negative when it is past."""
    return (until - local_date(now_ms, zone)).days
