"""Files and answers: what they are by their content, their number and date, and who may add them."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.lifecycle import Act
from operator_tui.appeals.papers import KINDS, kind_of
from tests.appeals.making import ADMINISTRATOR, LEVEL_2, OPERATOR, Bench

PAPER = {"name": "a.pdf", "sha256": "0" * 64, "size": 9, "kind": "pdf", "number": "12/3", "date": "2026-09-20"}


def refused(code: Code, act: Any) -> Refusal:
    with pytest.raises(Refusal) as caught:
        act()
    assert caught.value.code is code
    return caught.value


def zipped(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in names:
            archive.writestr(zipfile.ZipInfo(name), "x")  # of 1980: an id of a test must not hold the time of day
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"%PDF-1.7\n", "pdf"),
        (b"\xff\xd8\xff\xe0JFIF", "jpeg"),
        (b"\x89PNG\r\n\x1a\n", "png"),
        (b"II*\0", "tiff"),
        ("Прошу разобраться".encode(), "txt"),
        (zipped("word/document.xml"), "docx"),
        (zipped("xl/workbook.xml"), "xlsx"),
        (zipped("word/document.xml", "word/vbaProject.bin"), ""),
        (zipped("readme"), ""),
        (b"PK\x03\x04broken", ""),
        (b"MZ\x90\0\x03", ""),
        (b"\x7fELF\x02", ""),
        ("Прошу".encode("cp1251"), ""),
    ],
)
def test_a_file_is_what_its_content_says(content: bytes, kind: str) -> None:
    assert kind_of(content) == kind


@given(st.binary(max_size=200))
def test_any_bytes_have_a_kind_or_none(content: bytes) -> None:
    assert kind_of(content) in (*KINDS, "")


@pytest.mark.function("K-5.2.1.3")
@pytest.mark.parametrize(
    ("wrong", "code", "field"),
    [
        ({"number": " "}, Code.FIELD_REQUIRED, "in_number"),
        ({"date": ""}, Code.FIELD_REQUIRED, "in_date"),
        ({"date": "2027-01-01"}, Code.FIELD_INVALID, "in_date"),
        ({"date": "вчера"}, Code.FIELD_INVALID, "in_date"),
        ({"size": "много"}, Code.FIELD_INVALID, "files"),
    ],
)
def test_a_file_wants_the_documents_number_and_date(
    bench: Bench, wrong: dict[str, str], code: Code, field: str
) -> None:
    refusal = refused(code, lambda: bench.new({"files": [{**PAPER, **wrong}]}, who=LEVEL_2))
    assert refusal.params == {"field": field}
    bench.new(who=LEVEL_2)
    refused(code, lambda: bench.set({"files": [{**PAPER, **wrong}]}, who=LEVEL_2))
    assert bench.set({"files": [PAPER]}, who=LEVEL_2).value("files") == [PAPER]


def test_files_are_level_2s(bench: Bench) -> None:
    refused(Code.RIGHT_MISSING, lambda: bench.new({"files": [PAPER]}, who=OPERATOR))


def test_the_answer_goes_out_after_the_appeal_was_closed(bench: Bench) -> None:
    bench.new(who=LEVEL_2)
    bench.move(Act.CLOSE, who=LEVEL_2, result="R01", comment="Ответ")
    bench.move(Act.APPROVE, who=ADMINISTRATOR)
    reply = {"kind": "final", "number": "45", "date": "2026-09-21", "file": ""}
    card = bench.set({"replies": [reply]}, who=LEVEL_2)
    assert card.value("replies") == [reply]
    refused(Code.LOCKED, lambda: bench.set({"comment": "ещё"}, who=LEVEL_2))
    refused(Code.LOCKED, lambda: bench.set({"replies": [reply], "comment": "ещё"}, who=LEVEL_2))
    refused(Code.FIELD_INVALID, lambda: bench.set({"replies": [{**reply, "kind": "третий"}]}, who=LEVEL_2))
