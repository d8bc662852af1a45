"""Federal registers of organisations as the federal fund publishes them (XML, windows-1251 as declared or any other).

F002: insurers, elements ``insCompany`` (or ``zap``) with ``smocod``, ``nam_smop``, ``nam_smok``, ``addr_j``/``addr_f``,
``phone``/``hot_line``, ``d_begin``, ``d_end``. F032: medical organisations, elements ``zap`` with ``MCOD``,
``NAM_MOP``, ``NAM_MOK``, ``JURADDRESS_ADDRESS``, ``DATEBEG``, ``DATEEND``, ``OSP`` (whether it is a part of another).
Names are the same in any case. A file is taken whole or not at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec

from operator_tui.appeals.errors import Code, Refusal

_RECORDS = frozenset({"ZAP", "INSCOMPANY"})
_MOST_BYTES = 200 << 20
_ENTITIES = "в файле есть объявления сущностей: такие файлы не читаются"
_TEXT = 500  # letters of a name or an address that are kept


class Register(StrEnum):
    """Which one."""

    F002 = "F002"
    F032 = "F032"


class _Names(msgspec.Struct, frozen=True):
    """What the columns of a list are called in a register, the first that is there; ``code`` has so many digits."""

    kind: str
    digits: int
    code: tuple[str, ...]
    title: tuple[str, ...]
    short: tuple[str, ...]
    address: tuple[str, ...]
    phone: tuple[str, ...]
    begins: tuple[str, ...]
    ends: tuple[str, ...]


_REGISTERS = {
    Register.F002: _Names(
        "insurer", 5, ("SMOCOD",), ("NAM_SMOP",), ("NAM_SMOK",), ("ADDR_J", "ADDR_F", "ADDRESS"), ("HOT_LINE", "PHONE"),
        ("D_BEGIN", "D_START", "DATEBEG"), ("D_END", "DATEEND"),
    ),
    Register.F032: _Names(
        "clinic", 6, ("MCOD",), ("NAM_MOP",), ("NAM_MOK",), ("JURADDRESS_ADDRESS", "ADDR_J", "ADDRESS"), ("PHONE",),
        ("DATEBEG", "D_BEGIN"), ("DATEEND", "D_END"),
    ),
}  # fmt: skip


def read_register(file: Path, register: Register, region: str) -> dict[str, dict[str, str]]:
    """The organisations of a region (two digits) by code, as rows of the list ``organisations``.

    Of several records of one organisation the one that ends last counts. Parts of an organisation (OSP) are left out:
    its code is that of the whole. Refusals: FILE_UNREADABLE, ROW_INVALID (file, row, field) with the record as a person
    would count it.
    """
    names = _REGISTERS[register]
    found: dict[str, dict[str, str]] = {}
    count = 0
    for number, texts in _records(file):
        count += 1
        code = _first(texts, names.code)
        if len(code) != names.digits or not (code.isascii() and code.isdigit()):
            raise Refusal(Code.ROW_INVALID, file=file.name, row=number, field=names.code[0])
        if not code.startswith(region) or _first(texts, ("OSP",)).casefold() in ("1", "true"):
            continue
        row = _row(file, number, names, texts, code)
        known = found.get(code)
        if known is None or (row["ends"] or "9999") >= (known["ends"] or "9999"):
            found[code] = row
    if not count:
        raise Refusal(Code.FILE_UNREADABLE, file=file.name, reason=f"в нём нет ни одной записи {register}")
    return found


def _row(file: Path, number: int, names: _Names, texts: dict[str, str], code: str) -> dict[str, str]:
    title = _first(texts, names.title)
    short = _first(texts, names.short) or title
    if not short:
        raise Refusal(Code.ROW_INVALID, file=file.name, row=number, field=names.short[0])
    days = {}
    for name, columns in (("begins", names.begins), ("ends", names.ends)):
        text = _first(texts, columns)
        day = _iso(text)
        if text and not day:
            raise Refusal(Code.ROW_INVALID, file=file.name, row=number, field=columns[0])
        days[name] = day
    return {
        "code": code,
        "kind": names.kind,
        "title": title or short,
        "short": short,
        "address": _first(texts, names.address),
        "phone": _first(texts, names.phone),
        **days,
    }


def _records(file: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Each record's number and the texts of its elements by name, the first of a name."""
    from xml.etree.ElementTree import ParseError

    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import iterparse

    number = 0
    try:
        if file.stat().st_size > _MOST_BYTES:
            raise _unreadable(file, "файл слишком большой")
        with file.open("rb") as stream:
            root: Any = None
            for event, element in iterparse(stream, events=("start", "end")):
                root = element if root is None else root
                if event == "end" and _tag(element) in _RECORDS:
                    number += 1
                    yield number, _texts(element)
                    root.clear()
    except OSError as error:
        raise _unreadable(file, error.strerror or "") from error
    except ParseError as error:
        raise _unreadable(file, f"строка {error.position[0]}: XML нарушен после записи {number}") from error
    except DefusedXmlException as error:
        raise _unreadable(file, _ENTITIES) from error
    except (ValueError, LookupError) as error:
        raise _unreadable(file, f"запись {number + 1}: неверная кодировка") from error


def _texts(element: Any) -> dict[str, str]:
    found: dict[str, str] = {}
    for child in element.iter():
        text = " ".join((child.text or "").split())
        if text:
            found.setdefault(_tag(child), text[:_TEXT])
    return found


def _first(texts: dict[str, str], names: tuple[str, ...]) -> str:
    return next((texts[name] for name in names if name in texts), "")


def _tag(element: Any) -> str:
    return str(element.tag).rpartition("}")[2].upper()


def _iso(text: str) -> str:
    for pattern in ("%d.%m.%Y", "%Y-%m-%d"):
        try:
            return datetime.strptime(text[:10], pattern).replace(tzinfo=UTC).date().isoformat()
        except ValueError:
            continue
    return ""


def _unreadable(file: Path, reason: str) -> Refusal:
    return Refusal(Code.FILE_UNREADABLE, file=file.name, reason=reason)
