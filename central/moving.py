"""Who may write in a region while it moves to a server of its own (central/regions.py): nobody, and he is told at once.

An advisory lock of PostgreSQL for each region: whoever writes shares it until his transaction ends, the move has it
alone. It is only tried for, so nobody waits for a move, least of all another region's desks in the same transaction;
and it is gone with the connection that held it. SQLite has one region, which does not move.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from weakref import WeakKeyDictionary

import sqlalchemy as sa

from operator_tui.appeals.errors import Code, Refusal

_SPACE = 266861169  # of the keys of two numbers; the partitions' own is one less (migration 0008)
_TRIED = sa.text(
    "SELECT region, pg_try_advisory_xact_lock_shared(:space, hashtext(region)) AS open "
    "FROM unnest(CAST(:regions AS text[])) AS region"
)
_ALONE = sa.text("SELECT pg_advisory_xact_lock(:space, hashtext(:region))")

_shared: WeakKeyDictionary[sa.RootTransaction, set[str]] = WeakKeyDictionary()


def moving(connection: sa.Connection, regions: Collection[str]) -> frozenset[str]:
    """Those of the regions that move. The others stay here until the transaction ends."""
    transaction = connection.get_transaction()
    if connection.dialect.name != "postgresql" or not isinstance(transaction, sa.RootTransaction):
        return frozenset()
    shared = _shared.setdefault(transaction, set())
    asked = sorted(set(regions) - shared)
    if not asked:
        return frozenset()
    rows = connection.execute(_TRIED, {"space": _SPACE, "regions": asked}).all()
    shared.update(row.region for row in rows if row.open)
    return frozenset(row.region for row in rows if not row.open)


def demand_still(connection: sa.Connection, regions: Iterable[str]) -> None:
    """Refusal(REGION_MOVES, region) when one of them moves; to be asked before anything of theirs is written."""
    for region in sorted(moving(connection, set(regions))):
        raise Refusal(Code.REGION_MOVES, region=region)


def close(connection: sa.Connection, region: str) -> None:
    """From now until the transaction ends nobody writes in the region; who does so now is waited for."""
    connection.execute(_ALONE, {"space": _SPACE, "region": region})
    transaction = connection.get_transaction()
    if isinstance(transaction, sa.RootTransaction):
        _shared.setdefault(transaction, set()).add(region)
