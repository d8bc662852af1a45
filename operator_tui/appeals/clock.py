"""Time. One clock is injected everywhere, so that tests move it by hand.

Stored instants are UTC milliseconds; durations use the monotonic clock (DESIGN rule 11).
"""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Where the time comes from."""

    def now_ms(self) -> int:
        """UTC milliseconds since the epoch, for stored instants."""
        ...

    def monotonic(self) -> float:
        """Seconds that never run back, for durations."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        return time.monotonic()


class ManualClock:
    """A clock that stands still until it is told to move."""

    def __init__(self, now_ms: int = 1_790_000_000_000) -> None:
        self._now_ms = now_ms
        self._monotonic = 0.0

    def now_ms(self) -> int:
        return self._now_ms

    def monotonic(self) -> float:
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Move both the wall clock and the monotonic clock on."""
        self._now_ms += round(seconds * 1000)
        self._monotonic += seconds
