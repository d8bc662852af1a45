"""What waits for the operator at the beginning of his shift, and what he leaves unfinished at its end."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from operator_tui.appeals.card import STATUS_TITLES, Card, Source, Status
from operator_tui.appeals.deadlines import local_date
from operator_tui.appeals.lifecycle import Act
from operator_tui.appeals.nearest import nearest_days
from operator_tui.appeals.news import News, news_of, unread
from operator_tui.appeals.operations import Kind
from operator_tui.desk import card as steps
from operator_tui.desk.checks import Check, checks
from operator_tui.desk.settings import ShiftSettings
from operator_tui.desk.state import Light, Topic
from operator_tui.i18n import tr
from operator_tui.journal.sieve import Order, Sieve

if TYPE_CHECKING:
    from operator_tui.appeals.begun import Begun, FormOf
    from operator_tui.appeals.draft import Draft
    from operator_tui.desk.desk import Desk
    from operator_tui.journal.journal import Journal

_MOST = 100


@dataclass(frozen=True)
class Waits:
    """One thing that waits. ``card`` or ``draft`` is what Enter opens, ``news`` (a mark) or ``begun`` what it shows;
    ``kind`` and ``text`` are words; ``known`` of what waits for nobody."""

    kind: str
    text: str
    card: str = ""
    draft: str = ""
    call: str = ""
    number: str = ""
    news: str = ""
    begun: FormOf | None = None
    known: bool = False


class ShiftDesk:
    """The lists of one desk's shift."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def waiting(self) -> list[Waits]:
        """Most urgent first: what came back, callers without a card, drafts, begun forms, terms of today, promises of
        today."""
        operator = self._desk.state.operator
        if operator is None:
            return []
        await self._desk.card.flush_draft()  # what was typed in the last moment is in its draft's line too
        now = self._desk.clock.now_ms()
        today = local_date(now, operator.zone).isoformat()

        begun = self._desk.begun.waiting()

        def look(journal: Journal) -> list[Waits]:
            own = Sieve(statuses=(Status.IN_WORK,), worker=operator.user, due=today, order=Order.DUE)
            due = journal.page(own, limit=_MOST)
            promised = [
                card
                for card in journal.promised(limit=_MOST)
                if card.worker == operator.user and _promise_day(card, operator.zone) <= today
            ]
            return [
                *(_came_back(journal.waiting())),
                *(
                    Waits(tr("звонок без карты"), number or tr("номер не определён"), call=call, number=number)
                    for call, number, _ in journal.calls_without_card()
                ),
                *(_of_draft(draft) for draft in journal.drafts()),
                *(_of_begun(one, journal.card(one.of.about)) for one in begun),
                *(Waits(tr("просрочено") if self._is_late(card, now) else tr("срок сегодня"), _words(card), card.id)
                  for card in due),
                *(Waits(tr("обещан ответ"), _words(card), card.id) for card in promised),
            ]  # fmt: skip

        found = await self._desk.on_journal(look)
        lights = self._desk.state.lights
        if (unsent := lights.unsent) and lights.server is not Light.ON:
            found.append(Waits(tr("не отправлено"), tr("записей: {count}; уйдут сами").format(count=unsent)))
        if lights.files:
            found.append(Waits(tr("не отправлено"), tr("файлов: {count}; уйдут сами").format(count=lights.files)))
        return found

    def _is_late(self, card: Card, now_ms: int) -> bool:
        left = nearest_days(card, self._desk.catalogue, now_ms, self._desk.promises.zone)
        return left is not None and left < 0

    async def beginning(self) -> list[Waits]:
        """All of it at the beginning of a shift: announcements nobody has read here, what is wrong with the desk, what
        waits, and at the end how the rest of the desk stands."""
        looked = self._checks()
        troubles = [Waits(tr("проверка"), one.text) for one in looked if not one.good]
        rest = ", ".join(one.text for one in looked if one.good)
        stands = [Waits(tr("проверка"), rest, known=True)] if rest else []
        news = [Waits(tr("объявление"), one.title, news=one.mark) for one in await self.unread()]
        return [*news, *troubles, *await self.waiting(), *stands]

    async def unread(self) -> list[News]:
        """Announcements for whoever sits here that were not read at this desk."""
        operator = self._desk.state.operator
        if operator is None:
            return []
        today = local_date(self._desk.clock.now_ms(), operator.zone).isoformat()
        found = news_of(self._desk.catalogue.reference, operator.role, today)
        return unread(found, await self._desk.on_journal(lambda journal: journal.news_read())) if found else []

    async def read(self, news: News) -> None:
        """«Прочитано»."""
        await self._desk.on_journal(lambda journal: journal.read_news(news.mark))
        self._desk.parts.send_soon()

    def _checks(self) -> list[Check]:
        state = self._desk.state
        zone = state.operator.zone if state.operator is not None else "UTC"
        return checks(state, local_date(self._desk.clock.now_ms(), zone))

    async def begun(self) -> None:
        """«Начало работы»: the shift's time runs, also over midnight and over a desk that is started anew."""
        await self._desk.on_journal(lambda journal: journal.record(Kind.SHIFT_BEGUN, {}))
        await self.take_up()

    async def take_up(self) -> None:
        """A shift that has begun goes on: from when on it is overtime."""
        began_ms = await self._desk.on_journal(lambda journal: journal.shift_began())
        hours = self._desk.settings.get(ShiftSettings).hours
        overtime_ms = began_ms + int(hours * 3_600_000) if began_ms is not None and hours else None
        self._desk.change(Topic.PHONE, overtime_ms=overtime_ms)

    async def ended(self) -> None:
        """«Завершить»: how long it was, and how much of that is overtime."""
        now_ms, overtime_ms = self._desk.clock.now_ms(), self._desk.state.overtime_ms
        began_ms = await self._desk.on_journal(lambda journal: journal.shift_began())
        x = {} if began_ms is None else {"ms": now_ms - began_ms, "over_ms": max(0, now_ms - (overtime_ms or now_ms))}
        await self._desk.on_journal(lambda journal: journal.record(Kind.SHIFT_ENDED, x))
        self._desk.change(Topic.PHONE, overtime_ms=None)

    async def hand_over(self, waits: Waits, user: int, note: str) -> Card:
        """An appeal in work goes to a colleague with a note, before the shift ends. Refusals are those of the move."""
        given = {"operator": str(user), **({"comment": note} if note else {})}
        return await self._desk.appeals.move(waits.card, Act.FORWARD, **given)

    async def open(self, waits: Waits) -> None:
        """Bring what waits before the operator. A caller without a card gets one, with his number."""
        desk = self._desk
        if waits.card:
            await desk.card.edit(waits.card)
            return
        await desk.card.flush_draft()
        if waits.draft:
            drafts = await desk.on_journal(lambda journal: journal.drafts())
            draft = next((one for one in drafts if one.id == waits.draft), None)
            if draft is not None:
                await desk.card.bring(draft)
        elif waits.call:
            fields = {"source": Source.CALL.value, "call": waits.call, "phone": waits.number}
            card = replace(steps.opened(None), call=waits.call, fields=fields)
            desk.card.put(card)
            await desk.card.find_caller(waits.number)


def _came_back(count: int) -> list[Waits]:
    return [Waits(tr("вернулось"), tr("записей: {count}; ^K — посмотреть").format(count=count))] if count else []


def _of_draft(draft: Draft) -> Waits:
    fields = draft.fields
    who = " ".join(str(fields[key]) for key in ("surname", "name") if fields.get(key))
    text = " · ".join(filter(None, (who, str(fields.get("phone", "")))))
    return Waits(tr("черновик"), text or tr("без сведений"), draft=draft.id)


def _of_begun(one: Begun, card: Card | None) -> Waits:
    about = _words(card) if card is not None else ""
    text = " ".join(next(iter(one.lines.values())).text.split())
    return Waits(tr("начатая форма"), " · ".join(filter(None, (one.title, about, text))), begun=one.of)


def _words(card: Card) -> str:
    return " · ".join(
        filter(None, (str(card.value("number")), str(card.value("surname")), tr(STATUS_TITLES[card.status])))
    )


def _promise_day(card: Card, zone: str) -> str:
    due = int(card.value("promise_due") or 0)
    return local_date(due, zone).isoformat() if due else "9999-12-31"
