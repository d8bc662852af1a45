"""What a synchronous standby has on its disk outlives the primary's machine: such operations are told as durable.

Under Patroni's synchronous mode nobody becomes primary but a standby that commits wait for, so what all of those have
flushed is kept whoever is lost next (design/sync-and-security.md 1.5, rule 6). An asynchronous standby counts for
nothing: it may be behind when it is promoted. Without a synchronous one durable is what a finished copy holds
(central/backup.py). It is asked of PostgreSQL after the fact, not concluded from settings: where
``synchronous_standby_names`` is emptied between a question and a commit, that commit waits for nobody.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import sqlalchemy as sa

from central.backup import mark_durable
from central.log import log_failure
from central.store import tables as t
from central.store.database import Database
from operator_tui.appeals.errors import Refusal

if TYPE_CHECKING:
    from central.api.service import Service

LOOK_S = 5.0
# flush_lsn is NULL for a role that may not see it (pg_read_all_stats): then nothing is known, and nothing is durable.
_HELD = sa.text(
    "SELECT coalesce(bool_and(coalesce(flush_lsn >= CAST(:lsn AS pg_lsn), false)), false) "
    "FROM pg_stat_replication WHERE sync_state IN ('sync', 'quorum')"
)


def mark_held(database: Database) -> int:
    """Mark as durable what every synchronous standby has on its disk now; for how many devices something new was.
    0 for a database without one, and for the embedded one."""
    if database.engine.dialect.name != "postgresql":
        return 0
    with database.read() as connection:
        chosen = sa.select(t.device.c.id, t.device.c.last_n).where(t.device.c.last_n > t.device.c.durable_n)
        waiting = {row.id: row.last_n for row in connection.execute(chosen)}
        if not waiting:
            return 0
        # Behind every commit seen above: a row is seen after its commit is on the primary's own disk.
        lsn = connection.execute(sa.text("SELECT CAST(pg_current_wal_flush_lsn() AS text)")).scalar_one()
        if not connection.execute(_HELD, {"lsn": lsn}).scalar_one():
            return 0
    mark_durable(database, waiting)
    return len(waiting)


async def follow(service: Service) -> None:
    """Look as long as the server works; what is not held yet is found at the next look."""
    if service.database.engine.dialect.name != "postgresql":
        return
    while not service.hub.closed:
        await asyncio.sleep(LOOK_S)
        try:
            await service.run(lambda: mark_held(service.database))
        except Refusal:
            pass  # the database is away
        except Exception as error:
            log_failure("standby failed", error)
