"""A limiter for what comes to the ear: a sudden loud tone (a fax, a whistle, a dropped receiver) must not hurt. Pure.

The level of the talk is followed slowly; whatever stands far above it is turned down within its own frame. Loud speech
raises the level and is let through after a moment; above the ceiling nothing passes.
"""

from __future__ import annotations

import array
import math

from operator_tui.phone.tones import FULL_SCALE, peak

CEILING = 0.7  # of full scale
_ABOVE_TALK = 4.0  # 12 dB above the level of the talk is sudden
_QUIET = 0.06  # a talk is never taken for quieter than this: the first word after silence passes
_RISE_SECONDS = 1.5
_FALL_SECONDS = 4.0
_RECOVER_SECONDS = 0.3


class Limiter:
    """For one talk. ``limited`` takes the frames in their order."""

    def __init__(self) -> None:
        self._level = _QUIET
        self._gain = 1.0

    def limited(self, pcm: bytes, rate: int) -> bytes:
        """The frame (16-bit mono), turned down where it is sudden and loud."""
        loudest = peak(pcm)
        seconds = len(pcm) / 2 / rate
        allowed = min(CEILING, _ABOVE_TALK * self._level)
        wanted = min(1.0, allowed / loudest) if loudest else 1.0
        passed = max(_QUIET, min(loudest, allowed))
        follow = _RISE_SECONDS if passed > self._level else _FALL_SECONDS
        self._level += (passed - self._level) * (1 - math.exp(-seconds / follow))
        before = self._gain
        # Down at once, up slowly: a gain that jumps up pumps the room's noise.
        self._gain = min(wanted, before + seconds / _RECOVER_SECONDS)
        if self._gain >= 1.0:
            return pcm
        samples = array.array("h", pcm)
        top = int(allowed * FULL_SCALE)
        gain = self._gain
        return array.array("h", (max(-top, min(top, int(sample * gain))) for sample in samples)).tobytes()
