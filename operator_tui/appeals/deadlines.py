"""Deadlines are local dates of the organisation (DESIGN rule 11)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

# Where no theme says otherwise (59-ФЗ article 12).
DEFAULT_DAYS = 30


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


def answer_deadline(days: int, registered_ms: int, zone: str) -> str:
    """Last local date (ISO) for the answer: calendar days from registration (59-ФЗ article 12)."""
    return (local_date(registered_ms, zone) + timedelta(days=days)).isoformat()


def days_left(deadline: str, now_ms: int, zone: str) -> int:
    """Days from the local date of now to the deadline; negative when it is past."""
    return (date.fromisoformat(deadline) - local_date(now_ms, zone)).days
