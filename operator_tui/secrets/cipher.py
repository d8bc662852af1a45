"""Opens encrypted SQLite files: SQLCipher under sqlite-utils, with its traps closed in one place.

This module is heavy (sqlite_utils): it is imported by rooms that hold such a file, after the first paint.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import cast
from urllib.parse import quote

import sqlcipher3
import sqlcipher3.dbapi2

# sqlcipher3's exceptions are not those of sqlite3. sqlite_utils takes the exceptions it catches from a module
# called pysqlite3 when there is one, so SQLCipher stands in under that name (design, section 5).
sys.modules.setdefault("pysqlite3", sqlcipher3)
sys.modules.setdefault("pysqlite3.dbapi2", sqlcipher3.dbapi2)

from sqlite_utils import Database  # noqa: E402 - must come after the lines above

KEY_BYTES = 32

DatabaseError = cast("type[Exception]", sqlcipher3.dbapi2.DatabaseError)


def open_encrypted(path: Path, key: bytes, *, read_only: bool = False) -> Database:
    """A database on an encrypted file, created when it is not there (unless ``read_only``).

    ``key`` is the raw key of 32 bytes. Nothing has been read yet: a wrong key shows itself at the first statement
    as DatabaseError. The caller keeps to one thread at a time.
    """
    if len(key) != KEY_BYTES:
        raise ValueError(f"a key has {KEY_BYTES} bytes")
    connection = sqlcipher3.dbapi2.connect(
        f"file:{quote(str(path))}?mode={'ro' if read_only else 'rwc'}",
        uri=True,
        check_same_thread=False,
        isolation_level=None,
        timeout=5.0,
    )
    try:
        # First of all: SQLCipher otherwise writes about a wrong key to stderr, over the operator's screen.
        connection.execute("PRAGMA cipher_log_level=NONE")
        connection.execute(f"PRAGMA key=\"x'{key.hex()}'\"")
        connection.execute("PRAGMA temp_store=MEMORY")
        if not read_only:
            connection.execute("PRAGMA secure_delete=ON")
        return Database(connection, execute_plugins=False)
    except BaseException:
        connection.close()
        raise
