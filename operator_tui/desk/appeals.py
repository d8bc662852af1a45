"""What an operator does with appeals beyond writing them: what came back is settled."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any

from operator_tui.appeals.card import Card, Status
from operator_tui.appeals.consent import demand_escort
from operator_tui.appeals.deadlines import local_date
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.lifecycle import Act
from operator_tui.appeals.operations import Kind
from operator_tui.appeals.returned import Choice, Returned, is_new, rivals
from operator_tui.desk import card as steps
from operator_tui.desk.files import calls_of
from operator_tui.desk.state import Light, Topic
from operator_tui.i18n import tr
from operator_tui.journal.finding import phone_key
from operator_tui.journal.happened import TALK, Happened

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from operator_tui.appeals.people import Role
    from operator_tui.colleagues.directory import Colleague
    from operator_tui.desk.desk import Desk
    from operator_tui.journal.journal import Journal
    from operator_tui.journal.sieve import Heap, Sieve

# So many at a time: a quarter of a second of the journal.
_AT_ONCE = 100


class AppealDesk:
    """The acts of appeals on one desk; the state they change is the desk's own."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    # the life of an appeal

    async def move(self, card_id: str, act: Act, **given: Any) -> Card:
        """An act of the life-cycle on an appeal of the journal; its refusals come out."""
        desk = self._desk
        if given.get("operator") and act in _GIVES:
            known = await desk.on_journal(lambda journal: journal.card(card_id))
            self.demand_consent(known.fields if known else {}, given["operator"])
        card = await desk.on_journal(lambda journal: journal.move(card_id, act, given))
        await self.reload()
        await desk.refresh_journal()
        desk.parts.kick()
        return card

    def demand_consent(self, fields: Mapping[str, Any], user: object) -> None:
        """Who is to be given the appeal may take it: level 3 wants the insured person's consent to accompaniment.

        By the directory's role of the user; the server asks for the consent again when level 3 takes it up.
        Refusal(CONSENT_NEEDED).
        """
        role = self.role_of(user)
        if role is not None:
            demand_escort(fields, role, local_date(self._desk.clock.now_ms(), self._desk.promises.zone))

    def role_of(self, user: object) -> Role | None:
        """A user's role by the directory; None where it does not know him, or where nobody is named."""
        return next((one.role for one in self.colleagues() if one.user and str(one.user) == str(user)), None)

    async def page(self, sieve: Sieve, limit: int, offset: int = 0) -> tuple[list[Card], int]:
        """A page of what the sieve lets through, and how many there are in all."""
        return await self._desk.on_journal(
            lambda journal: (journal.page(sieve, limit=limit, offset=offset), journal.count(sieve))
        )

    async def more(self, sieve: Sieve, limit: int, offset: int) -> list[Card]:
        """A further page, without counting them all again."""
        return await self._desk.on_journal(lambda journal: journal.page(sieve, limit=limit, offset=offset))

    async def sieves(self) -> dict[str, Sieve]:
        """The filters kept by name."""
        return await self._desk.on_journal(lambda journal: journal.sieves())

    async def keep_sieve(self, name: str, sieve: Sieve | None) -> None:
        """Keep a filter under a name; None forgets it."""
        await self._desk.on_journal(lambda journal: journal.keep_sieve(name, sieve))

    async def timeline(self, card_id: str) -> tuple[Card, list[Happened]]:
        """An appeal and everything that happened to it, in order."""
        desk = self._desk
        card, entries = await desk.on_journal(lambda journal: (journal.card(card_id), journal.timeline(card_id)))
        if card is None:
            raise Refusal(Code.UNKNOWN_CARD, card=card_id)
        return card, entries

    async def talks(self, card: Card, known: Sequence[Happened]) -> list[Happened]:
        """Talks about it that are not among the ``known``: those of other desks, and those that this one has forgotten,
        as the centre tells them. None while it is away, and none of an appeal another organisation works on."""
        desk = self._desk
        operator = desk.state.operator
        if operator is None or card.stream != operator.organisation or not calls_of(card):
            return []
        if desk.state.lights.server is not Light.ON:
            return []  # known already: nobody waits for a line that is away
        import msgspec

        from operator_tui.appeals.talks import TALKS_PATH, VERSION, Answer, Asked

        try:
            raw = await desk.parts.ask(TALKS_PATH, msgspec.json.encode(Asked(VERSION, card.id)))
            answer = msgspec.json.decode(raw, type=Answer)
        except (Refusal, msgspec.MsgspecError):
            return []  # of the release before, or gone this moment: what is known here stands there
        here = {entry.values.get("call") for entry in known if entry.kind in _OF_TALK}
        return [
            Happened("", talk.at_ms, talk.by, TALK, values=msgspec.structs.asdict(talk))
            for talk in answer.talks
            if talk.call not in here
        ]

    async def call_back(self, card_id: str) -> None:
        """Call the number of the appeal, its card in front (K-6.2.1)."""
        desk = self._desk
        card = await desk.on_journal(lambda journal: journal.card(card_id))
        number = str(card.value("promise_phone") or card.value("phone")) if card is not None else ""
        if not number:
            raise Refusal(Code.FIELD_REQUIRED, field="phone")
        if desk.state.card is None or desk.state.card.saved is None or desk.state.card.saved.id != card_id:
            await desk.card.edit(card_id)
            shown = desk.state.card
            if shown is None or shown.saved is None or shown.saved.id != card_id:
                raise Refusal(Code.CARD_OTHER)  # a caller's has come meanwhile: he is not put on hold for this
        desk.promises.calling(number, card_id)
        await desk.phone.dial(number)

    async def promised(self, number: str) -> list[Card]:
        """Appeals whose answer was promised to that number: said at the ring, if the caller calls first."""
        if not number:
            return []
        waiting, known = await self._desk.on_journal(
            lambda journal: (journal.promised(), journal.history(phone=number))
        )
        key = phone_key(number)
        asked = [card for card in waiting if phone_key(str(card.value("promise_phone"))) == key]
        known = [card for card in known if card.status is Status.DEFERRED]
        return list({card.id: card for card in [*asked, *known]}.values())

    async def heaps(self, sieve: Sieve, by: str) -> list[Heap]:
        """The appeals a sieve lets through, counted by what they share."""
        return await self._desk.on_journal(lambda journal: journal.heaps(sieve, by))

    def heap_words(self, by: str, value: str) -> str:
        """What a heap has in common, in words."""
        catalogue = self._desk.catalogue
        if by == "result" and value in catalogue.results:
            return f"{value} {catalogue.results[value].title}"
        if by == "theme" and value in catalogue.themes:
            return catalogue.themes[value].title
        known = self.names().get(int(value)) if value.isdigit() else None
        return known or tr("работник № {user}").format(user=value)

    async def sample(self, sieve: Sieve, size: int) -> tuple[list[Card], frozenset[str]]:
        """Some of the appeals that the sieve lets through, chosen by chance, and the ids of all of them."""
        return await self._desk.on_journal(lambda journal: journal.sample(sieve, size))

    async def approve_all(self, sieve: Sieve, among: Collection[str]) -> tuple[int, int]:
        """Approve what the sieve lets through of those whose sample was seen; how many were, and could not be."""
        desk, seen = self._desk, sorted(among)
        approved = refused = 0
        for first in range(0, len(seen), _AT_ONCE):
            # Between them the journal does what else is asked of it: the caller's history, a card that is saved.
            some = frozenset(seen[first : first + _AT_ONCE])
            moved, not_moved = await desk.on_journal(partial(_approve, sieve, some))
            approved, refused = approved + len(moved), refused + len(not_moved)
            if len(seen) > _AT_ONCE:
                words = tr("Утверждается: {done} из {count}.")
                desk.notice(words.format(done=min(first + _AT_ONCE, len(seen)), count=len(seen)))
        await desk.refresh_journal()
        desk.parts.kick()
        return approved, refused

    # people

    async def workers(self) -> dict[int, str]:
        """Who can be given an appeal: those of the directory, and who has worked on appeals here. Oneself first.

        In words: the name where the directory knows it, how many open appeals he has, and whether he is away.
        """
        operator = self._desk.state.operator
        counts, away = await self._desk.on_journal(lambda journal: (journal.workers(), journal.away()))
        names = self.names()
        today = local_date(self._desk.clock.now_ms(), self._desk.promises.zone)
        known: dict[int, str] = {}
        for user in dict.fromkeys([*counts, *names]):
            words = tr("обращений в работе: {count}").format(count=counts.get(user, 0))
            absent = next((one for one in away if one.user == user and one.on(today)), None)
            if absent is not None:
                words += ", " + tr("нет до {day}").format(day=date.fromisoformat(absent.until).strftime("%d.%m"))
            known[user] = " · ".join(filter(None, (names.get(user, ""), words)))
        if operator is not None:
            known.pop(operator.user, None)
            known = {operator.user: tr("{name} (себе)").format(name=operator.name), **known}
        return known

    def worker_number(self, typed: str) -> str:
        """The worker who is meant: his number, or his extension where nobody has that number."""
        known = self.colleagues()
        if any(str(one.user) == typed for one in known if one.user):
            return typed
        return next((str(one.user) for one in known if one.user and one.extension == typed), typed)

    def names(self) -> dict[int, str]:
        """Users by number, as the directory names them; none where there is no directory to be read."""
        return {one.user: one.name for one in self.colleagues() if one.user}

    def colleagues(self) -> tuple[Colleague, ...]:
        """The directory; nobody where it can not be read."""
        try:
            return self._desk.colleagues.everybody()
        except Refusal:
            return ()

    # what came back

    async def returned(self) -> list[Returned]:
        """What waits for the operator: two values beside one another on the open card first, then what came back."""
        found = await self._desk.on_journal(lambda journal: journal.returned())
        card = self._desk.state.card
        saved = card.saved if card is not None else None
        if saved is None or not saved.rival or any(one.card and one.card.id == saved.id for one in found):
            return found
        return [Returned("", "", "", None, saved, rivals(saved)), *found]

    async def settle(self, returned: Returned, choice: Choice) -> None:
        """Write the decision. An appeal that was refused whole becomes a draft again, unless it is given up."""
        desk = self._desk
        if returned.op:
            await desk.on_journal(lambda journal: journal.settle_returned(returned.op, choice))
            if is_new(returned) and returned.card is None and choice is not Choice.THEIRS:
                await desk.card.flush_draft()
                fields = {key: value for key, value in returned.x.items() if key not in _OF_THE_JOURNAL}
                desk.card.put(replace(steps.opened(None), fields=fields, typed=frozenset(fields)))
        elif returned.card is not None:
            card_id = returned.card.id
            await desk.on_journal(lambda journal: journal.settle_rivals(card_id, choice))
        await self.reload()
        await desk.refresh_journal()
        desk.parts.kick()

    async def reload(self) -> None:
        """The open card as the journal has it now; what was typed into it and not saved stays."""
        desk = self._desk
        card = desk.state.card
        if card is None or card.saved is None:
            return
        saved_id = card.saved.id
        saved = await desk.on_journal(lambda journal: journal.card(saved_id))
        now = desk.state.card
        if saved is not None and now is not None and now.draft == card.draft:
            desk.change(Topic.CARD, card=steps.refreshed(now, saved))


def _approve(sieve: Sieve, among: Collection[str], journal: Journal) -> tuple[list[str], dict[str, Refusal]]:
    return journal.move_all(sieve, Act.APPROVE, {}, among=among)


_GIVES = frozenset({Act.FORWARD, Act.REASSIGN, Act.DEFER, Act.CLOSE})
# By these a desk knows of a talk itself.
_OF_TALK = frozenset({Kind.CALL_ANSWERED.value, Kind.CALL_ENDED.value, Kind.CALL_RECORDED.value})
_OF_THE_JOURNAL = frozenset({"number", "zone", "catalogue", "deadline"})
