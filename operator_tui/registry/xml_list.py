"""Lists of people as XML (windows-1251 as declared, or any other), read as a stream (a ``Source``).

A record is an element PERS, ZAP or PERSON; its children are the columns. Elements that repeat keep their parts apart:
POLIS (type, series, number, since, until, status, insurer), PRIK (attachments), LAST (previous names), PRED (the
representative). The head (ZGLV) may tell the day of the data in DATA.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import IO, Any

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.registry.records import CANONICAL, CELLS, REQUIRED, iso_date

_RECORDS = frozenset({"PERS", "ZAP", "PERSON"})
_IDENTS = ("N_ZAP", "ID_PAC", "ID", "OIP")
# Repeating elements: which cell they fill, and their parts in order, by any of the names in use.
_GROUPS: dict[str, tuple[str, tuple[tuple[str, ...], ...]]] = {
    "POLIS": (
        "policies",
        (("VPOLIS", "PCYTYPE"), ("SPOLIS", "PCYSER"), ("NPOLIS", "PCYNUM"), ("DBEG", "PCYDATEB"), ("DEND", "PCYDATEE"),
         ("STATUS", "PCYSTATUS"), ("SMO", "INSURFCODE")),
    ),
    "PRIK": (
        "attachments",
        (("AREATYPE",), ("METHOD", "ATTACHMETHOD"), ("STATUS", "ATTACHSTATUS"), ("DBEG", "DATEATTACHB"),
         ("DEND", "DATEATTACHE"), ("MO", "MOCODE"), ("SS_DOC", "SNILSDOCTOR")),
    ),
    "LAST": ("previous", (("FAM",), ("IM",), ("OT",), ("DEND",))),
    "PRED": ("representative", (("FIO",), ("TEL",), ("REL",), ("CONSENT",), ("DCONS",))),
}  # fmt: skip
_ENTITIES = "в файле есть объявления сущностей: такие файлы не читаются"


class XmlList:
    """One XML file. Its first record is read at once, so that a file of something else is refused before any work."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.base = "PERS"
        self.as_of: date | None = None
        self.names: dict[str, str] = {}
        self._size = 1
        self._read = 0
        for _ in self.rows():
            break
        else:
            raise self._refusal("в нём нет ни одной записи PERS, ZAP или PERSON")
        # What one record lacks is its own fault; a first record without anything known is a file of another kind.
        if not any(column in self.names for column in REQUIRED):
            raise self._refusal(f"нет элементов: {', '.join(REQUIRED)}")

    def rows(self) -> Iterator[tuple[int, str, Sequence[str]]]:
        from xml.etree.ElementTree import ParseError

        from defusedxml import DefusedXmlException
        from defusedxml.ElementTree import iterparse

        row = 0
        with self._opened() as stream:
            try:
                root = None
                for event, element in iterparse(stream, events=("start", "end")):
                    if root is None:
                        root = element
                    if event != "end":
                        continue
                    tag = _tag(element)
                    if tag == "DATA" and not row:
                        self._dated(element.text)
                    if tag not in _RECORDS:
                        continue
                    row += 1
                    self.base = element.tag
                    if row % 1000 == 1:
                        self._read = stream.tell()
                    yield row, _ident(element), self._cells(element)
                    root.clear()
            except ParseError as error:
                line = error.position[0]
                raise self._refusal(f"строка {line}: XML нарушен после записи {row}") from error
            except DefusedXmlException as error:
                raise self._refusal(_ENTITIES) from error
            except (ValueError, LookupError) as error:
                raise self._refusal(f"запись {row + 1}: неверная кодировка") from error

    @contextmanager
    def _opened(self) -> Iterator[IO[bytes]]:
        try:
            with self.file.open("rb") as stream:
                self._size = max(1, os.fstat(stream.fileno()).st_size)
                yield stream
        except OSError as error:
            raise self._refusal(error.strerror or "") from error

    def done(self) -> float:
        return self._read / self._size

    def _dated(self, text: str | None) -> None:
        day = iso_date((text or "").strip())
        self.as_of = date.fromisoformat(day) if day else None

    def _cells(self, element: Any) -> list[str]:
        found = dict.fromkeys(CELLS, "")
        for child in element:
            tag = _tag(child)
            group = _GROUPS.get(tag)
            if group and len(child):
                column, parts = group
                texts = {_tag(part): (part.text or "").strip() for part in child}
                item = "^".join(next((texts[name] for name in names if name in texts), "") for names in parts)
                found[column] = "~".join(filter(None, (found[column], item.rstrip("^"))))
                self.names.setdefault(column, child.tag)
            elif column := CANONICAL.get(tag.casefold(), ""):
                found[column] = (child.text or "").strip()
                self.names.setdefault(column, child.tag)
        return list(found.values())

    def _refusal(self, reason: str) -> Refusal:
        return Refusal(Code.FILE_UNREADABLE, file=self.file.name, reason=reason)


def _tag(element: Any) -> str:
    """The name without its namespace."""
    return str(element.tag).rpartition("}")[2].upper()


def _ident(element: Any) -> str:
    for child in element:
        if _tag(child) in _IDENTS and child.text:
            return str(child.text).strip()[:36]
    return ""
