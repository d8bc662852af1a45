"""Copies of the server's database and the way back from one.

What a finished copy holds survives the loss of the machine: the operations in it are told to their desks as durable.
A restored database is another lineage (a new epoch), so that desks read it again and send what it lacks
(design/sync-and-security.md 1.5, rules 6 and 7).
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import sqlalchemy as sa

from central.store import tables as t
from central.store.database import Database
from operator_tui.appeals.errors import Code, Refusal


def backup(database: Database, target: Path) -> int:
    """Write a copy to ``target``, which must not be there yet, while the server works. Returns how many operations
    are durable by it. Refusals: BACKUP_EXISTS (path), BACKUP_FAILED (reason).

    SQLite: one encrypted file under the same key. PostgreSQL: an archive of ``pg_dump`` (not encrypted: keep it so).
    """
    if target.exists():
        raise Refusal(Code.BACKUP_EXISTS, path=str(target))
    held = _received(database)  # before the copy begins: all of it is in the copy
    part = target.with_name(target.name + ".part")
    try:
        part.unlink(missing_ok=True)
        part.touch(mode=0o600)
    except OSError as error:  # no such folder, a disk that is full or may not be written to
        raise Refusal(Code.BACKUP_FAILED, reason=f"{target.parent}: {error.strerror}") from None
    try:
        if database.engine.dialect.name == "sqlite":
            _copy_sqlite(database, part)
        else:
            _postgres_tool("pg_dump", ["--format=custom", f"--file={part}", _address(database.engine)])
        _to_disk(part)
        part.rename(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    _to_disk(target.parent)
    mark_durable(database, held)
    return sum(held.values())


def restore_sqlite(source: Path, key: bytes, target: Path) -> str:
    """Put a copy in the place of the database at ``target``; the server must not run. Returns the new epoch.

    What stood at ``target`` is kept beside it as ``.before-restore``. Refusals: DATABASE_KEY_WRONG, BACKUP_FAILED.
    """
    if not source.is_file():
        raise Refusal(Code.BACKUP_FAILED, reason=str(source))
    part = target.with_name(target.name + ".restoring")
    part.touch(mode=0o600)
    shutil.copyfile(source, part)
    restored = Database.sqlite(part, key)
    try:
        epoch = new_epoch(restored)
    finally:
        restored.close()  # folds the write-ahead log into the file
    _to_disk(part)
    for suffix in ("", "-wal", "-shm"):
        old = target.with_name(target.name + suffix)
        if old.exists():
            old.replace(target.with_name(target.name + ".before-restore" + suffix))
    part.rename(target)
    _to_disk(target.parent)
    return epoch


def restore_postgres(source: Path, url: str) -> str:
    """Read a copy into an empty PostgreSQL database. Returns the new epoch. Refusals: BACKUP_FAILED."""
    engine = sa.create_engine(sa.make_url(url).set(drivername="postgresql+psycopg"))
    try:
        if sa.inspect(engine).get_table_names():
            raise Refusal(Code.BACKUP_FAILED, reason="not empty")
        arguments = ["--exit-on-error", "--no-owner", "--single-transaction", f"--dbname={_address(engine)}"]
        _postgres_tool("pg_restore", [*arguments, str(source)])
    finally:
        engine.dispose()
    restored = Database.postgres(url)
    try:
        return new_epoch(restored)
    finally:
        restored.close()


def new_epoch(database: Database) -> str:
    """Name a new lineage: 64 random bits."""
    epoch = secrets.token_hex(8)
    database.write(
        lambda connection: connection.execute(sa.update(t.server).where(t.server.c.k == "epoch").values(v=epoch))
    )
    return epoch


def _received(database: Database) -> dict[str, int]:
    with database.read() as connection:
        rows = connection.execute(sa.select(t.device.c.id, t.device.c.last_n).where(t.device.c.last_n > 0))
        return {row.id: row.last_n for row in rows}


def mark_durable(database: Database, held: dict[str, int]) -> None:
    """Operations up to that n of each device survive the loss of the machine; what was durable before stays so."""
    if not held:
        return
    update = (
        sa.update(t.device)
        .where(t.device.c.id == sa.bindparam("which"), t.device.c.durable_n < sa.bindparam("held"))
        .values(durable_n=sa.bindparam("held"))
    )
    rows = [{"which": device, "held": n} for device, n in sorted(held.items())]
    database.write(lambda connection: connection.execute(update, rows))


def _copy_sqlite(database: Database, part: Path) -> None:
    from operator_tui.secrets.cipher import DatabaseError

    with database.engine.connect() as connection:
        raw = connection.connection.driver_connection
        assert raw is not None
        try:
            raw.execute("VACUUM INTO ?", [str(part)])  # outside a transaction, past SQLAlchemy's
        except DatabaseError as error:  # its disk is full, say
            raise Refusal(Code.BACKUP_FAILED, reason=str(getattr(error, "sqlite_errorname", ""))) from None


def _address(engine: sa.Engine) -> str:
    return engine.url.set(drivername="postgresql").render_as_string(hide_password=False)


def _postgres_tool(name: str, arguments: Sequence[str]) -> None:
    """Run a program of PostgreSQL; its password, if there is one, comes from ~/.pgpass, never from here."""
    found = shutil.which(name) or next(
        (str(path) for path in sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)), None
    )
    if found is None:
        raise Refusal(Code.BACKUP_FAILED, reason=name)
    done = subprocess.run([found, *arguments], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if done.returncode:
        raise Refusal(Code.BACKUP_FAILED, reason=f"{name}: {done.returncode}")


def _to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
