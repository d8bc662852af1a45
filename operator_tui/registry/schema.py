"""The registry's file: SQLCipher, vocabulary-coded (design/registry.md section 4).

Names are kept once in a vocabulary whose integer codes follow the order of the words, so that everything that begins
with the typed letters is one range of integers; people are rows of integers under narrow covering indexes. A word of
the vocabulary leaves gaps of codes beside it for the words of later deltas.

Beside the hot tables: ``more`` (what only a shown person needs, under his id), ``former`` (previous surnames, so that
a search finds them) and ``line`` (telephones beyond the first). ``registry.db`` is a symbolic link to the generation
that serves (generations.py): SQLite follows it, and keeps the generation's write-ahead log under the generation's name.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

from operator_tui.appeals.errors import Code, Refusal

SCHEMA = 3
KEY_BYTES = 32

# sn, fn, pn: surname, first name, patronymic; y, md: year and month*100+day of birth.
FIELDS = ("sn", "fn", "pn")
GAPS = {"sn": 16, "fn": 4, "pn": 4}
SHORT_PREFIX = 3  # prefixes up to this length have their counts ready in the pc_ tables

# Every index that may drive a search, with the columns it covers, in order.
DRIVERS: dict[str, tuple[str, ...]] = {
    "sn": ("sn", "fn", "pn", "y", "md"),
    "fn": ("fn", "pn", "sn", "y", "md"),
    "pn": ("pn", "sn", "fn", "y", "md"),
    "y": ("y", "sn", "fn", "pn", "md"),
    "md": ("md", "y", "sn", "fn", "pn"),
    "enp": ("enp",),
    "snils": ("snils",),
    "phone": ("phone",),
}

_TABLES = """
CREATE TABLE meta(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE word(id INTEGER PRIMARY KEY, text TEXT NOT NULL);
CREATE TABLE v_part(part TEXT NOT NULL, code INTEGER NOT NULL, n INTEGER NOT NULL, PRIMARY KEY(part, code))
    WITHOUT ROWID;
CREATE TABLE p(id INTEGER PRIMARY KEY, sn INTEGER NOT NULL, fn INTEGER NOT NULL, pn INTEGER NOT NULL,
    y INTEGER NOT NULL, md INTEGER NOT NULL, sex INTEGER NOT NULL, phone INTEGER, enp INTEGER NOT NULL,
    snils INTEGER, insurer INTEGER NOT NULL, clinic INTEGER NOT NULL, district INTEGER NOT NULL,
    street INTEGER NOT NULL, house INTEGER NOT NULL, status INTEGER NOT NULL);
CREATE TABLE more(id INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE former(sn INTEGER NOT NULL, fn INTEGER NOT NULL, pn INTEGER NOT NULL, y INTEGER NOT NULL,
    md INTEGER NOT NULL, id INTEGER NOT NULL, PRIMARY KEY(sn, fn, pn, y, md, id)) WITHOUT ROWID;
CREATE TABLE line(phone INTEGER NOT NULL, id INTEGER NOT NULL, PRIMARY KEY(phone, id)) WITHOUT ROWID;
"""
_VOCABULARY = """
CREATE TABLE v_{field}(code INTEGER PRIMARY KEY, norm TEXT NOT NULL, disp TEXT NOT NULL, n INTEGER NOT NULL,
    phon TEXT NOT NULL);
CREATE TABLE pc_{field}(prefix TEXT PRIMARY KEY, lo INTEGER NOT NULL, hi INTEGER NOT NULL, n INTEGER NOT NULL,
    k INTEGER NOT NULL) WITHOUT ROWID;
"""
TABLES = _TABLES + "".join(_VOCABULARY.format(field=field) for field in FIELDS)
VOCABULARY_INDEXES = "".join(
    f"CREATE INDEX v_{field}_norm ON v_{field}(norm, n); CREATE INDEX v_{field}_phon ON v_{field}(phon, n);"
    for field in FIELDS
)
# A number that is missing is NULL and costs its index nothing.
INDEXES = tuple(
    f"CREATE {'UNIQUE ' if name == 'enp' else ''}INDEX i_{name} ON p({', '.join(columns)})"
    + (f" WHERE {name} IS NOT NULL" if name in ("phone", "snils") else "")
    for name, columns in DRIVERS.items()
)

NEW_FILE = (
    "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-65536; "
    "PRAGMA locking_mode=EXCLUSIVE;"
)
_CACHE_KB = 8192


def connect(path: Path, key: bytes, *, read_only: bool) -> Any:
    """Open the file with its raw key of 32 bytes.

    Refusal: REGISTRY_MISSING when there is none, REGISTRY_KEY_WRONG when the key does not fit, FILE_UNREADABLE for
    the rest. The connection may be used (and interrupted) from any one thread at a time.
    """
    import sqlcipher3

    if len(key) != KEY_BYTES:
        raise Refusal(Code.REGISTRY_KEY_WRONG, path=str(path))
    if read_only and not path.is_file():
        raise Refusal(Code.REGISTRY_MISSING, path=str(path))
    uri = f"file:{quote(str(path.absolute()))}?mode={'ro' if read_only else 'rwc'}"
    try:
        connection = sqlcipher3.connect(uri, uri=True, check_same_thread=False, isolation_level=None)
    except sqlcipher3.Error as error:
        raise Refusal(Code.FILE_UNREADABLE, file=str(path), reason=type(error).__name__) from None
    try:
        # SQLCipher writes to stderr when a key is wrong, which would fall into the middle of a painted screen.
        connection.execute("PRAGMA cipher_log_level = NONE")
        connection.execute(f"PRAGMA key = \"x'{key.hex()}'\"")
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KB}")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlcipher3.DatabaseError as error:
        connection.close()
        if "not a database" in str(error):
            raise Refusal(Code.REGISTRY_KEY_WRONG, path=str(path)) from None
        raise Refusal(Code.FILE_UNREADABLE, file=str(path), reason=type(error).__name__) from None
    return connection
