"""The search in the registry on the work screen: people found, one bound to the card (K-5.1.3)."""

from __future__ import annotations

from textual import on

from operator_tui.i18n import tr
from operator_tui.registry.people import Found, Person
from screens.base import handles
from screens.card_steps import CardSteps
from screens.words import day
from widgets.person_search import PersonSearch
from widgets.rows import Row, Rows


class PeopleSteps(CardSteps):
    """What the search line, the list of people and their commands do."""

    def __init__(self) -> None:
        super().__init__()
        self._people: dict[str, Person] = {}

    def person_rows(
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
        self.query_one(PersonSearch).show(self.person_rows(people, repaired), note)

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
            await self.desk.card.open()
        await self.desk.card.attach(person)
        search = self.query_one(PersonSearch)
        search.fold()
        search.clear()
        self.focus_next_step()

    @handles("registry.search")
    def search(self) -> None:
        """F5: to the search line."""
        self.query_one(PersonSearch).open()
        self.go(self.query_one(PersonSearch).line)

    @handles("registry.clear")
    def clear_search(self) -> None:
        """«Очистить»."""
        self.query_one(PersonSearch).clear()
        self.query_one(PersonSearch).line.focus()

    @handles("registry.hide")
    def hide_search(self) -> None:
        """«Скрыть»."""
        self.query_one(PersonSearch).fold()
        self.focus_next_step()

    @handles("registry.apply")
    def apply_person(self) -> None:
        """«Применить»."""
        self.desk.card.apply_person()

    @handles("card.detach")
    def detach(self) -> None:
        """«Открепить» a wrong person."""
        self.desk.card.detach()
        self.query_one(PersonSearch).line.focus()
