"""The insured people on one desk: searches, whom the centre knows, and who was looked at for which call."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from operator_tui.appeals.card import Card
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.operations import Kind
from operator_tui.appeals.people import short_name
from operator_tui.desk.state import CardAtHand, Topic
from operator_tui.i18n import tr
from operator_tui.registry.people import Found, Person

if TYPE_CHECKING:
    from operator_tui.desk.desk import Desk
    from operator_tui.journal.journal import Journal
    from operator_tui.phone.line import Call
    from operator_tui.registry.asked import Answer
    from operator_tui.registry.index import Registry

# What is looked at within this time is one entry of the log: a search shows other people at every letter.
_VIEW_DELAY_S = 0.6
_NAMED_AT_RING = 2  # of the people of a number: one line of eighty columns
_MOST_BY_HAND = 50  # cards filled in by hand that are compared with new data
REPORT_THEME = "З-05.1"  # «Об исправлении сведений в регистре»


@dataclass(frozen=True)
class _Served:
    """What a view of people served: a call, a card of the journal, both or neither."""

    call: str = ""
    card: str = ""


class InsuredDesk:
    """Searches on the registry's thread; every person handed out is recorded once for the card he was looked at for."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._search_number = 0
        self._data = ""  # which state of the registry was seen last
        self._seen_for = ""
        self._seen: set[str] = set()
        self._unwritten: dict[_Served, list[str]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._named = ("", "")  # the call that rang last, and the ЕНП of who was named first

    # searching

    async def search(self, text: str) -> Found | None:
        """People for the search line; None when a later key has made this search pointless."""
        registry, number = self._next_search()
        found = await self._desk.run_registry(registry.search, text)
        return self._unless_late(found, number)

    async def search_fields(self, values: Mapping[str, str]) -> Found | None:
        """The manual's search by surname, name, patronymic and birth_date (K-5.1.3). Refusal(SEARCH_EMPTY)."""
        registry, number = self._next_search()
        found = await self._desk.run_registry(lambda: registry.search_fields(**values))
        return self._unless_late(found, number)

    def _next_search(self) -> tuple[Registry, int]:
        registry = self._desk.parts.registry
        if registry is None:
            raise Refusal(Code.REGISTRY_MISSING, path=self._desk.profile.registry_file.name)
        self._search_number += 1
        registry.interrupt()
        return registry, self._search_number

    def _unless_late(self, found: Found, number: int) -> Found | None:
        self._notice_new_data()
        return found if number == self._search_number else None

    async def tell_ringing(self, call: Call) -> str:
        """Name the people of the number that rings, likely ones first, before the call is taken; returns the words.

        Nobody is bound by this, and who was named is logged with this call.
        """
        registry = self._desk.parts.registry
        if registry is None or not call.number:
            return ""
        history = await self._desk.on_journal(lambda journal: journal.history(phone=call.number))
        bound = bound_before(history)
        people = await self._desk.run_registry(registry.by_phone, call.number, bound)
        ringing = self._desk.state.call
        if not people or ringing is None or ringing.id != call.id or ringing.answered_ms is not None:
            return ""
        named = people[:_NAMED_AT_RING]
        # One line of eighty columns: two are named by their initials.
        title = short_name if len(named) > 1 else str
        names = ", ".join(f"{title(person.full_name)} {_day(person.birth_date)}" for person in named)
        rest = tr(" и ещё {count}").format(count=len(people) - _NAMED_AT_RING) if len(people) > _NAMED_AT_RING else ""
        words = tr("По номеру: {names}{rest}").format(names=names, rest=rest)
        self._desk.notice(words)
        self._named = (call.id, named[0].enp)
        return words

    def named_at_ring(self, person: Person, call_id: str) -> bool:
        """Whether he is whom the operator read first while that call rang."""
        return bool(call_id) and self._named == (call_id, person.enp)

    @property
    def day(self) -> str:
        """The day the data are of (YYYY-MM-DD), empty without a registry."""
        registry = self._desk.parts.registry
        return registry.as_of.isoformat() if registry is not None else ""

    async def ask_centre(self, text: str, values: Mapping[str, str]) -> Answer:
        """The same search put to the central server, for a desk without a copy, or with an old one.

        Refusals: SEARCH_EMPTY, SERVER_AWAY, REGISTRY_NOT_HERE and whatever else the server refuses.
        """
        import msgspec

        from operator_tui.registry.asked import INSURED_PATH, VERSION, Answer, Asked

        served = self._served()
        named = {"line": text.strip()} if text.strip() else values
        asked = Asked(VERSION, **named, call=served.call, card=served.card)
        asked.query()  # an empty search is refused here, without the line
        raw = await self._desk.parts.ask(INSURED_PATH, msgspec.json.encode(asked))
        try:
            answer = msgspec.json.decode(raw, type=Answer)
        except msgspec.MsgspecError as error:
            raise Refusal(Code.SERVER_REFUSED, reason="insured") from error
        self._note_views([hit.person.enp for hit in answer.found.hits])
        return answer

    async def living(self, person: Person) -> Person:
        """Who lives on when this record was merged with another; says so."""
        registry = self._desk.parts.registry
        if not person.merged_with or registry is None:
            return person
        living = await self._desk.run_registry(registry.living, person)
        if living.enp == person.enp:
            self._desk.notice(tr("Запись объединена с другой, которой в реестре нет: проверьте ЕНП."), urgent=True)
        else:
            self._desk.notice(tr("Запись объединена с другой: взята действующая, ЕНП {enp}.").format(enp=living.enp))
        return living

    # when the registry is wrong

    async def report(self, people: Sequence[Person]) -> None:
        """«двойник / ошибка в регистре»: an appeal with both records; with one, the other is what the caller says.

        Refusals: FIELD_REQUIRED without a person, REGISTRY_CARD_FIRST while another appeal is not saved.
        """
        if not people:
            raise Refusal(Code.FIELD_REQUIRED, field=tr("Застрахованное лицо"))
        desk = self._desk
        card = desk.state.card
        if card is not None and card.saved is None and card.fields.get("theme"):
            raise Refusal(Code.REGISTRY_CARD_FIRST)
        if card is None or card.saved is not None:
            await desk.card.open()
        said = desk.state.card
        records = [_record(person) for person in people]
        if len(records) == 1 and said is not None:
            records.append(_said(said))
        await desk.card.attach(people[0])
        desk.card.choose_theme(desk.catalogue.theme(REPORT_THEME))
        text = "\n".join(f"{tr('Запись')} {place}: {record}" for place, record in enumerate(records, 1))
        desk.card.fill_comment(f"{tr('Двойник / ошибка в регистре')}\n{text}")

    # cards filled in by hand

    async def offer_for(self, card: CardAtHand) -> None:
        """Offer the people a card filled in by hand may mean; nobody is bound without a key."""
        registry = self._desk.parts.registry
        if registry is None or not _by_hand(card.fields):
            return
        found = await self._desk.run_registry(lambda: registry.search_fields(**_named(card.fields)))
        people = tuple(hit.person for hit in found.hits if not hit.repaired)
        now = self._desk.state.card
        if people and now is not None and now.draft == card.draft and now.person is None:
            self._desk.change(Topic.CARD, card=replace(now, candidates=people))

    async def look_for_new_data(self) -> None:
        """Look now whether the registry is of another day, without waiting for the next search."""
        registry = self._desk.parts.registry
        if registry is not None:
            await self._desk.run_registry(registry.refresh)
            self._notice_new_data()

    def _notice_new_data(self) -> None:
        """A delta or another generation was found by the search that just ended."""
        registry = self._desk.parts.registry
        if registry is None:
            return
        data, before = f"{registry.as_of} {registry.built_at}", self._data
        self._data = data
        if before and data != before:
            self._desk.light(registry_day=registry.as_of.strftime("%d.%m.%Y"))
            self._desk.background(self._tell_by_hand(registry))

    async def _tell_by_hand(self, registry: Registry) -> None:
        cards = await self._desk.on_journal(lambda journal: journal.active())
        waiting = [card for card in cards if _by_hand(card.fields)][:_MOST_BY_HAND]
        numbers = await self._desk.run_registry(lambda: [_number(card) for card in waiting if _known(registry, card)])
        if numbers:
            self._desk.notice(
                tr("Реестр обновлён: для внесённых вручную есть похожие люди, обращения {numbers}.").format(
                    numbers=", ".join(numbers)
                )
            )

    # who was looked at

    def viewed(self, people: Sequence[str]) -> None:
        """The registry's ``on_view``: called on its thread with the ЕНП of everybody it hands out."""
        self._desk.loop.call_soon_threadsafe(self._note_views, tuple(people))

    def _served(self) -> _Served:
        card, call = self._desk.state.card, self._desk.state.call
        return _Served(
            card.call if card and card.call else call.id if call else "",
            card.saved.id if card and card.saved else "",
        )

    def _note_views(self, people: Sequence[str]) -> None:
        card, served = self._desk.state.card, self._served()
        about = served.call or (card.draft if card else "")
        if about != self._seen_for:
            self._seen_for = about
            self._seen.clear()
        fresh = [enp for enp in people if enp not in self._seen]
        if not fresh:
            return
        self._seen.update(fresh)
        self._unwritten.setdefault(served, []).extend(fresh)
        if self._timer is None:
            self._timer = self._desk.loop.call_later(_VIEW_DELAY_S, self._write_soon)

    def _write_soon(self) -> None:
        self._desk.background(self.flush())

    async def flush(self) -> None:
        """Write the views that wait into the journal, one operation for each call or card."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        unwritten, self._unwritten = self._unwritten, {}
        if not unwritten or self._desk.parts.journal is None:
            return
        try:
            await self._desk.on_journal(lambda journal: _write(journal, unwritten))
        except Exception:
            # What found no room on the disk is written with the next view, or at the end of the desk.
            for served, people in unwritten.items():
                self._unwritten[served] = people + self._unwritten.get(served, [])
            raise


def _write(journal: Journal, views: dict[_Served, list[str]]) -> None:
    """Write them; what is written is taken out."""
    for served, people in list(views.items()):
        call = {"call": served.call} if served.call else {}
        journal.record(Kind.PERSON_VIEWED, {"people": people, **call}, card=served.card)
        del views[served]


def bound_before(history: Sequence[Card]) -> list[str]:
    """ЕНП of the people earlier appeals of a number were bound to, the last first."""
    last_first = sorted(history, key=lambda past: past.created, reverse=True)
    return [enp for past in last_first if (enp := str(past.fields.get("enp", "")))]


def _by_hand(fields: Mapping[str, object]) -> bool:
    """Whether a person was written into the card by hand."""
    return bool(fields.get("surname") and fields.get("name") and not fields.get("enp"))


def _named(fields: Mapping[str, object]) -> dict[str, str]:
    return {name: str(fields.get(name) or "") for name in ("surname", "name", "patronymic", "birth_date")}


def _known(registry: Registry, card: Card) -> bool:
    """Whether the registry has somebody of this name and date; on its thread. Only counted, so no view is logged."""
    on_view, registry.on_view = registry.on_view, None
    try:
        return any(not hit.repaired for hit in registry.search_fields(**_named(card.fields)).hits)
    finally:
        registry.on_view = on_view


def _number(card: Card) -> str:
    return str(card.value("number") or card.id)


def _record(person: Person) -> str:
    """A person as an appeal about the registry tells him."""
    return "; ".join(
        filter(
            None,
            (
                person.full_name, _day(person.birth_date), f"{tr('ЕНП')} {person.enp}",
                f"{tr('СНИЛС')} {person.snils}" if person.snils else "", person.insurer, person.clinic,
            ),
        )
    )  # fmt: skip


def _said(card: CardAtHand) -> str:
    """What the caller says of himself."""
    fields = _named(card.fields)
    name = " ".join(filter(None, (fields["surname"], fields["name"], fields["patronymic"])))
    told = "; ".join(filter(None, (name, _day(fields["birth_date"]), str(card.fields.get("phone") or ""))))
    return tr("со слов обратившегося: {told}").format(told=told or "—")


def _day(iso: str) -> str:
    return ".".join(reversed(iso.split("-"))) if iso else ""
