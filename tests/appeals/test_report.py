"""Lists and counts for reports."""

from __future__ import annotations

import csv
import io

import openpyxl
import pytest

from operator_tui.appeals.card import Card, Source
from operator_tui.appeals.catalogue import AppealType
from operator_tui.appeals.lifecycle import Act
from operator_tui.appeals.report import COLUMNS, By, counts, list_row, safe_cell
from operator_tui.desk.export import csv_text, sheet
from tests.appeals.making import LEVEL_2, Bench, theme_of

ZONE = "Europe/Moscow"


@pytest.fixture
def cards(bench: Bench) -> list[Card]:
    """Two spoken consultations and a written complaint that was justified."""
    made = []
    for n in range(2):
        bench.card = None
        made.append(
            bench.new({"source": Source.CALL.value, "clinic": "Поликлиника 1", "enp": f"00900000000000{n:02d}"})
        )
    bench.card = None
    complaint = theme_of(bench.catalogue, AppealType.COMPLAINT)
    bench.new({"source": Source.LETTER.value, "comment": "=1+1", **complaint}, who=LEVEL_2)
    made.append(bench.move(Act.CLOSE, who=LEVEL_2, result="R06", comment="=1+1", measures="Права\x0bвосстановлены"))
    return made


@pytest.mark.function("K-5.2.0.2")
def test_appeals_are_counted_spoken_and_written_apart(bench: Bench, cards: list[Card]) -> None:
    by = {what: counts(cards, bench.catalogue, what) for what in By}
    assert by[By.TYPE] == [("Консультация", 2, 0), ("Жалоба", 0, 1)]
    assert by[By.CLINIC] == [("Поликлиника 1", 2, 0), ("", 0, 1)]
    assert by[By.JUSTIFIED] == [("", 2, 0), ("да", 0, 1)]
    assert sum(spoken + written for _, spoken, written in by[By.THEME]) == 3


def test_every_theme_has_its_row_of_the_form(bench: Bench) -> None:
    assert all(theme.pg_row for theme in bench.catalogue.themes.values())


def test_a_count_by_the_forms_rows(bench: Bench, cards: list[Card]) -> None:
    rows = counts(cards, bench.catalogue, By.FORM_ROW)
    complaint = bench.catalogue.theme(str(cards[2].value("theme"))).pg_row
    assert (complaint, 0, 1) in rows


def test_the_list_as_csv_and_as_a_sheet_says_the_same(bench: Bench, cards: list[Card]) -> None:
    rows = [list_row(card, bench.catalogue, ZONE) for card in cards]
    text = list(csv.reader(io.StringIO(csv_text(rows)), delimiter=";"))
    page = openpyxl.load_workbook(io.BytesIO(sheet(rows))).active
    assert page is not None
    cells = [["" if cell is None else str(cell) for cell in row] for row in page.iter_rows(values_only=True)]
    assert text[0] == cells[0] == list(COLUMNS)
    assert len(text) == len(cells) == 4
    enp = COLUMNS.index("ЕНП")
    assert text[1][enp] == cells[1][enp] == "0090000000000000", "the zeros stay"
    comment = COLUMNS.index("Комментарий")
    assert text[3][comment] == "'=1+1"
    assert page.cell(4, comment + 1).data_type == "s", "no formula of a citizen's"


@pytest.mark.parametrize("text", ["=SUM(A1)", "+7", "-1", "@x", "\tx"])
def test_no_cell_is_a_formula(text: str) -> None:
    assert safe_cell(text) == "'" + text
    assert safe_cell("Иванов") == "Иванов"
