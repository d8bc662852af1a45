"""What the sender that stays after «Выход» does next, and when it is done: pure rules.

Operations first, in any case. Files only when none of them waits, by the rules of a desk (FileSettings): the line of a
workstation where nobody works is idle. What can not go before the end of the shift is not waited for: no key is held
for nothing.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.sync.settings import FileSettings

# After these no round of this session can succeed.
OVER = frozenset(
    {
        Code.SIGN_IN_NEEDED,
        Code.PASSWORD_CHANGED,
        Code.ACCOUNT_BLOCKED,
        Code.DEVICE_REVOKED,
        Code.DEVICE_OTHER,
        Code.NOT_ENROLLED,
    }
)


class Step(StrEnum):
    """What it does next."""

    RECORDS = "records"
    FILES = "files"
    WAIT = "wait"


class Why(StrEnum):
    """Why it ends."""

    SENT = "sent"
    LATER = "later"  # the files that are left can not go within this shift
    SHIFT = "shift"
    SESSION = "session"
    ASKED = "asked"


@dataclass(frozen=True)
class Look:
    """How things stand. ``records`` operations wait; ``opens_ms`` is when the first of the files that wait may go by
    the settings (UTC ms), None when none waits that is ever to go; ``idle`` whether nobody works at this workstation;
    ``refusal`` why the round before did not come to its end; ``asked`` whether the next sign-in wants the journal."""

    records: int
    opens_ms: int | None
    idle: bool
    refusal: Code | None
    asked: bool
    now_ms: int
    until_ms: int


def next_step(look: Look) -> Step | Why:
    """What to do now, or why to end."""
    if look.asked:
        return Why.ASKED
    if not look.records and look.opens_ms is None:
        return Why.SENT
    if look.refusal in OVER:
        return Why.SESSION
    if look.now_ms >= look.until_ms:
        return Why.SHIFT
    if look.records:
        return Step.RECORDS
    return _with_files(look, look.opens_ms or 0)


def _with_files(look: Look, opens_ms: int) -> Step | Why:
    if opens_ms >= look.until_ms or look.refusal is Code.FILE_STORE_AWAY:
        return Why.LATER
    return Step.FILES if look.idle and opens_ms <= look.now_ms else Step.WAIT


def opens_ms(settings: FileSettings, kind: str, now_ms: int, zone: str) -> int | None:
    """When a file of that kind may go on an idle line (UTC ms, now at the earliest), None for never; ``zone`` is the
    office's. With a setting that is none, which the desk has said, it does not go."""
    with contextlib.suppress(Refusal):
        at = datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(ZoneInfo(zone))
        wait_s = settings.opens_in_s(kind, at.time())
        return None if wait_s is None else now_ms + math.ceil(wait_s * 1000)
    return None


def first_opens_ms(settings: FileSettings, kinds: Iterable[str], now_ms: int, zone: str) -> int | None:
    """The same for the first of them."""
    found = [opens_ms(settings, kind, now_ms, zone) for kind in set(kinds)]
    return min((at for at in found if at is not None), default=None)
