"""Builds the registry's index from people: a new generation beside the old one, then one switch (generations.py)."""

from __future__ import annotations

import os
import time
from array import array
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.registry import generations
from operator_tui.registry.names import display_name, name_key
from operator_tui.registry.people import Person
from operator_tui.registry.schema import (
    FIELDS,
    GAPS,
    INDEXES,
    NEW_FILE,
    SCHEMA,
    SHORT_PREFIX,
    TABLES,
    VOCABULARY_INDEXES,
    connect,
)
from operator_tui.registry.stage import Stage, Words, batches

if TYPE_CHECKING:
    from operator_tui.registry.pieces import Pieces

Progress = Callable[[float], None]
_BATCH = 20_000
_INDEX_CACHE_KB = 393_216  # the people's table whole: each of its eight indexes reads it from end to end
# Share of the whole time that reading takes, for the progress bar.
_READING, _ROWS = 0.5, 0.7


def build(
    path: Path,
    key: bytes,
    people: Iterable[Person] | Pieces,
    *,
    expected: int = 0,
    progress: Progress | None = None,
    as_of: date | None = None,
    known: int = 0,
) -> int:
    """Make the registry at ``path`` of ``people``, atomically; returns how many there are.

    ``expected`` is a guess of their number, for ``progress`` (0.0 to 1.0) alone; ``as_of`` the day the data are of
    (today when not given); ``known`` the people there are now, where a list of less than half of them is to be refused:
    REGISTRY_SHRINKS. Refusal(ROW_INVALID) for an ЕНП that comes twice, REGISTRY_NOBODY for a list without people,
    DISK_FULL or DISK_FAILED when the file can not be written, REGISTRY_BUSY; the old generation goes on as it was.
    """
    import sqlcipher3

    report = progress or (lambda _: None)
    generation = generations.fresh(path)
    with generations.writing(path):
        stage: Stage | None = None
        try:
            os.close(os.open(generation, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            connection = connect(generation, key, read_only=False)
            try:
                connection.executescript(NEW_FILE + TABLES)
                connection.execute("BEGIN")
                stage = _read(connection, people, expected, report)
                if not len(stage):
                    raise Refusal(Code.REGISTRY_NOBODY)
                if shrinks(len(stage), known):
                    raise Refusal(Code.REGISTRY_SHRINKS, count=len(stage), known=known)
                _write(connection, stage, report, as_of or datetime.now(UTC).date())
            finally:
                connection.close()
            generations.switch(path, generation)
        except sqlcipher3.IntegrityError as error:
            row = _repeated(stage.columns["enp"]) if stage else 0
            raise Refusal(Code.ROW_INVALID, file=path.name, row=row, field="enp") from error
        except sqlcipher3.OperationalError as error:
            full = "full" in str(error)
            raise Refusal(Code.DISK_FULL if full else Code.DISK_FAILED, path=str(path), reason="SQLite") from error
        except OSError as error:
            raise Refusal(Code.DISK_FAILED, path=str(path), reason=error.strerror or "") from error
        finally:
            if generations.identity(path) != generations.identity(generation):
                generations.discard(generation)
    report(1.0)
    return len(stage)


def shrinks(count: int, known: int) -> bool:
    """Whether a full list of ``count`` people is rather a part of one, where ``known`` are there."""
    return count * 2 < known


def _read(connection: Any, people: Iterable[Person] | Pieces, expected: int, report: Progress) -> Stage:
    stage = Stage(connection)
    if isinstance(people, Iterable):
        for batch in batches(_told(people, expected, report)):
            stage.take(batch)
    else:
        for batch, behind in people.batches(stage.dictionary):
            stage.take(batch)
            report(_READING * behind)
    report(_READING)
    return stage


def _told(people: Iterable[Person], expected: int, report: Progress) -> Iterator[Person]:
    for count, person in enumerate(people, 1):
        yield person
        if count % 1000 == 0:
            report(_READING * min(1.0, count / max(expected, count)))


def _write(connection: Any, stage: Stage, report: Progress, as_of: date) -> None:
    connection.executemany("INSERT INTO word VALUES(?, ?)", ((number, text) for text, number in stage.texts.items()))
    codes: dict[str, list[int]] = {}
    for field in FIELDS:
        codes[field] = _write_vocabulary(connection, field, stage.names[field], stage.columns[field])
        given, column = codes[field], stage.columns[field]
        stage.columns[field] = array("q", (given[number] for number in column))
    _write_people(connection, stage, codes)
    facts = {
        "schema": SCHEMA, "rows": len(stage), "built_at": time.time_ns() // 1_000_000, "as_of": as_of.isoformat(),
        "snapshot_id": os.urandom(8).hex(),
    }  # fmt: skip
    connection.executemany("INSERT INTO meta VALUES(?, ?)", ((name, str(value)) for name, value in facts.items()))
    connection.execute("COMMIT")
    report(_ROWS)
    stage.shrink()
    connection.execute(f"PRAGMA cache_size = -{_INDEX_CACHE_KB}")
    connection.executescript(VOCABULARY_INDEXES)
    for number, statement in enumerate(INDEXES, 1):
        connection.execute(statement)
        report(_ROWS + (1 - _ROWS) * number / len(INDEXES) * 0.99)
    connection.execute("ANALYZE v_sn")
    # Readers must not be held up by a delta, nor a delta by readers.
    connection.executescript("PRAGMA locking_mode=NORMAL; SELECT 1 FROM meta; PRAGMA journal_mode=WAL;")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()


def _write_vocabulary(connection: Any, field: str, spellings: Words, column: array[int]) -> list[int]:
    """Write the field's words with their codes; returns the code of each spelling's number."""
    counts = [0] * len(spellings)
    for number in column:
        counts[number] += 1
    people: dict[tuple[str, str], int] = {("", ""): 0}  # the code of no name always exists
    forms: list[tuple[str, str]] = []
    for spelling, number in spellings.items():
        form = (name_key(spelling), display_name(spelling))
        forms.append(form)
        people[form] = people.get(form, 0) + counts[number]
    codes = {form: (place + 1) * GAPS[field] for place, form in enumerate(sorted(people))}
    connection.executemany(
        f"INSERT INTO v_{field} VALUES(?, ?, ?, ?, ?)",
        ((codes[form], form[0], form[1], people[form], sound(form[0])) for form in codes),
    )
    prefixes: dict[str, list[int]] = {}
    parts: list[tuple[str, int, int]] = []
    for form, code in codes.items():
        for length in range(1, min(SHORT_PREFIX, len(form[0])) + 1):
            span = prefixes.setdefault(form[0][:length], [code, code, 0, 0])
            span[1] = code
            span[2] += people[form]
            span[3] += 1
        if field == "sn" and "-" in form[0]:
            parts += [(part, code, people[form]) for part in set(form[0].split("-")[1:])]
    connection.executemany(
        f"INSERT INTO pc_{field} VALUES(?, ?, ?, ?, ?)", ((prefix, *span) for prefix, span in sorted(prefixes.items()))
    )
    connection.executemany("INSERT OR IGNORE INTO v_part VALUES(?, ?, ?)", sorted(parts))
    return [codes[form] for form in forms]


def sound(key: str) -> str:
    from operator_tui.letters import phonetic_key

    return phonetic_key(key)


def _write_people(connection: Any, stage: Stage, codes: dict[str, list[int]]) -> None:
    """Rows in the order of (surname, name, patronymic, birth date): ten people of one name lie on one or two pages."""
    columns = stage.columns
    surnames, names, patronymics, years, days = (columns[name] for name in (*FIELDS, "y", "md"))

    def place(row: int) -> int:
        return (((surnames[row] << 20 | names[row]) << 20 | patronymics[row]) << 12 | years[row]) << 11 | days[row]

    order = sorted(range(len(stage)), key=place)
    statement = "INSERT INTO p VALUES(?, ?, ?, ?, ?, ?, ?, nullif(?, 0), ?, nullif(?, 0), ?, ?, ?, ?, ?, ?)"
    values = [column for name, column in columns.items() if name != "more"]
    for start in range(0, len(order), _BATCH):
        # Two at least, for itemgetter to give a row of values and not a value.
        batch = order[start : start + _BATCH]
        take = itemgetter(*batch, batch[0])
        connection.executemany(
            statement, zip(range(start + 1, start + 1 + len(batch)), *map(take, values), strict=False)
        )
    connection.executemany("INSERT INTO more VALUES(?, ?)", stage.bodies(order))
    _write_sides(connection, stage, codes, order)


def _write_sides(connection: Any, stage: Stage, codes: dict[str, list[int]], order: list[int]) -> None:
    """Previous names and other telephones, by the ids the people got."""
    wanted = {row for row, *_ in stage.former} | {row for _, row in stage.lines}
    ids = {row: place for place, row in enumerate(order, 1) if row in wanted}
    years, days = stage.columns["y"], stage.columns["md"]
    connection.executemany(
        "INSERT OR IGNORE INTO former VALUES(?, ?, ?, ?, ?, ?)",
        sorted(
            (codes["sn"][sn], codes["fn"][fn], codes["pn"][pn], years[row], days[row], ids[row])
            for row, sn, fn, pn in stage.former
        ),
    )
    connection.executemany(
        "INSERT OR IGNORE INTO line VALUES(?, ?)", sorted((phone, ids[row]) for phone, row in stage.lines)
    )


def _repeated(column: array[int]) -> int:
    """The row (from 1, without the header) of the first value that was there before."""
    seen: set[int] = set()
    for row, value in enumerate(column, 1):
        if value in seen:
            return row
        seen.add(value)
    return 0


def make_demo_registry(
    path: Path, key: bytes, people: int = 50_000, seed: int = 2026, progress: Progress | None = None
) -> int:
    """The synthetic registry of the profiles demo and practice, made in seconds at the first start."""
    from operator_tui.registry import generator

    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return build(path, key, generator.people(people, seed), expected=people, progress=progress)
