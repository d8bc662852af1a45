"""What can be done with promises: made, listed, changed, tried; who is away and who takes over from him."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap
from typing import Any

from operator_tui.appeals.begun import FormOf
from operator_tui.appeals.card import STATUS_TITLES, full_name
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.lifecycle import Act
from operator_tui.appeals.promises import ATTEMPTS_WANTED, Away, parse_away
from operator_tui.desk.promises import KeptBack
from operator_tui.file_acts import FileActs
from operator_tui.i18n import tr
from operator_tui.sentences import sentence
from screens.ask import AskScreen
from screens.card_steps import CardSteps
from screens.form import Asked, Values, iso_days
from screens.promises import PromisesScreen, Wish
from screens.words import day, local_time
from widgets.rows import Row

_REASON = 74  # cells of a line that says why something was kept back


class PromiseActs(FileActs):
    """The acts with promises; `appeal_acts` lists them."""

    async def _promises(self) -> None:
        """«Перезвоним до …»."""
        listed = await self.desk.promises.listed()
        doing = {Wish.OPEN: self._edit, Wish.TAKE: self._take, Wish.HEAR: self._hear, Wish.GIVE: self._give}

        def chosen(wanted: tuple[Wish, str] | None) -> None:
            if wanted is not None:
                wish, card_id = wanted
                self._guard(lambda: doing[wish](card_id))

        self._app.push_screen(PromisesScreen(listed, self.desk.promises.zone), chosen)

    async def _take(self, card_id: str) -> None:
        """«Взять» from the list: it is the operator's own."""
        self._told(Act.TAKE, await self.desk.appeals.move(card_id, Act.TAKE))

    async def _hear(self, card_id: str) -> None:
        """The message that was left, or the files of the appeal where there are several."""
        card = await self.desk.on_journal(lambda journal: journal.card(card_id))
        if card is None:
            raise Refusal(Code.UNKNOWN_CARD, card=card_id)
        await self._files_of(card)

    async def _give(self, card_id: str) -> None:
        """«Передать другому» from the list."""

        async def done(values: Values) -> None:
            given = {"operator": self.desk.appeals.worker_number(values["operator"])}
            self._told(Act.REASSIGN, await self.desk.appeals.move(card_id, Act.REASSIGN, **given))

        line = Asked("operator", tr("Кому"), hint=tr("номер работника или добавочный"), required=True)
        self._form(FormOf("give", card_id), tr("Передать другому"), [line], done)

    async def _edit(self, card_id: str) -> None:
        await self.desk.card.edit(card_id)
        self._app.switch_mode("work")

    def _promise_lines(self, fields: Any, *, to: bool) -> list[Asked]:
        due = local_time(self.desk.promises.due(), self.desk.promises.zone, "%d.%m.%Y %H:%M")
        hint = tr("ЧЧ:ММ, ДД.ММ ЧЧ:ММ или +2")
        lines = [
            Asked("promise_due", tr("Перезвонить до"), due, hint, required=True, proposed=True),
            Asked("promise_phone", tr("Телефон для ответа"), str(fields.get("phone", ""))),
            Asked("promise_ask", tr("Кого спросить"), str(fields.get("name", ""))),
            Asked("promise_hours", tr("Удобные часы")),
        ]
        if to:
            lines.insert(0, Asked("operator", tr("Работник"), hint=tr("номер, добавочный; или оставьте группу")))
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
            given["operator"] = self.desk.appeals.worker_number(values["operator"])
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
            self.desk.card.still(card)
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

        of = self.desk.begun.of_card("promise_other" if to else "promise_self")
        self._form(of, title, self._promise_lines(fields, to=to), done, check)

    async def _change_promise(self) -> None:
        card = await self._card()
        lines = self._promise_lines(
            {**card.fields, "phone": card.value("promise_phone") or card.value("phone")}, to=False
        )

        async def done(values: Values) -> None:
            self._told(Act.PROMISE, await self.desk.promises.change(card.id, self._promised(values)))

        of = FormOf("promise", card.id)
        self._form(of, tr("Изменить обещание"), lines, done, lambda values: self._promised(values))

    async def _attempt(self) -> None:
        card = await self._card()
        count = await self.desk.promises.attempt(card.id)
        words = tr("Попытка связаться записана: {count} из {wanted}.")
        self.desk.notice(words.format(count=count, wanted=ATTEMPTS_WANTED))

    # the administrator's

    def _set_away(self) -> None:
        lines = [
            Asked("user", tr("Работник"), hint=tr("номер или добавочный"), required=True),
            Asked("since", tr("Нет с"), hint=tr("ДД.ММ.ГГГГ"), required=True),
            Asked("until", tr("Нет по"), hint=tr("ДД.ММ.ГГГГ"), required=True),
            Asked("substitute", tr("Заместитель"), hint=tr("номер или добавочный")),
        ]

        async def done(values: Values) -> None:
            away = self._absence(values)
            await self.desk.promises.set_away(away)
            words = tr("Работник № {user} отсутствует до {day}: его обещания видит заместитель.")
            self.desk.notice(words.format(user=away.user, day=day(away.until)))

        self._form(FormOf("away"), tr("Отсутствие и заместитель"), lines, done, self._absence)

    def _absence(self, values: Values) -> Away:
        named = {name: self.desk.appeals.worker_number(values.get(name, "")) for name in ("user", "substitute")}
        return _away({**values, **named})

    async def _reassign_all(self) -> None:
        card = await self._card()
        if card.worker is None:
            raise Refusal(Code.FIELD_REQUIRED, field="operator")
        worker = card.worker

        async def done(values: Values) -> None:
            to = self.desk.appeals.worker_number(values["operator"])
            went, stayed = await self.desk.promises.reassign_all(worker, {"operator": to})
            words = tr("Передано обращений: {went}, осталось: {stayed}.").format(went=went, stayed=len(stayed))
            self.desk.notice(words, urgent=bool(stayed))
            if stayed:
                self._show_kept_back(f"{words} {tr('Enter — открыть обращение')}", stayed)

        title = tr("Передать все обращения работника № {user}").format(user=worker)
        line = Asked("operator", tr("Кому"), hint=tr("номер работника или добавочный"), required=True)
        self._form(FormOf("give_all", str(worker)), title, [line], done)

    def _show_kept_back(self, title: str, stayed: Sequence[KeptBack]) -> None:
        """What was kept back under the reason for it; Enter opens an appeal."""
        by_reason: dict[str, list[Row]] = {}
        for one in stayed:
            row = Row(one.card.id, (f"{one.card.value('number')}  {full_name(one.card.fields)}",))
            by_reason.setdefault(sentence(one.why), []).append(row)
        rows = [
            row
            for reason, of_it in by_reason.items()
            for row in (*(Row("", (line,), dim=True) for line in wrap(reason, _REASON)), *of_it)
        ]

        def find(text: str) -> list[Row]:
            words = text.strip().casefold()
            return [row for row in rows if row.dim or words in row.cells[0].casefold()]

        def chosen(card_id: str | None) -> None:
            if card_id:
                self._guard(lambda: self._edit(card_id))

        self._app.push_screen(AskScreen(title, tr("Номер или ФИО"), find), chosen)


def _away(values: Values) -> Away:
    dated = iso_days(values, "since", "until")
    numbers = {name: int(dated[name]) for name in ("user", "substitute") if dated.get(name, "").isdigit()}
    if "user" not in numbers:
        raise Refusal(Code.FIELD_INVALID, field="user")
    if dated.get("substitute") and "substitute" not in numbers:
        raise Refusal(Code.FIELD_INVALID, field="substitute")
    return parse_away({"since": dated["since"], "until": dated["until"], **numbers})
