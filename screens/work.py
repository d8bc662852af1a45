"""The work screen: one call's card, the search in the registry, the answer beside it and the caller's history."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from operator_tui.appeals.card import FIELD_TITLES, STATUS_TITLES, WRITTEN, Source, asked_with, missing_to_close
from operator_tui.appeals.catalogue import AppealType
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.desk.state import CardAtHand, Topic
from operator_tui.i18n import mark, tr
from operator_tui.reference import packaged_quick
from operator_tui.registry.people import Found, Person
from screens.ask import AskScreen
from screens.base import DeskScreen, handles
from screens.words import appeal_cells, calls_in_week, day, phone_words
from widgets.answer_view import AnswerText, AnswerView
from widgets.card_form import PERSONAL, CardForm
from widgets.field import Field
from widgets.lean import LeanInput
from widgets.line import Line
from widgets.person_search import PersonSearch
from widgets.rows import Column, Row, Rows

if TYPE_CHECKING:
    from operator_tui.answers.scripts import Script

THEMES_SHOWN = 8
# Shorter words for a label of ten cells.
_ASKED_LABELS = {
    "operator": mark("Оператор"),
    "new_date": mark("Новая дата"),
    "measures": mark("Меры"),
    "organisation": mark("Организац."),
    "sum": mark("Сумма"),
    "expert_act": mark("Акт эксп."),
    "letter": mark("Письмо"),
    "territory": mark("Территория"),
    "call_log": mark("Попытки"),
    "linked_appeal": mark("Прежнее"),
}


class WorkScreen(DeskScreen):
    """Everything of one call on one screen; the focus is always where the next thing is to be done."""

    name_in_commands: ClassVar[str] = "work"

    def __init__(self) -> None:
        super().__init__()
        self._people: dict[str, Person] = {}
        self._offered_for = ""
        self._guided_for: str | None = None
        self._scripts: list[Script] = []

    def body(self) -> Iterator[Any]:
        yield PersonSearch(id="person")
        with Horizontal(id="work"):
            yield CardForm(id="card")
            with Vertical(id="side"):
                yield AnswerView(tr("Типовые сценарии ответов: выберите тематику (F6)"), id="answer")
                yield Line(tr("История обращений"), id="history-title", classes="heading")
                columns = (Column(11), Column(), Column(15))
                yield Rows(columns, id="history", empty=tr("Ранее не обращались"))

    # painting

    def desk_changed(self, topic: Topic) -> None:
        super().desk_changed(topic)
        if topic is Topic.CARD and self.is_current:
            self._paint_card()

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        self._guide()

    def _guide(self) -> None:
        """Put the focus where a card begins, once a card: a key pressed meanwhile has already said where to go."""
        card = self.desk.state.card
        here = card.draft if card else ""
        if self._guided_for != here or self.focused is None:
            self._guided_for = here
            self._focus_next_step()

    def _go(self, widget: Widget) -> None:
        """The operator says where he goes on."""
        card = self.desk.state.card
        self._guided_for = card.draft if card else ""
        widget.focus()

    def _paint_card(self) -> None:
        card = self.desk.state.card
        form = self.query_one(CardForm)
        if card is None:
            form.show(tr("Регистрационная карта: нажмите «Добавить»"), {}, theme="", policy="", result="", edition=None)
            form.set_locked(True)
            self._paint_answer(None)
            self.query_one("#history", Rows).show(())
            return
        values = {name: self._shown_value(card, name) for name, _ in PERSONAL}
        values["comment"] = str(card.fields.get("comment", ""))
        wanted = asked_with(str(card.fields.get("result", "")), self.desk.catalogue) if card.editable else ()
        values |= {name: self._shown_value(card, name) for name in wanted}
        asked = [(name, tr(_ASKED_LABELS.get(name, FIELD_TITLES.get(name, name))), self._hint(name)) for name in wanted]
        form.show(
            self._card_title(card), values, theme=self._theme_line(card), policy=self._policy(card),
            result=self._result_line(card), edition=(card.draft, card.edition), asked=asked,
        )  # fmt: skip
        form.set_locked(not card.editable)
        self._paint_answer(card)
        self._paint_history(card)
        if card.candidates and card.person is None and self._offered_for != card.draft:
            self._offered_for = card.draft
            note = tr("По номеру {phone}: Enter — прикрепить").format(
                phone=phone_words(str(card.fields.get("phone", "")))
            )
            self.query_one(PersonSearch).offer(self._person_rows(card.candidates), note)

    def _shown_value(self, card: CardAtHand, name: str) -> str:
        value = str(card.fields.get(name, ""))
        return day(value) if name in ("birth_date", "new_date") else value

    def _hint(self, name: str) -> str:
        match name:
            case "operator":
                return tr("номер работника; ^D — список")
            case "new_date":
                card = self.desk.state.card
                deadline = card.saved.deadline if card and card.saved else ""
                return tr("ДД.ММ.ГГГГ, позже {day}").format(day=day(deadline)) if deadline else tr("ДД.ММ.ГГГГ")
            case "letter":
                return tr("номер и дата письма")
            case "sum":
                return tr("рублей")
            case "call_log":
                return tr("когда звонили: три попытки")
            case "linked_appeal":
                return tr("номер прежнего обращения")
        return ""

    def _card_title(self, card: CardAtHand) -> str:
        if card.saved is None:
            return tr("Регистрационная карта: {source}").format(source=str(card.fields.get("source", "")).lower())
        if card.saved.rival:
            titles = ", ".join(tr(FIELD_TITLES.get(field, field)) for field in card.saved.rival)
            return tr("РАСХОЖДЕНИЕ: {fields} — ^K").format(fields=titles)
        number, status = card.saved.value("number"), tr(STATUS_TITLES[card.saved.status])
        return tr("Обращение {number}: {status}").format(number=number, status=status)

    def _theme_line(self, card: CardAtHand) -> str:
        theme = self.desk.catalogue.themes.get(str(card.fields.get("theme", "")))
        return f"{theme.type.value}: {theme.title}" if theme else tr("Тип и тематика не выбраны")

    def _policy(self, card: CardAtHand) -> str:
        enp = str(card.fields.get("enp", ""))
        if not enp:
            return tr("Не прикреплён к реестру")
        return " · ".join(filter(None, (f"{tr('ЕНП')} {enp}", str(card.fields.get("insurer", "")))))

    def _result_line(self, card: CardAtHand) -> str:
        result = self.desk.catalogue.results.get(str(card.fields.get("result", "")))
        return result.title if result else tr("Результат не выбран")

    def _paint_answer(self, card: CardAtHand | None) -> None:
        self._scripts = self.desk.scripts() if card is not None else []
        place = next((i for i, s in enumerate(self._scripts) if card and s.id == card.script), 0)
        view = self.query_one(AnswerView)
        if not self._scripts:
            view.show(None)
            return
        script = self._scripts[place]
        values = self.desk.script_values()
        from operator_tui.answers.scripts import fill

        view.show(
            AnswerText(
                title=f"{script.id} {script.title}",
                place=f"{place + 1}/{len(self._scripts)}",
                ask="; ".join(script.ask),
                say=fill(script, values),
                then=script.next,
                basis=script.basis,
            )
        )

    def _paint_history(self, card: CardAtHand) -> None:
        zone = self.desk.state.operator.zone if self.desk.state.operator else "Europe/Moscow"
        linked = set(card.fields.get("links", ()))
        rows = []
        for earlier in card.history:
            _, registered, _, theme, status, _ = appeal_cells(earlier, self.desk.catalogue, zone)
            rows.append(Row(earlier.id, (registered, theme, status), mark="+" if earlier.id in linked else " "))
        self.query_one("#history", Rows).show(rows, keep=True)
        title = tr("История обращений: {count}").format(count=len(rows)) if rows else tr("История обращений")
        again = calls_in_week(card.history, self.desk.clock.now_ms())
        if card.call and card.saved is None and again > 1:
            title = tr("Звонит {count}-й раз за 7 дней").format(count=again)
        self.query_one("#history-title", Line).say(title, tr("Пробел: прикрепить") if rows else "")

    # people

    def _person_rows(
        self, people: tuple[Person, ...] | list[Person], repaired: frozenset[str] = frozenset()
    ) -> list[Row]:
        self._people = {person.enp: person for person in people}
        return [
            Row(
                person.enp,
                (person.full_name, day(person.birth_date)),
                mark="?" if person.enp in repaired else " ",
            )
            for person in people
        ]

    @on(PersonSearch.Searched)
    def _searched(self, event: PersonSearch.Searched) -> None:
        self.guard(lambda: self._search_people(event.text))

    async def _search_people(self, text: str) -> None:
        search = self.query_one(PersonSearch)
        if not text.strip():
            search.show((), "")
            return
        search.add_class("-open")
        found = await self.desk.search_people(text)
        if found is not None:
            self._show_found(found)

    def _show_found(self, found: Found) -> None:
        people = [hit.person for hit in found.hits]
        repaired = frozenset(hit.person.enp for hit in found.hits if hit.repaired)
        if found.note:
            note = found.note
        elif found.more:
            note = tr("Ещё есть, уточните: полное ФИО или дату рождения")
        elif people:
            note = tr("Enter — прикрепить")
        else:
            note = tr("Никого не найдено: проверьте написание или внесите сведения вручную")
        self.query_one(PersonSearch).show(self._person_rows(people, repaired), note)

    @on(Rows.Moved, "#hits")
    def _person_looked_at(self, event: Rows.Moved) -> None:
        """Insurer, clinic and address of the chosen person alone: ten of each would be 600 bytes more a letter."""
        person = self._people.get(event.key)
        if person is not None:
            details = " · ".join(filter(None, (person.insurer, person.clinic, person.address)))
            self.query_one(PersonSearch).note(details)

    @on(Rows.Chosen, "#hits")
    def _person_chosen(self, event: Rows.Chosen) -> None:
        person = self._people.get(event.key)
        if person is not None:
            self.guard(lambda: self._bind_person(person))

    async def _bind_person(self, person: Person) -> None:
        if self.desk.state.card is None:
            await self.desk.open_card()
        await self.desk.attach(person)
        search = self.query_one(PersonSearch)
        search.fold()
        search.clear()
        self._focus_next_step()

    def _focus_next_step(self) -> None:
        """Where the operator goes on: the candidates, else the theme, else the comment."""
        card = self.desk.state.card
        search = self.query_one(PersonSearch)
        form = self.query_one(CardForm)
        if card is None:
            search.line.focus()
        elif search.has_class("-open") and search.hits.current is not None:
            search.hits.focus()
        elif card.person is None and not card.fields.get("surname"):
            search.line.focus()
        elif not card.fields.get("theme"):
            form.theme.input.focus()
        else:
            form.comment.focus()

    # the card

    @on(Field.Typed)
    def _field_typed(self, event: Field.Typed) -> None:
        value = _iso_day(event.value) if event.field in ("birth_date", "new_date") else event.value
        self.guard(lambda: self.desk.type_field(event.field, value))

    @on(CardForm.CommentTyped)
    def _comment_typed(self, event: CardForm.CommentTyped) -> None:
        if self.desk.state.card is not None:
            self.guard(lambda: self.desk.type_field("comment", event.text))

    @on(LeanInput.LinesLeftOut)
    def _lines_left_out(self) -> None:
        self.desk.notice(tr("Вставлена только первая строка: остальное поместите в комментарий."), urgent=True)

    @on(CardForm.ThemeTyped)
    def _theme_typed(self, event: CardForm.ThemeTyped) -> None:
        form = self.query_one(CardForm)
        if not event.text.strip():
            form.themes.remove_class("-open")
            return
        found = self.desk.search_themes(event.text)[:THEMES_SHOWN]
        form.open_themes([Row(theme.code, (theme.type.value[:8], theme.title)) for theme in found])

    @on(Rows.Chosen, "#themes")
    def _theme_chosen(self, event: Rows.Chosen) -> None:
        self.guard(lambda: self._choose_theme(event.key))

    async def _choose_theme(self, code: str) -> None:
        if self.desk.state.card is None:
            await self.desk.open_card()
        self.desk.choose_theme(self.desk.catalogue.theme(code))
        self.query_one(CardForm).close_themes()
        self.query_one(CardForm).comment.focus()

    @on(Rows.Chosen, "#results")
    def _result_chosen(self, event: Rows.Chosen) -> None:
        form = self.query_one(CardForm)
        form.close_results()
        form.comment.focus()
        self.guard(lambda: self._take_result(event.key))

    def _take_result(self, code: str) -> None:
        self.desk.choose_result(code)
        self._paint_card()  # now, not with the next message: the field to go to must stand there
        self._to_first_missing()

    @on(Rows.Ticked, "#history")
    def _earlier_ticked(self, event: Rows.Ticked) -> None:
        self.guard(lambda: self.desk.tick_earlier(event.key))

    def on_key(self, event: Any) -> None:
        """The arrows move in the list of themes while the cursor stays in the theme line."""
        form = self.query_one(CardForm)
        if event.key in ("down", "up") and form.theme.input.has_focus and form.themes.has_class("-open"):
            event.stop()
            event.prevent_default()
            form.themes.action_move(1 if event.key == "down" else -1)

    # commands

    @handles("registry.search")
    def search(self) -> None:
        """F5: to the search line."""
        self.query_one(PersonSearch).open()
        self._go(self.query_one(PersonSearch).line)

    @handles("registry.clear")
    def clear_search(self) -> None:
        """«Очистить»."""
        self.query_one(PersonSearch).clear()
        self.query_one(PersonSearch).line.focus()

    @handles("registry.hide")
    def hide_search(self) -> None:
        """«Скрыть»."""
        self.query_one(PersonSearch).fold()
        self._focus_next_step()

    @handles("registry.apply")
    def apply_person(self) -> None:
        """«Применить»."""
        self.desk.apply_person()

    @handles("answers.search")
    def search_scripts(self) -> None:
        """Any typical answer by keywords (K-5.1.5.3)."""
        ask = AskScreen(tr("Поиск по типовым сценариям ответа"), tr("Ключевые слова"), self._find_scripts)
        self.app.push_screen(ask, self._show_script)

    def _find_scripts(self, text: str) -> list[Row]:
        scripts = self.desk.search_scripts(text) if text.strip() else self._scripts
        return [Row(script.id, (script.id, script.title)) for script in scripts]

    def _show_script(self, script_id: str | None) -> None:
        if script_id:
            self.guard(lambda: self.desk.show_script(script_id))

    @handles("card.history")
    def to_history(self) -> None:
        """To the caller's earlier appeals."""
        self._go(self.query_one("#history", Rows))

    @handles("answers.theme")
    def theme(self) -> None:
        """F6: to the theme line."""
        self.query_one(PersonSearch).fold()
        self._go(self.query_one(CardForm).theme.input)

    @handles("answers.next")
    def next_answer(self) -> None:
        """The next typical answer."""
        self._step_answer(1)

    @handles("answers.previous")
    def previous_answer(self) -> None:
        """The typical answer before."""
        self._step_answer(-1)

    def _step_answer(self, step: int) -> None:
        card = self.desk.state.card
        if card is None or not self._scripts:
            raise Refusal(Code.FIELD_REQUIRED, field=tr("Тематика обращения"))
        place = next((i for i, script in enumerate(self._scripts) if script.id == card.script), 0)
        self.desk.show_script(self._scripts[(place + step) % len(self._scripts)].id)

    @handles("card.result")
    def choose_result(self) -> None:
        """Choose another result than the theme's own."""
        card = self.desk.state.card
        type_ = card.fields.get("type") if card else None
        if not type_:
            raise Refusal(Code.FIELD_REQUIRED, field=tr("Тематика обращения"))
        results = self.desk.catalogue.results_of(AppealType(type_))
        self.query_one(CardForm).open_results([Row(r.code, (r.code, r.title)) for r in results])

    @handles("card.save")
    async def save(self) -> None:
        """«Сохранить»."""
        card = await self.desk.save()
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
            self._go_to(missing[0])
            raise Refusal(Code.FIELD_REQUIRED, field=_title(missing[0]))
        closed = await self.desk.close()
        self.desk.notice(
            tr("Сохранено: обращение {number} закрыто, статус «{status}».").format(
                number=closed.value("number"), status=tr(STATUS_TITLES[closed.status])
            )
        )
        await self._put_away()

    async def _put_away(self) -> None:
        if self.desk.state.call is None:
            await self.desk.leave_card()
            await self.desk.phone.ready()
            self.app.switch_mode("journal")

    def _go_to(self, field: str) -> None:
        form = self.query_one(CardForm)
        if field in ("type", "theme"):
            form.theme.input.focus()
        elif field == "comment":
            form.comment.focus()
        elif (asked := form.asked(field)) is not None:
            asked.input.focus()
        else:
            self.choose_result()

    def _to_first_missing(self) -> None:
        """After another result was chosen: where the next thing is to be filled in, else the comment."""
        card = self.desk.state.card
        if card is None:
            return
        missing = [f for f in missing_to_close(card.fields, card.fields, self.desk.catalogue) if f != "comment"]
        self._go_to(missing[0] if missing else "comment")

    @handles("card.summary")
    def summary(self) -> None:
        """«Итак: …»: what is told to the caller at the end, with number and term, in groups to read out."""
        card = self.desk.state.card
        if card is None:
            raise Refusal(Code.NO_CARD_OPEN)
        theme = self.desk.catalogue.themes.get(str(card.fields.get("theme", "")))
        if theme is None:
            raise Refusal(Code.FIELD_REQUIRED, field="theme")
        parts = [tr("Итак: {theme}.").format(theme=theme.title)]
        if card.saved is not None:
            parts.append(tr("Номер обращения {number}.").format(number=card.saved.value("number")))
            if card.saved.deadline:
                parts.append(tr("Ответ до {day}.").format(day=day(card.saved.deadline)))
        else:
            parts.append(tr("Номер появится после «Сохранить»."))
        if phone := str(card.fields.get("phone", "")):
            parts.append(tr("Ваш телефон {phone}.").format(phone=phone_words(phone)))
        self.desk.notice(" ".join(parts))

    @handles("card.source")
    def choose_source(self) -> None:
        """How the appeal came: written, by e-mail, in person … (K-4.3, K-5.2.0.3)."""
        if self.desk.state.card is None:
            raise Refusal(Code.NO_CARD_OPEN)
        rows = [Row(source.value, (_form(source), source.value)) for source in Source if source is not Source.CALL]

        def find(text: str) -> list[Row]:
            return [row for row in rows if text.casefold() in row.key.casefold()]

        self.app.push_screen(AskScreen(tr("Способ поступления"), tr("Слово"), find), self._source_chosen)

    def _source_chosen(self, name: str | None) -> None:
        if name:
            self.guard(lambda: self._take_source(Source(name)))

    def _take_source(self, source: Source) -> None:
        self.desk.choose_source(source)
        if source is Source.EMAIL:
            # Since 2025-03-30 only ЕПГУ and systems that identify the sender count (law 547-ФЗ).
            self.desk.notice(tr("Письмо по электронной почте не является обращением по закону 59-ФЗ."), urgent=True)

    @handles("card.detach")
    def detach(self) -> None:
        """«Открепить» a wrong person."""
        self.desk.detach()
        self.query_one(PersonSearch).line.focus()

    @handles("card.missing")
    def to_missing(self) -> None:
        """The first field that «Закрыть обращение» still wants; all of them are named in one line."""
        card = self.desk.state.card
        if card is None:
            raise Refusal(Code.NO_CARD_OPEN)
        missing = missing_to_close(card.fields, card.fields, self.desk.catalogue)
        if not missing:
            self.desk.notice(tr("Всё обязательное заполнено: F9 — закрыть обращение."))
            return
        self.desk.notice(tr("Не заполнено: {fields}.").format(fields=", ".join(map(_title, missing))), urgent=True)
        self._go_to(missing[0])

    @handles("card.operator")
    def choose_operator(self) -> None:
        """Whom to hand on to, from those who have worked on appeals here."""
        self.guard(self._ask_operator)

    async def _ask_operator(self) -> None:
        people = await self.desk.appeals.workers()
        rows = [Row(str(user), (str(user), words)) for user, words in people.items()]

        def find(text: str) -> list[Row]:
            words = text.casefold().split()
            return [row for row in rows if all(word in " ".join(row.cells).casefold() for word in words)]

        ask = AskScreen(tr("Кому передать обращение"), tr("Номер работника или слова"), find)
        self.app.push_screen(ask, self._operator_chosen)

    def _operator_chosen(self, user: str | None) -> None:
        if user:
            self.guard(lambda: self.desk.choose_operator(user))

    @handles("card.quick")
    def quick(self) -> None:
        """The list of quick classes; each has a key of its own too."""
        rows = [Row(one.code, (f"{place}", one.title)) for place, one in enumerate(packaged_quick().values(), 1)]
        ask = AskScreen(tr("Быстрый класс: звонок без вопроса"), tr("Класс"), lambda text: rows)
        self.app.push_screen(ask, self._quick_chosen)

    def _quick_chosen(self, code: str | None) -> None:
        if code:
            self.guard(lambda: self._close_quick(code))

    async def _close_quick(self, code: str) -> None:
        words = packaged_quick()[code].words
        closed = await self.desk.appeals.close_quick(code)
        self.desk.notice(f"«{words}» {tr('Закрыто:')} {closed.value('number')}, {packaged_quick()[code].title}.")
        await self._put_away()

    @handles("card.quick_wrong_number")
    async def quick_wrong_number(self) -> None:
        """Ошибка номером."""
        await self._close_quick("wrong_number")

    @handles("card.quick_silence")
    async def quick_silence(self) -> None:
        """Тишина."""
        await self._close_quick("silence")

    @handles("card.quick_prank")
    async def quick_prank(self) -> None:
        """Розыгрыш."""
        await self._close_quick("prank")

    @handles("card.quick_off_topic")
    async def quick_off_topic(self) -> None:
        """Не по профилю."""
        await self._close_quick("off_topic")

    @handles("card.quick_talk")
    async def quick_talk(self) -> None:
        """Просто поговорить."""
        await self._close_quick("talk")


def _form(source: Source) -> str:
    return tr("письм.") if source in WRITTEN else tr("устн.")


def _title(field: str) -> str:
    return tr(FIELD_TITLES.get(field, field))


def _iso_day(text: str) -> str:
    """``12.03.1958`` as ISO; what is not a whole date stays as typed, so that nothing is lost."""
    parts = text.strip().split(".")
    if len(parts) == 3 and len(parts[2]) == 4 and all(part.isdigit() for part in parts):
        return f"{parts[2]}-{int(parts[1]):02d}-{int(parts[0]):02d}"
    return text
