"""Empty databases of the central server whose tables need not be made each time: the scripts run once a process.

Each has a lineage (``epoch``) of its own, as if its tables had been made for it.
"""

from __future__ import annotations

import functools
import secrets
import tempfile
from pathlib import Path

import psycopg
import sqlalchemy as sa

from central.store import tables as t
from central.store.database import Database
from operator_tui.desk.keys import CENTRAL_KEY
from operator_tui.profiles import Profile
from operator_tui.secrets import profile_secrets
from tests.peers.postgres import Postgres

_KEY = secrets.token_bytes(32)


def sqlite_at(path: Path, key: bytes) -> Database:
    """Opens the file; one that is not there is a copy of an empty one."""
    if path.exists():
        return Database.sqlite(path, key)
    path.touch(mode=0o600)
    path.write_bytes(_empty(key))
    database = Database.sqlite(path, key)
    database.write(lambda connection: connection.execute(_own_lineage()))
    return database


def lay_tables(profile: Profile) -> None:
    """For the first start of a synthetic profile's server: its file is there, and the key to it."""
    if not profile.central_file.exists():
        profile_secrets(profile).set(CENTRAL_KEY, _KEY)
        sqlite_at(profile.central_file, _KEY).close()


def postgres_of(server: Postgres) -> str:
    """The address of a new database."""
    url = server.fresh(like=_template(server))
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        connection.execute("UPDATE server SET v = %s WHERE k = 'epoch'", (secrets.token_hex(8),))
    return url


def _own_lineage() -> sa.Update:
    return sa.update(t.server).where(t.server.c.k == "epoch").values(v=secrets.token_hex(8))


@functools.cache
def _empty(key: bytes) -> bytes:
    with tempfile.TemporaryDirectory(prefix="ot-tables-") as folder:
        path = Path(folder) / "central.db"
        Database.sqlite(path, key).close()
        return path.read_bytes()


@functools.cache
def _template(server: Postgres) -> str:
    url = server.fresh()
    Database.postgres(url).close()
    return url.rpartition("/")[2]
