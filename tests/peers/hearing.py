"""Which tone a recording holds."""

from __future__ import annotations

import array
import math
import wave
from pathlib import Path


def share_of(pcm: bytes, rate: int, hertz: float) -> float:
    """Which part of the sound's power is at that frequency (Goertzel), 0.0-1.0; 0.0 for silence."""
    samples = array.array("h", pcm[: len(pcm) // 2 * 2])
    power = sum(sample * sample for sample in samples)
    if not power:
        return 0.0
    coefficient = 2 * math.cos(2 * math.pi * hertz / rate)
    before = last = 0.0
    for sample in samples:
        before, last = last, sample + coefficient * last - before
    return (last * last + before * before - coefficient * last * before) / (power * len(samples) / 2)


def loudest_second(file: Path) -> tuple[bytes, int]:
    """``(16-bit mono PCM, rate)`` of the second with the most power in a WAV file."""
    with wave.open(str(file), "rb") as sound:
        rate, pcm = sound.getframerate(), sound.readframes(sound.getnframes())
    seconds = [pcm[start : start + 2 * rate] for start in range(0, max(1, len(pcm) - 2 * rate), rate // 2 * 2)]
    return max(seconds, key=lambda piece: sum(sample * sample for sample in array.array("h", piece))), rate
