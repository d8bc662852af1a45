"""A time as an operator types it: ``15:00``, ``25.11 10:30``, ``+2`` hours; empty is one working day from now."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from operator_tui.appeals.calendar import OfficeHours, WorkingCalendar
from operator_tui.appeals.errors import Code, Refusal

_HOURS = re.compile(r"\+\s*(\d{1,2})\s*ч?")
_CLOCK = re.compile(r"(\d{1,2})[:.](\d{2})")
_DAY = re.compile(r"(\d{1,2})\.(\d{1,2})(?:\.(\d{4}))?(?:\s+(\d{1,2})(?:[:.](\d{2}))?)?")


def parse_due(
    text: str, now_ms: int, zone: str, *, calendar: WorkingCalendar, hours: OfficeHours, days: int = 1
) -> int:
    """The instant (UTC ms) that was meant. A clock time that is past today means the next working day.

    Refusal(FIELD_INVALID) for anything else; whether it is to come is the rules' question, not the reading's.
    """
    text = text.strip().lower()
    if not text:
        return calendar.due_ms(now_ms, days, zone, hours)
    place = ZoneInfo(zone)
    now = datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(place)
    try:
        if found := _HOURS.fullmatch(text):
            return now_ms + int(found[1]) * 3_600_000
        if found := _CLOCK.fullmatch(text):
            clock = time(int(found[1]), int(found[2]))
            day = now.date() if clock > now.time() else calendar.on_or_after(now.date() + timedelta(days=1))
            return _instant(day, clock, place)
        if found := _DAY.fullmatch(text):
            day = date(int(found[3] or now.year), int(found[2]), int(found[1]))
            if not found[3] and day < now.date():
                day = day.replace(year=now.year + 1)
            clock = time(int(found[4]), int(found[5] or 0)) if found[4] else time(*divmod(hours.closes, 60))
            return _instant(day, clock, place)
    except ValueError:
        pass
    raise Refusal(Code.FIELD_INVALID, field="promise_due")


def _instant(day: date, clock: time, place: ZoneInfo) -> int:
    return round(datetime.combine(day, clock, place).timestamp() * 1000)
