"""Saving and closing on the work screen: result, what is missing, what is told at the end, quick classes (K-6.1)."""

from __future__ import annotations

from textual import on

from operator_tui.appeals.card import STATUS_TITLES, Card, missing_to_close
from operator_tui.appeals.catalogue import AppealType
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.rights import Right, may_close_type
from operator_tui.commands import collect
from operator_tui.desk.state import CardAtHand
from operator_tui.i18n import tr
from screens.ask import NUMBER_OR_WORD, AskScreen, numbered
from screens.base import handles
from screens.card_steps import CardSteps
from screens.card_words import field_title
from screens.read_back import summary
from screens.words import key_name
from widgets.card_form import CardForm
from widgets.rows import Rows


class ClosingSteps(CardSteps):
    """What the commands that end an appeal do."""

    @on(Rows.Chosen, "#results")
    def _result_chosen(self, event: Rows.Chosen) -> None:
        form = self.query_one(CardForm)
        form.close_results()
        form.comment.focus()
        self.guard(lambda: self._take_result(event.key))

    def _take_result(self, code: str) -> None:
        self.desk.card.choose_result(code)
        self.paint_card()  # now, not with the next message: the field to go to must stand there
        self.to_first_missing()

    @handles("card.save")
    async def save(self) -> None:
        """«Сохранить»."""
        card = await self.desk.card.save()
        self.desk.notice(
            tr("Сохранено: обращение {number}, статус «{status}».").format(
                number=card.value("number"), status=tr(STATUS_TITLES[card.status])
            )
        )

    @handles("card.close")
    async def close(self) -> None:
        """F9: «Закрыть обращение» with the result shown; goes to what is missing otherwise."""
        card = self.desk.state.card
        if card is None:
            raise Refusal(Code.UNKNOWN_CARD)
        missing = missing_to_close(card.fields, card.fields, self.desk.catalogue)
        if missing:
            self.go_to(missing[0])
            raise Refusal(Code.FIELD_REQUIRED, field=field_title(missing[0]))
        closed = await self.desk.card.close()
        self.desk.notice(
            tr("Сохранено: обращение {number} закрыто, статус «{status}».").format(
                number=closed.value("number"), status=tr(STATUS_TITLES[closed.status])
            )
            + self.desk.card.also_typed(closed)
        )
        await self.put_away()

    @handles("card.summary")
    def summary(self) -> None:
        """«Итак: …»: what is told to the caller at the end, with number and term, in groups to read out."""
        card = self.desk.state.card
        if card is None:
            raise Refusal(Code.NO_CARD_OPEN)
        theme = self.desk.catalogue.themes.get(str(card.fields.get("theme", "")))
        if theme is None:
            raise Refusal(Code.FIELD_REQUIRED, field="theme")
        self.desk.notice(summary(card, theme), about=card.draft)

    @handles("card.missing")
    def to_missing(self) -> None:
        """The first field that «Закрыть обращение» still wants; all of them are named in one line."""
        card = self.desk.state.card
        if card is None:
            raise Refusal(Code.NO_CARD_OPEN)
        missing = missing_to_close(card.fields, card.fields, self.desk.catalogue)
        if not missing:
            role, type_ = self.situation().role, AppealType(str(card.fields["type"]))
            final = self.desk.catalogue.result(str(card.fields["result"])).final
            if final and not may_close_type(role, type_, self.desk.catalogue.level_1_closes):
                raise Refusal(Code.RIGHT_MISSING, right=Right.CLOSE_ANY_TYPE.value)
            self.desk.notice(tr("Всё обязательное заполнено: F9 — закрыть обращение."))
            return
        self.desk.notice(tr("Не заполнено: {fields}.").format(fields=", ".join(map(field_title, missing))), urgent=True)
        self.go_to(missing[0])

    @handles("card.quick")
    def quick(self) -> None:
        """The list of quick classes; each has a key of its own too."""
        find = numbered([(one.code, one.title) for one in self.desk.reference.quick.values()])
        ask = AskScreen(tr("Быстрый класс: звонок без вопроса"), tr(NUMBER_OR_WORD), find)
        card = self.desk.state.card

        def chosen(code: str | None) -> None:
            if code:
                self.guard(lambda: self._close_quick(code, card))

        self.app.push_screen(ask, chosen)

    async def _close_quick(self, code: str, asked: CardAtHand | None) -> None:
        if asked is not None:
            self.desk.card.still(asked)
        await self._quick_closed(code, await self.desk.quick.close(code))

    async def _quick_closed(self, code: str, closed: Card) -> None:
        one = self.desk.reference.quick[code]
        words = f"«{one.words}» {tr('Закрыто:')} {closed.value('number')}, {one.title}."
        self.desk.notice(words + self.desk.card.also_typed(closed))
        await self.put_away()

    async def _press_quick(self, code: str) -> None:
        """The first press shows the closing words and sets the class, the second closes at once."""
        done = await self.desk.quick.press(code)
        if isinstance(done, Card):
            await self._quick_closed(code, done)
            return
        one, key = self.desk.reference.quick[code], key_name(collect()[f"card.quick_{code}"].keys[0])
        how = tr("закроется с концом звонка, {key} ещё раз — сейчас") if done.by_call else tr("{key} ещё раз — закрыть")
        self.desk.notice(f"«{one.words}» {one.title}: {how.format(key=key)}.", urgent=True)

    @handles("card.quick_wrong_number")
    async def quick_wrong_number(self) -> None:
        """Ошибка номером."""
        await self._press_quick("wrong_number")

    @handles("card.quick_silence")
    async def quick_silence(self) -> None:
        """Тишина."""
        await self._press_quick("silence")

    @handles("card.quick_prank")
    async def quick_prank(self) -> None:
        """Розыгрыш."""
        await self._press_quick("prank")

    @handles("card.quick_off_topic")
    async def quick_off_topic(self) -> None:
        """Не по профилю."""
        await self._press_quick("off_topic")

    @handles("card.quick_talk")
    async def quick_talk(self) -> None:
        """Просто поговорить."""
        await self._press_quick("talk")
