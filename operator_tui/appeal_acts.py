"""«Дела обращения»: what can be done with the appeal at hand beyond the keys of the card, as one list by one key."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textual.app import App

from operator_tui.appeals.card import FIELD_TITLES, STATUS_TITLES, Card, Status
from operator_tui.appeals.consent import CONSENT_KINDS, Kin
from operator_tui.appeals.correction import correctable
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.forms import FieldKind
from operator_tui.appeals.lifecycle import Act
from operator_tui.appeals.owed import OWED_TITLES, WAYS, owed_of
from operator_tui.appeals.papers import REPLY_TITLES, Paper
from operator_tui.appeals.promises import ATTEMPTS_WANTED, Away, parse_away
from operator_tui.appeals.rights import Right, may
from operator_tui.appeals.terms import register_term
from operator_tui.desk.desk import Desk
from operator_tui.desk.letters import LETTER_TITLES
from operator_tui.i18n import mark, tr
from screens.ask import AskScreen
from screens.base import DeskScreen
from screens.form import Asked, FormScreen, Values, iso_day, iso_days
from screens.promises import PromisesScreen
from screens.words import act_word, appeal_text, day, local_time
from widgets.rows import Row


@dataclass(frozen=True)
class Deed:
    """One entry: ``statuses`` of the appeal it is for (None: also an unsaved card), ``right`` it wants."""

    title: str
    do: Callable[[AppealActs], Any]
    statuses: frozenset[Status | None]
    right: Right | None = None


class AppealActs:
    """The acts; mixed into the application, which has the screens."""

    desk: Desk

    def appeal_acts(self) -> dict[str, Callable[[], Any]]:
        """What each command of this room does."""
        return {"appeal.more": self._more, "promises.open": self._promises}

    @property
    def _app(self) -> App[int]:
        assert isinstance(self, App)
        return self

    # the list

    def _at_hand(self) -> str:
        screen = self._app.screen
        return screen.current_appeal() if isinstance(screen, DeskScreen) else ""

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

    def _guard(self, act: Callable[[], Awaitable[None] | None]) -> None:
        """Do it; a refusal becomes a notice. The desk's own task: what a screen begins ends with that screen."""

        async def run() -> None:
            done = act()
            if done is not None:
                await done

        self.desk.background(run())

    def _form(
        self,
        title: str,
        asked: list[Asked],
        done: Callable[[Values], Awaitable[None] | None],
        check: Callable[[Values], object] | None = None,
    ) -> None:
        def answered(values: Values | None) -> None:
            if values is not None:
                self._guard(lambda: done(values))

        self._app.push_screen(FormScreen(title, asked, check), answered)

    async def _card(self) -> Card:
        card_id = self._at_hand()
        card = await self.desk.on_journal(lambda journal: journal.card(card_id)) if card_id else None
        if card is None:
            raise Refusal(Code.NO_ROW_CHOSEN)
        return card

    def _told(self, act: Act, card: Card) -> None:
        words = tr("{act}: обращение {number}, статус «{status}».")
        status = tr(STATUS_TITLES[card.status])
        self.desk.notice(words.format(act=act_word(act.value), number=card.value("number"), status=status))

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
            for name, value in iso_days(values, *dates).items():
                self.desk.card.type_field(name, value)
            self.desk.notice(tr("Представитель и согласия внесены в карту: сохраните её."))

        self._form(tr("Представитель и согласия"), lines, done, lambda values: iso_days(values, *dates))

    def _line(
        self, fields: Any, name: str, *, label: str = "", options: list[str] | None = None, date: bool = False
    ) -> Asked:
        value = str(fields.get(name, ""))
        hint = tr("ДД.ММ.ГГГГ") if date else ""
        return Asked(name, label or tr(FIELD_TITLES[name]), day(value) if date else value, hint, options=options or ())

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
        titles = [OWED_TITLES[one] for one in owed]
        lines = [
            Asked("told_what", tr("Что сообщено"), titles[0], required=True, options=titles),
            Asked("told_way", tr("Способ уведомления"), required=True, options=WAYS),
            Asked("told_on", tr("Дата уведомления"), today, tr("ДД.ММ.ГГГГ"), required=True),
            Asked("told_result", tr("Итог уведомления")),
        ]

        async def done(values: Values) -> None:
            given = dict(iso_days(values, "told_on"))
            given["told_what"] = next(one.value for one in owed if OWED_TITLES[one] == values["told_what"])
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

    # documents

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

        self._form(tr("Приложить файл"), lines, done, lambda values: iso_days(values, "in_date"))

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
                register_term(dated["received"], self.desk.papers.today)

        def done(values: Values) -> None:
            dated = iso_days(values, "received", "in_date")
            for name, value in dated.items():
                self.desk.card.type_field(name, value)
            if dated["received"]:
                term = register_term(dated["received"], self.desk.papers.today)
                words = tr("Зарегистрировать до {day}: осталось дней {left}.")
                self.desk.notice(words.format(day=term.until.strftime("%d.%m.%Y"), left=term.left), urgent=term.warns)

        self._form(tr("Поступление письменного обращения"), lines, done, check)

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

        self._form(tr("Зарегистрировать ответ"), lines, done, lambda values: iso_days(values, "in_date"))

    async def _letter(self) -> None:
        card = await self._card()
        titles = {tr(title): letter for letter, title in LETTER_TITLES.items()}
        today = local_time(self.desk.clock.now_ms(), self.desk.promises.zone, "%d.%m.%Y")
        lines = [
            Asked("kind", tr("Образец"), required=True, options=list(titles)),
            Asked("in_number", tr("Исходящий номер"), required=True),
            Asked("in_date", tr("Дата"), today, tr("ДД.ММ.ГГГГ"), required=True),
            Asked("text", tr("Текст ответа"), str(card.value("comment")).replace("\n", " ")),
        ]

        async def done(values: Values) -> None:
            dated = iso_days(values, "in_date")
            number, on, text = dated["in_number"], dated["in_date"], dated["text"]
            letter = titles[dated["kind"]]
            paper, went = await self.desk.papers.letter(card.id, letter, number=number, day=on, text=text)
            words = tr("Письмо {name} составлено и приложено к обращению.").format(name=paper.name)
            self.desk.notice(f"{words} {went}" if went else words)

        self._form(tr("Составить письмо"), lines, done, lambda values: iso_days(values, "in_date"))

    async def _choose_print(self) -> None:
        """The appeal itself and its files: one is chosen to be printed."""
        card = await self._card()
        files = {paper.sha256: paper for paper in self.desk.papers.papers(card)}
        rows = [Row("card", ("", tr("Карта обращения {number}").format(number=card.value("number"))))]
        rows += [Row(paper.sha256, (paper.kind, paper.name)) for paper in files.values()]

        def chosen(key: str | None) -> None:
            if key:
                self._guard(lambda: self._print_chosen(card, files.get(key)))

        self._app.push_screen(AskScreen(tr("Печать"), tr("Документ"), lambda text: rows), chosen)

    async def _print_chosen(self, card: Card, paper: Paper | None) -> None:
        if paper is not None:
            went = await self.desk.papers.print(paper)
        else:
            text = appeal_text(card, self.desk.catalogue, self.desk.promises.zone)
            went = await self.desk.papers.print_bytes(text.encode(), f"{card.value('number')}.txt")
        self.desk.notice(tr("Отправлено на печать: {went}.").format(went=went))

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
