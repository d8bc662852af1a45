"""What every part of the journal's face stands on: the one file, opened once."""

from __future__ import annotations

from operator_tui.journal.store import Store


class Part:
    """A part of ``Journal`` (journal.py): its methods take the store and hold it for one transaction."""

    def __init__(self, store: Store) -> None:
        self._store = store
