"""A recording as it stands in a file, in memory: WAV (also with a header written before its sound) or Ogg Opus."""

from __future__ import annotations

import array
import io
from dataclasses import dataclass

from operator_tui.appeals.errors import Code, Refusal

_WAV, _OGG = b"RIFF", b"OggS"
_BITS = 16


@dataclass(frozen=True, repr=False)
class Speech:
    """16-bit mono PCM in native byte order."""

    rate: int
    pcm: bytes

    @property
    def ms(self) -> int:
        return 1000 * len(self.pcm) // 2 // self.rate


def speech_of(content: bytes) -> Speech:
    """All sides mixed into one. Refusal(SOUND_UNKNOWN) for what is no sound, and for Opus without its library."""
    if content.startswith(_WAV):
        return _of_wav(content)
    if content.startswith(_OGG):
        return _of_ogg(content)
    raise Refusal(Code.SOUND_UNKNOWN)


def _of_wav(content: bytes) -> Speech:
    at, channels, rate, bits = 12, 0, 0, 0
    while at + 8 <= len(content):
        name, size = content[at : at + 4], int.from_bytes(content[at + 4 : at + 8], "little")
        at += 8
        if name == b"fmt ":
            channels = int.from_bytes(content[at + 2 : at + 4], "little")
            rate = int.from_bytes(content[at + 4 : at + 8], "little")
            bits = int.from_bytes(content[at + 14 : at + 16], "little")
        if name == b"data":
            # A header that was written first says more than there is, or nothing: what is there counts.
            pcm = content[at : at + (size or len(content))]
            break
        at += size + size % 2
    else:
        raise Refusal(Code.SOUND_UNKNOWN)
    if bits != _BITS or channels not in (1, 2) or not 4_000 <= rate <= 192_000:
        raise Refusal(Code.SOUND_UNKNOWN)
    return Speech(rate, mixed(pcm[: len(pcm) // (2 * channels) * 2 * channels], channels))


def _of_ogg(content: bytes) -> Speech:
    try:
        import soundfile
    except (ImportError, OSError):
        raise Refusal(Code.SOUND_UNKNOWN) from None
    try:
        with soundfile.SoundFile(io.BytesIO(content)) as file:
            pcm = bytes(file.buffer_read(dtype="int16"))
            return Speech(file.samplerate, mixed(pcm, file.channels))
    except (RuntimeError, ValueError):
        raise Refusal(Code.SOUND_UNKNOWN) from None


def mixed(pcm: bytes, channels: int) -> bytes:
    """Both sides in one ear."""
    if channels == 1:
        return pcm
    samples = array.array("h", pcm)
    # Added, not averaged: one of the two is silent most of the time. What is too loud then is cut.
    both = map(int.__add__, samples[::2], samples[1::2])
    return array.array("h", [max(-32768, min(32767, one)) for one in both]).tobytes()
