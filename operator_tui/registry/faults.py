"""What is wrong in a list of people, in the shape of the ФЛК protocol (domain facts 2.3): OSHIB the code, IM_POL the
field as the file names it, BAS_EL its base element, ID_BAS the record. No value is ever repeated: a list of faults may
be mailed.

Codes are those of T008: 1 not by the schema, 2 a wrong code or number (T008 has 2-14 for its several lists), 15 a wrong
date, 16 a duplicate. A warning (an ЕНП that hides another birth date or sex) has no code of T008 and carries 0.
"""

from __future__ import annotations

import csv
import os
from pathlib import Path
from xml.sax.saxutils import escape

import msgspec

from operator_tui.appeals.errors import Code, Refusal

SCHEMA, NUMBER, DATE, DUPLICATE, WARNING = 1, 2, 15, 16, 0
MOST_LISTED = 10_000

_WORDS = {
    SCHEMA: "Запись не по схеме: поле пустое, лишнее или с недопустимыми знаками",
    NUMBER: "Неверный код или номер",
    DATE: "Неверная дата",
    DUPLICATE: "Повтор: такой номер уже был в этом файле",
    WARNING: "Предупреждение: дата рождения или пол внутри ЕНП не совпадают с записью",
}
_COLUMNS = ("OSHIB", "IM_POL", "BAS_EL", "ID_BAS", "ROW", "COMMENT")


class Fault(msgspec.Struct, frozen=True):
    """One fault. ``row`` counts from 1 as a person would count in the file; ``ident`` is the record's own number."""

    code: int
    field: str
    base: str
    ident: str
    row: int

    @property
    def words(self) -> str:
        return _WORDS[self.code]


class Faults:
    """All faults of one file; the first ten thousand are kept, all are counted."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.errors = 0
        self.warnings = 0
        self.listed: list[Fault] = []
        self._first: Fault | None = None

    def add(self, fault: Fault) -> None:
        """Take one more."""
        if fault.code == WARNING:
            self.warnings += 1
        else:
            self.errors += 1
            self._first = self._first or fault
        if len(self.listed) < MOST_LISTED:
            self.listed.append(fault)

    def take(self, others: Faults, row: int) -> None:
        """Take those of a piece of the file whose first row is the one behind ``row``."""
        self.errors += others.errors - sum(fault.code != WARNING for fault in others.listed)
        self.warnings += others.warnings - sum(fault.code == WARNING for fault in others.listed)
        for fault in others.listed:
            ident = str(fault.row + row) if fault.ident == str(fault.row) else fault.ident
            self.add(msgspec.structs.replace(fault, row=fault.row + row, ident=ident))

    def refuse(self) -> None:
        """Refusal(REGISTRY_FAULTS) when there are errors; warnings alone refuse nothing."""
        if self._first:
            raise Refusal(
                Code.REGISTRY_FAULTS,
                file=self.file.name,
                count=self.errors,
                row=self._first.row,
                field=self._first.field,
            )

    def write(self, target: Path) -> None:
        """The list as a file: XML in windows-1251 when the name ends so, else CSV in UTF-8. For its owner alone."""
        xml = target.suffix.lower() == ".xml"
        try:
            descriptor = os.open(target, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
            encoding = "windows-1251" if xml else "utf-8"
            with os.fdopen(descriptor, "w", encoding=encoding, errors="xmlcharrefreplace", newline="") as stream:
                if xml:
                    stream.write(self._xml())
                else:
                    writer = csv.writer(stream, delimiter=";", lineterminator="\n")
                    writer.writerow(_COLUMNS)
                    writer.writerows(_cells(fault) for fault in self.listed)
        except OSError as error:
            raise Refusal(Code.DISK_FAILED, path=str(target), reason=error.strerror or "") from error

    def _xml(self) -> str:
        records = "".join(f"<PR>{_elements(fault)}</PR>\n" for fault in self.listed)
        name = escape(self.file.name)
        return f'<?xml version="1.0" encoding="windows-1251"?>\n<FLK_P>\n<FNAME_I>{name}</FNAME_I>\n{records}</FLK_P>\n'


def _elements(fault: Fault) -> str:
    named = zip(_COLUMNS, _cells(fault), strict=True)
    return "".join(f"<{name}>{escape(str(cell))}</{name}>" for name, cell in named)


def _cells(fault: Fault) -> tuple[int, str, str, str, int, str]:
    return (fault.code, fault.field, fault.base, fault.ident, fault.row, fault.words)
