"""What others would build for the same search: a scan with LIKE, text indexes, plain FTS5, pg_trgm.

All get the line already parsed, and the wrong keyboard layout already read: work that ours does within its time. They
answer with row numbers of at most 101 people, as ours looks at no more; reading the ten people themselves is left out.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from operator_tui.letters import AFTER, has_latin
from operator_tui.registry.lists import read_csv
from operator_tui.registry.names import layout_reading, name_key
from operator_tui.registry.query import Query, parse_line

_LIMIT = 101
_ORDERS = {
    0: ((),),
    1: (("surname",), ("name",)),
    2: (("surname", "name"), ("name", "patronymic"), ("name", "surname")),
    3: (("surname", "name", "patronymic"), ("name", "patronymic", "surname")),
}
_COLUMNS = "surname TEXT, name TEXT, patronymic TEXT, y INTEGER, md INTEGER, phone INTEGER, enp INTEGER, snils INTEGER"
_INDEXES = (
    "surname, name, patronymic, y, md", "name, patronymic, surname, y, md", "patronymic, surname, name, y, md",
    "y, surname, name, patronymic, md", "md, y, surname, name, patronymic", "phone", "enp", "snils",
)  # fmt: skip


class Peer(Protocol):
    def search(self, query: Query) -> list[int]: ...


def parsed(text: str) -> Query:
    """The line as a peer gets it."""
    query = parse_line(text)
    return replace(query, words=tuple(layout_reading(word) if has_latin(word) else word for word in query.words))


def rows(csv: Path) -> Iterator[tuple[Any, ...]]:
    """The list as rows of (id, *columns)."""
    folded: dict[str, str] = {}
    for number, one in enumerate(read_csv(csv), 1):
        names = []
        for spelling in (one.surname, one.name, one.patronymic):
            if spelling not in folded:
                folded[spelling] = name_key(spelling)
            names.append(folded[spelling])
        born = one.birth_date
        yield (
            number, *names, int(born[:4]), int(born[5:7]) * 100 + int(born[8:]), int(one.phone[1:] or 0) or None,
            int(one.enp), int(one.snils or 0) or None,
        )  # fmt: skip


def build_sqlite(csv: Path, file: Path) -> None:
    """The peers' own file, in plain SQLite: the people, their text indexes, and FTS5."""
    base = sqlite3.connect(file)
    base.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-200000;")
    base.execute(f"CREATE TABLE people(id INTEGER PRIMARY KEY, {_COLUMNS})")
    base.executemany("INSERT INTO people VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)", rows(csv))
    base.execute(
        "CREATE VIRTUAL TABLE words USING fts5(all_words, content='', detail=none, prefix='1 2 3 4',"
        " tokenize=\"unicode61 remove_diacritics 0 tokenchars '-'\")"
    )
    base.execute(
        "INSERT INTO words(rowid, all_words) SELECT id, surname || ' ' || name || ' ' || patronymic || ' y' || y"
        " || ' d' || md || ' n' || coalesce(phone, '') || ' n' || enp || ' n' || coalesce(snils, '') FROM people"
    )
    for columns in _INDEXES:
        base.execute(f"CREATE INDEX i_{columns.partition(',')[0]} ON people({columns})")
    base.execute("ANALYZE")
    base.commit()
    base.close()


def _dated(query: Query) -> tuple[list[str], list[Any]]:
    where: list[str] = []
    values: list[Any] = []
    if query.birth.years:
        where.append(f"y IN ({','.join(map(str, query.birth.years))})")
    if query.birth.day and query.birth.month:
        where.append("md = ?")
        values.append(query.birth.month * 100 + query.birth.day)
    elif query.birth.day:
        where.append(f"md IN ({','.join(str(month * 100 + query.birth.day) for month in range(1, 13))})")
    return where, values


def _numbers(query: Query) -> Iterator[tuple[str, int, int]]:
    """(column, least, greatest) for each thing the digits may begin."""
    for digits in query.digits:
        text = digits.text
        phone = "7" + text[1:] if text[0] in "78" and len(text) == 11 else "7" + text
        for column, begun, length in (("phone", phone, 11), ("snils", text, 11), ("enp", text, 16)):
            if len(begun) <= length:
                least = int(begun) * 10 ** (length - len(begun))
                yield column, least, least + 10 ** (length - len(begun)) - 1


class TextIndexes:
    """Composite b-trees over text, ANALYZE, and SQLite's own planner. ``like``: no index may be used."""

    def __init__(self, file: Path, *, like: bool = False) -> None:
        self._base = sqlite3.connect(file)
        self._base.execute("PRAGMA cache_size=-8192")
        self._like = like

    def search(self, query: Query) -> list[int]:
        found: dict[int, None] = {}
        for order in _ORDERS.get(len(query.words), ()):
            where, values = _dated(query)
            for column, word in zip(order, query.words, strict=True):
                if self._like:
                    where.append(f"{column} LIKE ?")
                    values.append(word + "%")
                else:
                    where.append(f"{column} >= ? AND {column} < ?")
                    values += [word, word + AFTER]
            for conditions, numbers in self._with_numbers(query):
                condition = " AND ".join([*where, *conditions])
                if condition:
                    table = "people NOT INDEXED" if self._like else "people"
                    statement = f"SELECT id FROM {table} WHERE {condition} LIMIT {_LIMIT}"
                    found.update((row[0], None) for row in self._base.execute(statement, [*values, *numbers]))
            if len(found) > 10:
                break
        return list(found)

    def _with_numbers(self, query: Query) -> list[tuple[list[str], list[int]]]:
        alternatives = [([f"{column} BETWEEN ? AND ?"], [low, high]) for column, low, high in _numbers(query)]
        return alternatives or [([], [])]


class Fts5:
    """One contentless table with prefix indexes; dates and numbers are words of their own."""

    def __init__(self, file: Path) -> None:
        self._base = sqlite3.connect(file)
        self._base.execute("PRAGMA cache_size=-8192")

    def search(self, query: Query) -> list[int]:
        terms = [f'"{word}"*' for word in query.words]
        if query.birth.years:
            terms.append("(" + " OR ".join(f'"y{year}"' for year in query.birth.years) + ")")
        if query.birth.day:
            months = (query.birth.month,) if query.birth.month else range(1, 13)
            terms.append("(" + " OR ".join(f'"d{month * 100 + query.birth.day}"' for month in months) + ")")
        for digits in query.digits:
            text = digits.text
            phone = "7" + text[1:] if text[0] in "78" and len(text) == 11 else "7" + text
            terms.append(f'("n{phone}"* OR "n{text}"*)')
        if not terms:
            return []
        statement = f"SELECT rowid FROM words WHERE words MATCH ? LIMIT {_LIMIT}"
        return [row[0] for row in self._base.execute(statement, [" AND ".join(terms)])]


class Trigrams:
    """PostgreSQL with pg_trgm over all words in one GIN index, and b-trees for date and numbers."""

    def __init__(self, dsn: str) -> None:
        import psycopg

        self._base = psycopg.connect(dsn, autocommit=True)

    def build(self, csv: Path) -> None:
        run = self._base.execute
        run("CREATE EXTENSION pg_trgm")
        run("CREATE UNLOGGED TABLE people(id int, fio text, y int, md int, phone bigint, enp bigint, snils bigint)")
        with self._base.cursor().copy("COPY people FROM STDIN") as copy:
            for number, surname, name, patronymic, *others in rows(csv):
                copy.write_row((number, f" {surname} {name} {patronymic}", *others))
        run("SET maintenance_work_mem = '512MB'")
        run("CREATE INDEX ON people USING gin(fio gin_trgm_ops)")
        for column in ("y", "md", "phone", "enp", "snils"):
            run(f"CREATE INDEX ON people({column})")
        run("VACUUM ANALYZE people")

    def search(self, query: Query) -> list[int]:
        where, values = _dated(query)
        where = [condition.replace("?", "%s") for condition in where]
        for word in query.words:
            where.append("fio LIKE %s")
            values.append(f"% {word}%")
        found: list[int] = []
        alternatives = [(f"{column} BETWEEN %s AND %s", [low, high]) for column, low, high in _numbers(query)]
        for condition, numbers in alternatives or [("true", [])]:
            statement: Any = f"SELECT id FROM people WHERE {' AND '.join([*where, condition])} LIMIT {_LIMIT}"
            found += [row[0] for row in self._base.execute(statement, [*values, *numbers]).fetchall()]
        return found
