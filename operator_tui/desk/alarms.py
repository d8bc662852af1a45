"""The administrator's alarm on this desk, and what this desk tells the administrator: help, threats, incidents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import msgspec

from operator_tui.appeals.alarm import DANGER_TITLES, LONGEST, TOLD_TITLES, WHAT_TO_DO, Alarm, Danger, Report, Told
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.operations import Kind
from operator_tui.appeals.people import Role
from operator_tui.desk.state import Topic
from operator_tui.i18n import tr

if TYPE_CHECKING:
    from operator_tui.desk.desk import Desk
    from operator_tui.desk.state import CardAtHand
    from operator_tui.phone.line import Call


class AlarmDesk:
    """``state.alarm`` holds for every desk; ``state.reports`` counts what an administrator has not looked at."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        # Reports that were on the screen, or here before the desk was. Not by their times: a report may be of a call of
        # an hour ago, or come from a desk whose clock goes wrong.
        self._seen: set[str] | None = None
        self._told: set[str] = set()  # callers without a card that were reported from here

    async def look(self) -> None:
        """The stream brought something, or the desk has just opened."""
        desk = self._desk
        alarm, reports = await desk.on_journal(lambda journal: (journal.alarm(), journal.reports()))
        if alarm != desk.state.alarm:
            desk.change(Topic.NOTICE, alarm=alarm)
            self._bell()
            desk.notice(alarm_words(alarm), urgent=bool(alarm))
        if self._seen is None:
            self._seen = {one.id for one in reports}
        operator = desk.state.operator
        if operator is None or operator.role is not Role.ADMINISTRATOR:
            return
        fresh = [one for one in reports if one.id not in self._seen and one.by != operator.user]
        grown = len(fresh) > desk.state.reports
        desk.change(Topic.LIGHTS, reports=len(fresh))
        if grown:
            self._bell()
            desk.notice(self.words(fresh[0]) + " " + tr("Alt+H — донесения."), urgent=True)

    def _bell(self) -> None:
        self._desk.change(Topic.LIGHTS, bells=self._desk.state.bells + 1)

    # the administrator

    async def sound(self, kind: Danger, text: str = "") -> None:
        """Show every desk of the organisation what to do; ``Danger.NONE`` takes it back. Refusal(RIGHT_MISSING)."""
        holds: Alarm = await self._desk.on_journal(lambda journal: journal.alarm())
        # Behind the one that holds, also where that came from a desk whose clock is ahead.
        since_ms = max(self._desk.clock.now_ms(), holds.since_ms + 1)
        await self._record(Kind.ALARM, {"kind": kind.value, "text": text, "since_ms": since_ms})
        await self.look()

    async def reports(self) -> list[Report]:
        """The newest first; they count as looked at."""
        found = await self._desk.on_journal(lambda journal: journal.reports())
        self._seen = (self._seen or set()) | {one.id for one in found}
        self._desk.change(Topic.LIGHTS, reports=0)
        return found

    def words(self, report: Report) -> str:
        """Who reports what, in one line."""
        names = self._desk.appeals.names()
        who = names.get(report.by, "") or tr("доб. {number}").format(number=report.extension or "?")
        parts = (f"{who}: {tr(TOLD_TITLES[report.kind])}", report.number, report.text)
        return " · ".join(filter(None, parts)) + "."

    # every desk

    async def report(
        self, kind: Told, text: str = "", *, about: str = "", of: Call | None = None, card: CardAtHand | None = None
    ) -> None:
        """Tell the administrator, with the call (``of``, or the one in front) and the card (or the one at hand);
        ``about`` is an id for what counts once. That call's card goes along as the number to call back and its
        theme while nobody but this desk has it."""
        state = self._desk.state
        call, card = of or state.call, card or state.card
        if not text and kind is Told.INCIDENT:
            raise Refusal(Code.FIELD_REQUIRED, field="text")
        own = card is not None and card.saved is None and (call is None or card.call == call.id)
        draft: Mapping[str, Any] = card.fields if card is not None and own else {}
        theme = self._desk.catalogue.themes.get(str(draft.get("theme", "")))
        words = " · ".join(filter(None, (text, theme.title if theme is not None else "")))
        said = Report(
            id=about or uuid4().hex,
            kind=kind,
            text=words if len(words) <= LONGEST else text,
            call=call.id if call else "",
            number=(call.number if call else "") or str(draft.get("phone", "")),
            card=card.saved.id if card is not None and card.saved is not None else "",
            extension=self._extension,
            ms=self._desk.clock.now_ms(),
        )
        await self._tell(said)

    async def tell_without_card(self) -> None:
        """Answered calls of which there is neither card nor draft, each once."""
        desk = self._desk
        known = {one.id for one in await desk.on_journal(lambda journal: journal.reports())} | self._told
        for call, number, at_ms in await desk.on_journal(lambda journal: journal.calls_without_card()):
            about = f"no_card:{call}"
            if about not in known:
                self._told.add(about)
                said = Report(about, Told.NO_CARD, call=call, number=number, extension=self._extension, ms=at_ms)
                await self._tell(said)

    @property
    def _extension(self) -> str:
        operator = self._desk.state.operator
        return operator.extension if operator is not None else ""

    async def _tell(self, said: Report) -> None:
        x: dict[str, Any] = msgspec.to_builtins(said)
        x.pop("by", None)
        await self._record(Kind.REPORTED, x)

    async def _record(self, kind: Kind, x: dict[str, Any]) -> None:
        await self._desk.on_journal(lambda journal: journal.record(kind, x))
        self._desk.parts.kick()


def alarm_words(alarm: Alarm) -> str:
    """The alarm and what to do, in one line."""
    if not alarm:
        return tr(DANGER_TITLES[Danger.NONE])
    return f"{tr(DANGER_TITLES[alarm.kind])}: {alarm.text or tr(WHAT_TO_DO[alarm.kind])}."
