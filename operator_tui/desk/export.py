"""Lists that leave the desk: CSV and XLSX, written 0600 and logged with their purpose (DESIGN rule 17)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from operator_tui.appeals.card import Card
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.operations import Kind
from operator_tui.appeals.report import COLUMNS, By, counts, list_row, safe_cell
from operator_tui.appeals.rights import Right, demand
from operator_tui.journal.settings import PaperSettings
from operator_tui.journal.sieve import Sieve

if TYPE_CHECKING:
    from operator_tui.desk.desk import Desk
    from operator_tui.journal.journal import Journal

_PAGE = 500
FORMATS = ("xlsx", "csv")
_PRINTED = ("Номер", "Дата регистрации", "Тип обращения", "Тематика", "ФИО", "Статус", "Срок")


class ExportDesk:
    """Exports and counts of what a sieve lets through, every page of it."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def counts(self, sieve: Sieve, by: By) -> list[tuple[str, int, int]]:
        """Value, spoken and written appeals, the largest first."""
        catalogue = self._desk.catalogue
        return await self._desk.on_journal(lambda journal: counts(_all(journal, sieve), catalogue, by))

    async def write(self, sieve: Sieve, path: Path, purpose: str) -> int:
        """The list of what the sieve lets through, as .csv or .xlsx by the path's ending; how many appeals.

        Refusals: RIGHT_MISSING, FIELD_REQUIRED (the purpose), FILE_KIND, DISK_FULL, DISK_FAILED.
        """
        desk = self._desk
        demand(desk.situation(screen="").role, Right.EXPORT)
        if not purpose.strip():
            raise Refusal(Code.FIELD_REQUIRED, field="reason")
        ending = path.suffix.lower().removeprefix(".")
        if ending not in FORMATS:
            raise Refusal(Code.FILE_KIND, file=path.name, kinds=", ".join(FORMATS))
        catalogue, zone = desk.catalogue, desk.promises.zone

        def work(journal: Journal) -> int:
            rows = [list_row(card, catalogue, zone) for card in _all(journal, sieve)]
            _put(path.expanduser(), sheet(rows) if ending == "xlsx" else csv_text(rows).encode("utf-8-sig"))
            journal.record(Kind.EXPORT_MADE, {"what": f"journal.{ending}", "purpose": purpose, "rows": len(rows)})
            return len(rows)

        number = await desk.on_journal(work)
        desk.parts.kick()
        return number

    async def listing(self, sieve: Sieve) -> tuple[str, int]:
        """The same list as lines to be printed, and how many appeals they are. Refusal(RIGHT_MISSING)."""
        desk = self._desk
        demand(desk.situation(screen="").role, Right.EXPORT)
        catalogue, zone = desk.catalogue, desk.promises.zone
        places = [COLUMNS.index(title) for title in _PRINTED]

        def work(journal: Journal) -> list[tuple[str, ...]]:
            return [list_row(card, catalogue, zone) for card in _all(journal, sieve)]

        rows = [_PRINTED, *([row[place] for place in places] for row in await desk.on_journal(work))]
        widths = [max(len(row[place]) for row in rows) for place in range(len(_PRINTED))]
        lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)
        return "\n".join(lines) + "\n", len(rows) - 1

    def folder(self) -> Path:
        """Where an export goes when nothing else is said: the outbox folder, else the profile's own."""
        outbox = self._desk.settings.get(PaperSettings).outbox
        return Path(outbox) if outbox else self._desk.profile.journal_file.parent


def _all(journal: Journal, sieve: Sieve) -> Iterable[Card]:
    offset = 0
    while page := journal.page(sieve, limit=_PAGE, offset=offset):
        yield from page
        offset += len(page)


def csv_text(rows: Iterable[Sequence[str]]) -> str:
    """The list with ``;`` between cells, as Russian sheets read it."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows([safe_cell(cell) for cell in row] for row in rows)
    return out.getvalue()


def sheet(rows: Iterable[Sequence[str]]) -> bytes:
    """The list as a sheet; every cell is text, so that numbers of policies keep their zeros."""
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    book = Workbook(write_only=True)
    page = book.create_sheet("Обращения")
    page.freeze_panes = "A2"
    page.append(list(COLUMNS))
    for row in rows:
        cells = []
        for text in row:
            cell = WriteOnlyCell(page, value=ILLEGAL_CHARACTERS_RE.sub(" ", text))
            cell.data_type = "s"
            cells.append(cell)
        page.append(cells)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _put(path: Path, content: bytes) -> None:
    from operator_tui.secrets.files import write_private

    write_private(path, content)
