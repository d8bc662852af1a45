"""Recordings of talks (K-4.11): stereo, operator left, caller right, encrypted as they are written.

Sound comes on the card's own threads, which must not wait for a disk: they only put frames aside, and one thread a
recording writes. A file that grows is ``CALL.part``; with its end mark it becomes ``CALL.otr``. What an engine that was
killed left as ``.part`` is taken over by the next one.
"""

from __future__ import annotations

import array
import contextlib
import hashlib
import os
import shutil
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.phone.line import Recorded, RecordSink
from operator_tui.phone.opus import RATES, OpusStream
from operator_tui.secrets.running import Opened, RunningFile, open_running

_WRITE_SECONDS = 0.5  # what a kill can take
_SYNC_SECONDS = 5.0  # what a power cut can take
_SAMPLE_BYTES = 2
_SIDES = 2
_MOST_SILENCE_SECONDS = 300.0  # of a hold: an hour of it would be 115 MB of nothing
_LAG_SECONDS = 0.5  # by which one side may be late before silence stands in for it
_WIDEST = 16_000  # speech needs no more; a talk in Opus comes with 48,000
_UNKNOWN = 0xFFFFFFFF - 36  # the length in a WAV header that was written before the sound
HEADER_BYTES = 44
GROWING, ENDED = ".part", ".otr"
_BYTES_PER_HOUR = 8_000 * _SAMPLE_BYTES * _SIDES * 3600
_OPUS_BYTES_PER_HOUR = 48_000 // 8 * 3600  # two voices at once; one after the other takes less
LOW_HOURS = 8.0


def wav_header(rate: int, length: int = _UNKNOWN) -> bytes:
    """The 44 bytes before ``length`` bytes of 16-bit stereo PCM."""
    frame = _SAMPLE_BYTES * _SIDES
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        *(b"RIFF", 36 + length, b"WAVE", b"fmt ", 16, 1, _SIDES, rate, rate * frame, frame, 8 * _SAMPLE_BYTES),
        *(b"data", length),
    )


def wav_of(file: Path, private_key: bytes) -> tuple[bytes, bool]:
    """A recording made as WAV, as a WAV file, and whether it is whole. Refusal(FILE_SEAL) for one that is not ours."""
    opened: Opened = open_running(file, private_key)
    sound = opened.plain[HEADER_BYTES:]
    sound = sound[: len(sound) // (_SAMPLE_BYTES * _SIDES) * _SAMPLE_BYTES * _SIDES]
    rate = int.from_bytes(opened.plain[24:28], "little")
    return wav_header(rate, len(sound)) + sound, opened.whole


class Recording(RecordSink):
    """One call's file. ``told`` is called once, on the writing thread, with how it ended."""

    def __init__(
        self,
        folder: Path,
        call: str,
        public_key: bytes,
        told: Callable[[Recorded], None],
        failed: Callable[[Refusal], None],
        *,
        opus: bool = False,
    ) -> None:
        """``opus`` Ogg Opus instead of WAV, where its library is. Refusal(RECORD_FOLDER) when the folder takes no
        file."""
        self._growing = folder / f"{call}{GROWING}"
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._file = RunningFile(self._growing, public_key)
        except OSError as error:
            raise Refusal(Code.RECORD_FOLDER) from error
        self._call = call
        self._told = told
        self._failed = failed
        self._sides = (bytearray(), bytearray())
        self._before: list[
            tuple[tuple[bytearray, bytearray], int]
        ] = []  # stretches that ended, frames of silence after
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._rate = 0
        self._frames = 0
        self._left_off = 0.0
        self._paused = False
        self._wants_opus = opus
        self._opus: OpusStream | None = None
        self._thread = threading.Thread(target=self._run, name="recording", daemon=True)
        self._thread.start()

    # for the talk

    def begin(self, rate: int) -> None:
        """A stretch of talk begins, maybe after a hold: what passed meanwhile is silence, of a long hold a part."""
        with self._lock:
            if not self._rate:
                self._rate = min(rate, _WIDEST)
            elif self._left_off:
                silence = min(time.monotonic() - self._left_off, _MOST_SILENCE_SECONDS)
                self._before.append((self._sides, int(silence * self._rate)))
                self._sides = (bytearray(), bytearray())
            self._left_off = 0.0

    def leave(self) -> None:
        """The stretch of talk is over."""
        with self._lock:
            self._left_off = time.monotonic()

    def operator(self, pcm: bytes, rate: int) -> None:
        self._take(0, pcm, rate)

    def caller(self, pcm: bytes, rate: int) -> None:
        self._take(1, pcm, rate)

    def pause(self, on: bool) -> None:
        """While paused, silence is written: the places of what is said before and after stay true."""
        self._paused = on

    def close(self) -> None:
        """No more comes; the file is ended on its own thread."""
        self._closed.set()

    def wait(self, seconds: float | None = None) -> None:
        """Until the file is ended, at most so long: a disk may hang."""
        self._thread.join(seconds)

    def _take(self, side: int, pcm: bytes, rate: int) -> None:
        if self._paused:
            pcm = bytes(len(pcm))
        if rate != self._rate:
            pcm = resampled(pcm, rate, self._rate)
        with self._lock:
            self._sides[side].extend(pcm)

    # the writing thread

    def _run(self) -> None:
        synced = time.monotonic()
        reason = ""
        try:
            headed = False
            while not self._closed.wait(_WRITE_SECONDS):
                headed = self._drain(headed, rest=False)
                if time.monotonic() - synced >= _SYNC_SECONDS:
                    self._file.sync()
                    synced = time.monotonic()
            headed = self._drain(headed, rest=True)
            if self._opus is not None:
                self._file.write(self._opus.end())
            digest = self._file.close()
        except Exception as error:  # the disk, or the codec: it is told either way, and what was written is kept
            self._failed(Refusal(Code.RECORD_FAILED, reason=getattr(error, "strerror", "") or type(error).__name__))
            self._file.abandon()
            reason, digest = "disk", _digest(self._growing)
        self._told(_ended(self._growing, self._call, digest, self._frames, self._rate, whole=not reason))

    def _drain(self, headed: bool, *, rest: bool) -> bool:
        with self._lock:
            before, self._before = self._before, []
            spoken = self._spoken(self._sides, rest=rest) if self._rate else b""
        for sides, silent in before:
            headed = self._put(self._spoken(sides, rest=True), headed)
            while silent > 0:
                second = min(silent, self._rate)
                headed = self._put(bytes(second * _SAMPLE_BYTES * _SIDES), headed)
                silent -= second
        return self._put(spoken, headed)

    def _spoken(self, sides: tuple[bytearray, bytearray], *, rest: bool) -> bytes:
        """What both sides have, taken out as stereo; with ``rest`` all there is."""
        left, right = sides
        shorter, longer = sorted((len(left), len(right)))
        late = longer - shorter > self._rate * _SAMPLE_BYTES * _LAG_SECONDS
        size = longer if rest or late else shorter
        for side in sides:
            side.extend(bytes(max(0, size - len(side))))
        stereo = array.array("h", bytes(size * _SIDES))
        stereo[::2], stereo[1::2] = array.array("h", bytes(left[:size])), array.array("h", bytes(right[:size]))
        del left[:size], right[:size]
        return stereo.tobytes()

    def _put(self, stereo: bytes, headed: bool) -> bool:
        if not stereo:
            return headed
        if piece := self._written(stereo, headed):
            self._file.write(piece)
        self._frames += len(stereo) // (_SAMPLE_BYTES * _SIDES)
        return True

    def _written(self, stereo: bytes, headed: bool) -> bytes:
        """The sound as it goes into the file; a page of Opus may still be filling."""
        if not headed and self._wants_opus and self._rate in RATES:
            try:
                self._opus = OpusStream(self._rate)
            except (ImportError, OSError, RuntimeError):
                self._opus = None  # a recording in another form is better than none
        if self._opus is not None:
            return self._opus.feed(stereo)
        return (b"" if headed else wav_header(self._rate)) + stereo


def resampled(pcm: bytes, rate: int, wanted: int) -> bytes:
    """16-bit mono PCM at another rate: averages going down, straight lines going up. Good enough for speech."""
    if rate == wanted:
        return pcm
    samples = array.array("h", pcm)
    if rate % wanted == 0:
        step = rate // wanted
        parts = [samples[offset::step] for offset in range(step)]
        return array.array("h", (sum(group) // step for group in zip(*parts, strict=False))).tobytes()
    count = len(samples) * wanted // rate
    made = array.array("h", bytes(count * _SAMPLE_BYTES))
    for i in range(count):
        at, part = divmod(i * rate, wanted)
        following = samples[min(at + 1, len(samples) - 1)]
        made[i] = samples[at] + (following - samples[at]) * part // wanted
    return made.tobytes()


def left_behind(folder: Path) -> list[Recorded]:
    """Files a killed engine did not end: they keep what was said, and are told as not whole."""
    return [_ended(path, path.stem, _digest(path), 0, 0, whole=False) for path in sorted(folder.glob(f"*{GROWING}"))]


def hours_left(folder: Path, *, opus: bool = False) -> float:
    """For how many hours of talk the disk has room. Refusal(RECORD_FOLDER) when the folder takes no file."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError
        return shutil.disk_usage(folder).free / (_OPUS_BYTES_PER_HOUR if opus else _BYTES_PER_HOUR)
    except OSError as error:
        raise Refusal(Code.RECORD_FOLDER) from error


def _digest(path: Path) -> str:
    with contextlib.suppress(OSError), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
    return ""


def _ended(growing: Path, call: str, digest: str, frames: int, rate: int, *, whole: bool) -> Recorded:
    kept = growing.with_suffix(ENDED)
    size = 0
    with contextlib.suppress(OSError):
        growing.rename(kept)
        size = kept.stat().st_size
    return Recorded(
        call=call, file=kept.name, sha256=digest, size=size, ms=1000 * frames // rate if rate else 0, whole=whole
    )
