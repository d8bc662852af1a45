"""What can be done with the papers of the appeal at hand: scans, files, receipt, answers, letters, print."""

from __future__ import annotations

from pathlib import Path

from operator_tui.appeals.begun import FormOf
from operator_tui.appeals.card import Card
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.papers import REPLY_TITLES, Paper
from operator_tui.appeals.terms import register_term
from operator_tui.desk.letters import LETTER_TITLES
from operator_tui.file_acts import FileActs
from operator_tui.i18n import tr
from operator_tui.journal.sieve import Sieve
from screens.ask import AskScreen
from screens.form import Asked, Values, iso_days
from screens.journal import JournalScreen
from screens.words import appeal_text, local_time
from widgets.rows import Row


class PaperActs(FileActs):
    """The acts with papers; `appeal_acts` lists them."""

    async def _inbox(self) -> None:
        """New scans; the one chosen is attached to the card at hand."""
        scans = {str(scan.path): scan for scan in await self.desk.papers.inbox()}
        rows = [
            Row(
                name,
                (tr("{days} дн").format(days=scan.term.left), scan.path.name),
                mark="!" if scan.term.warns else " ",
            )
            for name, scan in scans.items()
        ]

        def chosen(name: str | None) -> None:
            if name:
                self._guard(lambda: self._ask_file(name))

        def find(text: str) -> list[Row]:
            return [row for row in rows if text.casefold() in row.cells[1].casefold()]

        self._app.push_screen(AskScreen(tr("Новые сканы: осталось дней на регистрацию"), tr("Имя файла"), find), chosen)

    def _ask_file(self, path: str = "") -> None:
        card = self.desk.state.card

        def check(values: Values) -> None:
            iso_days(values, "in_date")
            if card is not None:
                self.desk.card.still(card)

        lines = [
            Asked("path", tr("Файл"), path, required=True),
            Asked("in_number", tr("Номер документа"), required=True),
            Asked("in_date", tr("Дата документа"), hint=tr("ДД.ММ.ГГГГ"), required=True),
        ]

        async def done(values: Values) -> None:
            dated = iso_days(values, "in_date")
            paper = await self.desk.papers.attach(Path(dated["path"]), dated["in_number"], dated["in_date"])
            self.desk.notice(
                tr("Файл {name} приложен, {size} КБ.").format(name=paper.name, size=-(-paper.size // 1024))
            )

        self._form(self.desk.begun.of_card("file", path), tr("Приложить файл"), lines, done, check)

    def _receipt(self) -> None:
        """When and under which number a written appeal came."""
        card = self.desk.state.card
        if card is None:
            raise Refusal(Code.NO_CARD_OPEN)
        lines = [
            self._line(card.fields, "received", date=True),
            self._line(card.fields, "in_number"),
            self._line(card.fields, "in_date", date=True),
        ]

        def check(values: Values) -> None:
            dated = iso_days(values, "received", "in_date")
            if dated["received"]:
                register_term(dated["received"], self.desk.papers.today, self.desk.catalogue.terms)

        async def done(values: Values) -> None:
            dated = iso_days(values, "received", "in_date")
            if await self.desk.card.type_all(card, dated) and dated["received"]:
                term = register_term(dated["received"], self.desk.papers.today, self.desk.catalogue.terms)
                words = tr("Зарегистрировать до {day}: осталось дней {left}.")
                self.desk.notice(words.format(day=term.until.strftime("%d.%m.%Y"), left=term.left), urgent=term.warns)

        of = self.desk.begun.of_card("receipt")
        self._form(of, tr("Поступление письменного обращения"), lines, done, check)

    async def _reply(self) -> None:
        card = await self._card()
        titles = {tr(title): kind for kind, title in REPLY_TITLES.items()}
        lines = [
            Asked("kind", tr("Ответ"), required=True, options=list(titles)),
            Asked("in_number", tr("Исходящий номер"), required=True),
            Asked("in_date", tr("Дата"), hint=tr("ДД.ММ.ГГГГ"), required=True),
        ]

        async def done(values: Values) -> None:
            dated = iso_days(values, "in_date")
            kind = titles[dated["kind"]]
            saved = await self.desk.papers.reply(card.id, kind, dated["in_number"], dated["in_date"])
            words = tr("Ответ записан: {kind}, исх. № {number}, обращение {appeal}.")
            appeal = saved.value("number")
            self.desk.notice(words.format(kind=dated["kind"], number=dated["in_number"], appeal=appeal))

        check = lambda values: iso_days(values, "in_date")  # noqa: E731  # two lines for one call
        self._form(FormOf("reply", card.id), tr("Зарегистрировать ответ"), lines, done, check)

    async def _letter(self) -> None:
        card = await self._card()
        titles = {tr(title): letter for letter, title in LETTER_TITLES.items()}
        today = local_time(self.desk.clock.now_ms(), self.desk.promises.zone, "%d.%m.%Y")
        lines = [
            Asked("kind", tr("Образец"), required=True, options=list(titles)),
            Asked("in_number", tr("Исходящий номер"), required=True),
            Asked("in_date", tr("Дата"), today, tr("ДД.ММ.ГГГГ"), required=True, passing=True),
            Asked("text", tr("Текст ответа"), str(card.value("comment")).replace("\n", " ")),
        ]

        async def done(values: Values) -> None:
            dated = iso_days(values, "in_date")
            number, on, text = dated["in_number"], dated["in_date"], dated["text"]
            letter = titles[dated["kind"]]
            paper, went = await self.desk.papers.letter(card.id, letter, number=number, day=on, text=text)
            words = tr("Письмо {name} составлено и приложено к обращению.").format(name=paper.name)
            self.desk.notice(f"{words} {went}" if went else words)

        check = lambda values: iso_days(values, "in_date")  # noqa: E731  # two lines for one call
        self._form(FormOf("letter", card.id), tr("Составить письмо"), lines, done, check)

    async def _choose_print(self) -> None:
        """The appeal itself, its files, or the list that the journal shows: one is chosen to be printed."""
        card = await self._card()
        files = {paper.sha256: paper for paper in self.desk.papers.papers(card)}
        rows = [Row("card", ("", tr("Карта обращения {number}").format(number=card.value("number"))))]
        rows += [Row(paper.sha256, (paper.kind, paper.name)) for paper in files.values()]
        screen = self._app.screen
        if isinstance(screen, JournalScreen):
            rows.append(Row("list", ("", tr("Показанный список журнала"))))

        def chosen(key: str | None) -> None:
            if key == "list" and isinstance(screen, JournalScreen):
                self._guard(lambda: self._print_list(screen.shown_sieve()))
            elif key:
                self._guard(lambda: self._print_chosen(card, files.get(key)))

        self._app.push_screen(AskScreen(tr("Печать"), tr("Документ"), lambda text: rows), chosen)

    async def _print_list(self, sieve: Sieve) -> None:
        text, count = await self.desk.export.listing(sieve)
        went = await self.desk.papers.print_bytes(text.encode(), f"{tr('журнал')}.txt")
        self.desk.notice(tr("Отправлено на печать: {went}, обращений {count}.").format(went=went, count=count))

    async def _print_chosen(self, card: Card, paper: Paper | None) -> None:
        if paper is not None:
            went = await self.desk.papers.print(paper)
        else:
            text = appeal_text(card, self.desk.catalogue, self.desk.promises.zone)
            went = await self.desk.papers.print_bytes(text.encode(), f"{card.value('number')}.txt")
        self.desk.notice(tr("Отправлено на печать: {went}.").format(went=went))
