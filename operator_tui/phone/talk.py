"""The talk: one call's sound between the SIP stack and the audio port.

The port's callback threads are the only readers and writers of the call's sound, so nothing needs a lock.
"""

from __future__ import annotations

import array
import contextlib
from typing import Any

from baresip import AudioNotActive, AudioRestarted

_SAMPLE_BYTES = 2
_MOST_FRAMES = 8  # what may wait for the speaker; more is delay, and the oldest goes
_KEPT_FRAMES = 3


class Talk:
    """``pull`` and ``push`` of one call for AudioPort. ``audio`` is the stack's CallAudio."""

    def __init__(self, audio: Any, channels: int) -> None:
        self._audio = audio
        self._channels = channels
        self._waiting = bytearray()
        self.muted = False

    def pull(self, size: int) -> bytes:
        """Up to ``size`` bytes of what the other end says, mono."""
        try:
            heard = self._audio.read(size * self._channels * _MOST_FRAMES)
        except (AudioNotActive, AudioRestarted):
            heard = b""
        if self._channels == 2:
            heard = array.array("h", heard)[::2].tobytes()  # both sides are the same on a telephone
        self._waiting += heard
        if len(self._waiting) > size * _MOST_FRAMES:
            del self._waiting[: len(self._waiting) - size * _KEPT_FRAMES]
        piece = bytes(self._waiting[:size])
        del self._waiting[:size]
        return piece

    def push(self, pcm: bytes) -> None:
        """What the operator says, mono; silence while muted."""
        if self.muted:
            pcm = bytes(len(pcm))
        if self._channels == 2:
            mono = array.array("h", pcm)
            stereo = array.array("h", bytes(len(pcm) * 2))
            stereo[::2], stereo[1::2] = mono, mono
            pcm = stereo.tobytes()
        with contextlib.suppress(AudioNotActive, AudioRestarted):
            self._audio.write(pcm)
