"""How much of a frequency is in a sound (Goertzel), in pure Python."""

from __future__ import annotations

import array
import math


def strength(pcm: bytes, rate: int, hertz: float) -> float:
    """The amplitude of that frequency in 16-bit mono PCM, 0-32767."""
    samples = array.array("h", pcm[: len(pcm) // 2 * 2])
    if not samples:
        return 0.0
    coefficient = 2 * math.cos(2 * math.pi * hertz / rate)
    one = two = 0.0
    for sample in samples:
        one, two = sample + coefficient * one - two, one
    power = one * one + two * two - coefficient * one * two
    return 2 * math.sqrt(max(power, 0.0)) / len(samples)


def loudness(pcm: bytes) -> float:
    """Root mean square of 16-bit PCM, 0-32767."""
    samples = array.array("h", pcm[: len(pcm) // 2 * 2])
    return math.sqrt(sum(s * s for s in samples) / len(samples)) if samples else 0.0


def holds(pcm: bytes, rate: int, hertz: float, share: float = 0.6, least: float = 500.0) -> bool:
    """Whether the sound is that tone: loud enough, and most of what is heard.

    A sine of amplitude A has the mean square A²/2, so ``share`` compares like with like.
    """
    found = strength(pcm, rate, hertz)
    return found >= least and found / math.sqrt(2) >= share * loudness(pcm)
