"""«Дела обращения»: what can be done with the appeal at hand beyond the keys of the card, as one list by one key."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from operator_tui.appeals.card import FIELD_TITLES, STATUS_TITLES, Status
from operator_tui.appeals.consent import CONSENT_KINDS, Kin
from operator_tui.appeals.correction import correctable
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.forms import FieldKind
from operator_tui.appeals.lifecycle import Act
from operator_tui.appeals.owed import OWED_TITLES, WAYS, owed_of
from operator_tui.appeals.promises import ATTEMPTS_WANTED, Away, parse_away
from operator_tui.appeals.rights import Right, may
from operator_tui.i18n import mark, tr
from operator_tui.paper_acts import PaperActs
from screens.ask import AskScreen
from screens.card_steps import CardSteps
from screens.form import Asked, Values, iso_day, iso_days
from screens.promises import PromisesScreen
from screens.words import day, local_time
from widgets.rows import Row


@dataclass(frozen=True)
class Deed:
    """One entry: ``statuses`` of the appeal it is for (None: also an unsaved card), ``right`` it wants."""

    title: str
    do: Callable[[AppealActs], Any]
    statuses: frozenset[Status | None]
    right: Right | None = None


class AppealActs(PaperActs):
    """The acts; mixed into the application, which has the screens."""

    def appeal_acts(self) -> dict[str, Callable[[], Any]]:
        """What each command of this room does."""
        return {"appeal.more": self._more, "promises.open": self._promises}

    # the list

    async def _more(self) -> None:
        card_id = self._at_hand()
        saved = await self.desk.on_journal(lambda journal: journal.card(card_id)) if card_id else None
        if saved is None and self.desk.state.card is None:
            raise Refusal(Code.NO_ROW_CHOSEN)
        status = saved.status if saved else None
        role = self.desk.situation(screen="").role
        fitting = [deed for deed in DEEDS if status in deed.statuses and (deed.right is None or may(role, deed.right))]
        rows = [Row(deed.title, (str(place), tr(deed.title))) for place, deed in enumerate(fitting, 1)]

        def find(text: str) -> list[Row]:
            wanted = text.casefold()
            return [row for row in rows if row.cells[0] == wanted or wanted in row.cells[1].casefold()]

        def chosen(title: str | None) -> None:
            deed = next((one for one in fitting if one.title == title), None)
            if deed is not None:
                self._guard(lambda: deed.do(self))

        number = saved.value("number") if saved else tr("новая карта")
        self._app.push_screen(
            AskScreen(f"{tr('Дела обращения')}: {number}", tr("Номер строки или слово"), find), chosen
        )

    # promises

    async def _promises(self) -> None:
        """«Перезвоним до …»."""
        listed = await self.desk.promises.listed()

        def chosen(card_id: str | None) -> None:
            if card_id:
                self._guard(lambda: self._edit(card_id))

        self._app.push_screen(PromisesScreen(listed, self.desk.promises.zone), chosen)

    async def _edit(self, card_id: str) -> None:
        await self.desk.card.edit(card_id)
        self._app.switch_mode("work")

    def _promise_lines(self, fields: Any, *, to: bool) -> list[Asked]:
        due = local_time(self.desk.promises.due(), self.desk.promises.zone, "%d.%m.%Y %H:%M")
        lines = [
            Asked("promise_due", tr("Перезвонить до"), due, tr("ЧЧ:ММ, ДД.ММ ЧЧ:ММ или +2"), required=True),
            Asked("promise_phone", tr("Телефон для ответа"), str(fields.get("phone", ""))),
            Asked("promise_ask", tr("Кого спросить"), str(fields.get("name", ""))),
            Asked("promise_hours", tr("Удобные часы")),
        ]
        if to:
            lines.insert(0, Asked("operator", tr("Работник"), hint=tr("номер; или оставьте группу")))
            lines.insert(1, Asked("group", tr("Группа"), self._group_title(fields), options=self._groups()))
        return lines

    def _groups(self) -> list[str]:
        return [group.title for group in self.desk.catalogue.groups.values()]

    def _group_title(self, fields: Any) -> str:
        theme = self.desk.catalogue.themes.get(str(fields.get("theme", "")))
        group = self.desk.catalogue.groups.get(theme.level2_group) if theme else None
        return group.title if group else ""

    def _promised(self, values: Values) -> dict[str, Any]:
        """What the form says, as the rules want it. Refusals: FIELD_INVALID, FIELD_REQUIRED."""
        given: dict[str, Any] = {name: value for name, value in values.items() if value}
        given["promise_due"] = self.desk.promises.due(values["promise_due"])
        if values.get("operator"):
            given.pop("group", None)
        elif values.get("group"):
            groups = self.desk.catalogue.groups.values()
            given["group"] = next(group.code for group in groups if group.title == values["group"])
        return given

    def _defer_self(self) -> None:
        self._ask_promise(tr("Отсроченный ответ себе"), to=False)

    def _defer_other(self) -> None:
        self._ask_promise(tr("Отсроченный ответ другому или группе"), to=True)

    def _ask_promise(self, title: str, *, to: bool) -> None:
        card = self.desk.state.card
        if card is None:
            raise Refusal(Code.NO_CARD_OPEN)
        fields = dict(card.fields)

        def check(values: Values) -> None:
            self._promised(values)
            if to and not (values["operator"] or values["group"]):
                raise Refusal(Code.FIELD_REQUIRED, field="operator")

        async def done(values: Values) -> None:
            saved = await self.desk.promises.defer(self._promised(values))
            due = local_time(int(saved.value("promise_due")), self.desk.promises.zone)
            words = tr("Обращение {number}: перезвоним до {due}, статус «{status}».")
            status = tr(STATUS_TITLES[saved.status])
            self.desk.notice(words.format(number=saved.value("number"), due=due, status=status))
            if isinstance(self._app.screen, CardSteps):
                await self._app.screen.put_away()  # promised: nothing more is to be done with it now

        self._form(title, self._promise_lines(fields, to=to), done, check)

    async def _change_promise(self) -> None:
        card = await self._card()
        lines = self._promise_lines(
            {**card.fields, "phone": card.value("promise_phone") or card.value("phone")}, to=False
        )

        async def done(values: Values) -> None:
            self._told(Act.PROMISE, await self.desk.promises.change(card.id, self._promised(values)))

        self._form(tr("Изменить обещание"), lines, done, lambda values: self._promised(values))

    async def _attempt(self) -> None:
        card = await self._card()
        count = await self.desk.promises.attempt(card.id)
        words = tr("Попытка связаться записана: {count} из {wanted}.")
        self.desk.notice(words.format(count=count, wanted=ATTEMPTS_WANTED))

    # groups

    async def _to_group(self) -> None:
        card = await self._card()

        async def done(values: Values) -> None:
            group = next(one.code for one in self.desk.catalogue.groups.values() if one.title == values["group"])
            self._told(Act.FORWARD, await self.desk.appeals.move(card.id, Act.FORWARD, group=group))

        line = Asked("group", tr("Группа"), self._group_title(card.fields), required=True, options=self._groups())
        self._form(tr("Передать группе"), [line], done)

    # caller and insured

    def _representative(self) -> None:
        card = self.desk.state.card
        if card is None:
            raise Refusal(Code.NO_CARD_OPEN)
        kin, kinds = [one.value for one in Kin], list(CONSENT_KINDS)
        lines = [
            self._line(card.fields, "representative", options=kin),
            self._line(card.fields, "insured_name", label=tr("Застрахованный: ФИО")),
            self._line(card.fields, "insured_birth", label=tr("Застрахованный: дата рожд."), date=True),
            self._line(card.fields, "power_kind", options=kinds),
            self._line(card.fields, "power_date", date=True),
            self._line(card.fields, "power_withdrawn", date=True),
            self._line(card.fields, "escort_kind", options=kinds),
            self._line(card.fields, "escort_date", date=True),
            self._line(card.fields, "escort_withdrawn", date=True),
        ]
        dates = ("insured_birth", "power_date", "power_withdrawn", "escort_date", "escort_withdrawn")

        def done(values: Values) -> None:
            self.desk.card.represent(dict(iso_days(values, *dates)))
            self.desk.notice(tr("Представитель и согласия внесены в карту: сохраните её."))

        self._form(tr("Представитель и согласия"), lines, done, lambda values: iso_days(values, *dates))

    # fields by type

    def clarify(self) -> None:
        """«Уточняющие поля»: what this type and theme ask for, by the version the card was made with."""
        card, forms = self.desk.state.card, self.desk.catalogue.forms
        if card is None:
            raise Refusal(Code.NO_CARD_OPEN)
        version = card.fields.get("form") if card.saved else forms.latest
        asked = forms.asked(version, str(card.fields.get("type", "")), str(card.fields.get("theme", "")))
        if not asked:
            raise Refusal(Code.FIELD_REQUIRED, field="theme")
        by_slot = {f"clarify-{field.field}": field for field in asked}
        lines = [
            Asked(
                slot, field.title, str(card.fields.get(field.name, "")), required=field.required, options=field.options
            )
            for slot, field in by_slot.items()
        ]

        def read(values: Values) -> dict[str, str]:
            found = {}
            for slot, field in by_slot.items():
                value = iso_day(values[slot], slot) if field.kind is FieldKind.DATE else values[slot]
                field.demand(value)
                found[field.name] = value
            return found

        def done(values: Values) -> None:
            for name, value in read(values).items():
                self.desk.card.type_field(name, value)
            self.desk.notice(tr("Уточнения внесены в карту."))

        self._form(tr("Уточняющие поля"), lines, done, read)

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
            Asked("told_on", tr("Дата уведомления"), today, tr("ДД.ММ.ГГГГ"), required=True),
            Asked("told_result", tr("Итог уведомления")),
        ]

        async def done(values: Values) -> None:
            given = dict(iso_days(values, "told_on"))
            given["told_what"] = titles[values["told_what"]].value
            self._told(Act.TELL, await self.desk.appeals.move(card.id, Act.TELL, **given))

        self._form(tr("Сообщить заявителю"), lines, done, lambda values: iso_days(values, "told_on"))

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

        self._form(tr("Просить исправить"), lines, done)

    # the administrator's

    def _set_away(self) -> None:
        lines = [
            Asked("user", tr("Работник"), hint=tr("номер"), required=True),
            Asked("since", tr("Нет с"), hint=tr("ДД.ММ.ГГГГ"), required=True),
            Asked("until", tr("Нет по"), hint=tr("ДД.ММ.ГГГГ"), required=True),
            Asked("substitute", tr("Заместитель"), hint=tr("номер")),
        ]

        async def done(values: Values) -> None:
            away = _away(values)
            await self.desk.promises.set_away(away)
            words = tr("Работник № {user} отсутствует до {day}: его обещания видит заместитель.")
            self.desk.notice(words.format(user=away.user, day=day(away.until)))

        self._form(tr("Отсутствие и заместитель"), lines, done, lambda values: _away(values))

    async def _reassign_all(self) -> None:
        card = await self._card()
        if card.worker is None:
            raise Refusal(Code.FIELD_REQUIRED, field="operator")
        worker = card.worker

        async def done(values: Values) -> None:
            went, stayed = await self.desk.promises.reassign_all(worker, {"operator": values["operator"]})
            words = tr("Передано обращений: {went}, осталось: {stayed}.")
            self.desk.notice(words.format(went=went, stayed=stayed))

        title = tr("Передать все обращения работника № {user}").format(user=worker)
        self._form(title, [Asked("operator", tr("Кому"), hint=tr("номер работника"), required=True)], done)


def _away(values: Values) -> Away:
    dated = iso_days(values, "since", "until")
    numbers = {name: int(dated[name]) for name in ("user", "substitute") if dated.get(name, "").isdigit()}
    if "user" not in numbers:
        raise Refusal(Code.FIELD_INVALID, field="user")
    if dated.get("substitute") and "substitute" not in numbers:
        raise Refusal(Code.FIELD_INVALID, field="substitute")
    return parse_away({"since": dated["since"], "until": dated["until"], **numbers})


_OPEN = frozenset({Status.IN_WORK, Status.DEFERRED})
_ANY = frozenset({*Status})
DEEDS: tuple[Deed, ...] = (
    Deed(mark("Отсроченный ответ себе"), AppealActs._defer_self, frozenset({None, Status.IN_WORK})),
    Deed(mark("Отсроченный ответ другому или группе"), AppealActs._defer_other, frozenset({None, Status.IN_WORK})),
    Deed(mark("Передать группе"), AppealActs._to_group, frozenset({Status.IN_WORK})),
    Deed(mark("Изменить обещание"), AppealActs._change_promise, frozenset({Status.DEFERRED})),
    Deed(mark("Отметить попытку связаться"), AppealActs._attempt, _OPEN),
    Deed(mark("Представитель и согласия"), AppealActs._representative, frozenset({None, *_OPEN})),
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
