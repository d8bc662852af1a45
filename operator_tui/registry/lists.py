"""Lists of people as files: CSV, read and written row by row."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import NoReturn

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.registry.identifiers import Check, check_enp, check_snils, enp_fits, to_e164
from operator_tui.registry.names import name_key
from operator_tui.registry.people import COLUMNS, Person

_REQUIRED = ("enp", "surname", "name", "birth_date")
# How lists write the sex: our own letters, the Russian ones, and V005 (1 male, 2 female).
_SEX = {"": "", "m": "m", "f": "f", "м": "m", "ж": "f", "1": "m", "2": "f"}


def read_csv(file: Path) -> Iterator[Person]:
    """People of a CSV file: ``;`` between fields, a header, UTF-8 or windows-1251, dates YYYY-MM-DD or DD.MM.YYYY.

    Refusal(FILE_UNREADABLE) when it is no such file, ROW_INVALID with the row (the header is row 1) and the field.
    """
    encoding = _encoding(file)
    try:
        with file.open(encoding=encoding, newline="") as stream:
            reader = csv.reader(stream, delimiter=";")
            header = [name.strip().casefold() for name in next(reader, [])]
            missing = [name for name in _REQUIRED if name not in header]
            if missing:
                raise Refusal(Code.FILE_UNREADABLE, file=file.name, reason=f"нет столбцов: {', '.join(missing)}")
            rows = _Rows(header, file.name)
            for row, values in enumerate(reader, 2):
                if values:
                    yield rows.person(values, row)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or "неверная кодировка или разбивка на столбцы"
        raise Refusal(Code.FILE_UNREADABLE, file=file.name, reason=reason) from error


def _encoding(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            beginning = stream.read(65_536)
    except OSError as error:
        raise Refusal(Code.FILE_UNREADABLE, file=file.name, reason=error.strerror or "") from error
    try:
        # The block may end inside a letter: what is left of it is no error.
        beginning[: beginning.rfind(b"\n") + 1].decode("utf-8")
    except UnicodeDecodeError:
        return "windows-1251"
    return "utf-8-sig"


class _Rows:
    """Makes people of the rows of one CSV file; columns it does not know are passed over."""

    def __init__(self, header: list[str], file: str) -> None:
        self._file = file
        self._places = [header.index(name) if name in header else -1 for name in COLUMNS]
        self._width = len(header)

    def person(self, values: list[str], row: int) -> Person:
        """Refusal(ROW_INVALID) with the row and the field."""
        if len(values) < self._width:
            values = values + [""] * (self._width - len(values))
        (enp, snils, surname, name, patronymic, born, sex, phone, *others) = (
            values[place].strip() if place >= 0 else "" for place in self._places
        )
        return Person(
            enp if enp_fits(enp) else self._checked(check_enp(enp), row, "enp"),
            surname if surname and surname[0] not in "-—" else self._named(surname, name, row),
            name,
            patronymic,
            _iso_date(born) or self._wrong(row, "birth_date"),
            self._sex(sex, row),
            self._checked(check_snils(snils), row, "snils") if snils else "",
            self._phone(phone, row) if phone else "",
            *others,
        )

    def _wrong(self, row: int, field: str) -> NoReturn:
        raise Refusal(Code.ROW_INVALID, file=self._file, row=row, field=field)

    def _checked(self, verdict: Check, row: int, field: str) -> str:
        return verdict.value if verdict.valid else self._wrong(row, field)

    def _named(self, surname: str, name: str, row: int) -> str:
        if not name_key(surname) and not name_key(name):
            self._wrong(row, "surname")
        return surname

    def _sex(self, sex: str, row: int) -> str:
        known = _SEX.get(sex.casefold())
        if known is None:
            self._wrong(row, "sex")
        return known

    def _phone(self, phone: str, row: int) -> str:
        # A number of zone 7 in E.164 needs no asking of phonenumbers, which costs 50 microseconds a row.
        if len(phone) == 12 and phone.startswith("+7") and phone[2] in "3456789" and phone[1:].isdecimal():
            return phone
        return to_e164(phone) or self._wrong(row, "phone")


def made_up_only(people: Iterable[Person]) -> Iterator[Person]:
    """Pass made-up people on; Refusal(REGISTRY_KEY_NEEDED) at the first whose ЕНП is not from the reserved range."""
    for person in people:
        if not is_made_up(person.enp):
            raise Refusal(Code.REGISTRY_KEY_NEEDED)
        yield person


def is_made_up(enp: str) -> bool:
    """Whether the ЕНП is of the range reserved for made-up people: serials 90000-99999, or territory 00."""
    return enp[10] == "9" or enp[:2] == "00"


def _iso_date(text: str) -> str:
    if len(text) == 10 and text[2] == text[5] == ".":
        text = f"{text[6:]}-{text[3:5]}-{text[:2]}"
    try:
        born = date.fromisoformat(text)
    except ValueError:
        return ""
    return born.isoformat() if 1880 <= born.year <= 2200 else ""


def write_csv(file: Path, people: Iterable[Person]) -> int:
    """Write people as CSV (see ``read_csv``), readable by their owner alone; returns their number."""
    count = 0
    descriptor = os.open(file, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, delimiter=";", lineterminator="\n")
        writer.writerow(COLUMNS)
        for person in people:
            writer.writerow([getattr(person, name) for name in COLUMNS])
            count += 1
    return count
