"""A recording as Ogg Opus while it is made (RFC 7845, by libsndfile): a page of about a second at a time, each whole,
so what a kill leaves can be heard up to its last page. A sixth of a WAV file."""

from __future__ import annotations

import io
import sys
import types
from typing import Any

RATES = (8_000, 12_000, 16_000, 24_000, 48_000)  # which the codec knows


class _Out(io.RawIOBase):
    """Takes what the library writes; it writes in order, and only asks where it is."""

    def __init__(self) -> None:
        self._fresh = bytearray()
        self._at = self._size = 0

    def write(self, data: Any) -> int:
        piece = bytes(data)
        if self._at != self._size:
            raise OSError("a page is not behind the one before it")
        self._fresh += piece
        self._at = self._size = self._size + len(piece)
        return len(piece)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence] + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def taken(self) -> bytes:
        fresh, self._fresh = bytes(self._fresh), bytearray()
        return fresh


class OpusStream:
    """PCM of 16 bits goes in, pages come out. ImportError or OSError without the library."""

    def __init__(self, rate: int, channels: int = 2) -> None:
        import soundfile

        self._out = _Out()
        form = {"format": "OGG", "subtype": "OPUS"}
        self._file = soundfile.SoundFile(self._out, "w", samplerate=rate, channels=channels, **form)

    def feed(self, pcm: bytes) -> bytes:
        """The pages that are complete now."""
        self._file.buffer_write(pcm, dtype="int16")
        return self._out.taken()

    def end(self) -> bytes:
        """The last pages."""
        self._file.close()
        return self._out.taken()


def load_light() -> None:
    """Load the library without NumPy, which it names in two type aliases only; bytes need none of it, and it is 12 MB
    of an engine. Only where nobody else in the process may be loading NumPy at this moment."""
    if "soundfile" in sys.modules or "numpy" in sys.modules:
        return
    stands_in = types.ModuleType("numpy")
    vars(stands_in).update(ndarray=list, dtype=list, float32=float, float64=float, int16=int, int32=int)
    sys.modules["numpy"] = stands_in
    try:
        import soundfile  # noqa: F401  # kept by the interpreter
    except Exception:  # another release of it: it is loaded as it wants to be, or not at all
        sys.modules.pop("soundfile", None)
    finally:
        del sys.modules["numpy"]


def encoded(pcm: bytes, rate: int) -> bytes:
    """16-bit mono PCM as a whole file; ``rate`` one of RATES."""
    stream = OpusStream(rate, channels=1)
    return stream.feed(pcm) + stream.end()


def available() -> bool:
    """Whether the library can be had."""
    try:
        import soundfile

        return "OPUS" in soundfile.available_subtypes("OGG")
    except (ImportError, OSError):
        return False
