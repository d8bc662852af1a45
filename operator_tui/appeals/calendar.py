"""The working calendar: which days are worked, and terms counted in them (DESIGN rule 11).

Holidays and days moved by decree come from the library ``holidays``; a centre adds what has been decreed since in a
file of its own. Terms of 59-ФЗ are calendar days (deadlines.py); waiting times and promises are working days.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec

from operator_tui.appeals.deadlines import local_date
from operator_tui.appeals.errors import Code, Refusal

if TYPE_CHECKING:
    from holidays import HolidayBase


class Country(StrEnum):
    """Whose production calendar is worked by (ISO 3166-1)."""

    RUSSIA = "RU"
    KAZAKHSTAN = "KZ"


class OfficeHours(msgspec.Struct, frozen=True):
    """When a centre works on a working day, minutes after local midnight."""

    opens: int = 9 * 60
    closes: int = 18 * 60

    @classmethod
    def parse(cls, text: str) -> OfficeHours:
        """``09:00-18:00``. Refusal(FIELD_INVALID) for anything else."""
        try:
            opens, closes = (time.fromisoformat(part.strip()) for part in text.split("-"))
        except ValueError:
            raise Refusal(Code.FIELD_INVALID, field="hours") from None
        hours = cls(opens.hour * 60 + opens.minute, closes.hour * 60 + closes.minute)
        if hours.closes <= hours.opens:
            raise Refusal(Code.FIELD_INVALID, field="hours")
        return hours


# A term is never further away than this; it also ends a search in a calendar that a file has emptied of work.
_MOST_DAYS = 1100


class WorkingCalendar:
    """The calendar of one country, with what a centre adds to it.

    ``changes`` says for single local dates whether they are worked; they win over the library.
    """

    def __init__(self, country: Country = Country.RUSSIA, changes: Mapping[date, bool] | None = None) -> None:
        self.country = country
        self._changes = dict(changes or {})

    def is_working(self, day: date) -> bool:
        """Whether the day is worked: a Saturday made a working day by decree is one."""
        own = self._changes.get(day)
        return own if own is not None else _library(self.country).is_working_day(day)

    def is_provisional(self, year: int) -> bool:
        """Whether nothing has been decreed for the year yet as far as is known: only the law's own holidays stand."""
        decreed = max((day.year for day in self._changes), default=0)
        return year > max(decreed, _last_decreed(self.country))

    def on_or_after(self, day: date) -> date:
        """The day itself when it is worked, else the next one that is."""
        for ahead in range(_MOST_DAYS):
            if self.is_working(found := day + timedelta(days=ahead)):
                return found
        raise Refusal(Code.FIELD_INVALID, field="calendar")

    def after(self, day: date, days: int) -> date:
        """The working day that is ``days`` (at least one) working days after the day, itself not counted."""
        for _ in range(days):
            day = self.on_or_after(day + timedelta(days=1))
        return day

    def days_between(self, since: date, until: date) -> int:
        """Working days after ``since`` up to ``until``; 0 when it is not later."""
        ahead = min((until - since).days, _MOST_DAYS)
        return sum(self.is_working(since + timedelta(days=one)) for one in range(1, ahead + 1))

    def due_ms(self, from_ms: int, days: int, zone: str, hours: OfficeHours | None = None) -> int:
        """The instant (UTC ms) ``days`` working days after another: the same local time, within office hours.

        A day that is not worked, or whose hours are over, counts from the next opening: asked on Saturday with one
        working day, it is due on Monday's opening plus one working day.
        """
        hours = hours or OfficeHours()
        place = ZoneInfo(zone)
        local = datetime.fromtimestamp(from_ms / 1000, UTC).astimezone(place)
        minute = local.hour * 60 + local.minute
        day = local.date()
        if minute >= hours.closes or not self.is_working(day):
            day, minute = self.on_or_after(day + timedelta(days=1)), hours.opens
        due = self.after(day, days)
        at = time(*divmod(max(minute, hours.opens), 60))
        return round(datetime.combine(due, at, place).timestamp() * 1000)

    def working_ms(self, since_ms: int, until_ms: int, zone: str) -> int:
        """Milliseconds between two instants that fall on working days of the zone, whole days of 24 hours."""
        place = ZoneInfo(zone)
        total = 0
        begin = since_ms
        for _ in range(_MOST_DAYS):
            if begin >= until_ms:
                break
            day = local_date(begin, zone)
            midnight = datetime.combine(day + timedelta(days=1), time.min, place)
            end = min(round(midnight.timestamp() * 1000), until_ms)
            if self.is_working(day):
                total += end - begin
            begin = end
        return total


def parse_changes(text: str, *, file: str = "") -> dict[date, bool]:
    """A centre's own days: CSV with ``;``, columns ``date`` (ISO) and ``day`` (``work`` or ``off``).

    Refusal(ROW_INVALID) names the row that is neither.
    """
    changes: dict[date, bool] = {}
    for number, row in enumerate(csv.DictReader(io.StringIO(text), delimiter=";"), 2):
        try:
            changes[date.fromisoformat((row.get("date") or "").strip())] = {"work": True, "off": False}[
                (row.get("day") or "").strip()
            ]
        except (ValueError, KeyError):
            raise Refusal(Code.ROW_INVALID, file=file, row=number, field="date;day") from None
    return changes


@cache
def _library(country: Country) -> HolidayBase:
    # Imported here: the library takes a tenth of a second, and the desk paints without it.
    import holidays

    return holidays.country_holidays(country.value)


@cache
def _last_decreed(country: Country) -> int:
    """The last year for which the library knows a government's decision on moved days."""
    library = _library(country)
    tables = ("special_public_holidays", "special_public_holidays_observed")
    return max((year for table in tables for year in getattr(library, table, None) or {}), default=0)
