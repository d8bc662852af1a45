"""Opens the two engines: SQLCipher in a file of its own, PostgreSQL through psycopg 3."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection, QueuePool

from operator_tui.appeals.errors import Code, Refusal

# Requests are short transactions in as many threads (central/app.py); PostgreSQL allows 100 connections by default.
CONNECTIONS = 8
_BUSY_MS = 10_000
_BUSY_AGAIN_S = 0.01
_IDLE_MS = 60_000  # a server process that hangs inside a transaction must not hold a stream for ever
_KEY_BYTES = 32
_RESTED_S = 1.0


def sqlite_engine(path: Path, key: bytes) -> sa.Engine:
    """An engine on an encrypted SQLite file, made if there is none. ``key`` are 32 raw bytes: a raw key opens in
    2 ms, a passphrase would cost 330."""
    if len(key) != _KEY_BYTES:
        raise ValueError("the key has 32 bytes")
    # SQLCipher's own build of SQLite, not the system's: the one that ships with Debian 12 has the WAL-reset bug.
    from sqlcipher3 import dbapi2

    def connect() -> Any:
        connection = dbapi2.connect(
            str(path), isolation_level=None, check_same_thread=False, timeout=_BUSY_MS / 1000, cached_statements=256
        )
        # Before anything else: with a wrong key the cipher would write to stderr.
        connection.execute("PRAGMA cipher_log_level = NONE")
        connection.execute(f"PRAGMA key = \"x'{key.hex()}'\"")
        try:
            _write_ahead(connection, dbapi2.OperationalError)
        except dbapi2.DatabaseError as error:
            connection.close()
            if "not a database" in str(error):
                raise Refusal(Code.DATABASE_KEY_WRONG, path=str(path)) from None
            raise
        for pragma in ("synchronous = FULL", "foreign_keys = ON", "secure_delete = ON", "temp_store = MEMORY"):
            connection.execute(f"PRAGMA {pragma}")
        return connection

    engine = sa.create_engine(
        "sqlite+pysqlite://",
        module=dbapi2,
        creator=connect,
        poolclass=QueuePool,
        **_common(),
    )

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        # A writer takes the lock at once: one that read first and then wanted to write could not go on.
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _write_ahead(connection: Any, locked: type[Exception]) -> None:
    """Turn write-ahead logging on. SQLite calls no busy handler for this where waiting could be for ever (sqlite.org,
    sqlite3_busy_handler), so servers that open a fresh file together wait here."""
    until = time.monotonic() + _BUSY_MS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except locked as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(_BUSY_AGAIN_S)
        else:
            return


def postgres_engine(url: str) -> sa.Engine:
    """An engine on PostgreSQL: ``postgresql+psycopg://user@host/name``. Refusal(DATABASE_WRONG) for another kind
    of address and for one with a password in it: arguments can be read by everybody on the machine."""
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError:
        raise Refusal(Code.DATABASE_WRONG, reason="url") from None
    if parsed.drivername not in ("postgresql", "postgresql+psycopg"):
        raise Refusal(Code.DATABASE_WRONG, reason=parsed.drivername)
    if parsed.password:
        raise Refusal(Code.DATABASE_WRONG, reason="password")
    engine = sa.create_engine(
        parsed.set(drivername="postgresql+psycopg"),
        connect_args={
            "connect_timeout": 5,
            "application_name": "operator-tui central",
        },
        **_common(),
    )
    _set_at_once(engine)
    _ask_the_rested(engine)
    return engine


def _set_at_once(engine: sa.Engine) -> None:
    """Not as start-up options: PgBouncer takes none, and without a limit a lock would be waited for without end."""
    settings = {"lock_timeout": _BUSY_MS, "idle_in_transaction_session_timeout": _IDLE_MS, "TimeZone": "UTC"}
    chosen = ", ".join(f"set_config('{name}', '{value}', false)" for name, value in settings.items())

    @sa.event.listens_for(engine, "connect")
    def opened(raw: Any, record: ConnectionPoolEntry) -> None:
        raw.autocommit = True
        raw.execute(f"SELECT {chosen}")
        raw.autocommit = False


def _ask_the_rested(engine: sa.Engine) -> None:
    """A connection that rested for a while is asked whether it still lives; one just used is not: that question
    was every fourth of a request's round trips."""

    @sa.event.listens_for(engine, "checkin")
    def rests(raw: DBAPIConnection | None, record: ConnectionPoolEntry) -> None:
        record.info["rests_since"] = time.monotonic()

    @sa.event.listens_for(engine, "checkout")
    def wakes(raw: DBAPIConnection, record: ConnectionPoolEntry, proxy: PoolProxiedConnection) -> None:
        if time.monotonic() - record.info.get("rests_since", 0.0) < _RESTED_S:
            return
        try:
            engine.dialect.do_ping(raw)
        except engine.dialect.loaded_dbapi.Error as error:
            raise sa.exc.DisconnectionError from error  # the pool throws all that are as old away and makes a new one


def _common() -> dict[str, Any]:
    return {
        "pool_size": CONNECTIONS,
        "max_overflow": 0,
        # Parameters of a statement are personal data: they must not stand in an exception's text.
        "hide_parameters": True,
        "json_serializer": lambda value: msgspec.json.encode(value).decode(),
        "json_deserializer": msgspec.json.decode,
    }
