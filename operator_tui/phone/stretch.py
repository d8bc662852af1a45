"""Speech faster or slower at its own pitch: waveform-similarity overlap-add (WSOLA, Verhelst and Roelands 1993).

Pieces of 20 ms are laid one over the other where they fit best; which places of the source they come from says the
speed. Plain Python: a second of speech takes some hundredths of one.
"""

from __future__ import annotations

import array
from operator import mul

HOP_SECONDS = 0.02
_REACH_SECONDS = 0.008  # how far from its place a piece is looked for: a period of a low voice
_LOOKED_AT = 64  # places tried, and samples compared at each


class Stretch:
    """Reads 16-bit mono PCM from a place on, at a speed of 1.0 to 2.0; ``at`` is that place in samples."""

    def __init__(self, pcm: bytes, rate: int) -> None:
        self._source = array.array("h", pcm[: len(pcm) // 2 * 2])
        self._hop = int(rate * HOP_SECONDS)
        self._reach = int(rate * _REACH_SECONDS)
        self._tail: array.array[int] | None = None
        self.at = 0.0
        self.length = len(self._source)

    def jump(self, at: float) -> None:
        """Go on from another place."""
        self.at = max(0.0, min(float(self.length), at))
        self._tail = None

    def read(self, speed: float) -> bytes:
        """The next 20 ms; shorter at the end, then nothing."""
        place = int(self.at)
        if place >= self.length:
            return b""
        if speed == 1.0 or place + 2 * self._hop + self._reach >= self.length:
            self._tail = None
            piece = self._source[place : place + self._hop]
            self.at = float(place + len(piece)) if speed == 1.0 else self.at + self._hop * speed
            return piece.tobytes()
        best = self._fitting(place) if self._tail is not None else place
        piece = self._source[best : best + self._hop]
        if self._tail is not None:
            piece = _faded(self._tail, piece)
        self._tail = self._source[best + self._hop : best + 2 * self._hop]
        self.at += self._hop * speed
        return piece.tobytes()

    def _fitting(self, place: int) -> int:
        """Where near ``place`` the source goes on most like what was to follow."""
        assert self._tail is not None
        step = max(1, 2 * self._reach // _LOOKED_AT)
        thin = max(1, self._hop // _LOOKED_AT)
        wanted = self._tail[::thin]
        first, last = max(0, place - self._reach), place + self._reach
        return max(
            range(first, last + 1, step),
            key=lambda start: sum(map(mul, wanted, self._source[start : start + self._hop : thin])),
        )


def _faded(leaving: array.array[int], coming: array.array[int]) -> array.array[int]:
    count = len(coming)
    return array.array(
        "h", (old + (new - old) * place // count for place, (old, new) in enumerate(zip(leaving, coming, strict=True)))
    )
