"""Promises on one desk: «Отсроченный ответ» made, listed, tried, handed on; who is away and who stands in."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from operator_tui.appeals.calendar import Country, OfficeHours, WorkingCalendar, parse_changes
from operator_tui.appeals.card import Card, Status
from operator_tui.appeals.consent import demand_escort
from operator_tui.appeals.deadlines import local_date
from operator_tui.appeals.draft import Draft, draft_of
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.lifecycle import Act
from operator_tui.appeals.operations import Kind
from operator_tui.appeals.promises import (
    ANSWERED,
    ATTEMPTS_WANTED,
    Away,
    Promise,
    Stand,
    Why,
    attempts_of,
    concerns,
    promise_of,
    stand,
    vain,
)
from operator_tui.appeals.said_time import parse_due
from operator_tui.i18n import tr
from operator_tui.journal.finding import phone_key
from operator_tui.journal.settings import CentreSettings
from operator_tui.journal.sieve import Sieve
from operator_tui.phone.line import Call

if TYPE_CHECKING:
    from operator_tui.desk.desk import Desk
    from operator_tui.journal.journal import Journal


@dataclass(frozen=True)
class Listed:
    """One promise of the list «перезвоним до …»."""

    card: Card
    promise: Promise
    why: Why
    stand: Stand


@dataclass(frozen=True)
class KeptBack:
    """An appeal that an act on many left as it was, and why."""

    card: Card
    why: Refusal


class PromiseDesk:
    """The acts of promises; the state they change is the desk's own."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._calendar: WorkingCalendar | None = None
        self._called: dict[str, str] = {}  # the appeal that a call is about, by the number's key

    # time

    @property
    def calendar(self) -> WorkingCalendar:
        """The centre's working calendar. Refusals: FILE_UNREADABLE, ROW_INVALID, FIELD_INVALID of its settings."""
        if self._calendar is None:
            settings = self._desk.settings.get(CentreSettings)
            if settings.country not in set(Country):
                raise Refusal(Code.FIELD_INVALID, field="calendar")
            changes = parse_changes(_read(settings.calendar), file=settings.calendar) if settings.calendar else None
            days = self._desk.catalogue.reference.open("calendar").values()
            listed = {date.fromisoformat(row["date"]): row["day"] == "work" for row in days}
            self._calendar = WorkingCalendar(Country(settings.country), {**listed, **(changes or {})})
        return self._calendar

    def forget_calendar(self) -> None:
        """The centre's own days are others."""
        self._calendar = None

    async def warm(self) -> None:
        """Read the calendar ahead: its library takes a fifth of a second, which no key shall wait for."""
        await asyncio.to_thread(lambda: self.calendar.is_working(self._today()))

    @property
    def zone(self) -> str:
        """The office's own."""
        return self._desk.state.operator.zone if self._desk.state.operator else "Europe/Moscow"

    def due(self, text: str = "") -> int:
        """The instant (UTC ms) meant by what was typed; one working day from now for nothing."""
        settings = self._desk.settings.get(CentreSettings)
        now_ms = self._desk.clock.now_ms()
        hours = OfficeHours.parse(settings.hours)
        return parse_due(text, now_ms, self.zone, calendar=self.calendar, hours=hours, days=settings.promise_days)

    def _today(self) -> date:
        return local_date(self._desk.clock.now_ms(), self.zone)

    # making one

    async def defer(self, given: Mapping[str, Any]) -> Card:
        """«Отсроченный ответ» of the card at hand, saved or not: to oneself, to ``operator`` or to ``group``.

        ``given`` has promise_due (UTC ms) and what is known of promise_phone, promise_ask, promise_hours. To another
        operator an unsaved card is saved first: it needs type and theme then.
        """

        def promised(journal: Journal, draft: Draft) -> Card:
            to_another = bool(given.get("operator"))
            return (journal.save_and_defer if to_another else journal.save_promised)(draft, given)

        return await self._desk.card.write(promised, finished=True)

    async def change(self, card_id: str, given: Mapping[str, Any]) -> Card:
        """Another time, number, person to ask for or hours of a promise."""
        return await self._desk.appeals.move(card_id, Act.PROMISE, **given)

    # the list

    async def listed(self) -> list[Listed]:
        """The promises that concern this operator, the nearest time first: his own, his groups' and those of whom he
        stands in for, of an administrator too (all of them are the journal's filter «Отсроченный ответ»)."""
        operator = self._desk.state.operator
        if operator is None:
            return []
        cards, away = await self._desk.on_journal(lambda journal: (journal.promised(), journal.away()))
        now_ms, found = self._desk.clock.now_ms(), []
        for card in cards:
            promise = promise_of(card)
            if promise is None:
                continue
            why = concerns(
                promise, user=operator.user, groups=operator.groups, away=away, today=self._today(), now_ms=now_ms
            )
            if why is not None:
                found.append(Listed(card, promise, why, stand(promise, now_ms)))
        return found

    async def pressing(self) -> int:
        """How many of them are due within the hour or broken."""
        return sum(1 for one in await self.listed() if one.stand is not Stand.WAITING)

    # trying

    async def attempt(self, card_id: str, outcome: str = "no_answer", call: str = "") -> int:
        """Note a try to reach the citizen; how many have been in vain. Refusal(NOT_YOUR_APPEAL) for another's."""
        desk, operator = self._desk, self._desk.state.operator
        card = await desk.on_journal(lambda journal: journal.card(card_id))
        if card is None or operator is None:
            raise Refusal(Code.UNKNOWN_CARD, card=card_id)
        entry = {"ms": desk.clock.now_ms(), "by": operator.user, "outcome": outcome, "call": call}
        draft = draft_of(card)
        draft.fields["attempts"] = [*(card.value("attempts") or ()), entry]
        saved = await desk.on_journal(lambda journal: journal.save(draft))
        await desk.appeals.reload()
        await desk.refresh_journal()
        desk.parts.kick()
        return len(vain(attempts_of(saved)))

    def calling(self, number: str, card_id: str) -> None:
        """The next call to that number is one to the citizen of that appeal: how it ends is noted there."""
        self._called[phone_key(number)] = card_id

    async def call_ended(self, call: Call) -> None:
        """A call to a citizen ended: it was a try, in vain or not. One that was answered resumes the work."""
        card_id = self._called.pop(phone_key(call.number), "")
        if not card_id:
            return
        card = await self._desk.on_journal(lambda journal: journal.card(card_id))
        if card is None or card.status not in (Status.DEFERRED, Status.IN_WORK):
            return
        if call.answered_ms is None:
            count = await self.attempt(card_id, call=call.id)
            words = tr("Не дозвонились: попытка {count} из {wanted} записана.")
            self._desk.notice(words.format(count=count, wanted=ATTEMPTS_WANTED), urgent=True)
            return
        await self.attempt(card_id, ANSWERED, call.id)

    # who is away

    async def set_away(self, away: Away) -> None:
        """A worker is away on these dates; his substitute is shown his promises. The administrator's own act."""
        x: dict[str, Any] = {"user": away.user, "since": away.since, "until": away.until}
        if away.substitute:
            x["substitute"] = away.substitute
        await self._desk.on_journal(lambda journal: journal.record(Kind.PERSON_AWAY, x))
        self._desk.parts.kick()
        await self._desk.refresh_journal()

    async def away(self) -> list[Away]:
        """Who is."""
        return await self._desk.on_journal(lambda journal: journal.away())

    async def reassign_all(self, user: int, to: Mapping[str, Any]) -> tuple[int, list[KeptBack]]:
        """All open appeals and promises of a worker, to an ``operator`` or a ``group``: how many went, and which stayed
        with the reason of each. To level 3 go those whose insured persons consented to accompaniment, and letters."""
        desk, role, today = self._desk, self._desk.appeals.role_of(to.get("operator")), self._today()

        def demand(card: Card) -> None:
            if role is not None:
                demand_escort(card.fields, role, today, card.id)

        def work(journal: Journal) -> tuple[int, list[KeptBack]]:
            moved, refused = journal.move_all(Sieve(worker=user), Act.REASSIGN, dict(to), demand)
            stayed = [KeptBack(card, why) for one, why in refused.items() if (card := journal.card(one)) is not None]
            return len(moved), stayed

        result = await desk.on_journal(work)
        await desk.refresh_journal()
        desk.parts.kick()
        return result


def _read(file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise Refusal(Code.FILE_UNREADABLE, file=file, reason=getattr(error, "strerror", "") or "UTF-8") from None
