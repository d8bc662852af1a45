"""One end of a G.711 A-law sound stream (RFC 3550, RFC 3551): says a tone, keeps what it hears.

It answers to wherever packets come from, as a telephone behind an address translator does.
"""

from __future__ import annotations

import array
import random
import socket
import struct
import threading
import time

from operator_tui.phone.tones import tone
from tests.peers.tones import holds, loudness

RATE = 8000
_FRAME_SECONDS = 0.02
_FRAME = int(RATE * _FRAME_SECONDS)
_PAYLOAD_ALAW, _PAYLOAD_EVENT = 8, 101
_HEADER = struct.Struct("!BBHII")
_KEPT_SECONDS = 30
_KEYS = "0123456789*#"
_KEY_FRAMES, _KEY_ENDS = 5, 3  # a digit of 100 ms; its end is said three times


def _alaw_to_linear(byte: int) -> int:
    """ITU-T G.711, table 1."""
    byte ^= 0x55
    magnitude, segment = (byte & 0x0F) << 4, (byte & 0x70) >> 4
    magnitude = magnitude + 8 if segment == 0 else (magnitude + 0x108) << (segment - 1)
    return magnitude if byte & 0x80 else -magnitude


_LINEAR = array.array("h", (_alaw_to_linear(byte) for byte in range(256)))
_SORTED = sorted(range(256), key=lambda byte: _LINEAR[byte])


def _encode(pcm: bytes) -> bytes:
    levels = [_LINEAR[byte] for byte in _SORTED]

    def nearest(sample: int) -> int:
        low, high = 0, len(levels) - 1
        while low < high:
            middle = (low + high) // 2
            if levels[middle] < sample:
                low = middle + 1
            else:
                high = middle
        return _SORTED[low]

    return bytes(nearest(sample) for sample in array.array("h", pcm))


class RtpEnd:
    """Speaks and hears from its own port on 127.0.0.1 as soon as the other end has sent something."""

    def __init__(self, hertz: float) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(0.2)
        self.port: int = self._socket.getsockname()[1]
        self._voice = _encode(tone(hertz, RATE, 1.0)) if hertz else b""
        self._heard = bytearray()
        self._remote: tuple[str, int] | None = None
        self._pressed: list[str] = []
        self._closed = threading.Event()
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._hear, self._speak)]
        for thread in self._threads:
            thread.start()

    def heard(self, seconds: float = 0.5) -> bytes:
        """The last seconds of what came in, 16-bit PCM; no time passes for what did not come."""
        return bytes(self._heard[-int(RATE * seconds) * 2 :])

    def forget(self) -> None:
        self._heard.clear()

    def hears(self, hertz: float, seconds: float = 0.5) -> bool:
        """Whether the last seconds were that tone."""
        pcm = self.heard(seconds)
        return len(pcm) >= int(RATE * seconds) * 2 and holds(pcm, RATE, hertz)

    def loudness(self, seconds: float = 0.5) -> float:
        return loudness(self.heard(seconds))

    def press(self, digit: str) -> None:
        """Send a digit (RFC 4733), instead of the tone while it lasts."""
        self._pressed.append(digit)

    def close(self) -> None:
        self._closed.set()
        for thread in self._threads:
            thread.join()
        self._socket.close()

    def _hear(self) -> None:
        while not self._closed.is_set():
            try:
                packet, sender = self._socket.recvfrom(2048)
            except TimeoutError:
                continue
            if len(packet) < _HEADER.size or packet[1] & 0x7F != _PAYLOAD_ALAW:
                continue
            self._remote = sender
            self._heard += array.array("h", (_LINEAR[byte] for byte in packet[_HEADER.size :])).tobytes()
            del self._heard[: max(0, len(self._heard) - _KEPT_SECONDS * RATE * 2)]

    def _speak(self) -> None:
        source, sequence, stamp, at = random.getrandbits(32), 0, 0, 0
        due = time.monotonic()
        while not self._closed.wait(max(0.0, due - time.monotonic())):
            due += _FRAME_SECONDS
            if self._remote is not None and self._pressed:
                sequence, stamp = self._send_key(self._pressed.pop(0), source, sequence, stamp)
                due = time.monotonic()
            if self._remote is None or not self._voice:
                continue
            header = _HEADER.pack(0x80, _PAYLOAD_ALAW, sequence & 0xFFFF, stamp & 0xFFFFFFFF, source)
            self._socket.sendto(header + (self._voice[at:] + self._voice)[:_FRAME], self._remote)
            sequence, stamp, at = sequence + 1, stamp + _FRAME, (at + _FRAME) % len(self._voice)

    def _send_key(self, digit: str, source: int, sequence: int, stamp: int) -> tuple[int, int]:
        """RFC 4733, 2.5.1: packets of one event have one time stamp, a growing duration, and the end bit at last."""
        assert self._remote is not None
        for n in range(_KEY_FRAMES + _KEY_ENDS):
            frames, over = min(n + 1, _KEY_FRAMES), n >= _KEY_FRAMES
            header = _HEADER.pack(
                0x80, _PAYLOAD_EVENT | (0x80 if n == 0 else 0), sequence & 0xFFFF, stamp & 0xFFFFFFFF, source
            )
            event = struct.pack("!BBH", _KEYS.index(digit), (0x80 if over else 0) | 10, frames * _FRAME)
            self._socket.sendto(header + event, self._remote)
            sequence += 1
            self._closed.wait(_FRAME_SECONDS)
        return sequence, stamp + _KEY_FRAMES * _FRAME
