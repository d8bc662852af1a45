"""«Дела обращения»: what can be done with the appeal at hand beyond the keys of the card, as one list by one key."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from operator_tui.appeals.begun import FormOf
from operator_tui.appeals.card import FIELD_TITLES, STATUS_TITLES, Status
from operator_tui.appeals.correction import correctable
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.lifecycle import Act
from operator_tui.appeals.owed import OWED_TITLES, WAYS, owed_of
from operator_tui.appeals.people import Role
from operator_tui.appeals.rights import Right, may
from operator_tui.card_acts import CardActs
from operator_tui.i18n import mark, tr
from operator_tui.paper_acts import PaperActs
from operator_tui.promise_acts import PromiseActs
from screens.ask import NUMBER_OR_WORD, AskScreen, numbered
from screens.form import Asked, Values, iso_days
from screens.words import local_time
from widgets.rows import Row


@dataclass(frozen=True)
class Deed:
    """One entry: ``statuses`` of the appeal it is for (None: also an unsaved card), ``right`` it wants."""

    title: str
    do: Callable[[AppealActs], Any]
    statuses: frozenset[Status | None]
    right: Right | None = None

    def why_not(self, status: Status | None, role: Role) -> str:
        """Why it can not be done now; empty when it can."""
        if self.right is not None and not may(role, self.right):
            return tr("не для вашей роли")
        if status in self.statuses:
            return ""
        wanted = [tr(STATUS_TITLES[one]) for one in Status if one in self.statuses]
        return tr("при статусе {statuses}").format(statuses=", ".join(wanted))


class AppealActs(CardActs, PromiseActs, PaperActs):
    """The acts; mixed into the application, which has the screens."""

    def appeal_acts(self) -> dict[str, Callable[[], Any]]:
        """What each command of this room does."""
        return {"appeal.more": self._more, "promises.open": self._promises, "appeal.files": self._files}

    # the list

    async def _more(self) -> None:
        card_id = self._at_hand()
        shown = self.desk.state.card if self._app.current_mode == "work" else None
        saved = await self.desk.on_journal(lambda journal: journal.card(card_id)) if card_id else None
        if saved is None and self.desk.state.card is None:
            raise Refusal(Code.NO_ROW_CHOSEN)
        status = saved.status if saved else None
        role = self.desk.situation(screen="").role
        reasons = {deed.title: deed.why_not(status, role) for deed in DEEDS}
        fitting = [deed for deed in DEEDS if not reasons[deed.title]]
        find_fitting = numbered([(deed.title, tr(deed.title)) for deed in fitting])
        off = [Row(title, ("—", f"{tr(title)}: {reason}"), dim=True) for title, reason in reasons.items() if reason]

        def find(text: str) -> list[Row]:
            """What can be done, then what can not be done now, each with its reason."""
            return [*find_fitting(text), *(row for row in off if text.strip().casefold() in row.cells[1].casefold())]

        def chosen(title: str | None) -> None:
            deed = next((one for one in fitting if one.title == title), None)
            if deed is not None:
                self._guard(lambda: do(deed))

        def do(deed: Deed) -> Any:
            """To the appeal the list was of: a call that was taken by itself may have brought another."""
            if shown is not None:
                self.desk.card.still(shown)
            elif self._at_hand() != card_id:
                raise Refusal(Code.CARD_OTHER)
            return deed.do(self)

        number = saved.value("number") if saved else tr("новая карта")
        self._app.push_screen(AskScreen(f"{tr('Дела обращения')}: {number}", tr(NUMBER_OR_WORD), find), chosen)

    # groups

    async def _to_group(self) -> None:
        card = await self._card()

        async def done(values: Values) -> None:
            group = next(one.code for one in self.desk.catalogue.groups.values() if one.title == values["group"])
            self._told(Act.FORWARD, await self.desk.appeals.move(card.id, Act.FORWARD, group=group))

        line = Asked("group", tr("Группа"), self._group_title(card.fields), required=True, options=self._groups())
        self._form(FormOf("to_group", card.id), tr("Передать группе"), [line], done)

    # another organisation

    async def _send_on(self) -> None:
        """The whole appeal into another organisation's work; here stays its date, type and how it stands."""
        card = await self._card()
        receivers = self.desk.reference.receivers()
        rows = [Row(stream, (stream.rpartition("/")[2], title)) for stream, title in receivers.items()]

        def find(text: str) -> list[Row]:
            return [row for row in rows if text.casefold() in " ".join(row.cells).casefold()]

        async def send(stream: str) -> None:
            await self.desk.appeals.move(card.id, Act.SEND, to=stream)
            words = tr("Обращение {number} передано: {name}. Ход виден в отборе «Передано в другие организации».")
            self.desk.notice(words.format(number=card.value("number"), name=receivers[stream]))

        def chosen(stream: str | None) -> None:
            if stream:
                self._guard(lambda: send(stream))

        self._app.push_screen(AskScreen(tr("Передать в другую организацию"), tr("Название или код"), find), chosen)

    # what is owed, what is wrong

    async def _tell(self) -> None:
        card = await self._card()
        owed = owed_of(card)
        if not owed:
            raise Refusal(Code.NOTHING_OWED)
        today = local_time(self.desk.clock.now_ms(), self.desk.promises.zone, "%d.%m.%Y")
        titles = {tr(OWED_TITLES[one]): one for one in owed}
        lines = [
            Asked("told_what", tr("Что сообщено"), next(iter(titles)), required=True, options=list(titles)),
            Asked("told_way", tr("Способ уведомления"), required=True, options=WAYS),
            Asked("told_on", tr("Дата уведомления"), today, tr("ДД.ММ.ГГГГ"), required=True, passing=True),
            Asked("told_result", tr("Итог уведомления")),
        ]

        async def done(values: Values) -> None:
            given = dict(iso_days(values, "told_on"))
            given["told_what"] = titles[values["told_what"]].value
            self._told(Act.TELL, await self.desk.appeals.move(card.id, Act.TELL, **given))

        check = lambda values: iso_days(values, "told_on")  # noqa: E731  # two lines for one call
        self._form(FormOf("tell", card.id), tr("Сообщить заявителю"), lines, done, check)

    async def _ask_correction(self) -> None:
        card = await self._card()
        fields = {tr(FIELD_TITLES[name]): name for name in FIELD_TITLES if correctable(name) and card.value(name)}
        lines = [
            Asked("field", tr("Поле"), required=True, options=list(fields)),
            Asked("value", tr("Новое значение"), required=True),
            Asked("reason", tr("Причина"), required=True),
        ]

        async def done(values: Values) -> None:
            given = {**values, "field": fields[values["field"]]}
            await self.desk.appeals.move(card.id, Act.ASK_CORRECTION, **given)
            words = tr("Просьба исправить обращение {number} отправлена администратору.")
            self.desk.notice(words.format(number=card.value("number")))

        self._form(FormOf("correction", card.id), tr("Просить исправить"), lines, done)


_OPEN = frozenset({Status.IN_WORK, Status.DEFERRED})
_ANY = frozenset({*Status})
DEEDS: tuple[Deed, ...] = (
    Deed(mark("Отсроченный ответ себе"), AppealActs._defer_self, frozenset({None, Status.IN_WORK})),
    Deed(mark("Отсроченный ответ другому или группе"), AppealActs._defer_other, frozenset({None, Status.IN_WORK})),
    Deed(mark("Передать группе"), AppealActs._to_group, frozenset({Status.IN_WORK})),
    Deed(mark("Передать в другую организацию"), AppealActs._send_on, frozenset({Status.IN_WORK})),
    Deed(mark("Изменить обещание"), AppealActs._change_promise, frozenset({Status.DEFERRED})),
    Deed(mark("Отметить попытку связаться"), AppealActs._attempt, _OPEN),
    Deed(mark("Представитель и согласия"), AppealActs._representative, frozenset({None, *_OPEN})),
    Deed(mark("Содержание обращения и язык"), AppealActs._content, frozenset({None, *_OPEN})),
    Deed(mark("Уточняющие поля"), AppealActs.clarify, frozenset({None, *_OPEN})),
    Deed(mark("Сообщено заявителю"), AppealActs._tell, _ANY - {Status.VOID}),
    Deed(mark("Просить исправить"), AppealActs._ask_correction, frozenset({Status.CLOSED})),
    Deed(mark("Поступление: дата и номер"), AppealActs._receipt, frozenset({None, *_OPEN}), Right.CARD_WITHOUT_CALL),
    Deed(mark("Новые сканы"), AppealActs._inbox, _ANY | {None}, Right.CARD_WITHOUT_CALL),
    Deed(mark("Приложить файл"), AppealActs._ask_file, _ANY | {None}, Right.CARD_WITHOUT_CALL),
    Deed(mark("Зарегистрировать ответ"), AppealActs._reply, _ANY, Right.CARD_WITHOUT_CALL),
    Deed(mark("Составить письмо"), AppealActs._letter, _ANY, Right.EXPORT),
    Deed(mark("Печать"), AppealActs._choose_print, _ANY, Right.EXPORT),
    Deed(mark("Отсутствие и заместитель"), AppealActs._set_away, _ANY | {None}, Right.APPROVE),
    Deed(mark("Передать все обращения работника"), AppealActs._reassign_all, _ANY, Right.APPROVE),
)
