"""Packages of the registry: what the centre hands to desks that keep a copy, over a line that drops.

A package is a list of people (CSV as ``lists.write_csv`` writes it, and ``op``), packed by zstd and sealed: rows weigh
a fifth of a built index, and each desk builds its own under its own key. A manifest names the last whole list and the
deltas since, each with its SHA-256 and the key that opens it; it is told only to who is signed in.
"""

from __future__ import annotations

import csv
import fcntl
import hashlib
import io
import os
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path

import msgspec

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.registry.lists import known_columns, records_of, row_of
from operator_tui.registry.people import COLUMNS, MORE, Person
from operator_tui.registry.records import CELLS, Change

PACKAGES_PATH = "/v1/registry"
VERSION = 1
WHOLE, DELTA = "whole", "delta"
MANIFEST = "manifest.json"
_PIECE = 256 << 10
_LEVEL = 9


class Package(msgspec.Struct, frozen=True):
    """One file. ``base``: the day of the data a delta goes upon, empty for a whole list; ``key`` opens it (hex)."""

    name: str
    kind: str
    as_of: str
    base: str
    people: int
    size: int
    sha256: str
    key: str


class Manifest(msgspec.Struct, frozen=True):
    """What a region has: one whole list and the deltas since, in their order."""

    v: int
    packages: tuple[Package, ...] = ()


def needed(manifest: Manifest, as_of: date | None) -> list[Package]:
    """What a copy of that day still lacks, in order: the deltas that go upon it, else the whole list and its deltas."""
    own = as_of.isoformat() if as_of else ""
    whole = next((package for package in reversed(manifest.packages) if package.kind == WHOLE), None)
    deltas = [package for package in manifest.packages if package.kind == DELTA]
    newer = [delta for delta in deltas if delta.as_of > own]
    if own and (whole is None or own >= whole.as_of):
        return newer if not newer or newer[0].base <= own else []
    if whole is None:
        return []
    return [whole, *(delta for delta in deltas if delta.as_of > whole.as_of)]


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a region's folder, empty when there is none. Refusal(FILE_UNREADABLE) for a broken one."""
    try:
        return msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
    except FileNotFoundError:
        return Manifest(VERSION)
    except (OSError, msgspec.MsgspecError) as error:
        raise Refusal(Code.FILE_UNREADABLE, file=MANIFEST, reason=type(error).__name__) from error


def add(folder: Path, kind: str, changes: Iterable[Change], as_of: date) -> Package:
    """Make a package of these people and put it into the folder's manifest, in one step.

    A whole list ends the packages before it; their files go with the next one, so that who reads one may finish. Two
    that add at once do so one after the other, or the second's manifest would forget the first's package; and what a
    manifest names is on the disk before it, whatever a power cut leaves. Refusals: REGISTRY_DELTA_OLD for a delta that
    is not newer than the last package, REGISTRY_MISSING for one without a whole list before it, DISK_FAILED.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Refusal(Code.DISK_FAILED, path=str(folder), reason=error.strerror or "") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _add(folder, kind, changes, as_of)
    finally:
        os.close(lock)


def _add(folder: Path, kind: str, changes: Iterable[Change], as_of: date) -> Package:
    manifest = read_manifest(folder)
    last = manifest.packages[-1] if manifest.packages else None
    if kind == DELTA and last is None:
        raise Refusal(Code.REGISTRY_MISSING, path=str(folder))
    if last is not None and as_of.isoformat() <= last.as_of and kind == DELTA:
        raise Refusal(Code.REGISTRY_DELTA_OLD, file=kind, delta=as_of.isoformat(), registry=last.as_of)
    try:
        package = _write(folder, kind, changes, as_of, last.as_of if last and kind == DELTA else "")
        _to_disk(folder)
        kept = manifest.packages if kind == DELTA else ()
        _replace(folder / MANIFEST, msgspec.json.encode(Manifest(VERSION, (*kept, package))))
        _sweep(folder, {one.name for one in (*manifest.packages, package)})
    except OSError as error:
        raise Refusal(Code.DISK_FAILED, path=str(folder), reason=error.strerror or "") from error
    return package


def _write(folder: Path, kind: str, changes: Iterable[Change], as_of: date, base: str) -> Package:
    import zstandard

    from operator_tui.secrets.running import RunningFile, public_key

    key = os.urandom(32)
    name = f"{kind}-{as_of:%Y%m%d}-{os.urandom(4).hex()}"
    sealed = RunningFile(folder / name, public_key(key))
    packer = zstandard.ZstdCompressor(level=_LEVEL).compressobj()
    count = 0
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\n")
    writer.writerow((*COLUMNS, *MORE, "op"))
    for change in changes:
        count += 1
        writer.writerow(_row(change))
        if text.tell() > _PIECE:
            _put(sealed, packer.compress(text.getvalue().encode()))
            text.seek(0)
            text.truncate()
    _put(sealed, packer.compress(text.getvalue().encode()) + packer.flush())
    digest = sealed.close()
    return Package(name, kind, as_of.isoformat(), base, count, sealed.size, digest, key.hex())


def _put(sealed: object, packed: bytes) -> None:
    for start in range(0, len(packed), _PIECE):
        sealed.write(packed[start : start + _PIECE])  # type: ignore[attr-defined]  # a RunningFile, imported late


def _row(change: Change) -> list[str]:
    if change.person is None:
        return [change.enp, *[""] * (len(COLUMNS) + len(MORE) - 1), "d"]
    return [*row_of(change.person), "u"]


def _replace(target: Path, content: bytes) -> None:
    fresh = target.with_name(f".{target.name}.{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    fresh.replace(target)
    _to_disk(target.parent)


def _to_disk(folder: Path) -> None:
    """The names in it."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sweep(folder: Path, kept: set[str]) -> None:
    for file in folder.iterdir():
        if file.name.startswith((f"{WHOLE}-", f"{DELTA}-")) and file.name not in kept:
            file.unlink(missing_ok=True)


def digest_of(file: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


class PackedList:
    """The list inside a package (a ``Source``). Refusal(FILE_SEAL | FILE_UNREADABLE) when it is no package of ours."""

    base = "ROW"

    def __init__(self, file: Path, package: Package) -> None:
        self.file = file
        self.as_of: date | None = date.fromisoformat(package.as_of)
        self.names = {column: column for column in CELLS}
        self._people = max(1, package.people)
        self._key = bytes.fromhex(package.key)
        self._row = 0

    def rows(self) -> Iterator[tuple[int, str, Sequence[str]]]:
        import zstandard

        from operator_tui.secrets.running import open_running

        opened = open_running(self.file, self._key)
        if not opened.whole:
            raise Refusal(Code.FILE_UNREADABLE, file=self.file.name, reason="файл обрывается")
        try:
            with zstandard.ZstdDecompressor().stream_reader(opened.plain) as stream:
                text = io.TextIOWrapper(stream, encoding="utf-8", newline="")
                header = next(csv.reader([text.readline()], delimiter=";"), [])
                places = known_columns(header, self.file)
                for self._row, cells in records_of(text, places, len(header)):
                    if cells is not None:
                        yield self._row + 1, "", cells
        except (zstandard.ZstdError, UnicodeDecodeError, csv.Error) as error:
            reason = f"строка {self._row + 2}: запись повреждена"
            raise Refusal(Code.FILE_UNREADABLE, file=self.file.name, reason=reason) from error

    def done(self) -> float:
        return min(1.0, self._row / self._people)


def take(file: Path, package: Package, path: Path, key: bytes) -> int:
    """Bring the people of a package into the registry at ``path``; returns how many records it had.

    A whole list becomes a new generation in one switch; a delta goes into the one that serves. Faults were refused at
    the centre; one that is found here refuses the package (REGISTRY_FAULTS). Refusals: those of ``load.build`` and
    ``delta.apply``.
    """
    from operator_tui.registry import records
    from operator_tui.registry.delta import apply
    from operator_tui.registry.faults import Faults
    from operator_tui.registry.load import build

    source, faults = PackedList(file, package), Faults(file)
    day = date.fromisoformat(package.as_of)
    if package.kind == DELTA:
        changes = list(records.changes(source, faults))
        faults.refuse()
        apply(path, key, changes, day, name=file.name)
        return len(changes)

    def people() -> Iterator[Person]:
        yield from records.people(source, faults)
        faults.refuse()

    return build(path, key, people(), as_of=day, expected=package.people)
