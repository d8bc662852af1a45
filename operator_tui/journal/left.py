"""Who goes to work for another organisation takes his journal along, and sees none of the former one's appeals there.

Inside a region a person keeps his account and his device (central/auth/accounts.py). What he has not sent stays until
the centre has judged it; everything else of the former organisation goes, and the new one's comes by its stream.
"""

from __future__ import annotations

from operator_tui.appeals.operations import reference_stream
from operator_tui.journal import reference, shared, snapshot
from operator_tui.journal.store import Store


def leave(store: Store, former: str, present: str) -> None:
    """Forget what was told of the appeals of the organisation ``former``; inside ``writing`` only."""
    kept = reference_stream(former)  # the region's lists are those of all its organisations
    store.db.execute("DELETE FROM event WHERE stream != ?", [kept])
    store.db.execute("DELETE FROM stream WHERE id != ?", [kept])
    if reference_stream(present) != kept:
        store.db.execute("DELETE FROM event")
        store.db.execute("DELETE FROM stream")
        reference.begin_anew(store)
    # What the centre has taken of his is in its appeals there, and no event of it comes here any more.
    store.db.execute("UPDATE outbox SET confirmed = 1 WHERE state NOT IN ('pending', 'rejected')")
    for table in ("card", "shown"):
        store.db.execute(f"DELETE FROM {table} WHERE id NOT IN (SELECT card FROM outbox WHERE state = 'pending')")
    snapshot.forget(store)
    shared.forget(store)
