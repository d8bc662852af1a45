"""Builds the registry's index from people: a new generation beside the old one, then one switch (generations.py)."""

from __future__ import annotations

import os
import time
from array import array
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.registry import generations
from operator_tui.registry.bodies import DICTIONARY_ROW, SAMPLES, Bodies, train
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
SEX = {"": 0, "m": 1, "f": 2}
_BATCH = 20_000
_NO_LINES = "\x1f\x1f"  # Person.more begins so when there is no other telephone
_NO_PREVIOUS = "\x1f\x1f\x1f"  # and so when there is no previous name either
# Share of the whole time that reading takes, for the progress bar.
_READING, _ROWS = 0.5, 0.7


class _Words(dict[str, int]):
    """Distinct texts and their numbers, which are given in the order of arrival."""

    def __missing__(self, text: str) -> int:
        number = self[text] = len(self)
        return number


def former_names(person: Person) -> list[tuple[str, str, str]]:
    """Surname, name and patronymic of each earlier name; what the list leaves out is as it is now."""
    return [
        (old.surname or person.surname, old.name or person.name, old.patronymic or person.patronymic)
        for old in person.previous
    ]


def other_lines(person: Person) -> list[int]:
    """The telephones beyond the first, as numbers."""
    return [int(number[1:]) for number in {person.cell("phone2"), person.cell("phone3")} if number]


class _Stage:
    """All people in memory as columns of integers (about 110 bytes each), before codes are given.

    What is only shown (``Person.more``) goes to the file at once, in the order of arrival.
    """

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._texts_held: list[str] = []
        self._packer: Bodies | None = None
        self._kept = 0
        self.former: list[tuple[int, int, int, int]] = []  # row, number of surname, of name, of patronymic
        self.lines: list[tuple[int, int]] = []  # telephone, row
        self.names = {field: _Words() for field in FIELDS}  # spelling -> number
        self.texts = _Words()  # everything else that is text
        self._born: dict[str, tuple[int, int]] = {}
        self._fresh: array[int] = array("q")  # whole rows, one behind the other
        self.columns: dict[str, array[int]] = {
            name: array("q")
            for name in (*FIELDS, "y", "md", "sex", "phone", "enp", "snils",
                         "insurer", "clinic", "district", "street", "house", "status", "more")
        }  # fmt: skip
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, person: Person) -> None:
        born = person.birth_date
        day = self._born.get(born)
        if day is None:
            day = self._born[born] = (int(born[:4]), int(born[5:7]) * 100 + int(born[8:10]))
        street, house = split_address(person.address)
        text, names = self.texts, self.names
        self._fresh.extend((
            names["sn"][person.surname], names["fn"][person.name], names["pn"][person.patronymic], *day,
            SEX[person.sex], int(person.phone[1:] or 0), int(person.enp), int(person.snils or 0),
            text[person.insurer], text[person.clinic], text[person.district], text[street], text[house],
            text[person.policy_status], self._keep(person) if person.more else 0,
        ))  # fmt: skip
        self._count += 1
        if self._count % _BATCH == 0:
            self._spread()

    def _spread(self) -> None:
        """Whole rows to columns: far cheaper than sixteen appends for each person."""
        width = len(self.columns)
        for place, column in enumerate(self.columns.values()):
            column.extend(self._fresh[place::width])
        del self._fresh[:]

    def _keep(self, person: Person) -> int:
        row = self._count
        self._kept += 1
        self._texts_held.append(person.more)
        if len(self._texts_held) >= SAMPLES:
            self.flush()
        if not person.more.startswith(_NO_LINES):
            self.lines += [(number, row) for number in other_lines(person)]
        if not person.more.startswith(_NO_PREVIOUS):
            for surname, name, patronymic in former_names(person):
                names = self.names
                self.former.append((row, names["sn"][surname], names["fn"][name], names["pn"][patronymic]))
        return self._kept

    def finish(self) -> None:
        """All people have come."""
        self._spread()
        self.flush()

    def flush(self) -> None:
        """Write the texts that are held; the first of them make the dictionary for all."""
        if self._packer is None:
            dictionary = train(self._texts_held)
            self._connection.execute("INSERT INTO more VALUES(?, ?)", (DICTIONARY_ROW, dictionary))
            self._packer = Bodies(dictionary)
        first = self._kept - len(self._texts_held) + 1
        self._connection.executemany(
            "INSERT INTO more VALUES(?, ?)", enumerate(map(self._packer.pack, self._texts_held), first)
        )
        self._texts_held.clear()


def build(
    path: Path,
    key: bytes,
    people: Iterable[Person],
    *,
    expected: int = 0,
    progress: Progress | None = None,
    as_of: date | None = None,
) -> int:
    """Make the registry at ``path`` of ``people``, atomically; returns how many there are.

    ``expected`` is a guess of their number, for ``progress`` (0.0 to 1.0) alone; ``as_of`` the day the data are of
    (today when not given). Refusal(ROW_INVALID) for an ЕНП that comes twice, DISK_FULL or DISK_FAILED when the file can
    not be written, REGISTRY_BUSY; the old generation goes on as it was.
    """
    import sqlcipher3

    report = progress or (lambda _: None)
    generation = generations.fresh(path)
    with generations.writing(path):
        stage: _Stage | None = None
        try:
            os.close(os.open(generation, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            connection = connect(generation, key, read_only=False)
            try:
                connection.executescript(NEW_FILE + TABLES)
                connection.execute("BEGIN")
                stage = _read(connection, people, expected, report)
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


def _read(connection: Any, people: Iterable[Person], expected: int, report: Progress) -> _Stage:
    stage = _Stage(connection)
    for count, person in enumerate(people, 1):
        stage.add(person)
        if count % 1000 == 0:
            report(_READING * min(1.0, count / max(expected, count)))
    stage.finish()
    report(_READING)
    return stage


def _write(connection: Any, stage: _Stage, report: Progress, as_of: date) -> None:
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
    connection.executescript(VOCABULARY_INDEXES)
    for number, statement in enumerate(INDEXES, 1):
        connection.execute(statement)
        report(_ROWS + (1 - _ROWS) * number / len(INDEXES) * 0.99)
    connection.execute("ANALYZE v_sn")
    # Readers must not be held up by a delta, nor a delta by readers.
    connection.executescript("PRAGMA locking_mode=NORMAL; SELECT 1 FROM meta; PRAGMA journal_mode=WAL;")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()


def _write_vocabulary(connection: Any, field: str, spellings: _Words, column: array[int]) -> list[int]:
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


def _write_people(connection: Any, stage: _Stage, codes: dict[str, list[int]]) -> None:
    """Rows in the order of (surname, name, patronymic, birth date): ten people of one name lie on one or two pages."""
    columns = stage.columns
    surnames, names, patronymics, years, days = (columns[name] for name in (*FIELDS, "y", "md"))

    def place(row: int) -> int:
        return (((surnames[row] << 20 | names[row]) << 20 | patronymics[row]) << 12 | years[row]) << 11 | days[row]

    order = sorted(range(len(stage)), key=place)
    statement = (
        "INSERT INTO p VALUES(?, ?, ?, ?, ?, ?, ?, nullif(?, 0), ?, nullif(?, 0), ?, ?, ?, ?, ?, ?, nullif(?, 0))"
    )
    values = list(columns.values())
    for start in range(0, len(order), _BATCH):
        batch = order[start : start + _BATCH]
        connection.executemany(
            statement, [(start + at, *[column[row] for column in values]) for at, row in enumerate(batch, 1)]
        )
    _write_sides(connection, stage, codes, order)


def _write_sides(connection: Any, stage: _Stage, codes: dict[str, list[int]], order: list[int]) -> None:
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


def split_address(address: str) -> tuple[str, str]:
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
