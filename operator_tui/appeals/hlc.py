"""Hybrid logical clock: stamps that grow even when the wall clock runs back (design 1.5, rule 3).

A stamp is 16 hexadecimal digits: 48 bits of UTC milliseconds and a 16-bit counter; as text it sorts as it counts.
Stamps never order a queue; they pick the last writer of truly concurrent edits and show the time.
"""

from __future__ import annotations

_COUNTER_BITS = 16
_LIMIT_MS = 1 << 48


def stamp_ms(stamp: str) -> int:
    """UTC milliseconds of a stamp. ValueError for anything that is not one."""
    if len(stamp) != 16:
        raise ValueError("a stamp has 16 hexadecimal digits")
    return int(stamp, 16) >> _COUNTER_BITS


def next_stamp(previous: str, now_ms: int) -> str:
    """The stamp after ``previous`` (empty at first) at this wall-clock time."""
    last = int(previous, 16) if previous else -1
    fresh = min(max(now_ms, 0), _LIMIT_MS - 1) << _COUNTER_BITS
    return f"{max(fresh, last + 1):016x}"


def clamp_stamp(stamp: str, received_ms: int, *, ahead_ms: int = 300_000) -> str:
    """A stamp more than ``ahead_ms`` ahead of its receipt counts as received now; it is never refused."""
    return stamp if stamp_ms(stamp) <= received_ms + ahead_ms else next_stamp("", received_ms)
