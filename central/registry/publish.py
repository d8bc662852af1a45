"""Brings a finished registry file into PostgreSQL: beside the tables that serve, then in their place."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from central.registry.names import DELTA_TABLE
from central.registry.postgres import DRIVEN
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.registry.schema import DRIVERS, FIELDS, SCHEMA, connect

_REGION = re.compile(r"\d{2}")
# Small tables stay in rows; the code columns are four bytes wide, identifiers eight.
_TABLES: dict[str, str] = {
    "meta": "name text PRIMARY KEY, value text NOT NULL",
    "word": "id integer PRIMARY KEY, text text NOT NULL",
    "v_part": 'part text COLLATE "C" NOT NULL, code integer NOT NULL, n integer NOT NULL, PRIMARY KEY(part, code)',
    "p": (
        "id integer NOT NULL, sn integer NOT NULL, fn integer NOT NULL, pn integer NOT NULL, y smallint NOT NULL,"
        " md smallint NOT NULL, sex smallint NOT NULL, phone bigint, enp bigint NOT NULL, snils bigint,"
        " insurer integer NOT NULL, clinic integer NOT NULL, district integer NOT NULL, street integer NOT NULL,"
        " house integer NOT NULL, status integer NOT NULL"
    ),
    "more": "id integer NOT NULL, body bytea NOT NULL",
    "former": "sn integer, fn integer, pn integer, y smallint, md smallint, id integer",
    "line": "phone bigint, id integer",
    **{
        f"v_{field}": 'code integer PRIMARY KEY, norm text COLLATE "C" NOT NULL, disp text COLLATE "C" NOT NULL,'
        ' n integer NOT NULL, phon text COLLATE "C" NOT NULL'
        for field in FIELDS
    },
    **{
        f"pc_{field}": 'prefix text COLLATE "C" PRIMARY KEY, lo integer NOT NULL, hi integer NOT NULL,'
        " n integer NOT NULL, k integer NOT NULL"
        for field in FIELDS
    },
}
_CONDITIONS = {**DRIVEN, "phone": "phone IS NOT NULL", "snils": "snils IS NOT NULL"}
_INDEXES = (
    "ALTER TABLE p ADD PRIMARY KEY (id)",
    "ALTER TABLE more ADD PRIMARY KEY (id)",
    "CREATE INDEX ON former(sn, fn, pn, y, md) INCLUDE (id)",
    "CREATE INDEX ON line(phone) INCLUDE (id)",
    *(f"CREATE INDEX ON v_{field}(norm) INCLUDE (code, n)" for field in FIELDS),
    *(f"CREATE INDEX ON v_{field}(phon)" for field in FIELDS),
    *(
        # The id rides along, so that a name is found without touching the table.
        f"CREATE INDEX ON p({', '.join(columns)}) INCLUDE (id)"
        + (f" WHERE {_CONDITIONS[name]}" if name in _CONDITIONS else "")
        for name, columns in DRIVERS.items()
    ),
)
_AT_ONCE = 50_000

Progress = Callable[[float], None]


def schema_of(region: str) -> str:
    """The schema of a region (two digits, the code of its fund). Refusal(BAD_REQUEST) for anything else."""
    if not _REGION.fullmatch(region):
        raise Refusal(Code.BAD_REQUEST, reason="region")
    return f"people_{region}"


def publish(engine: sa.Engine, region: str, file: Path, key: bytes, progress: Progress | None = None) -> int:
    """Put the registry of ``file`` in the place of the region's; returns how many people it has.

    Searches see the old tables until the last step, one transaction. Refusals: those of opening the file,
    DATABASE_WRONG when the database is not PostgreSQL.
    """
    if engine.dialect.name != "postgresql":
        raise Refusal(Code.DATABASE_WRONG, reason=engine.dialect.name)
    name = schema_of(region)
    source = connect(file, key, read_only=True)
    try:
        facts = dict(source.execute("SELECT name, value FROM meta").fetchall())
        if facts.get("schema") != str(SCHEMA):
            raise Refusal(Code.FILE_UNREADABLE, file=file.name, reason="другая версия программы")
        source.execute("BEGIN")  # one state, though a delta may come
        connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        with connection:
            driver: Any = connection.connection.driver_connection
            _fill(driver.cursor(), source, f"{name}_new", int(facts["rows"]), progress or (lambda _: None))
            with driver.transaction():
                cursor = driver.cursor()
                cursor.execute(f"DROP SCHEMA IF EXISTS {name} CASCADE")
                cursor.execute(f"ALTER SCHEMA {name}_new RENAME TO {name}")
    finally:
        source.close()
    return int(facts["rows"])


def _fill(cursor: Any, source: Any, name: str, people: int, progress: Progress) -> None:
    cursor.execute(f"DROP SCHEMA IF EXISTS {name} CASCADE")
    cursor.execute(f"CREATE SCHEMA {name}")
    cursor.execute(f"SET search_path = {name}")
    try:
        for table, columns in _TABLES.items():
            cursor.execute(f"CREATE TABLE {table}({columns})")
            rows = source.execute(f"SELECT * FROM {table}")
            with cursor.copy(f"COPY {table} FROM STDIN") as copy:
                done = 0
                while batch := rows.fetchmany(_AT_ONCE):
                    for row in batch:
                        copy.write_row(row)
                    done += len(batch)
                    if table == "p":
                        progress(0.6 * done / max(1, people))
        for place, statement in enumerate(_INDEXES, 1):
            cursor.execute(statement)
            progress(0.6 + 0.4 * place / len(_INDEXES) * 0.99)
        cursor.execute(DELTA_TABLE)
        cursor.execute("INSERT INTO meta VALUES('published', %s)", [secrets.token_hex(8)])
        for table in _TABLES:
            cursor.execute(f"VACUUM (ANALYZE) {table}")
    finally:
        cursor.execute("RESET search_path")
