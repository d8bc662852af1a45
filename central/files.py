"""Files and recordings by their content: parts that grow, whole ones under their SHA-256, a folder for each region.

What lies here is sealed by the desk (operator_tui/secrets): the server keeps bytes and never the key beside them. Same
content comes once, whoever sends it, and an upload that broke off is gone on with by anybody who has the same file. No
database: several processes share the folder, on one machine or by a network file system with locks.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from operator_tui.appeals.errors import Code, Refusal

FOLDER_VARIABLE = "OPERATOR_TUI_FILES"
MAX_FILE = 1 << 30  # a recording of four hours, as WAV of wide-band speech
# Bytes of the disk that no upload takes: for what is under way already and for the database beside it.
RESERVE_VARIABLE = "OPERATOR_TUI_FILES_RESERVE"
_RESERVE = 256 << 20
CHECKSUMS = ("sha1", "sha256")
_NAME = re.compile(r"[0-9a-f]{64}")
_READ = 1 << 20
_FORGOTTEN_S = 14 * 86_400
_LOOK_S = 3600.0  # between two looks for what is forgotten: a region's folder holds millions of files
_looked: dict[Path, float] = {}  # when this process last did, by folder


@dataclass(frozen=True)
class Standing:
    """How far an upload is; ``offset`` equals ``length`` when the file is whole."""

    offset: int
    length: int


class Files:
    """The files of one region. Refusals: BAD_REQUEST with ``reason`` files_not_here, file_name, file_unknown,
    file_size, offset, checksum; FILE_STORE_FULL."""

    def __init__(self, region: str) -> None:
        root = os.environ.get(FOLDER_VARIABLE, "")
        if not root or not region.isdecimal():
            raise Refusal(Code.BAD_REQUEST, reason="files_not_here")
        self._folder = Path(root) / region
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def begin(self, name: str, length: int) -> Standing:
        """An upload of the file with that digest, or the one that is under way, or the whole file."""
        if not 0 < length <= MAX_FILE:
            raise Refusal(Code.BAD_REQUEST, reason="file_size", limit=MAX_FILE)
        whole, part = self._paths(name)
        if whole.exists():
            return Standing(whole.stat().st_size, whole.stat().st_size)
        self._forget_old()
        if not part.exists() and shutil.disk_usage(self._folder).free < length + _reserve():
            raise Refusal(Code.FILE_STORE_FULL)  # said before half of it is here
        with _locked(part, create=True) as descriptor:
            # One length alone is the file's, and only its desk can bring the bytes of that digest: who comes with
            # another is believed, and what lies here goes on as long as it may be the beginning of his.
            if self._said_length(name) != length:
                if os.fstat(descriptor).st_size >= length:
                    os.ftruncate(descriptor, 0)
                _put(self._length(name), str(length).encode())
        return self.standing(name)

    def standing(self, name: str) -> Standing:
        """How far it is; file_unknown when nothing of it is here. Bytes of all its length whose digest nobody looked at
        (the process was killed) are looked at now."""
        whole, part = self._paths(name)
        with suppress(FileNotFoundError):
            size = whole.stat().st_size
            return Standing(size, size)
        try:
            size = part.stat().st_size
        except FileNotFoundError:
            size = -1
        length = self._said_length(name)
        if size < 0 or not length:
            raise Refusal(Code.BAD_REQUEST, reason="file_unknown")
        if size < length:
            return Standing(size, length)
        with suppress(Refusal), _locked(part) as descriptor:
            if os.fstat(descriptor).st_size >= self._said_length(name):
                self._finish(name, part, whole)
        return self.standing(name)

    def append(self, name: str, offset: int, content: bytes, checksum: tuple[str, bytes] | None = None) -> Standing:
        """Put bytes behind what is there, on the disk when this returns; the last ones make the file whole.

        offset when others stand there already, checksum when the bytes, or all of them, are not what was said: the
        bytes are not kept then, and neither is a whole that is none.
        """
        if checksum and hashlib.new(checksum[0], content, usedforsecurity=False).digest() != checksum[1]:
            raise Refusal(Code.BAD_REQUEST, reason="checksum")
        now = self.standing(name)
        whole, part = self._paths(name)
        if whole.exists():
            return self._of_whole(now, offset, content)
        with _locked(part) as descriptor:
            now = Standing(0, self._said_length(name) or now.length)  # another may have come with the right one
            size = os.fstat(descriptor).st_size
            if offset != size:
                raise Refusal(Code.BAD_REQUEST, reason="offset", offset=size)
            if size + len(content) > now.length:
                raise Refusal(Code.BAD_REQUEST, reason="file_size", limit=now.length)
            _write(descriptor, content, size)
            if size + len(content) == now.length:
                self._finish(name, part, whole)
        return Standing(size + len(content), now.length)

    def _said_length(self, name: str) -> int:
        """0 where a power cut took it, or left another's beginning of it."""
        try:
            return max(0, int(self._length(name).read_text(encoding="ascii")))
        except (FileNotFoundError, ValueError):
            return 0

    def open(self, name: str) -> tuple[Path, int]:
        """The whole file and its size; file_unknown when it is not whole."""
        whole, _ = self._paths(name)
        try:
            return whole, whole.stat().st_size
        except FileNotFoundError:
            raise Refusal(Code.BAD_REQUEST, reason="file_unknown") from None

    def _of_whole(self, now: Standing, offset: int, content: bytes) -> Standing:
        """The answer to the last bytes was lost: they come again."""
        if offset + len(content) > now.length or offset < 0:
            raise Refusal(Code.BAD_REQUEST, reason="offset", offset=now.length)
        return now

    def _finish(self, name: str, part: Path, whole: Path) -> None:
        digest = hashlib.sha256()
        with part.open("rb") as file:
            while block := file.read(_READ):
                digest.update(block)
        if digest.hexdigest() != name:
            part.unlink()
            raise Refusal(Code.BAD_REQUEST, reason="checksum")
        part.rename(whole)
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        self._length(name).unlink(missing_ok=True)

    def _paths(self, name: str) -> tuple[Path, Path]:
        if not _NAME.fullmatch(name):
            raise Refusal(Code.BAD_REQUEST, reason="file_name")
        return self._folder / name, self._folder / f"{name}.part"

    def _length(self, name: str) -> Path:
        return self._folder / f"{name}.length"

    def _forget_old(self) -> None:
        """Parts that nobody has gone on with for two weeks; their desks begin anew."""
        now = time.monotonic()
        if now - _looked.get(self._folder, -_LOOK_S) < _LOOK_S:
            return
        _looked[self._folder] = now
        with os.scandir(self._folder) as entries:  # one after the other: all of them would fill the memory
            for part in (Path(entry) for entry in entries if entry.name.endswith(".part")):
                with suppress(FileNotFoundError):
                    if part.stat().st_mtime < time.time() - _FORGOTTEN_S:
                        part.unlink()
                        part.with_suffix(".length").unlink()


def _reserve() -> int:
    said = os.environ.get(RESERVE_VARIABLE, "")
    return int(said) if said.isdecimal() else _RESERVE


@contextmanager
def _locked(part: Path, *, create: bool = False) -> Iterator[int]:
    """The part, for one writer at a time, in this process or another."""
    try:
        descriptor = os.open(part, os.O_RDWR | (os.O_CREAT if create else 0), 0o600)
    except FileNotFoundError:
        raise Refusal(Code.BAD_REQUEST, reason="file_unknown") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if not create and not _is_at(descriptor, part):
            # Who had the lock before made it whole, or threw it away: bytes put here now would be lost.
            raise Refusal(Code.BAD_REQUEST, reason="file_unknown")
        yield descriptor
    finally:
        os.close(descriptor)


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _write(descriptor: int, content: bytes, at: int) -> None:
    """All of it, on the disk when this returns; a disk that fills up keeps what was there before."""
    left = memoryview(content)
    try:
        while left:
            left = left[os.pwrite(descriptor, left, at + len(content) - len(left)) :]
        os.fsync(descriptor)
    except OSError:
        os.ftruncate(descriptor, at)
        raise


def _put(file: Path, content: bytes) -> None:
    fresh = file.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
    with fresh.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    fresh.replace(file)
