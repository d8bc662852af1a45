"""What comes to the operator from others or by the clock is said by line, bell and count, never over a ringing call."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from operator_tui.appeals.card import Status
from operator_tui.appeals.deadlines import local_date
from operator_tui.appeals.errors import Refusal
from operator_tui.appeals.hlc import stamp_ms
from operator_tui.appeals.lifecycle import Act
from operator_tui.appeals.promises import Stand
from operator_tui.appeals.rights import Right, may
from operator_tui.appeals.terms import Term, TermKind, terms_of
from operator_tui.desk.state import Topic
from operator_tui.i18n import mark, tr
from operator_tui.journal.settings import PaperSettings
from operator_tui.journal.sieve import Sieve

if TYPE_CHECKING:
    from operator_tui.appeals.card import Card
    from operator_tui.appeals.people import Operator
    from operator_tui.desk.desk import Desk

Told = TypeVar("Told")

# How often the clock is asked what has become due.
LOOK_S = 30.0
# How often the folder of scans is looked into: a paper's term is days, and the folder may be another machine's.
LOOK_AT_SCANS_S = 600.0
_NAMED = 3  # appeals that one line names
_AT_ONCE = 25
_MOST = 500  # appeals in work that one operator may have
# Moves by which an appeal comes to somebody.
_HANDS = frozenset({Act.FORWARD.value, Act.REASSIGN.value, Act.RETURN.value, Act.CLOSE.value, Act.APPROVE.value,
                    Act.DEFER.value})  # fmt: skip

# The nearest first. What is said of each term at each of its warnings.
_WARNED = {
    (TermKind.FORWARD, 0): mark("Последний день, чтобы переадресовать: {what}."),
    (TermKind.ANSWER, 0): mark("Последний день срока: {what}."),
    (TermKind.REGISTER, 0): mark("Последний день, чтобы зарегистрировать: {what}."),
    (TermKind.FORWARD, 1): mark("Переадресовать до завтра: {what}."),
    (TermKind.ANSWER, 1): mark("Срок завтра: {what}."),
    (TermKind.REGISTER, 1): mark("Зарегистрировать до завтра: {what}."),
    (TermKind.FORWARD, 3): mark("Переадресовать в три дня: {what}."),
    (TermKind.ANSWER, 3): mark("Срок в три дня: {what}."),
    (TermKind.REGISTER, 3): mark("Зарегистрировать в три дня: {what}."),
}


class Announcements:
    """The announcements of one desk. What has to wait for a ringing call is kept and said when it rings no more."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._waiting: list[str] = []
        self._said: set[tuple[str, str]] = set()  # an appeal and how near its time was when it was said
        self._scans_due = 0.0  # when the folder of scans is looked into next, on the monotonic clock

    async def heard(self, changed: Sequence[str]) -> None:
        """Cards that others have changed: what was given to this operator or his group, or given back, is said."""
        operator = self._desk.state.operator
        if operator is None:
            return
        numbers: list[str] = []
        sent: list[str] = []
        came: set[str] = set()
        gone: set[str] = set()
        for card_id in changed:
            try:
                card, entries = await self._desk.appeals.timeline(card_id)
            except Refusal:  # not for this desk any more: the others are said all the same
                gone.add(card_id)
                continue
            last = next((entry for entry in reversed(entries) if not entry.kind.startswith("call.")), None)
            if last is not None and last.act == Act.SEND and _came_to(card, operator):
                sent.append(str(card.value("number")))
                came.add(card_id)
            elif not _concerns(card, operator):
                gone.add(card_id)
            elif last is not None and last.by != operator.user and last.act in _HANDS:
                numbers.append(str(card.value("number")))
                came.add(card_id)
        # What he has opened meanwhile is new to him no more: the state of now counts, not that of the beginning.
        self._desk.change(Topic.JOURNAL, fresh=(self._desk.state.fresh - gone) | came)
        if numbers:
            self._say(tr("Вам передано: {numbers}.").format(numbers=_named(numbers)))
        if sent:
            self._say(tr("Из другой организации: {numbers}.").format(numbers=_named(sent)))

    def seen(self, card_id: str) -> None:
        """The operator has opened an appeal: it is new to him no more."""
        if card_id in self._desk.state.fresh:
            self._desk.change(Topic.JOURNAL, fresh=self._desk.state.fresh - {card_id})

    def phone_changed(self, topic: Topic) -> None:
        """What waited for a ringing call is said once nothing rings."""
        if topic is Topic.PHONE and self._waiting and not self._rings:
            waiting, self._waiting = self._waiting, []
            self._say(" ".join(dict.fromkeys(waiting)))

    async def follow(self) -> None:
        """As long as the desk lives: what becomes due is said when it does."""
        while True:
            with suppress(Refusal):  # a calendar that can not be read is said where it is asked for
                await self.look()
            await asyncio.sleep(LOOK_S)

    async def look(self) -> None:
        """Promises of this hour, broken ones, and terms that have come to one of their warnings: each said once."""
        calls = [one for one in await self._desk.promises.listed() if one.stand is not Stand.WAITING]
        if fresh := self._unsaid((one.card.id, one.stand.value, one.card) for one in calls):
            words = tr("Пора перезвонить: {numbers}.").format(numbers=_numbers(fresh))
            late = sum(1 for one in calls if one.card in fresh and one.stand is Stand.BROKEN)
            self._say(f"{words} {tr('Просрочено: {late}.').format(late=late)}" if late else words)
        warned = {
            stage: said
            for stage, found in (await self._warned()).items()
            if (said := self._unsaid((key, f"{stage} {term.until}", name) for key, name, term in found))
        }
        if warned:
            self._say(_warning_words(warned))

    async def _warned(self) -> Mapping[tuple[TermKind, int], list[tuple[str, str, Term]]]:
        """What stands at a warning: its key, its name for the operator and its term, by term and warning."""
        found: dict[tuple[TermKind, int], list[tuple[str, str, Term]]] = {stage: [] for stage in _WARNED}
        for key, name, term in [*await self._terms(), *await self._scans()]:
            if term.warning is not None:
                found[term.kind, term.warning].append((key, name, term))
        return found

    async def _terms(self) -> list[tuple[str, str, Term]]:
        """The terms of the operator's own appeals in work."""
        operator = self._desk.state.operator
        if operator is None:
            return []
        # By the index of workers as it stands: sorting them by term would hold the journal up every half minute.
        cards = await self._desk.appeals.more(Sieve(statuses=(Status.IN_WORK,), worker=operator.user), _MOST, 0)
        now_ms, found = self._desk.clock.now_ms(), []
        today = local_date(now_ms, operator.zone)
        for place, card in enumerate(cards):
            if place % _AT_ONCE == 0:
                await asyncio.sleep(0)  # a key is looked at between a few appeals and the next few
            # What came today is no news to who has just registered it.
            if local_date(stamp_ms(card.created), operator.zone) == today and not card.deadline < today.isoformat():
                continue
            theme = self._desk.catalogue.themes.get(str(card.value("theme")))
            group, days = theme.level2_group if theme else "", self._desk.catalogue.terms
            name = str(card.value("number") or card.id)
            found += [(card.id, name, term) for term in terms_of(card, group, now_ms, operator.zone, days)]
        return found

    async def _scans(self) -> list[tuple[str, str, Term]]:
        """New scans with their term to register; not looked for at each look, nor where there is no folder."""
        clock = self._desk.clock
        if not self._desk.settings.get(PaperSettings).inbox or clock.monotonic() < self._scans_due:
            return []
        self._scans_due = clock.monotonic() + LOOK_AT_SCANS_S
        try:
            scans = await self._desk.papers.inbox()
        except Refusal:  # said where one looks into the folder; the terms of appeals do not wait for it
            return []
        return [(str(scan.path), scan.path.name, scan.term) for scan in scans]

    def _unsaid(self, found: Iterable[tuple[str, str, Told]]) -> list[Told]:
        """Of ``(key, how near, what to tell)`` what was not told yet; it counts as told from now on."""
        fresh = [(key, stage, what) for key, stage, what in found if (key, stage) not in self._said]
        self._said.update((key, stage) for key, stage, _ in fresh)
        return [what for _, _, what in fresh]

    @property
    def _rings(self) -> bool:
        return any(call.rings_here for call in self._desk.state.calls)

    def _say(self, words: str) -> None:
        if self._rings:
            self._waiting.append(words)
            return
        desk = self._desk
        desk.change(Topic.LIGHTS, bells=desk.state.bells + 1)
        desk.notice(words, urgent=True)


def _concerns(card: Card, operator: Operator) -> bool:
    """Whether it is his, or waits for somebody of his group to take it."""
    return card.worker == operator.user or (card.worker is None and card.value("group") in operator.groups)


def _came_to(card: Card, operator: Operator) -> bool:
    """Whether it was sent to his organisation and waits for whoever may take it there."""
    return (
        card.stream == operator.organisation
        and card.worker is None
        and not card.value("group")
        and may(operator.role, Right.CARD_WITHOUT_CALL)
    )


def _warning_words(warned: Mapping[tuple[TermKind, int], Sequence[str]]) -> str:
    """One line for all that stands at a warning; what is not on its last day is named only where it is little."""
    said = []
    for stage, words in _WARNED.items():
        if what := warned.get(stage):
            named = _named(what) if stage[1] == 0 or len(what) <= _NAMED else str(len(what))
            said.append(tr(words).format(what=named))
    return " ".join(said)


def _numbers(cards: Iterable[Card]) -> str:
    return _named([str(card.value("number") or card.id) for card in cards])


def _named(numbers: Sequence[str]) -> str:
    named = ", ".join(numbers[:_NAMED])
    rest = len(numbers) - _NAMED
    return named + (tr(" и ещё {count}").format(count=rest) if rest > 0 else "")
