"""The one way to the tables: short transactions, the same on both engines."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.pool import ConnectionPoolEntry

from central.store.engine import postgres_engine, sqlite_engine
from central.store.migrate import migrate
from operator_tui.appeals.errors import Code, Refusal

T = TypeVar("T")

# serialization_failure, deadlock_detected (PostgreSQL, appendix A): the same again is right.
_AGAIN = frozenset({"40001", "40P01"})
_TRIES = 5
# admin_shutdown, crash_shutdown, cannot_connect_now, too_many_connections, read_only_sql_transaction.
_NOT_NOW = frozenset({"57P01", "57P02", "57P03", "53300", "25006"})
_LOCKED = "55P03"  # lock_not_available
LOCKED = {"reason": "locked"}  # parameters of DATABASE_AWAY where a row alone was not to be had


class Database:
    """An open database whose tables are those of this program."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        self._sqlite = engine.dialect.name == "sqlite"
        # SQLite has one writer; waiting for a lock costs less than its busy handler, which sleeps.
        self._writer = threading.Lock() if self._sqlite else nullcontext()
        self._closed = False
        sa.event.listen(engine, "checkin", self._given_back)

    @classmethod
    def sqlite(cls, path: Path, key: bytes) -> Database:
        """The encrypted file, made and migrated as needed. Refusals: DATABASE_KEY_WRONG, DATABASE_NEWER."""
        path.touch(mode=0o600)
        return cls(sqlite_engine(path, key))._migrated()

    @classmethod
    def postgres(cls, url: str) -> Database:
        """PostgreSQL, migrated as needed. Refusals: DATABASE_AWAY, DATABASE_NEWER, DATABASE_WRONG."""
        return cls(postgres_engine(url))._migrated()

    def _migrated(self) -> Database:
        try:
            migrate(self.engine)
        except sa.exc.OperationalError as error:
            self.close()
            raise Refusal(Code.DATABASE_AWAY) from error
        except BaseException:
            self.close()
            raise
        return self

    @contextmanager
    def one_moment(self) -> Iterator[sa.Connection]:
        """For what changes nothing and asks more than once: all of it as it stood at the first question."""
        with _away(), self._connected() as connection:
            if not self._sqlite:
                connection = connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                yield connection

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """For what changes nothing. SQLite shows one state throughout, PostgreSQL the state of each statement: there
        a transaction would show no more (READ COMMITTED) and cost two round trips."""
        with _away(), self._connected() as connection:
            if not self._sqlite:
                connection = connection.execution_options(isolation_level="AUTOCOMMIT")
            with connection.begin():
                yield connection

    def write(self, work: Callable[[sa.Connection], T], *, patience_ms: int | None = None) -> T:
        """Run ``work`` in a transaction; it is durable when this returns. ``work`` may run again when two
        writers met, so it must change nothing but the database. ``patience_ms``: how long it waits for a row that
        somebody else holds, if not as long as the engine does; Refusal(DATABASE_AWAY, **LOCKED) then."""
        for left in reversed(range(_TRIES)):
            try:
                with _away(), self._writer, self._connected() as connection:
                    connection = connection.execution_options(writes=True)
                    with connection.begin():
                        if patience_ms is not None and not self._sqlite:
                            connection.exec_driver_sql(f"SET LOCAL lock_timeout = {int(patience_ms)}")
                        return work(connection)
            except sa.exc.OperationalError as error:
                if not left or getattr(error.orig, "sqlstate", None) not in _AGAIN:
                    raise
        raise AssertionError("unreachable")

    @contextmanager
    def _connected(self) -> Iterator[sa.Connection]:
        pool = self.engine.pool
        try:
            with self.engine.connect() as connection:
                yield connection
        finally:
            if self._closed:
                pool.dispose()  # closed while this one was on its way back: it lies in the pool that was emptied

    @contextmanager
    def together(self, connection: sa.Connection) -> Iterator[None]:
        """What is executed inside goes to PostgreSQL in one round trip (libpq's pipeline mode). Nothing may be read
        there: results and errors are known at the end."""
        if self._sqlite:
            yield
            return
        import psycopg

        raw: Any = connection.connection.driver_connection
        try:
            with raw.pipeline():
                yield
        except psycopg.Error as error:
            if lost := self.engine.dialect.is_disconnect(error, raw, None):  # type: ignore[arg-type]  # is one of PEP 249's
                connection.invalidate(error)
            raise sa.exc.DBAPIError.instance(
                None, None, error, psycopg.Error, hide_parameters=True, connection_invalidated=lost
            ) from error

    def lock(self, select: sa.Select[Any]) -> sa.Select[Any]:
        """The select that also locks its rows until the end of the transaction. SQLite's writer is alone anyway."""
        return select if self._sqlite else select.with_for_update()

    def close(self) -> None:
        """Give all connections back; one that some thread still works with follows when it is done."""
        self._closed = True
        self.engine.dispose()

    def _given_back(self, raw: object, record: ConnectionPoolEntry) -> None:
        if self._closed:
            record.invalidate()  # its pool is forgotten and would be collected with the connection open


@contextmanager
def _away() -> Iterator[None]:
    """A lost connection is a refusal the desk understands: it tries again later."""
    try:
        yield
    except sa.exc.DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) == _LOCKED:
            raise Refusal(Code.DATABASE_AWAY, **LOCKED) from error
        if error.connection_invalidated or _cannot_connect(error):
            raise Refusal(Code.DATABASE_AWAY) from error
        raise
    except sa.exc.TimeoutError as error:
        raise Refusal(Code.DATABASE_AWAY) from error


def _cannot_connect(error: sa.exc.DBAPIError) -> bool:
    """Whether it was never reached (psycopg has no SQLSTATE then), is starting, ends, or is a standby as yet."""
    state = getattr(error.orig, "sqlstate", "")
    if state in _NOT_NOW:
        return True
    return isinstance(error, sa.exc.OperationalError) and (state is None or state.startswith("08"))
