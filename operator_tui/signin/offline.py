"""Whether somebody may sign in while the server is away: a rule of time alone (issue 3: 72 hours of working days)."""

from __future__ import annotations

from operator_tui.appeals.calendar import WorkingCalendar
from operator_tui.appeals.errors import Code, Refusal

_HOUR_MS = 3_600_000
_CLOCK_SLACK_MS = 5 * 60_000


def demand_recent(
    contact_ms: int, now_ms: int, *, hours: float, zone: str, calendar: WorkingCalendar, allowed_until_ms: int = 0
) -> None:
    """``contact_ms`` is the server's last word, ``allowed_until_ms`` the end of what a code by voice allows (UTC ms).
    Days that are not worked do not count: weekends, decreed holidays and moved days are those of ``calendar``.

    Refusals: OFFLINE_CLOCK when this machine's clock stands before the last word: turned back, it would allow for
    ever; OFFLINE_TOO_LONG.
    """
    if now_ms < contact_ms - _CLOCK_SLACK_MS:
        raise Refusal(Code.OFFLINE_CLOCK)
    if now_ms < allowed_until_ms:
        return
    if calendar.working_ms(contact_ms, now_ms, zone) > hours * _HOUR_MS:
        raise Refusal(Code.OFFLINE_TOO_LONG, hours=round(hours))
