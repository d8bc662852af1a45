"""Lists of people as CSV files, read and written row by row; and which reader a file needs."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from operator import itemgetter
from pathlib import Path

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.registry.faults import Faults
from operator_tui.registry.people import COLUMNS, MORE, Person
from operator_tui.registry.records import CANONICAL, CELLS, REQUIRED, Source, people

_HEAD = 65_536


def open_list(file: Path, kind: str) -> Source:
    """The list of the kind csv, dbf or xml. Refusal(FILE_UNREADABLE) when it is no such file."""
    if kind == "dbf":
        from operator_tui.registry.dbf_list import DbfList

        return DbfList(file)
    if kind == "xml":
        from operator_tui.registry.xml_list import XmlList

        return XmlList(file)
    return CsvList(file)


def known_columns(header: Sequence[str], file: Path) -> dict[str, int]:
    """Our columns and their places in the header of a file. Refusal(FILE_UNREADABLE) when a needed one is missing.

    A list with a column ``op`` may hold nothing but removals, for which the ЕНП is enough.
    """
    places: dict[str, int] = {}
    for place, title in enumerate(header):
        column = CANONICAL.get(title.strip().casefold())
        if column:
            places.setdefault(column, place)
    missing = [name for name in (REQUIRED[:1] if "op" in places else REQUIRED) if name not in places]
    if missing:
        raise Refusal(Code.FILE_UNREADABLE, file=file.name, reason=f"нет столбцов: {', '.join(missing)}")
    return places


class CsvList:
    """``;`` between fields, a header, UTF-8 or windows-1251, dates YYYY-MM-DD or DD.MM.YYYY (a ``Source``)."""

    base = "ROW"
    as_of: date | None = None

    def __init__(self, file: Path) -> None:
        self.file = file
        self.encoding = _encoding(file)
        self._size = max(1, file.stat().st_size)
        self._read = 0
        with file.open(encoding=self.encoding, newline="") as stream:
            try:
                header = next(csv.reader(stream, delimiter=";"), [])
            except UnicodeDecodeError as error:
                raise broken(file, _undecodable(file, self.encoding)) from error
            except csv.Error as error:
                raise broken(file, 1) from error
        self.width = len(header)
        self.places = known_columns(header, file)
        self.names = {column: header[place].strip() for column, place in self.places.items()}
        self._demand_whole()

    def _demand_whole(self) -> None:
        """Refusal(FILE_UNREADABLE) with the row when the file ends within a record: half a person is none.

        A last line without its end may be whole all the same, and a removal needs no more than the ЕНП.
        """
        with self.file.open("rb") as stream:
            stream.seek(max(0, self._size - _HEAD))
            last = stream.read().rpartition(b"\n")[2].strip(b"\x1a\r\n\t ")
        if not last or b'"' in last:  # a line within quotes is the rest of a longer record
            return
        cells = last.decode(self.encoding, "replace").split(";")
        operation = self.places.get("op", len(cells))
        removal = operation < len(cells) and cells[operation].strip().casefold() == "d"
        if len(cells) < self.width and not removal:
            with self.file.open("rb") as stream:
                row = 1 + sum(1 for line in stream if line.endswith(b"\n"))
            raise Refusal(Code.FILE_UNREADABLE, file=self.file.name, reason=f"строка {row}: файл обрывается")

    def rows(self) -> Iterator[tuple[int, str, Sequence[str]]]:
        row = 1
        try:
            with self.file.open("rb") as raw:
                text = io.TextIOWrapper(raw, encoding=self.encoding, newline="")
                for row, cells in records_of(text, self.places, self.width):
                    if row % 1000 == 0:
                        self._read = os.lseek(raw.fileno(), 0, os.SEEK_CUR)
                    if row > 1 and cells is not None:
                        yield row, "", cells
        except UnicodeDecodeError as error:
            raise broken(self.file, _undecodable(self.file, self.encoding)) from error
        except csv.Error as error:
            raise broken(self.file, row + 1) from error
        except OSError as error:
            raise Refusal(Code.FILE_UNREADABLE, file=self.file.name, reason=error.strerror or "") from error

    def done(self) -> float:
        return self._read / self._size


def records_of(text: Iterable[str], places: dict[str, int], width: int) -> Iterator[tuple[int, Sequence[str] | None]]:
    """(row from 1, texts in the order of CELLS, None for an empty row). What csv and the encoding raise comes out."""
    # An empty text is put at the end of every row: what the file has no column for is taken from there.
    take = itemgetter(*(places.get(column, -1) for column in CELLS))
    for row, values in enumerate(csv.reader(text, delimiter=";", strict=True), 1):
        if not values:
            yield row, None
            continue
        if len(values) != width:
            values = [*values[:width], *[""] * (width - len(values))]
        values.append("")
        yield row, take(values)


def broken(file: Path, row: int) -> Refusal:
    """The file can not be read from this row on."""
    reason = f"строка {row}: неверная кодировка или разбивка на столбцы"
    return Refusal(Code.FILE_UNREADABLE, file=file.name, reason=reason)


def _encoding(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            beginning = stream.read(_HEAD)
    except OSError as error:
        raise Refusal(Code.FILE_UNREADABLE, file=file.name, reason=error.strerror or "") from error
    if b"\x00" in beginning:
        raise Refusal(Code.FILE_UNREADABLE, file=file.name, reason="строка 1: кодировка не UTF-8 и не windows-1251")
    # The first line with other letters tells: one that differs further down is a fault of its own. The last line may
    # end inside a letter.
    lines = beginning[: beginning.rfind(b"\n") + 1].splitlines() or [beginning]
    telling = next((line for line in lines if not line.isascii()), b"")
    try:
        telling.decode("utf-8")
    except UnicodeDecodeError:
        return "windows-1251"
    return "utf-8-sig"


def _undecodable(file: Path, encoding: str) -> int:
    """The first line that is not of the encoding: text is decoded by blocks, which know no lines."""
    with file.open("rb") as stream:
        for row, line in enumerate(stream, 1):
            try:
                line.decode(encoding)
            except UnicodeDecodeError:
                return row
    return 1


def read_csv(file: Path) -> Iterator[Person]:
    """People of a CSV file, all of them sound. Refusal(FILE_UNREADABLE), or ROW_INVALID with the row (the header is
    row 1) and the field of the first fault.
    """
    faults = Faults(file)
    for person in people(CsvList(file), faults):
        _refuse_first(faults)
        yield person
    _refuse_first(faults)


def _refuse_first(faults: Faults) -> None:
    if faults.errors:
        first = next(fault for fault in faults.listed if fault.code)
        raise Refusal(Code.ROW_INVALID, file=faults.file.name, row=first.row, field=first.field)


def made_up_only(people: Iterable[Person]) -> Iterator[Person]:
    """Pass made-up people on; Refusal(REGISTRY_KEY_NEEDED) at the first whose ЕНП is not from the reserved range."""
    for person in people:
        if not is_made_up(person.enp):
            raise Refusal(Code.REGISTRY_KEY_NEEDED)
        yield person


def is_made_up(enp: str) -> bool:
    """Whether the ЕНП is of the range reserved for made-up people: serials 90000-99999, or territory 00."""
    return enp[10] == "9" or enp[:2] == "00"


def write_csv(file: Path, people: Iterable[Person]) -> int:
    """Write people as CSV (see ``CsvList``), readable by their owner alone; returns their number."""
    count = 0
    descriptor = os.open(file, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, delimiter=";", lineterminator="\n")
        writer.writerow((*COLUMNS, *MORE))
        for person in people:
            writer.writerow(row_of(person))
            count += 1
    return count


def row_of(person: Person) -> list[str]:
    """The cells of COLUMNS and MORE."""
    more = person.more.split("\x1f") if person.more else []
    return [*(getattr(person, name) for name in COLUMNS), *more, *[""] * (len(MORE) - len(more))]
