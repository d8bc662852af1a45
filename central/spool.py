"""The PBX's spool of night messages: deploy/asterisk writes ``KEY.txt`` (who called), then ``KEY.wav``, then ``ended``.

KEY is the second the call came in and the PBX's own id of it, so no two messages share one, also over a restart.
"""

from __future__ import annotations

import fcntl
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from operator_tui.appeals.errors import Code, Refusal

TAKEN = "taken"  # what became an appeal waits here until a copy of the database holds it
_KEY = re.compile(r"(\d{9,11})-[0-9A-Za-z.\-]{1,80}")
_NUMBER = re.compile(r"\+?\d{3,15}")
_STILL_S = 600.0  # longer than a message may be: a PBX that died in the middle writes no end
HEADER_BYTES = 44
_BYTES_PER_MS = 16  # 8 kHz, 16 bit, mono

Unreadable = Callable[[Path, OSError], None]


@dataclass(frozen=True)
class Message:
    """One message. ``caller`` is the number as the PBX gave it, empty for a hidden one; ``came_ms`` UTC ms."""

    key: str
    wav: Path
    caller: str
    came_ms: int
    ms: int

    @property
    def files(self) -> list[Path]:
        """All that belongs to it; the sound goes last, so that what is left after a kill is found again."""
        return [self.wav.with_suffix(".sealed"), self.wav.with_suffix(".txt"), self.wav]


def messages(folder: Path, now_s: float | None = None, *, unreadable: Unreadable | None = None) -> list[Message]:
    """What is complete, the oldest first. OSError when the folder can not be read; of a message that can not be read
    ``unreadable`` is told, and it stays where it is."""
    now_s = time.time() if now_s is None else now_s
    found = []
    for wav in folder.glob("*.wav"):
        match = _KEY.fullmatch(wav.stem)
        if match is None:
            continue
        try:
            facts = wav.stat()
            told = _told(wav.with_suffix(".txt"))
        except OSError as error:
            if unreadable is None:
                raise
            unreadable(wav, error)
            continue
        if "ended" in told or now_s - facts.st_mtime > _STILL_S:
            number = _NUMBER.fullmatch(told.get("caller", ""))
            ms = max(0, facts.st_size - HEADER_BYTES) // _BYTES_PER_MS
            found.append(Message(wav.stem, wav, number[0] if number else "", int(match[1]) * 1000, ms))
    return sorted(found, key=lambda message: (message.came_ms, message.key))


def put_away(message: Message) -> None:
    """It became an appeal: into the folder TAKEN, where it stays until the database's copy holds it."""
    taken = message.wav.parent / TAKEN
    taken.mkdir(mode=0o700, exist_ok=True)
    for file in message.files:
        if file.exists():
            file.rename(taken / file.name)
    _sync(taken)


def forget(message: Message) -> None:
    """There is nothing in it."""
    for file in message.files:
        file.unlink(missing_ok=True)


def forget_plain(message: Message) -> None:
    """A copy of the database holds the appeal, and the server its file: the sealed sound alone stays, a second copy."""
    message.wav.with_suffix(".txt").unlink(missing_ok=True)
    message.wav.unlink(missing_ok=True)


def kept_sealed(folder: Path) -> list[Path]:
    """Sealed sound whose plain one is gone."""
    return [file for file in sorted((folder / TAKEN).glob("*.sealed")) if not file.with_suffix(".wav").exists()]


def _told(file: Path) -> dict[str, str]:
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return {}
    return {name.strip(): value.strip() for name, _, value in (line.partition("=") for line in lines)}


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def alone(spool: Path) -> Iterator[None]:
    """Another process that empties this folder is waited for. Refusal(FILE_UNREADABLE) when it can not be locked."""
    try:
        lock = os.open(spool / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Refusal(Code.FILE_UNREADABLE, file=str(spool), reason=error.strerror or "") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)
