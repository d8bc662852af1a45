"""Lists of people as DBF files (dBase III and FoxPro), code page cp866 unless the file names another (a ``Source``)."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.registry.lists import known_columns
from operator_tui.registry.records import CELLS

# version, day of the file (year, month, day), number of records, length of the header, length of a record
_HEADER = struct.Struct("<B3BIHH")


class DbfList:
    """Previous names (LAST_FAM …) and the representative (PR_FAM …) are taken from columns of their own."""

    base = "RECORD"

    def __init__(self, file: Path) -> None:
        self.file = file
        self._read = 0
        self._count, self.as_of = self._whole()
        header = [str(name) for name in self._opened().field_names]
        self._places = known_columns(header, file)
        self.names = {column: header[place] for column, place in self._places.items()}
        self._all = {name.casefold(): place for place, name in enumerate(header)}

    def _whole(self) -> tuple[int, date | None]:
        """Number of records and the day of the file, both from its header, after a look whether all of it is here."""
        try:
            with self.file.open("rb") as stream:
                head = stream.read(_HEADER.size)
            size = self.file.stat().st_size
        except OSError as error:
            raise self._refusal(error.strerror or "") from error
        if len(head) < _HEADER.size:
            raise self._refusal("это не файл DBF")
        version, year, month, day, count, header, length = _HEADER.unpack(head)
        if version & 0x07 not in (2, 3, 5) and version not in (0x30, 0x31, 0x32):
            raise self._refusal("это не файл DBF")
        written = _day(year, month, day)
        if header <= _HEADER.size or not length or (written is None and (year, month, day) != (0, 0, 0)):
            raise self._refusal("это не файл DBF")
        if size < header + count * length:
            here = max(0, size - header) // length
            raise self._refusal(f"строка {here + 1}: файл обрывается, записей должно быть {count}")
        return count, written

    def _opened(self) -> Any:
        import dbfread

        try:
            # Byte 29 names the code page; zero means nobody said, and then it is the exchange's own.
            with self.file.open("rb") as stream:
                named = stream.read(30)[29:] != b"\x00"
            encoding = None if named else "cp866"
            return dbfread.DBF(str(self.file), encoding, recfactory=_values, ignore_missing_memofile=True)
        except (dbfread.DBFNotFound, OSError, ValueError, LookupError, struct.error) as error:
            raise self._refusal("это не файл DBF") from error

    def rows(self) -> Iterator[tuple[int, str, Sequence[str]]]:
        places = [self._places.get(column, -1) for column in CELLS]
        previous = self._group("last_fam", "last_im", "last_ot")
        speaker = self._group("pr_fam", "pr_im", "pr_ot", "pr_tel")
        row = 0
        try:
            for values in self._opened():
                row += 1
                self._read = row
                texts = [_text(value) for value in values]
                texts.append("")
                cells = [texts[place] for place in places]
                if previous and any(names := [texts[place] for place in previous]):
                    cells[CELLS.index("previous")] = "^".join(names).rstrip("^")
                if speaker and any(parts := [texts[place] for place in speaker]):
                    name = " ".join(filter(None, parts[:3]))
                    cells[CELLS.index("representative")] = f"{name}^{parts[3]}"
                yield row, "", cells
        except (ValueError, OSError, struct.error) as error:
            raise self._refusal(f"строка {row + 1}: запись повреждена или в другой кодировке") from error

    def _group(self, *names: str) -> list[int]:
        return [self._all.get(name, -1) for name in names] if names[0] in self._all else []

    def done(self) -> float:
        return self._read / max(1, self._count)

    def _refusal(self, reason: str) -> Refusal:
        return Refusal(Code.FILE_UNREADABLE, file=self.file.name, reason=reason)


def _day(year: int, month: int, day: int) -> date | None:
    """The day of the header, if it is one."""
    try:
        return date(year + (2000 if year < 80 else 1900), month, day)
    except ValueError:
        return None


def _values(named: list[tuple[str, Any]]) -> list[Any]:
    return [value for _, value in named]


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        return f"{value:.0f}"
    return str(value).strip()
