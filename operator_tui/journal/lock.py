"""One journal, one desk: a lock file beside the journal that names the process holding it."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from operator_tui.appeals.errors import Code, Refusal


class JournalLock:
    """Held from ``take`` to ``release``; the kernel gives it up when the process dies.

    ``unclean`` says that the last holder did not release it: he was killed or the machine stopped.
    """

    def __init__(self, file: int, *, unclean: bool) -> None:
        self._file = file
        self.unclean = unclean

    @classmethod
    def take(cls, path: Path) -> JournalLock:
        """Refusal(JOURNAL_BUSY) with the holder's pid, DISK_FAILED when the lock file cannot be made."""
        try:
            file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise Refusal(Code.DISK_FAILED, path=str(path), reason=error.strerror or "") from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            pid = os.pread(file, 32, 0).decode(errors="replace").strip()
            os.close(file)
            raise Refusal(Code.JOURNAL_BUSY, pid=pid or "?") from None
        unclean = bool(os.pread(file, 32, 0).strip())
        try:
            os.ftruncate(file, 0)
            os.pwrite(file, str(os.getpid()).encode(), 0)
        except OSError:
            # A full disk must not keep the operator from his journal: the lock holds without its name tag.
            unclean = True
        return cls(file, unclean=unclean)

    def release(self) -> None:
        """Give it up. The file stays: unlinking it would let two processes hold two locks."""
        os.ftruncate(self._file, 0)
        os.close(self._file)


def holder(path: Path) -> int | None:
    """Who holds the lock file (a pid; 0 while its name is not in it yet), None when nobody does.

    It only looks: nobody is kept from taking it, and the pid of one who was killed is not taken for a holder.
    """
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Refusal(Code.DISK_FAILED, path=str(path), reason=error.strerror or "") from error
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        name = os.pread(file, 32, 0).strip()
        return int(name) if name.isdigit() else 0
    finally:
        os.close(file)
    return None


def lock_file(journal: Path) -> Path:
    """The lock file of a journal."""
    return journal.with_name(journal.name + ".lock")
