"""Documents of an appeal: files with number and date (K-5.2.1.3), and intermediate and final answers."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Any

import msgspec

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.words import mark

_DIGEST = re.compile(r"[0-9a-f]{64}")


class Paper(msgspec.Struct, frozen=True):
    """A file of an appeal: its name, the digest of its bytes, size in bytes, kind, number and date (ISO); ``sealed`` is
    the digest of its sealed bytes, by which the server knows it (empty: it was never meant to go there)."""

    name: str
    sha256: str
    size: int
    kind: str
    number: str
    date: str
    sealed: str = ""


class ReplyKind(StrEnum):
    """What kind of answer went out."""

    INTERMEDIATE = "intermediate"
    FINAL = "final"


REPLY_TITLES = {ReplyKind.INTERMEDIATE: mark("промежуточный"), ReplyKind.FINAL: mark("окончательный")}


class Reply(msgspec.Struct, frozen=True):
    """An answer that went out: outgoing number and date (ISO), and the file that holds it."""

    kind: ReplyKind
    number: str
    date: str
    file: str = ""


def demand_papers(lists: Mapping[str, list[Any]], latest: date) -> None:
    """Whatever is added to ``files`` and ``replies`` has its number and a date that has been.

    Refusals: FIELD_REQUIRED, FIELD_INVALID, with in_number or in_date as the field.
    """
    shapes: dict[str, type[Paper] | type[Reply]] = {"files": Paper, "replies": Reply}
    for field, shape in shapes.items():
        for entry in lists.get(field, ()):
            try:
                paper = msgspec.convert(entry, shape)
            except msgspec.ValidationError:
                raise Refusal(Code.FIELD_INVALID, field=field) from None
            demand_numbered(paper.number, paper.date, latest)
            if isinstance(paper, Paper) and paper.sealed and not _DIGEST.fullmatch(paper.sealed):
                raise Refusal(Code.FIELD_INVALID, field=field)


def demand_numbered(number: str, day: str, latest: date) -> None:
    """Number and date of a document. Refusals: FIELD_REQUIRED, FIELD_INVALID."""
    for field, value in (("in_number", number), ("in_date", day)):
        if not value.strip():
            raise Refusal(Code.FIELD_REQUIRED, field=field)
    try:
        possible = date.fromisoformat(day) <= latest
    except ValueError:
        possible = False
    if not possible:
        raise Refusal(Code.FIELD_INVALID, field="in_date")


# Kinds that are taken, by what a file begins with; the name's ending is nobody's proof.
_BEGINNINGS = (
    (b"%PDF-", "pdf"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"{\\rtf", "rtf"),
)
_IN_ZIP = (("word/document.xml", "docx"), ("xl/workbook.xml", "xlsx"), ("content.xml", "odt"))
KINDS = ("pdf", "jpeg", "png", "tiff", "rtf", "docx", "xlsx", "odt", "txt")


def kind_of(content: bytes) -> str:
    """The kind of a file by its content; empty for what is not taken."""
    for beginning, kind in _BEGINNINGS:
        if content.startswith(beginning):
            return kind
    if content.startswith(b"PK\x03\x04"):
        return _kind_of_zip(content)
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return ""
    return "txt" if all(character.isprintable() or character in "\r\n\t\ufeff" for character in text) else ""


def _kind_of_zip(content: bytes) -> str:
    try:
        names = set(zipfile.ZipFile(io.BytesIO(content)).namelist())
    except zipfile.BadZipFile:
        return ""
    if any(name.endswith("vbaProject.bin") for name in names):
        return ""  # macros
    return next((kind for inside, kind in _IN_ZIP if inside in names), "")
