"""Brings a database to this program's tables: forward only, the same scripts for both engines."""

from __future__ import annotations

import secrets

import sqlalchemy as sa

from central.store import tables as t
from operator_tui.appeals.errors import Code, Refusal

# The last script in migrations/versions; a test holds it equal to what Alembic finds there. A database that is
# already there is opened without loading Alembic (0.2 s of the embedded server's start).
HEAD = "0008"
_LOCK = 0x0FE7A70  # any number; the same in every server process


def migrate(engine: sa.Engine) -> None:
    """Run the scripts the database lacks. Refusal(DATABASE_NEWER) when it has one this program does not know."""
    with engine.connect() as connection:
        connection = connection.execution_options(writes=True)
        with connection.begin():
            if engine.dialect.name == "postgresql":
                # Two servers that start together must not both make the tables.
                connection.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            found = version_of(connection)
            if found == HEAD:
                return
            _upgrade(connection, found)
            _name_lineage(connection)


def version_of(connection: sa.Connection) -> str | None:
    """The script the database is at, None for an empty one."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def _upgrade(connection: sa.Connection, found: str | None) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", "central.store:migrations")
    config.attributes["connection"] = connection
    if found is not None:
        known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
        if found not in known:
            raise Refusal(Code.DATABASE_NEWER, found=found, known=HEAD)
    command.upgrade(config, "head")


def _name_lineage(connection: sa.Connection) -> None:
    """Give a fresh database its epoch: 64 random bits."""
    if connection.execute(sa.select(t.server.c.v).where(t.server.c.k == "epoch")).scalar_one_or_none() is None:
        connection.execute(sa.insert(t.server).values(k="epoch", v=secrets.token_hex(8)))
