"""Files of appeals on this desk: looked at, checked, and kept encrypted under the digest of their bytes."""

from __future__ import annotations

import errno
import hashlib
import io
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import msgspec

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.papers import KINDS, Paper, kind_of
from operator_tui.secrets.address import LABELLED_BOX, unwrap, wrap
from operator_tui.secrets.files import read_private, write_private
from operator_tui.secrets.running import public_key
from operator_tui.secrets.sealed import box_of, file_key, open_sealed, open_with_key, seal_file

# The folder in the inbox that takes the scans that were attached.
TAKEN = "принято"
_SCAN_S = 60.0
_ENDING, _KEY_ENDING = ".sealed", ".key"


class Attachments:
    """One folder. ``key`` is its private key (32 bytes): here only who has it reads what is kept.

    ``address`` is the fund's (secrets/address.py): a file is encrypted for it then, and the file's own key lies beside
    it, sealed to ``key``: whoever attached it reads it without the server. Without a fund it is encrypted for ``key``.
    """

    def __init__(self, folder: Path, key: bytes, *, address: bytes = b"", max_mb: int = 20, scan: str = "") -> None:
        self._folder = folder
        self._key = key
        self._address = address
        self._max_mb = max_mb
        self._scan = scan

    def take(self, source: Path, *, number: str, day: str) -> Paper:
        """Keep a file; on disk, encrypted, when this returns. The source stays where it is.

        Refusals: FILE_UNREADABLE, FILE_EMPTY, FILE_LARGE, FILE_KIND, FILE_SUSPECT, SCAN_FAILED, DISK_FULL.
        """
        try:
            size = source.stat().st_size
            if size == 0:
                raise Refusal(Code.FILE_EMPTY, file=source.name)
            if size > self._max_mb << 20:
                raise Refusal(Code.FILE_LARGE, file=source.name, limit=self._max_mb)
            content = source.read_bytes()
        except OSError as error:
            raise Refusal(Code.FILE_UNREADABLE, file=source.name, reason=error.strerror or "") from None
        if not kind_of(content):
            raise Refusal(Code.FILE_KIND, file=source.name, kinds=", ".join(KINDS))
        self._look_for_viruses(source)
        return self.keep(content, source.name, number=number, day=day)

    def keep(self, content: bytes, name: str, *, number: str, day: str) -> Paper:
        """The same for bytes that were made here."""
        digest = hashlib.sha256(content).hexdigest()
        paper = Paper(name=name, sha256=digest, size=len(content), kind=kind_of(content), number=number, date=day)
        try:
            if not self._stands(paper):
                self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                self._seal(content, digest)
            with (self._folder / (digest + _ENDING)).open("rb") as sealed:
                return msgspec.structs.replace(paper, sealed=hashlib.file_digest(sealed, "sha256").hexdigest())
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise Refusal(Code.DISK_FULL) from None
            raise Refusal(Code.DISK_FAILED, path=str(self._folder), reason=error.strerror or "") from None

    def _stands(self, paper: Paper) -> bool:
        """Whether it is here and readable, and the fund's where there is one: a key that fits is never written over."""
        try:
            self.read(paper)
        except Refusal:
            return False
        return not self._address or len(box_of(self._folder / (paper.sha256 + _ENDING))) == LABELLED_BOX

    def _seal(self, content: bytes, digest: str) -> None:
        path, ours = self._folder / (digest + _ENDING), public_key(self._key)
        if not self._address:
            seal_file(io.BytesIO(content), path, ours)
            return
        key = file_key()
        write_private(self._folder / (digest + _KEY_ENDING), wrap(key, ours))  # first: a file without it is closed here
        seal_file(io.BytesIO(content), path, self._address, key)

    def read(self, paper: Paper) -> bytes:
        """The bytes of a file. Refusals: FILE_NOT_HERE (attached elsewhere), FILE_SEAL (damaged, or another's key)."""
        path = self._folder / (paper.sha256 + _ENDING)
        if not path.is_file():
            raise Refusal(Code.FILE_NOT_HERE, file=paper.name)
        out = io.BytesIO()
        for chunk in self._open(path):
            out.write(chunk)
        if hashlib.sha256(out.getvalue()).hexdigest() != paper.sha256:
            raise Refusal(Code.FILE_SEAL, file=paper.name)
        return out.getvalue()

    def _open(self, path: Path) -> Iterator[bytes]:
        if len(box_of(path)) != LABELLED_BOX:
            return open_sealed(path, self._key)
        try:
            return open_with_key(path, unwrap(read_private(path.with_suffix(_KEY_ENDING)) or b"", self._key))
        except ValueError:
            raise Refusal(Code.FILE_SEAL, file=path.name) from None

    def _look_for_viruses(self, source: Path) -> None:
        if not self._scan:
            return
        try:
            done = subprocess.run(  # the administrator's own command
                [*shlex.split(self._scan), str(source)], capture_output=True, timeout=_SCAN_S, check=False
            )
        except (OSError, ValueError, subprocess.TimeoutExpired) as error:
            raise Refusal(Code.SCAN_FAILED, reason=getattr(error, "strerror", "") or type(error).__name__) from None
        if done.returncode != 0:
            raise Refusal(Code.FILE_SUSPECT, file=source.name)


def new_scans(inbox: str) -> list[Path]:
    """What lies in the inbox folder, the oldest first. Refusals: FOLDER_UNSET, FILE_UNREADABLE."""
    if not inbox:
        raise Refusal(Code.FOLDER_UNSET, key="papers.inbox")
    folder = Path(inbox)
    try:
        files = [file for file in folder.iterdir() if file.is_file() and not file.name.startswith(".")]
        return sorted(files, key=lambda file: (file.stat().st_mtime, file.name))
    except OSError as error:
        raise Refusal(Code.FILE_UNREADABLE, file=inbox, reason=error.strerror or "") from None


def put_aside(source: Path, inbox: str) -> bool:
    """A scan of the inbox that was attached is no new one: it goes to ``TAKEN`` there. Whether it was one and went."""
    if not inbox or source.parent.resolve() != Path(inbox).resolve():
        return False
    aside = source.parent / TAKEN
    try:
        aside.mkdir(exist_ok=True)
        number, target = 1, aside / source.name
        while target.exists():
            number += 1
            target = aside / f"{source.stem} ({number}){source.suffix}"
        source.rename(target)
    except OSError:  # a medium that can only be read: it stays, and so does its name among the new ones
        return False
    return True


def print_out(content: bytes, name: str, *, printer: str, outbox: str) -> str:
    """Through CUPS, or into the outbox folder (0600); where it went. Refusals: PRINT_FAILED, FOLDER_UNSET."""
    if printer:
        try:
            done = subprocess.run(  # the title is the document's, not the person's
                ["lp", "-d", printer, "-t", "operator-tui", "-"],
                input=content, capture_output=True, timeout=_SCAN_S, check=False,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Refusal(Code.PRINT_FAILED, reason=getattr(error, "strerror", "") or type(error).__name__) from None
        if done.returncode != 0:
            reason = done.stderr.decode("utf-8", "replace").strip().splitlines()
            raise Refusal(Code.PRINT_FAILED, reason=reason[-1] if reason else str(done.returncode))
        return printer
    if not outbox:
        raise Refusal(Code.FOLDER_UNSET, key="papers.outbox")
    folder = Path(outbox)
    target = folder / Path(name).name
    for again in range(2, 1000):
        if not target.exists():
            break
        target = folder / f"{Path(name).stem}-{again}{Path(name).suffix}"
    write_private(target, content)
    return str(target)
