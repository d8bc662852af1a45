"""Builds the registry's index from people: to a temporary file, then in one step over the old one.

Desks that have the old file open go on with it; the next opening sees the new one.
"""

from __future__ import annotations

import os
import time
from array import array
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from operator_tui.appeals.errors import Code, Refusal
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

Progress = Callable[[float], None]
_SEX = {"": 0, "m": 1, "f": 2}
_BATCH = 20_000
# Share of the whole time that reading takes, for the progress bar.
_READING, _ROWS = 0.5, 0.7


class _Words:
    """A growing list of distinct texts and their numbers."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def number(self, text: str) -> int:
        found = self.numbers.get(text)
        if found is None:
            found = self.numbers[text] = len(self.numbers)
        return found


class _Stage:
    """All people in memory as columns of integers (about 100 bytes each), before codes are given."""

    def __init__(self) -> None:
        self.names = {field: _Words() for field in FIELDS}  # spelling -> number
        self.texts = _Words()  # everything else that is text
        self.columns: dict[str, array[int]] = {
            name: array("q")
            for name in (*FIELDS, "y", "md", "sex", "phone", "enp", "snils",
                         "insurer", "clinic", "district", "street", "house", "status")
        }  # fmt: skip

    def __len__(self) -> int:
        return len(self.columns["enp"])

    def add(self, person: Person) -> None:
        born = person.birth_date
        street, house = _split_address(person.address)
        text = self.texts.number
        names = self.names
        values = (
            names["sn"].number(person.surname), names["fn"].number(person.name), names["pn"].number(person.patronymic),
            int(born[:4]), int(born[5:7]) * 100 + int(born[8:10]), _SEX[person.sex], int(person.phone[1:] or 0),
            int(person.enp), int(person.snils or 0), text(person.insurer), text(person.clinic), text(person.district),
            text(street), text(house), text(person.policy_status),
        )  # fmt: skip
        for column, value in zip(self.columns.values(), values, strict=True):
            column.append(value)


def build(
    path: Path, key: bytes, people: Iterable[Person], *, expected: int = 0, progress: Progress | None = None
) -> int:
    """Make the registry at ``path`` of ``people``, atomically; returns how many there are.

    ``expected`` is a guess of their number, for ``progress`` (0.0 to 1.0) alone. Refusal(ROW_INVALID) for an ЕНП that
    comes twice, DISK_FULL or DISK_FAILED when the file can not be written; the old file stays as it was.
    """
    import sqlcipher3

    report = progress or (lambda _: None)
    stage = _Stage()
    for count, person in enumerate(people, 1):
        stage.add(person)
        if count % 1000 == 0:
            report(_READING * min(1.0, count / max(expected, count)))
    report(_READING)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        temporary.unlink(missing_ok=True)
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        connection = connect(temporary, key, read_only=False)
        try:
            _write(connection, stage, report)
        finally:
            connection.close()
        _replace(temporary, path)
    except sqlcipher3.IntegrityError as error:
        raise Refusal(Code.ROW_INVALID, file=path.name, row=_repeated(stage.columns["enp"]), field="enp") from error
    except sqlcipher3.OperationalError as error:
        full = "full" in str(error)
        raise Refusal(Code.DISK_FULL if full else Code.DISK_FAILED, path=str(path), reason="SQLite") from error
    except OSError as error:
        raise Refusal(Code.DISK_FAILED, path=str(path), reason=error.strerror or "") from error
    finally:
        temporary.unlink(missing_ok=True)
    report(1.0)
    return len(stage)


def _replace(temporary: Path, path: Path) -> None:
    """The file was written without a journal and without syncing: make it durable once, then switch."""
    _sync(temporary)
    temporary.replace(path)
    _sync(path.parent)


def _sync(place: Path) -> None:
    descriptor = os.open(place, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write(connection: Any, stage: _Stage, report: Progress) -> None:
    connection.executescript(NEW_FILE + TABLES)
    connection.execute("BEGIN")
    connection.executemany(
        "INSERT INTO word VALUES(?, ?)", ((number, text) for text, number in stage.texts.numbers.items())
    )
    for field in FIELDS:
        codes = _write_vocabulary(connection, field, stage.names[field], stage.columns[field])
        column = stage.columns[field]
        stage.columns[field] = array("q", (codes[number] for number in column))
    _write_people(connection, stage)
    facts = {
        "schema": SCHEMA, "rows": len(stage), "built_at": time.time_ns() // 1_000_000, "seq": 0,
        "snapshot_id": os.urandom(8).hex(),
    }  # fmt: skip
    connection.executemany("INSERT INTO meta VALUES(?, ?)", ((name, str(value)) for name, value in facts.items()))
    connection.execute("COMMIT")
    report(_ROWS)
    connection.executescript(VOCABULARY_INDEXES)
    for number, statement in enumerate(INDEXES, 1):
        connection.execute(statement)
        report(_ROWS + (1 - _ROWS) * number / len(INDEXES) * 0.99)
    connection.execute("ANALYZE v_sn")


def _write_vocabulary(connection: Any, field: str, spellings: _Words, column: array[int]) -> list[int]:
    """Write the field's words with their codes; returns the code of each spelling's number."""
    counts = [0] * len(spellings.numbers)
    for number in column:
        counts[number] += 1
    people: dict[tuple[str, str], int] = {("", ""): 0}  # the code of no name always exists
    forms: list[tuple[str, str]] = []
    for spelling, number in spellings.numbers.items():
        form = (name_key(spelling), display_name(spelling))
        forms.append(form)
        people[form] = people.get(form, 0) + counts[number]
    codes = {form: (place + 1) * GAPS[field] for place, form in enumerate(sorted(people))}
    connection.executemany(
        f"INSERT INTO v_{field} VALUES(?, ?, ?, ?, ?)",
        ((codes[form], form[0], form[1], people[form], _sound(form[0])) for form in codes),
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


def _sound(key: str) -> str:
    from operator_tui.letters import phonetic_key

    return phonetic_key(key)


def _write_people(connection: Any, stage: _Stage) -> None:
    """Rows in the order of (surname, name, patronymic, birth date): ten people of one name lie on one or two pages."""
    columns = stage.columns
    surnames, names, patronymics, years, days = (columns[name] for name in (*FIELDS, "y", "md"))

    def place(row: int) -> int:
        return (((surnames[row] << 20 | names[row]) << 20 | patronymics[row]) << 12 | years[row]) << 11 | days[row]

    order = sorted(range(len(stage)), key=place)
    statement = "INSERT INTO p VALUES(?, ?, ?, ?, ?, ?, ?, nullif(?, 0), ?, nullif(?, 0), ?, ?, ?, ?, ?, ?)"
    values = list(columns.values())
    for start in range(0, len(order), _BATCH):
        batch = order[start : start + _BATCH]
        connection.executemany(
            statement, [(start + at, *[column[row] for column in values]) for at, row in enumerate(batch, 1)]
        )


def _repeated(column: array[int]) -> int:
    """The row (from 1, without the header) of the first value that was there before."""
    seen: set[int] = set()
    for row, value in enumerate(column, 1):
        if value in seen:
            return row
        seen.add(value)
    return 0


def _split_address(address: str) -> tuple[str, str]:
    """Street and house apart, since both repeat and their pairs do not. ``join_address`` is the inverse."""
    head, separator, tail = address.partition(", д. ")
    return (head, separator + tail) if separator else (address, "")


def make_demo_registry(
    path: Path, key: bytes, people: int = 50_000, seed: int = 2026, progress: Progress | None = None
) -> int:
    """The synthetic registry of the profiles demo and practice, made in seconds at the first start."""
    from operator_tui.registry import generator

    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return build(path, key, generator.people(people, seed), expected=people, progress=progress)
