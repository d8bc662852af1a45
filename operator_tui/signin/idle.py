"""When a desk that nobody touches locks itself: a rule of time alone."""

from __future__ import annotations

from operator_tui.appeals.clock import Clock


class Idle:
    """Counts from the last key. ``minutes`` 0: never due."""

    def __init__(self, minutes: float, clock: Clock) -> None:
        self._seconds = minutes * 60
        self._clock = clock
        self._last = clock.monotonic()

    def touched(self) -> None:
        """A key was pressed."""
        self._last = self._clock.monotonic()

    @property
    def quiet_s(self) -> float:
        """Seconds since the last key."""
        return self._clock.monotonic() - self._last

    @property
    def due(self) -> bool:
        """Whether it is time to lock."""
        return 0 < self._seconds <= self.quiet_s
