"""The terms of 59-ФЗ apart: 3 days to register, 7 to forward, 30 (or the theme's own) to answer; one extension.

Terms are calendar days and local dates of the organisation (articles 8 and 12). An insurer that is no state body
works by the same columns with the terms of its own themes.
"""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum
from typing import Any

import msgspec

from operator_tui.appeals.card import OPEN_STATUSES, Card, is_written
from operator_tui.appeals.deadlines import BY_LAW, TermDays, local_date
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.hlc import stamp_ms
from operator_tui.appeals.owed import forwarding_owed

# Appeals of other bodies: the group of level 2 whose themes are handed to another authority.
ELSEWHERE = "redirect"
WARN_DAYS = (0, 1, 3)


class TermKind(StrEnum):
    """Which term."""

    REGISTER = "register"
    FORWARD = "forward"
    ANSWER = "answer"


class Term(msgspec.Struct, frozen=True):
    """One term: its last local date, and the days left today (negative when it is past)."""

    kind: TermKind
    until: date
    left: int

    @property
    def warns(self) -> bool:
        """Whether it asks for attention: 3 days left or fewer."""
        return self.warning is not None

    @property
    def warning(self) -> int | None:
        """Which warning it stands at: 3, 1 or 0 days left (0 also when it is past); None before the first."""
        return next((days for days in WARN_DAYS if self.left <= days), None)


def register_term(received: str, today: date, days: TermDays = BY_LAW) -> Term:
    """Until when what came on that day (ISO) is to be registered. Refusal(FIELD_INVALID): no date, a future one."""
    try:
        came = date.fromisoformat(received)
    except ValueError:
        raise Refusal(Code.FIELD_INVALID, field="received") from None
    if came > today:
        raise Refusal(Code.FIELD_INVALID, field="received")
    until = came + timedelta(days=days.register)
    return Term(TermKind.REGISTER, until, (until - today).days)


def terms_of(card: Card, group: str, now_ms: int, zone: str, days: TermDays = BY_LAW) -> list[Term]:
    """The terms that run for an open appeal, the nearest first. ``group`` is the level-2 group of its theme."""
    today = local_date(now_ms, zone)
    ends = ends_of(card, group, zone, days)
    return [Term(kind, until, (until - today).days) for kind, until in sorted(ends.items(), key=lambda end: end[1])]


def ends_of(card: Card, group: str, zone: str, days: TermDays = BY_LAW) -> dict[TermKind, date]:
    """The last local dates of the terms that run for an open appeal, whatever day it is.

    The term to forward ends with the measure by which it went elsewhere.
    """
    if card.status not in OPEN_STATUSES:
        return {}
    found = {}
    if group == ELSEWHERE and is_written(card.fields) and not forwarding_owed(str(card.value("result"))):
        registered = local_date(stamp_ms(card.created), zone)
        found[TermKind.FORWARD] = registered + timedelta(days=days.forward)
    if card.deadline:
        found[TermKind.ANSWER] = date.fromisoformat(card.deadline)
    return found


def registered_late(card: Card, zone: str, days: TermDays = BY_LAW) -> int:
    """Days by which a written appeal was registered after its three days; 0 when it was not, or nothing is known."""
    received = str(card.value("received"))
    try:
        until = date.fromisoformat(received) + timedelta(days=days.register)
    except ValueError:
        return 0
    return max(0, (local_date(stamp_ms(card.created), zone) - until).days)


def demand_extension(card: Card, new_date: Any, days: TermDays = BY_LAW) -> None:
    """An extension is the only one, later than the term, and by thirty days at most (article 12, part 2).

    The thirty days begin where the law's own term ends: a theme's shorter one is a promise of the centre.

    Refusals: EXTENDED_ALREADY, EXTENSION_LONG (days, until), FIELD_INVALID.
    """
    if card.value("extended"):
        raise Refusal(Code.EXTENDED_ALREADY)
    try:
        wanted = date.fromisoformat(str(new_date))
        term = date.fromisoformat(card.deadline) if card.deadline else None
    except ValueError:
        raise Refusal(Code.FIELD_INVALID, field="new_date") from None
    if term is None:
        return
    if wanted <= term:
        raise Refusal(Code.FIELD_INVALID, field="new_date")
    registered = local_date(stamp_ms(card.created), str(card.value("zone")) or "UTC")
    latest = max(term, registered + timedelta(days=days.answer)) + timedelta(days=days.extension)
    if wanted > latest:
        raise Refusal(Code.EXTENSION_LONG, days=days.extension, until=latest.strftime("%d.%m.%Y"))
