"""A workstation as a process without a desk sees it: whether anybody works there, and who sends its files.

Its people share the folder of recordings and the line. Who left is in no colleague's way: while another's desk holds
its journal, or a talk goes on in the engine, no file of his goes.
"""

from __future__ import annotations

from pathlib import Path

from operator_tui.appeals.errors import Refusal
from operator_tui.journal.lock import JournalLock, holder, lock_file
from operator_tui.signin.apart import sender_lock
from operator_tui.signin.seats import journals

_LANE = "files.lock"


class Workstation:
    """``data`` is the profile's folder, ``engine`` the lock file of its telephone's engine. All of it touches disks."""

    def __init__(self, data: Path, engine: Path) -> None:
        self._data = data
        self._engine = engine
        self._lane: JournalLock | None = None

    @property
    def idle(self) -> bool:
        """Whether nobody works here: no desk and no talk. A sender that stays is nobody. False where the disk does not
        say."""
        try:
            return holder(self._engine) is None and not any(_sits(journal) for journal in journals(self._data))
        except (Refusal, OSError):
            return False

    def take_lane(self) -> bool:
        """Whether this sender is the one that sends files: of several that stay here the others wait for its end."""
        if self._lane is None:
            try:
                self._lane = JournalLock.take(self._data / _LANE)
            except Refusal:
                return False
        return True

    def release(self) -> None:
        """Let another one send."""
        if self._lane is not None:
            self._lane.release()
            self._lane = None


def _sits(journal: Path) -> bool:
    """Whether a desk holds that journal."""
    lock = lock_file(journal)
    if not _named(lock):
        return False  # not probed: for that moment a desk that is just starting would find its own journal taken
    pid = holder(lock)
    return pid is not None and pid != holder(sender_lock(journal))


def _named(lock: Path) -> bool:
    """Whether the lock names a process that lives."""
    try:
        name = lock.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return False
    return name.isdecimal() and Path("/proc", name).exists()
