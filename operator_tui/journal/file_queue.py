"""Files and recordings on their way to the server, as operations of this journal have named them."""

from __future__ import annotations

from collections.abc import Sequence

from operator_tui.appeals.errors import Refusal
from operator_tui.journal import files
from operator_tui.journal.files import Sending
from operator_tui.journal.part import Part


class FileQueue(Part):
    """Which files wait, and how far each has gone."""

    def files_waiting(self) -> list[Sending]:
        """What is to be sent: papers before recordings, the oldest first."""
        with self._store.reading():
            return files.waiting(self._store)

    def files_of(self, names: Sequence[str], calls: Sequence[str]) -> list[Sending]:
        """How the files of those digests, and the recordings of those calls, are on their way."""
        with self._store.reading():
            return files.of(self._store, names, calls)

    def unsent_files(self) -> int:
        """How many wait."""
        with self._store.reading():
            return files.unsent(self._store)

    def file_went(self, name: str, sent: int, size: int) -> None:
        """So much of it is at the server."""
        with self._store.writing():
            files.went(self._store, name, sent, size)

    def file_there(self, name: str) -> None:
        """The server has it whole."""
        with self._store.writing():
            files.there(self._store, name)

    def file_put_off(self, name: str, refusal: Refusal, *, for_good: bool = False) -> None:
        """It does not go now, or never, and why."""
        with self._store.writing():
            files.put_off(self._store, name, refusal, for_good=for_good)

    def file_found(self, name: str, file: str, call: str, size: int) -> None:
        """Queue a recording that lies here and no operation of this journal names."""
        with self._store.writing():
            files.found(self._store, name, file, call, size)

    def recordings_known(self) -> set[str]:
        """The names in their folder of all recordings in the queue."""
        with self._store.reading():
            return files.known(self._store)

    def spare_files(self, before_ms: int) -> list[Sending]:
        """Recordings the server has had since before that instant, whose local copy is still here."""
        with self._store.reading():
            return files.spare(self._store, before_ms)

    def file_let_go(self, name: str) -> None:
        """Its local copy is gone."""
        with self._store.writing():
            files.let_go(self._store, name)
