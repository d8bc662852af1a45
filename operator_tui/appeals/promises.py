"""Promises: «Отсроченный ответ» with an owner or a group, a due time, and whom to ask for under which number.

A promise is kept when the citizen was reached by its due time, else broken; both are said on the card for good.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from operator_tui.appeals.card import Card, Status
from operator_tui.appeals.errors import Code, Refusal

# Written by moves alone.
PROMISE_FIELDS = ("promise_due", "promise_phone", "promise_ask", "promise_hours")
# «Не удалось связаться с обратившимся (три попытки)» (results.csv, R20).
ATTEMPTS_WANTED = 3
GIVING_UP = "call_log"
SOON_MS = 3_600_000
_MOST_AHEAD_MS = 366 * 86_400_000


class Stand(StrEnum):
    """How a promise stands."""

    WAITING = "waiting"
    SOON = "soon"  # due within the hour
    BROKEN = "broken"


class Attempt(msgspec.Struct, frozen=True):
    """One try to reach the citizen: when (UTC ms), by whom, what came of it, and by which call of the telephone."""

    ms: int
    by: int
    outcome: str = "no_answer"
    call: str = ""


ANSWERED = "answered"


class Away(msgspec.Struct, frozen=True):
    """A worker who is not there, by local dates (ISO, the last one included), and who stands in for him (0: nobody)."""

    user: int
    since: str
    until: str
    substitute: int = 0

    def on(self, day: date) -> bool:
        """Whether he is away on that day."""
        return self.since <= day.isoformat() <= self.until


class Promise(msgspec.Struct, frozen=True):
    """What was promised: by when (UTC ms), whom to call, when he can be called; ``owner`` None is the group's."""

    card: str
    due_ms: int
    owner: int | None
    group: str
    phone: str = ""
    ask: str = ""
    hours: str = ""
    attempts: tuple[Attempt, ...] = ()


def promise_of(card: Card) -> Promise | None:
    """The promise that waits on the card, None when the answer is not deferred."""
    if card.status is not Status.DEFERRED:
        return None
    return Promise(
        card=card.id,
        due_ms=int(card.value("promise_due") or 0),
        owner=card.worker,
        group=str(card.value("group")),
        phone=str(card.value("promise_phone") or card.value("phone")),
        ask=str(card.value("promise_ask")),
        hours=str(card.value("promise_hours")),
        attempts=tuple(attempts_of(card)),
    )


def stand(promise: Promise, now_ms: int) -> Stand:
    """How it stands now; one without a due time (made by an older program) merely waits."""
    if not promise.due_ms:
        return Stand.WAITING
    if promise.due_ms < now_ms:
        return Stand.BROKEN
    return Stand.SOON if promise.due_ms - now_ms <= SOON_MS else Stand.WAITING


def demand_due(given: Mapping[str, Any], at_ms: int) -> None:
    """The due time given, if any, is an instant to come within a year. Refusals: FIELD_INVALID, PROMISE_PAST."""
    due = given.get("promise_due")
    if due in (None, ""):
        return
    if not isinstance(due, int) or isinstance(due, bool):
        raise Refusal(Code.FIELD_INVALID, field="promise_due")
    if not at_ms < due <= at_ms + _MOST_AHEAD_MS:
        raise Refusal(Code.PROMISE_PAST)


def ended(card: Card, at_ms: int, by: int) -> dict[str, Any] | None:
    """The entry for ``promises`` when the citizen was reached; None when nothing was promised by a time."""
    promise = promise_of(card)
    if promise is None or not promise.due_ms:
        return None
    return {"due": promise.due_ms, "at": at_ms, "by": by, "kept": at_ms <= promise.due_ms}


def attempts_of(card: Card) -> list[Attempt]:
    """The attempts noted on the card, oldest first; entries of another shape are left out."""
    found = []
    for entry in card.value("attempts") or ():
        try:
            found.append(msgspec.convert(entry, Attempt))
        except msgspec.ValidationError:
            continue
    return sorted(found, key=lambda attempt: attempt.ms)


def attempts_line(attempts: Iterable[Attempt], zone: str) -> str:
    """``20.11 10:15; 20.11 14:30``: what «Попытки связаться» says."""
    place = ZoneInfo(zone)
    return "; ".join(
        datetime.fromtimestamp(attempt.ms / 1000, UTC).astimezone(place).strftime("%d.%m %H:%M") for attempt in attempts
    )


def vain(attempts: Iterable[Attempt]) -> list[Attempt]:
    """Those that reached nobody."""
    return [attempt for attempt in attempts if attempt.outcome != ANSWERED]


def demand_attempts(card: Card) -> None:
    """Refusal(ATTEMPTS_FEW) before three attempts are noted."""
    count = len(vain(attempts_of(card)))
    if count < ATTEMPTS_WANTED:
        raise Refusal(Code.ATTEMPTS_FEW, count=count, wanted=ATTEMPTS_WANTED)


class Why(StrEnum):
    """Why a promise is on somebody's list."""

    OWN = "own"
    GROUP = "group"  # nobody has taken it yet
    SUBSTITUTE = "substitute"
    ABSENT = "absent"  # its owner is away and it is due within the hour


def concerns(
    promise: Promise, *, user: int, groups: Collection[str], away: Collection[Away], today: date, now_ms: int
) -> Why | None:
    """Why the promise is shown to that user, None when it is not.

    ``groups`` are the user's own; ``today`` the local date of the office. An absent owner's promise goes to his
    substitute at once, and to the group it belongs to within the hour before it is due.
    """
    if promise.owner == user:
        return Why.OWN
    member = promise.group in groups
    if promise.owner is None:
        return Why.GROUP if member or not promise.group else None
    absences = [one for one in away if one.user == promise.owner and one.on(today)]
    if any(one.substitute == user for one in absences):
        return Why.SUBSTITUTE
    pressing = stand(promise, now_ms) is not Stand.WAITING
    return Why.ABSENT if absences and pressing and member else None


def parse_away(x: Mapping[str, Any]) -> Away:
    """An absence as an operation carries it. Refusal(FIELD_INVALID) names what is wrong."""
    try:
        away = msgspec.convert(dict(x), Away)
    except msgspec.ValidationError:
        raise Refusal(Code.FIELD_INVALID, field="user") from None
    for field, text in (("since", away.since), ("until", away.until)):
        try:
            date.fromisoformat(text)
        except ValueError:
            raise Refusal(Code.FIELD_INVALID, field=field) from None
    if away.until < away.since:
        raise Refusal(Code.FIELD_INVALID, field="until")
    if away.substitute == away.user:
        raise Refusal(Code.FIELD_INVALID, field="substitute")
    return away


def with_away(known: Iterable[Away], new: Away, today: str) -> list[Away]:
    """The absences after a new one: one for a worker, the last said; those that are over are forgotten."""
    kept = [one for one in known if one.user != new.user and one.until >= today]
    return [*kept, new] if new.until >= today else kept
