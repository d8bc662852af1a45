"""Tones made by code, and how loud a frame is. Pure."""

from __future__ import annotations

import array
import math

# The cadence of the Russian telephone network: 425 Hz, one second of tone, four of silence.
RING_HERTZ = 425
RING_ON_SECONDS = 1.0
RING_OFF_SECONDS = 4.0
_LOUDNESS = 0.35
_FADE_SECONDS = 0.02  # a tone that starts at once clicks
FULL_SCALE = 32767


def tone(hertz: float, rate: int, seconds: float, loudness: float = _LOUDNESS) -> bytes:
    """16-bit mono PCM of a sine with soft ends."""
    count, fade = int(rate * seconds), max(1, int(rate * _FADE_SECONDS))
    step = 2 * math.pi * hertz / rate
    return array.array(
        "h",
        (
            int(FULL_SCALE * loudness * min(1.0, i / fade, (count - i) / fade) * math.sin(step * i))
            for i in range(count)
        ),
    ).tobytes()


def ring_period(rate: int) -> bytes:
    """One period of ringing; played over and over."""
    return tone(RING_HERTZ, rate, RING_ON_SECONDS) + bytes(2 * int(rate * RING_OFF_SECONDS))


def louder(pcm: bytes, times: float) -> bytes:
    """16-bit PCM by so many times; what would be too loud is cut off."""
    if times == 1.0:
        return pcm
    samples = array.array("h", pcm[: len(pcm) // 2 * 2])
    return array.array("h", (max(-FULL_SCALE, min(FULL_SCALE, int(one * times))) for one in samples)).tobytes()


def peak(pcm: bytes) -> float:
    """The loudest sample of 16-bit PCM, 0.0-1.0."""
    samples = array.array("h", pcm[: len(pcm) // 2 * 2])
    return min(1.0, max(max(samples), -min(samples)) / FULL_SCALE) if samples else 0.0
