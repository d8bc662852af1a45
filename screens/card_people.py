"""The search in the registry on the work screen: people found, one bound to the card (K-5.1.3)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from textual import on

from operator_tui.appeals.deadlines import local_date
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.desk.state import CardAtHand
from operator_tui.i18n import tr
from operator_tui.registry.people import Found, Hit, Person
from screens.base import handles
from screens.card_steps import CardSteps
from screens.insured import ATTACH, InsuredScreen
from screens.insured_words import age_words, details, hit_cells, is_old, person_cells
from widgets.person_search import PersonSearch
from widgets.rows import Row, Rows

_MOST_REPORTED = 2  # «двойник» is about two records


class PeopleSteps(CardSteps):
    """What the search line, the list of people and their commands do."""

    def __init__(self) -> None:
        super().__init__()
        self._people: dict[str, Person] = {}
        self._ticked: list[str] = []

    def person_rows(self, people: Sequence[Person]) -> list[Row]:
        """Rows of people who were not searched for: the caller's number gave them."""
        self._people = {person.enp: person for person in people}
        self._ticked.clear()
        return [Row(person.enp, person_cells(person)) for person in people]

    def _hit_rows(self, hits: Sequence[Hit]) -> list[Row]:
        self._people = {hit.person.enp: hit.person for hit in hits}
        self._ticked.clear()
        return [Row(hit.person.enp, hit_cells(hit), mark=_mark(hit)) for hit in hits]

    @on(PersonSearch.Searched)
    def _searched(self, event: PersonSearch.Searched) -> None:
        self.guard(lambda: self._search_people(event.text))

    async def _search_people(self, text: str) -> None:
        search = self.query_one(PersonSearch)
        if not text.strip():
            search.show((), "")
            return
        search.add_class("-open")
        found = await self.desk.insured.search(text)
        if found is not None:
            self._show_found(found, self.desk.insured.day)

    @on(PersonSearch.FieldsSearched)
    def _fields_searched(self, event: PersonSearch.FieldsSearched) -> None:
        self.guard(lambda: self._search_fields(event.values, pressed=event.pressed))

    async def _search_fields(self, values: dict[str, str], *, pressed: bool) -> None:
        if not any(values.values()) and not pressed:
            self.query_one(PersonSearch).show((), "")
            return
        found = await self.desk.insured.search_fields(values)
        if found is not None:
            self._show_found(found, self.desk.insured.day)

    def _show_found(self, found: Found, data: str, *, centre: bool = False) -> None:
        age = age_words(data, self._today())
        note = found.note or (tr("Enter — прикрепить") if found.hits else "")
        # One line of eighty columns: the day of the data is said where it matters.
        if centre:
            note = tr("Ответ центра, {age}. {note}").format(age=age, note=note)
        elif not found.hits and not found.partial and not found.cut:
            note = tr("Никого не найдено, {age}. F8 — спросить центр; или вручную").format(age=age)
        elif is_old(data, self._today()):
            note = tr("{age}: F8 — спросить центр. {note}").format(age=age.capitalize(), note=note)
        self.query_one(PersonSearch).show(self._hit_rows(found.hits), note)

    def _today(self) -> date:
        operator = self.desk.state.operator
        return local_date(self.desk.clock.now_ms(), operator.zone if operator else "Europe/Moscow")

    @on(Rows.Moved, "#hits")
    def _person_looked_at(self, event: Rows.Moved) -> None:
        """Insurer, clinic and address of the chosen person alone: ten of each would be 600 bytes more a letter."""
        person = self._people.get(event.key)
        if person is not None:
            self.query_one(PersonSearch).note(details(person))

    @on(Rows.Chosen, "#hits")
    def _person_chosen(self, event: Rows.Chosen) -> None:
        person = self._people.get(event.key)
        if person is not None:
            self.guard(lambda: self._bind_person(person))

    @on(Rows.Ticked, "#hits")
    def _person_ticked(self, event: Rows.Ticked) -> None:
        """Two records that are one person: the space bar marks both."""
        if event.key in self._ticked:
            self._ticked.remove(event.key)
        else:
            self._ticked.append(event.key)
        search = self.query_one(PersonSearch)
        marked = [
            Row(row.key, row.cells, mark="+" if row.key in self._ticked else " " if row.mark == "+" else row.mark)
            for row in search.hits.rows
        ]
        words = tr("Отмечено: {count}. ^A — сведения, в них F8 — двойник / ошибка в регистре")
        search.show(marked, words.format(count=len(self._ticked)), keep=True)

    @on(PersonSearch.EnteredEarly)
    def _entered_early(self) -> None:
        card = self.desk.state.card
        if card is not None:
            self.guard(lambda: self._bind_named(card))

    async def _bind_named(self, asked: CardAtHand) -> None:
        """Enter right behind «Ответить»: whom the operator has read while it rang, and nobody he has not."""
        search = self.query_one(PersonSearch)
        words = search.words
        known = await self.desk.card.people_known(asked)
        card = self.desk.state.card
        typed = any(search.words) and search.words != words
        if not known or typed or card is None or card.draft != asked.draft or card.person is not None:
            return
        if not card.candidates:
            search.enter()
        elif self.desk.insured.named_at_ring(card.candidates[0], card.call):
            await self._bind_person(card.candidates[0])

    async def _bind_person(self, person: Person) -> None:
        if self.desk.state.card is None:
            await self.desk.card.open()
        await self.desk.card.attach(person)
        self.query_one(PersonSearch).put_away()
        self.focus_next_step()

    def _person_at_hand(self) -> Person:
        """Who is meant: the one under the cursor while the list is open, else the one bound to the card."""
        search = self.query_one(PersonSearch)
        current = search.hits.current
        card = self.desk.state.card
        if not search.folded and current is not None and current.key in self._people:
            return self._people[current.key]
        if card is not None and card.person is not None:
            return card.person
        raise Refusal(Code.FIELD_REQUIRED, field=tr("Застрахованное лицо"))

    @handles("registry.search")
    def search(self) -> None:
        """F5: to the search line; once more: to the four fields."""
        self.query_one(PersonSearch).open()
        self.go(self.query_one(PersonSearch).start)

    @handles("registry.clear")
    def clear_search(self) -> None:
        """«Очистить»."""
        self.query_one(PersonSearch).clear()
        self.query_one(PersonSearch).start.focus()

    @handles("registry.hide")
    def hide_search(self) -> None:
        """«Скрыть», and once more: unfold."""
        search = self.query_one(PersonSearch)
        if search.folded:
            search.open()
            return
        search.fold()
        self.focus_next_step()

    @handles("registry.attach")
    def attach_person(self) -> None:
        """«прикрепить» who stands under the cursor."""
        person = self._person_at_hand()
        self.guard(lambda: self._bind_person(person))

    @handles("registry.centre")
    def ask_centre(self) -> None:
        """The same search at the central server."""
        self.guard(self._ask_centre)

    async def _ask_centre(self) -> None:
        search = self.query_one(PersonSearch)
        answer = await self.desk.insured.ask_centre(search.text, search.values)
        search.add_class("-open")
        self._show_found(answer.found, answer.as_of, centre=True)

    @handles("registry.person")
    def show_person(self) -> None:
        """Everything about one person."""
        person = self._person_at_hand()
        self.app.push_screen(InsuredScreen(person), lambda act: self._act_on(person, act))

    def _act_on(self, person: Person, act: str | None) -> None:
        if act == ATTACH:
            self.guard(lambda: self._bind_person(person))
        elif act is not None:
            self.guard(lambda: self._report(person))

    @handles("registry.report")
    def report(self) -> None:
        """«двойник / ошибка в регистре»."""
        person = self._person_at_hand()
        self.guard(lambda: self._report(person))

    async def _report(self, person: Person) -> None:
        marked = [self._people[enp] for enp in self._ticked if enp in self._people]
        both = marked if len(marked) > 1 else [person, *(one for one in marked if one.enp != person.enp)]
        await self.desk.insured.report(both[:_MOST_REPORTED])
        self.query_one(PersonSearch).fold()
        self.focus_next_step()

    @handles("registry.apply")
    def apply_person(self) -> None:
        """«Применить»: who stands under the cursor, else who is bound, fills the caller's personal information."""
        person = self._person_at_hand()
        search = self.query_one(PersonSearch)
        self.desk.card.apply_person(person)
        if not search.folded:
            search.put_away()
            self.focus_next_step()

    @handles("card.detach")
    def detach(self) -> None:
        """«Открепить» a wrong person."""
        self.desk.card.detach()
        self.query_one(PersonSearch).start.focus()


def _mark(hit: Hit) -> str:
    """Who was found by another reading of what was typed: with a slip put right, or in the other layout."""
    return "?" if hit.repaired else "~" if hit.read else " "
