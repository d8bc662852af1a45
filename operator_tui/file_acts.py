"""What is done with files and recordings of the appeal at hand: looked at, listened to, for a stated purpose."""

from __future__ import annotations

from operator_tui.appeals.card import Card
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.asking import Asking
from operator_tui.desk.files import CardFile
from operator_tui.i18n import tr
from operator_tui.signin.files import PURPOSE_TITLES, Purpose
from screens.ask import NUMBER_OR_WORD, AskScreen, numbered
from screens.files import FilesScreen, PlayerScreen, file_cells
from screens.timeline import TimelineScreen


class FileActs(Asking):
    """The acts with files of an appeal."""

    async def _files(self) -> None:
        """«Файлы и записи» of the appeal at hand; the one chosen is opened for a purpose."""
        await self._files_of(await self._card())

    async def _files_of(self, card: Card) -> None:
        files = await self.desk.files.of(card)
        if not files:
            raise Refusal(Code.NO_FILES)
        if len(files) == 1 and files[0].heard:
            self._ask_purpose(card, files[0])  # one message: no list to choose it from
            return

        def chosen(place: int | None) -> None:
            if place is not None:
                self._ask_purpose(card, files[place])

        title = tr("Файлы и записи: обращение {number}").format(number=card.value("number"))
        self._app.push_screen(FilesScreen(title, files, self.desk.promises.zone), chosen)

    def _ask_purpose(self, card: Card, file: CardFile) -> None:
        """Why it is opened: kept in the server's log. Enter alone is work on the appeal."""
        order = [Purpose.APPEAL, *(one for one in Purpose if one is not Purpose.APPEAL)]
        find = numbered([(one.value, tr(PURPOSE_TITLES[one])) for one in order])

        def chosen(purpose: str | None) -> None:
            if purpose:
                self._guard(lambda: self._open_file(card, file, Purpose(purpose)))

        self._app.push_screen(AskScreen(tr("Цель: запишется в журнал сервера"), tr(NUMBER_OR_WORD), find), chosen)

    async def _open_file(self, card: Card, file: CardFile, purpose: Purpose) -> None:
        if file.heard and self.desk.state.call is not None:
            raise Refusal(Code.PLAY_IN_CALL)
        content = await self.desk.files.read(card, file, purpose)
        title = " · ".join(file_cells(file, self.desk.promises.zone)[:2])
        if file.heard:
            desk = self.desk
            player = PlayerScreen(
                title, lambda told: desk.files.play(content, told), lambda: desk.state.call is not None
            )
            self._app.push_screen(player)
        elif file.paper is not None and file.paper.kind == "txt":
            self._app.push_screen(TimelineScreen(title, [], content.decode("utf-8", "replace")))
        else:
            self.desk.notice(tr("Открывается: {name}.").format(name=file.paper.name if file.paper else ""))
            await self.desk.files.show(content, file.paper.name if file.paper else "")
