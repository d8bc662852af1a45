"""How often a password may be guessed. Counted in the database, so that several server processes count as one."""

from __future__ import annotations

import sqlalchemy as sa

from central.store import tables as t
from central.store.database import Database
from operator_tui.appeals.errors import Code, Refusal

TRIES = 5
WINDOW_MS = 15 * 60_000
_MACHINE_DIGITS = 16


def guess_at(connection: sa.Connection, device: str, login: str) -> str:
    """The key of guesses made at the machine of that device: of all its devices together, or whoever may join a
    machine could make one device after the other and guess with each."""
    chosen = sa.select(t.device.c.workstation).where(t.device.c.id == device)
    return guess_by(connection.execute(chosen).scalar_one_or_none() or device, login)


def guess_by(machine: str, login: str) -> str:
    """The same for a machine's own key, or for a device without one."""
    return f"{machine[:_MACHINE_DIGITS]}/{login}"


def count(database: Database, key: str, now_ms: int) -> None:
    """One more try, counted before it is looked at: tries at the same moment are no way round.
    Refusal(SIGN_IN_LATER) with minutes to wait when there were too many."""

    def work(connection: sa.Connection) -> int:
        connection.execute(sa.delete(t.attempt).where(t.attempt.c.since <= now_ms - WINDOW_MS))
        row = connection.execute(database.lock(sa.select(t.attempt).where(t.attempt.c.key == key))).one_or_none()
        if row is None:
            connection.execute(sa.insert(t.attempt).values(key=key, tries=1, since=now_ms))
            return 0
        if row.tries >= TRIES:
            return int(row.since + WINDOW_MS - now_ms)
        connection.execute(sa.update(t.attempt).where(t.attempt.c.key == key).values(tries=row.tries + 1))
        return 0

    try:
        left = database.write(work)
    except sa.exc.IntegrityError:  # two first tries at once: this one is the second
        left = database.write(work)
    if left:
        raise Refusal(Code.SIGN_IN_LATER, minutes=-(-left // 60_000))


def forget(connection: sa.Connection, key: str) -> None:
    """It was the right one."""
    connection.execute(sa.delete(t.attempt).where(t.attempt.c.key == key))
