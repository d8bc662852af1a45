"""Pacing: one frame in flight, so that a slow line never holds more than one frame of the past.

Buffers of ssh and of the kernel hide how slow a line is; only an answer from the far end tells that a frame has
arrived. The answer is the cursor position report (DSR 6, ECMA-48 8.3.35), which every terminal since the VT100 gives.
A terminal that does not answer is sent to freely.
"""

from __future__ import annotations

QUERY = "\x1b[6n"
"""Asks for the cursor's position; the answer acknowledges all that was sent before."""

PATIENCE_S = 2.5
"""Seconds after a frame should have arrived, before its answer counts as lost."""

_BITS_A_BYTE = 10  # a start and a stop bit on a serial line; about the same share of headers elsewhere


class Pacer:
    """Says when the next frame may go. Times are seconds of one monotonic clock, given by the caller."""

    def __init__(self, bits_per_second: int) -> None:
        self._bytes_per_second = bits_per_second / _BITS_A_BYTE
        self._sent_at = 0.0
        self._lost_at: float | None = None
        self._owed = 0
        self.answers = True
        """Whether the terminal is believed to answer."""
        self.round_trip: float | None = None
        """Seconds from the last acknowledged frame to its answer; None before the first."""

    @property
    def lost_at(self) -> float | None:
        """The instant from which the frame in flight counts as lost."""
        return self._lost_at

    def may_send(self, now: float) -> bool:
        """Whether the next frame may go. A frame whose answer is overdue ends the pacing."""
        if self._lost_at is not None and now >= self._lost_at:
            self._lost_at = None
            self.answers = False
        return self._lost_at is None

    def sending(self, size: int, now: float) -> bool:
        """A frame of `size` bytes leaves; returns whether `QUERY` has to follow it."""
        if not self.answers:
            return False
        self._sent_at = now
        self._lost_at = now + size / self._bytes_per_second + PATIENCE_S
        self._owed += 1
        return True

    def answered(self, now: float) -> bool:
        """A position report came; returns whether it was an answer to a frame, also to one given up for lost."""
        if not self._owed:
            return False
        self._owed -= 1
        if self._lost_at is not None:
            self.round_trip = now - self._sent_at
        self._lost_at = None
        self.answers = True
        return True

    def restart(self) -> None:
        """Forget the frame in flight: the terminal was given away, or another one stands there now."""
        self._lost_at = None
        self._owed = 0
        self.answers = True
