"""The PBX's spool of recorded talks: deploy/asterisk writes ``KEY.txt`` (which SIP dialog), ``KEY-in.wav`` (what the
operator said), ``KEY-out.wav`` (what he heard), and then ``ended``. Both sounds begin together, 8 kHz, 16 bit, mono.
"""

from __future__ import annotations

import array
import os
import re
import struct
import time
from dataclasses import dataclass
from io import RawIOBase
from pathlib import Path
from typing import BinaryIO

from central.spool import HEADER_BYTES, TAKEN, Unreadable

_KEY = re.compile(r"(\d{9,11})-[0-9A-Za-z.\-]{1,80}")
_DIALOG = re.compile(r"[0-9A-Za-z.@_+\-]{1,200}")
_SETTLE_S = 2.0  # the PBX closes the files a moment after it has written the end
_LONGEST_S = 5 * 3600.0  # of a PBX that died in the middle and wrote no end
_RATE, _SAMPLE = 8000, 2
_PIECE = 1 << 15  # samples of each side at once


@dataclass(frozen=True)
class Talk:
    """One recorded talk; ``dialog`` is the SIP Call-ID of the operator's leg."""

    key: str
    folder: Path
    dialog: str

    @property
    def told(self) -> Path:
        return self.folder / f"{self.key}.txt"

    @property
    def sides(self) -> tuple[Path, Path]:
        """The operator's, then the other's; neither is there when nobody answered."""
        return self.folder / f"{self.key}-in.wav", self.folder / f"{self.key}-out.wav"

    @property
    def sealed(self) -> Path:
        return self.folder / f"{self.key}.sealed"

    @property
    def going_away(self) -> bool:
        """Its sealed sound is put away already, and not yet what was told of it."""
        return (self.folder / TAKEN / self.sealed.name).exists()

    @property
    def silent(self) -> bool:
        """Nobody talked: another operator was faster, or nobody took it."""
        return not any(_frames(side) for side in self.sides)

    @property
    def ms(self) -> int:
        return max(map(_frames, self.sides)) * 1000 // _RATE


def talks(folder: Path, now_s: float | None = None, *, unreadable: Unreadable | None = None) -> list[Talk]:
    """What is complete, the oldest first. OSError when the folder can not be read; of a talk that can not be read
    ``unreadable`` is told, and it stays where it is."""
    now_s = time.time() if now_s is None else now_s
    found = []
    for told in folder.iterdir():
        if told.suffix != ".txt" or not _KEY.fullmatch(told.stem):
            continue
        try:
            said = _said(told)
            last = max(_touched(file) for file in (told, *Talk(told.stem, folder, "").sides))
        except OSError as error:
            if unreadable is None:
                raise
            unreadable(told, error)
            continue
        dialog = _DIALOG.fullmatch(said.get("dialog", ""))
        if dialog and now_s - last > (_SETTLE_S if "ended" in said else _LONGEST_S):
            found.append(Talk(told.stem, folder, dialog[0]))
    return sorted(found, key=lambda talk: talk.key)


def put_away(talk: Talk) -> None:
    """It is in the server's store: the plain sound goes, the sealed one stays in TAKEN as a second copy. What was told
    of it goes last, so that what is left after a kill is found again."""
    taken = talk.folder / TAKEN
    taken.mkdir(mode=0o700, exist_ok=True)
    for side in talk.sides:
        side.unlink(missing_ok=True)
    for file in (talk.sealed, talk.told):
        if file.exists():
            file.rename(taken / file.name)


def forget(talk: Talk) -> None:
    """There is nothing in it."""
    for file in (*talk.sides, talk.sealed, talk.told):
        file.unlink(missing_ok=True)


class Stereo(RawIOBase):
    """Both sides as one stereo WAV, read from the front: the operator left, the other right."""

    def __init__(self, talk: Talk) -> None:
        self._frames = max(map(_frames, talk.sides))
        self._sides: list[BinaryIO | None] = []
        try:
            for side in talk.sides:
                self._sides.append(_opened(side))
        except OSError:
            self.close()
            raise
        self._left = self._frames
        self._ready = _header(self._frames)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # typeshed wants a buffer of any kind
        if not self._ready and self._left:
            count = min(_PIECE, self._left)
            stereo = array.array("h", bytes(count * 2 * _SAMPLE))
            for place, side in enumerate(self._sides):
                read = (side.read(count * _SAMPLE) if side else b"").ljust(count * _SAMPLE, b"\0")
                stereo[place::2] = array.array("h", read)
            self._left -= count
            self._ready = stereo.tobytes()
        size = min(len(buffer), len(self._ready))
        buffer[:size] = self._ready[:size]
        self._ready = self._ready[size:]
        return size

    def close(self) -> None:
        for side in self._sides:
            if side:
                side.close()
        super().close()


def _header(frames: int) -> bytes:
    length, frame = frames * 2 * _SAMPLE, 2 * _SAMPLE
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        *(b"RIFF", 36 + length, b"WAVE", b"fmt ", 16, 1, 2, _RATE, _RATE * frame, frame, 8 * _SAMPLE, b"data", length),
    )


def _opened(side: Path) -> BinaryIO | None:
    try:
        file = side.open("rb")
    except FileNotFoundError:
        return None
    file.seek(HEADER_BYTES, os.SEEK_SET)
    return file


def _frames(side: Path) -> int:
    try:
        return max(0, side.stat().st_size - HEADER_BYTES) // _SAMPLE
    except FileNotFoundError:
        return 0


def _touched(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _said(file: Path) -> dict[str, str]:
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    return {name.strip(): value.strip() for name, _, value in (line.partition("=") for line in lines)}
