"""One number for many cards, by the day they were made: two ends that agree on it hold the same cards alike.

XOR of a hash of each card's id, revision, status and worker; it does not depend on any order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from operator_tui.appeals.hlc import stamp_ms

DAY_MS = 86_400_000
_STAMP_DIGITS = 12  # of the milliseconds in a stamp

Row = tuple[str, int, str, int | None, str]  # id, revision, status, worker, stamp of creation


def day_of(created: str) -> int:
    """Days since 1970 (UTC) of a stamp, -1 for what is none."""
    try:
        return stamp_ms(created) // DAY_MS
    except ValueError:
        return -1


def first_stamp(day: int) -> str:
    """No stamp of that day is smaller."""
    return f"{max(0, day) * DAY_MS:0{_STAMP_DIGITS}x}0000"


def day_sums(rows: Iterable[Row]) -> dict[int, str]:
    """The sum of each day that has cards, 16 hex digits."""
    sums: dict[int, int] = {}
    for id_, rev, status, worker, created in rows:
        text = f"{id_}|{rev}|{status}|{'' if worker is None else worker}"
        part = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
        day = day_of(created)
        sums[day] = sums.get(day, 0) ^ part
    return {day: f"{found:016x}" for day, found in sums.items()}
