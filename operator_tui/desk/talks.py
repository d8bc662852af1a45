"""What a talk may come to besides its appeal: it is taken by itself, it threatens, it goes on at another telephone."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from operator_tui.appeals.alarm import Told
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.operations import Kind
from operator_tui.appeals.presence import State
from operator_tui.appeals.routing import LANGUAGE_WORDS
from operator_tui.colleagues.directory import Colleague
from operator_tui.desk.settings import ShiftSettings
from operator_tui.desk.state import Topic
from operator_tui.i18n import tr
from operator_tui.phone.line import Call, EndedBy

if TYPE_CHECKING:
    from operator_tui.desk.desk import Desk

# For so long after its end a talk is the one an operator speaks of.
_JUST_MS = 300_000
_UNTOUCHED = frozenset({"source", "call", "phone"})  # what an answered call writes into its card by itself


class TalkDesk:
    """Belongs to the telephone's desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._taking = ""  # the call that is taken by itself
        self._by_hand: set[str] = set()  # ringing calls that the operator has decided about
        self._kept: set[str] = set()  # talks whose recording must not be paused
        self._moved: set[str] = set()  # that go on at another telephone of this operator
        self._held: dict[str, int] = {}  # holds that are watched, and since when
        self._last: Call | None = None  # the caller whose talk has ended last; none behind a colleague's

    # taken by itself

    async def ringing(self, call: Call) -> None:
        """A call from the queue is taken by itself where the operator is free and the settings say so; before that
        the screen says which queue it comes from and in which language (K-2.4)."""
        desk, settings = self._desk, self._desk.settings.get(ShiftSettings)
        if not (settings.auto_answer and call.queue) or desk.state.presence.state is not State.RINGING:
            return
        if desk.seat.locked or desk.state.answers_ms is not None:  # nobody sits here, or another one is taken first
            return
        if call.id in self._by_hand:  # before it was looked up and written down
            return
        self._taking = call.id
        at_ms = desk.clock.now_ms() + int(1000 * settings.auto_answer_s)
        desk.change(Topic.PHONE, answers_ms=at_ms)
        desk.background(self._answer(call, at_ms))

    def by_hand(self, call: Call) -> None:
        """The operator decides about a ringing call: it is taken by itself no more, nor while he chooses."""
        self._by_hand.add(call.id)
        self._desk.change(Topic.PHONE, answers_ms=None)

    async def _answer(self, call: Call, at_ms: int) -> None:
        desk = self._desk
        await asyncio.sleep(max(0.0, (at_ms - desk.clock.now_ms()) / 1000))
        if desk.state.answers_ms != at_ms:
            return
        desk.change(Topic.PHONE, answers_ms=None)
        if not desk.seat.locked and any(one.id == call.id and one.rings_here for one in desk.state.calls):
            await desk.phone.engine().answer(call.id)

    def changed(self, call: Call) -> None:
        """A call has changed: it is not taken any more when it does not ring; a hold is watched."""
        if call.id == self._taking and not call.rings_here and self._desk.state.answers_ms is not None:
            self._desk.change(Topic.PHONE, answers_ms=None)
        if call.over:
            if call.answered_ms is not None:
                self._last = call if call.id not in self._desk.phone.following.consults else None
            self._kept.discard(call.id)
            self._by_hand.discard(call.id)
            if call.id in self._moved and call.ended_by is not EndedBy.TRANSFER:
                # The caller hung up, or the engine died, before the PBX had taken it over: it goes on nowhere.
                self._moved.discard(call.id)
                self._desk.phone.states.unlimited = False
        if call.held and call.held_ms is not None and self._held.get(call.id) != call.held_ms:
            self._held[call.id] = call.held_ms
            self._desk.background(self._watch_hold(call.id, call.held_ms))
        elif not call.held:
            self._held.pop(call.id, None)

    async def _watch_hold(self, call_id: str, since_ms: int) -> None:
        """The bell, at 30 and at 60 seconds: whoever waits is to be told something. The screen marks it as well."""
        desk = self._desk
        for seconds in desk.settings.get(ShiftSettings).hold_bells_s:
            while (left := seconds - (desk.clock.now_ms() - since_ms) / 1000) > 0:
                await asyncio.sleep(min(left, 1.0))
                if self._held.get(call_id) != since_ms:
                    return
            desk.change(Topic.LIGHTS, bells=desk.state.bells + 1)

    # threats

    def threatening(self) -> Call | None:
        """Whose talk «Угроза» is about now: who is talked to, or waits while another rings; who has just hung up, also
        where another caller stands in front since then. None where nobody was talked to."""
        desk, last = self._desk, self._last
        front = desk.state.call
        talks = [one for one in (*filter(None, (front,)), *desk.state.others) if one.answered_ms is not None]
        if last is not None and last.ended_ms is not None:
            just = desk.clock.now_ms() - last.ended_ms < _JUST_MS
            fallen_to = front is not None and front.id == desk.phone.following.fell_to
            if fallen_to or (just and not talks):
                return last
        return talks[0] if talks else None

    async def threat(self, call: Call | None) -> None:
        """Threat or insult in that talk (see ``threatening``): its recording goes on and is kept, the administrator
        hears of it. Refusal(NO_TALK)."""
        desk, card = self._desk, self._desk.state.card
        if call is None:
            raise Refusal(Code.NO_TALK)
        living = next((one for one in desk.state.calls if one.id == call.id), None)
        if living is not None:
            self._kept.add(call.id)
            if living.recording == "paused":
                await desk.phone.resume_record(living)
        await desk.on_journal(lambda journal: journal.record(Kind.CALL_THREAT, {"call": call.id}))
        await desk.alarms.report(Told.THREAT, of=call, card=card)
        words = tr("Об угрозе сообщено администратору, запись разговора сохраняется.")
        if not call.recording:
            words = tr("Об угрозе сообщено администратору.")
        desk.notice(words)

    def demand_pause(self, call: Call) -> None:
        """Refusal(RECORD_KEPT) for a talk whose recording must stay whole."""
        if call.id in self._kept:
            raise Refusal(Code.RECORD_KEPT)

    # elsewhere

    async def move_to(self, number: str) -> None:
        """The talk goes on at another telephone of this operator; the card stays here. Refusal(NO_TALK)."""
        desk = self._desk
        call = desk.state.call
        if call is None or call.answered_ms is None:
            raise Refusal(Code.NO_TALK)
        # Before it is sent: that the call has gone is told before the act returns.
        self._moved.add(call.id)
        desk.phone.states.unlimited = True
        try:
            await desk.phone.send(call, number)
        except Refusal:
            self._moved.discard(call.id)
            desk.phone.states.unlimited = False
            raise

    async def moved(self, call_id: str, target: str, *, refused: bool) -> bool:
        """What the PBX said to it. False for a transfer that was none of these."""
        if call_id not in self._moved:
            return False
        desk = self._desk
        if refused:
            self._moved.discard(call_id)
            desk.phone.states.unlimited = False
        else:
            about = {"call": call_id, "to": target}
            await desk.on_journal(lambda journal: journal.record(Kind.CALL_MOVED, about))
            words = tr("Разговор продолжается на телефоне {number}, карточка здесь. F12 — когда закончите.")
            desk.notice(words.format(number=target))
        return True

    def elsewhere(self, call_id: str) -> bool:
        """Whether that talk goes on at another telephone: its card is no forgotten one."""
        return call_id in self._moved

    # two calls, one appeal

    async def bind(self) -> None:
        """This call too is about the appeal at hand. Refusals: NO_TALK, UNKNOWN_CARD, LOCKED, CALL_BOUND."""
        desk = self._desk
        call, card = desk.state.call, desk.state.card
        if call is None or call.answered_ms is None:
            raise Refusal(Code.NO_TALK)
        if card is None:
            raise Refusal(Code.UNKNOWN_CARD)
        if not card.editable:
            raise Refusal(Code.LOCKED)
        known = list(card.fields.get("calls") or ())
        if card.call == call.id or any(one.get("call") == call.id for one in known):
            raise Refusal(Code.CALL_BOUND)
        own = await desk.on_journal(lambda journal: journal.draft_for_call(call.id))
        card = desk.card.still(card)
        fields = {**card.fields, "calls": [*known, {"call": call.id, "number": call.number}]}
        desk.card.put(replace(card, fields=fields, finished=False))
        await desk.card.flush_draft()
        if own is not None and own.id != card.draft and not own.card and _UNTOUCHED.issuperset(own.fields):
            await desk.on_journal(lambda journal: journal.drop_draft(own.id))
        await desk.refresh_journal()
        desk.notice(tr("Вызов прикреплён к этому обращению."))

    # who knows the caller

    def earlier(self) -> list[tuple[Colleague, str]]:
        """Colleagues who handled this caller's earlier appeals, the newest first, with the appeal's number."""
        card, operator = self._desk.state.card, self._desk.state.operator
        by_user = {one.user: one for one in self._desk.colleagues.everybody() if one.user}
        found: dict[int, tuple[Colleague, str]] = {}
        for appeal in card.history if card is not None else ():
            user = appeal.worker or appeal.author
            if user in by_user and user not in found and (operator is None or user != operator.user):
                found[user] = (by_user[user], str(appeal.value("number")))
        return list(found.values())


def language_word(code: str) -> str:
    """A language the PBX names, in a word; one that is not known as it came."""
    return tr(LANGUAGE_WORDS[code]) if code in LANGUAGE_WORDS else code
