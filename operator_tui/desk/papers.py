"""Documents on one desk: files of an appeal, the inbox of scans, answers with their numbers, letters, printing."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from operator_tui.appeals.card import Card
from operator_tui.appeals.deadlines import local_date
from operator_tui.appeals.draft import draft_of
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.operations import Kind
from operator_tui.appeals.papers import Paper, Reply, ReplyKind, demand_numbered
from operator_tui.appeals.rights import Right, demand
from operator_tui.appeals.terms import Term, register_term
from operator_tui.desk.letters import REPLY_OF, Letter, letter_words, render
from operator_tui.desk.patient import Patient
from operator_tui.journal.settings import PaperSettings

if TYPE_CHECKING:
    from operator_tui.desk.desk import Desk
    from operator_tui.journal.attachments import Attachments

ATTACHMENTS_KEY = "attachments"
INBOX_S = 5.0  # for a folder to say what lies in it


@dataclass(frozen=True)
class Scan:
    """A new file of the inbox, with the term in which it is to be registered."""

    path: Path
    size: int
    term: Term


class PaperDesk:
    """The acts of documents. Everything that touches a disk runs on the journal's thread."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._folder = Patient(INBOX_S)

    @property
    def _settings(self) -> PaperSettings:
        return self._desk.settings.get(PaperSettings)

    def _demand(self, right: Right) -> None:
        demand(self._desk.situation(screen="").role, right)

    @property
    def today(self) -> date:
        """The local date of the office."""
        return local_date(self._desk.clock.now_ms(), self._desk.promises.zone)

    def _store(self) -> Attachments:
        """The folder of files; on the journal's thread only, as the keys are."""
        from operator_tui.journal.attachments import Attachments
        from operator_tui.secrets.address import FileKind

        parts, keys, settings = self._desk.parts, self._desk.keys, self._settings
        # Made each time: the next who sits here has a folder and a key of his own.
        return Attachments(
            parts.files_folder(),
            keys.file_key(ATTACHMENTS_KEY),
            address=keys.fund_address(FileKind.ATTACHMENT),
            max_mb=settings.max_mb,
            scan=settings.scan,
        )

    # files

    async def inbox(self) -> list[Scan]:
        """New scans, the oldest first, with the days left to register each. Refusals: FOLDER_UNSET,
        FILE_UNREADABLE, also where the folder does not answer."""
        from operator_tui.journal.attachments import new_scans

        today, zone, days = self.today, self._desk.promises.zone, self._desk.catalogue.terms

        def look() -> list[Scan]:
            found = []
            for path in new_scans(self._settings.inbox):
                try:
                    facts = path.stat()
                except FileNotFoundError:  # taken away while it was looked at
                    continue
                came = min(local_date(round(facts.st_mtime * 1000), zone), today)
                found.append(Scan(path, facts.st_size, register_term(came.isoformat(), today, days)))
            return found

        # The folder may be another machine's: no save waits for it, and nobody for longer than is said.
        try:
            return await self._folder.run(look)
        except TimeoutError:
            silent = os.strerror(errno.ETIMEDOUT)
            raise Refusal(Code.FILE_UNREADABLE, file=self._settings.inbox, reason=silent) from None

    async def attach(self, path: Path, number: str, day: str) -> Paper:
        """A file to the card at hand, with number and date of the document (K-5.2.1.3); an unsaved card keeps it in
        its draft. A scan of the inbox is put aside then. Refusals: RIGHT_MISSING, FIELD_REQUIRED, FIELD_INVALID, and
        those of the file."""
        card = self._desk.state.card
        if card is None:
            raise Refusal(Code.NO_CARD_OPEN)
        from operator_tui.journal.attachments import put_aside

        self._demand(Right.CARD_WITHOUT_CALL)
        demand_numbered(number, day, self.today)
        paper = await self._desk.run_journal(lambda: self._store().take(path.expanduser(), number=number, day=day))
        if card.saved is not None:
            await self._add(card.saved.id, files=paper)
        else:
            await self._desk.card.add_item(card, "files", msgspec.to_builtins(paper))
        with suppress(TimeoutError):  # then it stays among the new ones
            await self._folder.run(lambda: put_aside(path, self._settings.inbox))
        return paper

    async def _add(self, card_id: str, **items: Paper | Reply) -> Card:
        """An entry for each list named, in one operation: one act is one save (DESIGN rule 14)."""
        desk = self._desk

        def work(journal: Any) -> Card:
            card = journal.card(card_id)
            if card is None:
                raise Refusal(Code.UNKNOWN_CARD, card=card_id)
            draft = draft_of(card)
            for field, item in items.items():
                draft.fields[field] = [*(card.value(field) or ()), msgspec.to_builtins(item)]
            saved: Card = journal.save(draft)
            return saved

        card = await desk.on_journal(work)
        await desk.appeals.reload()
        await desk.refresh_journal()
        desk.parts.kick()
        return card

    def papers(self, card: Card) -> list[Paper]:
        """The files of an appeal, in the order they came."""
        return [msgspec.convert(entry, Paper) for entry in card.value("files") or ()]

    async def own(self, paper: Paper) -> bytes | None:
        """The bytes of a file whose key is this desk's own; None for one that was attached elsewhere."""
        try:
            return await self.read(paper)
        except Refusal as refusal:
            if refusal.code in (Code.FILE_NOT_HERE, Code.FILE_SEAL):
                return None
            raise

    async def read(self, paper: Paper) -> bytes:
        """The bytes of a file that was attached here."""
        return await self._desk.run_journal(lambda: self._store().read(paper))

    # answers and letters

    async def reply(self, card_id: str, kind: ReplyKind, number: str, day: str) -> Card:
        """An answer that went out: intermediate or final, with its outgoing number and date."""
        self._demand(Right.CARD_WITHOUT_CALL)
        demand_numbered(number, day, self.today)
        return await self._add(card_id, replies=Reply(kind, number, day))

    async def letter(self, card_id: str, letter: Letter, *, number: str, day: str, text: str) -> tuple[Paper, str]:
        """Make a letter, keep it with the appeal as an answer, and print it or put it into the outbox folder.

        Returns the file and where it went (empty when neither a printer nor a folder is set). Refusals: RIGHT_MISSING,
        FIELD_REQUIRED, FIELD_INVALID, LETTER_FAILED, PRINT_FAILED.
        """
        self._demand(Right.EXPORT)
        demand_numbered(number, day, self.today)
        desk = self._desk
        card = await desk.on_journal(lambda journal: journal.card(card_id))
        if card is None:
            raise Refusal(Code.UNKNOWN_CARD, card=card_id)
        by = desk.state.operator.name if desk.state.operator else ""
        zone = desk.promises.zone
        words = letter_words(card, desk.catalogue, zone=zone, by=by, number=number, on=day, text=text)
        name = f"{card.value('number')}-{letter.value}.docx"

        def make() -> Paper:
            content = render(letter, words, self._settings.templates)
            return self._store().keep(content, name, number=number, day=day)

        paper = await desk.run_journal(make)
        await self._add(card_id, files=paper, replies=Reply(REPLY_OF[letter], number, day, paper.sha256))
        await self._record(f"letter.{letter.value}", "", 1)
        settings = self._settings
        went = await self.print(paper) if settings.printer or settings.outbox else ""
        return paper, went

    async def print(self, paper: Paper) -> str:
        """Print a file of an appeal through CUPS, or put it into the outbox folder; where it went."""
        self._demand(Right.EXPORT)
        content = await self.read(paper)
        return await self.print_bytes(content, paper.name)

    async def print_bytes(self, content: bytes, name: str) -> str:
        """The same for what is made now: a card or a list as text."""
        from operator_tui.journal.attachments import print_out

        settings = self._settings
        await self._record("print", name.rsplit(".", 1)[-1], 1)
        return await self._desk.run_journal(
            lambda: print_out(content, name, printer=settings.printer, outbox=settings.outbox)
        )

    async def _record(self, what: str, purpose: str, rows: int) -> None:
        about = {"what": what, "purpose": purpose or what, "rows": rows}
        await self._desk.on_journal(lambda journal: journal.record(Kind.EXPORT_MADE, about))
