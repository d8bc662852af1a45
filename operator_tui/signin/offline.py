"""Whether somebody may sign in while the server is away: his own password, and a rule of time (issue 3: 72 hours of
working days)."""

from __future__ import annotations

import msgspec

from operator_tui.appeals.calendar import WorkingCalendar
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.signin.seat import Seat
from operator_tui.signin.voice import STEP_MS, voice_code_window

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


def admit(seat: Seat, password: str, voice: str, *, now_ms: int, hours: float, calendar: WorkingCalendar) -> None:
    """Whether he may sit at this open seat without the server; a code by ``voice`` allows eight hours more, once.

    Refusals: SIGN_IN_WRONG, VOICE_CODE, those of ``demand_recent``. May block.
    """
    seat.demand_verified(password)
    place = seat.place
    if voice:
        window = voice_code_window(seat.voice_key, voice, now_ms)
        if window is None:
            raise Refusal(Code.VOICE_CODE)
        if window > place.voice_window:  # the same code again adds nothing to its eight hours
            place = msgspec.structs.replace(place, allowed_until_ms=now_ms + STEP_MS, voice_window=window)
            seat.keep_place(place)
    demand_recent(
        place.contact_ms,
        now_ms,
        hours=hours,
        zone=place.operator.zone,
        calendar=calendar,
        allowed_until_ms=place.allowed_until_ms,
    )
