"""Whether somebody may sign in while the server is away: a rule of time alone (issue 3: 72 hours of working days)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from operator_tui.appeals.errors import Code, Refusal

_HOUR_MS = 3_600_000
_CLOCK_SLACK_MS = 5 * 60_000
_SATURDAY = 5
_MOST_DAYS = 366


def demand_recent(contact_ms: int, now_ms: int, *, hours: float, zone: str, allowed_until_ms: int = 0) -> None:
    """``contact_ms`` is the server's last word, ``allowed_until_ms`` the end of what a code by voice allows (UTC ms).

    Refusals: OFFLINE_CLOCK when this machine's clock stands before the last word: turned back, it would allow for
    ever; OFFLINE_TOO_LONG.
    """
    if now_ms < contact_ms - _CLOCK_SLACK_MS:
        raise Refusal(Code.OFFLINE_CLOCK)
    if now_ms < allowed_until_ms:
        return
    if working_ms(contact_ms, now_ms, zone) > hours * _HOUR_MS:
        raise Refusal(Code.OFFLINE_TOO_LONG, hours=round(hours))


def working_ms(since_ms: int, until_ms: int, zone: str) -> int:
    """Milliseconds between two instants without Saturdays and Sundays of that zone; a year at most is counted."""
    place = ZoneInfo(zone)
    begin, end = (datetime.fromtimestamp(ms / 1000, UTC) for ms in (since_ms, until_ms))
    total = timedelta()
    for _ in range(_MOST_DAYS):
        if begin >= end:
            break
        local = begin.astimezone(place)
        midnight = datetime.combine(local.date() + timedelta(days=1), datetime.min.time(), place).astimezone(UTC)
        until = min(midnight, end)
        if local.weekday() < _SATURDAY:
            total += until - begin
        begin = until
    return round(total.total_seconds() * 1000)
