"""The reference data as this desk knows them, and their changes by an administrator."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from operator_tui.appeals.catalogue import Catalogue
from operator_tui.appeals.reference import Version
from operator_tui.journal import reference
from operator_tui.journal.part import Part


class Lists(Part):
    """The lists everybody works by."""

    @property
    def catalogue(self) -> Catalogue:
        """The reference data of the newest version known here; another value when it changes."""
        return self._store.catalogue

    def change_reference(self, name: str, rows: Mapping[str, Mapping[str, str]]) -> None:
        """Write rows of a list; each change is a version. Refusals: FIELD_REQUIRED, FIELD_INVALID, REFERENCE_STALE,
        REFERENCE_NEEDED, REFERENCE_OF_FUND, RIGHT_MISSING."""
        self._change_reference(lambda: reference.change(self._store, name, rows))

    def reference_back(self, name: str, number: int) -> None:
        """Make a list again what it was after a version, as a new version. Refusals: those above, REFERENCE_SAME."""
        self._change_reference(lambda: reference.go_back(self._store, name, number))

    def _change_reference(self, work: Callable[[], object]) -> None:
        try:
            with self._store.writing():
                work()
        except BaseException:
            with self._store.reading():
                reference.load(self._store)  # a part that was refused undid those before it
            raise

    def reference_versions(self, name: str) -> list[Version]:
        """The changes of a list, the oldest first."""
        with self._store.reading():
            return reference.versions(self._store, name)
