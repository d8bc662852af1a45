"""What the engine tells of the line, and what it means for the desk: facts for the journal, the operator's state, the
card that comes with a call."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

from operator_tui.appeals.errors import Refusal
from operator_tui.appeals.operations import Kind
from operator_tui.appeals.presence import Move, State
from operator_tui.desk import calls
from operator_tui.desk.handover import HandOver
from operator_tui.desk.line_words import LineWords
from operator_tui.desk.past import PastCalls
from operator_tui.desk.state import Light, Topic
from operator_tui.i18n import tr
from operator_tui.phone.line import (
    Call,
    CallChanged,
    CallState,
    ColleaguesChanged,
    Direction,
    EndedBy,
    Levels,
    PhoneAway,
    PhoneEvent,
    Quality,
    QueueChanged,
    Recorded,
    RecordingTrouble,
    Registration,
    RegistrationChanged,
    RegistrationState,
    Snapshot,
    SoundChanged,
    TransferAsked,
    TransferEnded,
    told,
)

if TYPE_CHECKING:
    from operator_tui.desk.desk import Desk
    from operator_tui.desk.line import PhoneDesk
    from operator_tui.phone.remote import RemotePhone

_LIGHTS = {
    RegistrationState.OFF: Light.OFF,
    RegistrationState.REGISTERING: Light.STARTING,
    RegistrationState.OK: Light.ON,
    RegistrationState.FAILED: Light.TROUBLE,
    RegistrationState.LOST: Light.AWAY,
}
_INNER_DIGITS = 5  # an extension has no more; a number of the town has


class Following:
    """Follows the engine for one desk. ``calls`` are the living ones by id."""

    def __init__(self, desk: Desk, line: PhoneDesk) -> None:
        self._desk = desk
        self._line = line
        self._words = LineWords(desk)
        self.calls: dict[str, Call] = {}
        self.consults: set[str] = set()  # calls to colleagues about a caller who is held
        self.returning: set[str] = set()  # of these, which the operator has ended to go back to the caller
        self.rejected: dict[str, str] = {}  # ringing calls that were refused, and why
        self._written: set[str] = set()  # calls whose end this desk has written down, or found written
        self._bound: set[str] = set()  # calls whose recording is
        self.joined: set[str] = set()  # callers given to a colleague who was asked first
        self.hand_over = HandOver(desk)
        self.past = PastCalls(desk)
        self._break = ""  # its kind, while the line is away
        self._card_of = ""  # the call whose card was asked for last
        self._taken: dict[str, asyncio.Event] = {}  # calls that are being answered by a key
        self.fell_to = ""  # the call that came to the front because whoever was talked to hung up
        self.pictured = asyncio.Event()  # what the engine told first is on the screen

    async def follow(self, phone: RemotePhone) -> None:
        async for event in phone.events():
            try:
                await self.take(event)
            except Refusal as refusal:
                # One act the engine or the journal refused must not end the following: the next event is another call.
                self._desk.refused(refusal)
            except Exception:
                self._desk.failed("an event of the telephone failed")

    def taken(self, call_id: str) -> asyncio.Event:
        """Is set when the call that is being answered has its card, or is over."""
        return self._taken.setdefault(call_id, asyncio.Event())

    async def take(self, event: PhoneEvent) -> None:
        match event:
            case Snapshot():
                await self._take_snapshot(event)
            case CallChanged(call=call):
                await self._take_call(call)
            case RegistrationChanged(registration=registration):
                self._registered(registration)
            case SoundChanged(sound=sound):
                self._desk.change(Topic.PHONE, sound=sound)
                if refusal := told(sound.refusal):
                    self._desk.refused(refusal)
            case TransferEnded(call=call_id, target=target, refusal=refused):
                await self._line.talks.moved(call_id, target, refused=refused is not None)
                joined = call_id in self.joined
                self.joined.discard(call_id)
                await self.hand_over.ended(call_id, joined=joined, refused=refused is not None)
                if refusal := told(refused):
                    self._desk.refused(refusal)
            case TransferAsked(call=call_id, target=target):
                await self._line.asked_elsewhere(call_id, target)
            case QueueChanged(queue=queue):
                self._desk.change(Topic.PHONE, queue=queue)
            case Quality():
                self._desk.change(Topic.PHONE, heard=event)
                self._words.quality(event)
            case Levels(microphone=microphone, speaker=speaker):
                self._desk.change(Topic.PHONE, levels=(microphone, speaker))
            case ColleaguesChanged(states=states):
                self.hand_over.seen(states)
                self._desk.change(Topic.PHONE, colleagues=states)
            case Recorded():
                await self._take_recorded(event)
            case RecordingTrouble(refusal=trouble):
                self._desk.refused(Refusal.from_wire(trouble))
            case PhoneAway():
                self._desk.light(phone=Light.AWAY)
            case _:
                pass

    async def _take_snapshot(self, snapshot: Snapshot) -> None:
        """After an attach: what the engine knows is the truth; calls that ended meanwhile end here too."""
        first = not self.pictured.is_set()
        if first:
            await self.hand_over.take_up(snapshot)
        if first and self._of_another(snapshot):
            self._written.update(call.id for call in snapshot.recent)
        elif first:
            self.past.ended(snapshot.recent)
        self._desk.change(Topic.PHONE, sound=snapshot.sound, queue=snapshot.queue, colleagues=snapshot.colleagues)
        if snapshot.working and self._desk.state.presence.state is State.OFFLINE:
            self._back_at_work(snapshot)
            self._desk.background(self._line.shift.take_up())
        self._registered(snapshot.registration)
        for gone in [call for call in self.calls.values() if snapshot.call(call.id) is None]:
            # The engine was started anew and knows nothing of it: the call died with the old one.
            await self._take_call(_broken_off(gone, self._desk.clock.now_ms()))
        for call in (*snapshot.recent, *snapshot.calls):
            known = call.id in self.calls
            if known or not call.over:
                await self._take_call(call, recorded=await self._recorded(call))
        self.pictured.set()
        await self._catch_up(snapshot.recent)
        for recorded in snapshot.recorded:
            await self._take_recorded(recorded)
        if first:
            self._desk.background(self.past.recall())
        if first:  # a picture comes with every readiness too, and what broke off is said when it does
            self._tell_unfinished()

    def _of_another(self, snapshot: Snapshot) -> bool:
        """Whether the last calls of an engine that was found may be of who sat here before: they are in his journal."""
        operator = self._desk.state.operator
        own = operator.extension if operator is not None else ""
        return not snapshot.working or snapshot.registration.extension not in ("", own)

    async def _catch_up(self, ended: Iterable[Call]) -> None:
        """Calls that ended while no desk was there: what the journal does not know of them is written down. An answered
        one without a card is told as any other is."""
        desk, missed = self._desk, False
        for call in ended:
            if call.id in self._written:
                continue
            self._written.add(call.id)
            recorded = await self._recorded(call)
            facts = [fact for fact in calls.facts(None, call) if fact[0] not in recorded]
            if not facts:
                continue
            self.past.ended([call])
            missed = True
            await self._write(facts)
            if call.direction is Direction.OUTGOING:
                await desk.promises.call_ended(call)
        if missed:
            await desk.refresh_journal()
            await desk.alarms.tell_without_card()

    async def _take_recorded(self, ended: Recorded) -> None:
        """Bind the recording to its call, once; a picture names the last ones again and again."""
        if ended.call in self._bound:
            return
        known = await self._desk.on_journal(lambda journal: journal.recorded(ended.call))
        if Kind.CALL_RECORDED not in known:
            about = msgspec.to_builtins(ended)
            about.pop("type", None)
            await self._desk.on_journal(lambda journal: journal.record(Kind.CALL_RECORDED, about))
            await self._desk.refresh_journal()
        self._bound.add(ended.call)

    async def _recorded(self, call: Call) -> frozenset[Kind]:
        """Facts of this call the journal already has: another desk process may have written them."""
        return await self._desk.on_journal(
            lambda journal: frozenset(journal.recorded(call.id, began_ms=call.started_ms))
        )

    async def _write(self, facts: list[calls.Fact]) -> None:
        await self._desk.on_journal(lambda journal: [journal.record(kind, x) for kind, x in facts] and None)

    async def _take_call(self, call: Call, recorded: frozenset[Kind] = frozenset()) -> None:
        try:
            await self._call_changed(call, recorded)
        finally:
            if call.answered_ms is not None or call.over:
                self._is_taken(call)

    def _is_taken(self, call: Call) -> None:
        if (taken := self._taken.pop(call.id, None)) is not None:
            taken.set()

    async def _call_changed(self, call: Call, recorded: frozenset[Kind]) -> None:
        before = self.calls.get(call.id)
        if call.over:
            self.calls.pop(call.id, None)
        else:
            self.calls[call.id] = call
        desk = self._desk
        self._line.talks.changed(call)
        move = calls.presence_move(before, call)
        if move is not None and not self._goes_on(move):
            self._line.states.move(move)
        living = tuple(self.calls.values())
        in_front = calls.front(living)
        self.fell_to = calls.fallen_to(self.fell_to, desk.state.call, call, in_front)
        desk.change(Topic.PHONE, call=in_front, calls=living)
        if call.over and (not living or (desk.state.card is not None and desk.state.card.call == call.id)):
            desk.unsay()
        reason = self.rejected.pop(call.id, "") if call.over else ""
        facts = [fact for fact in calls.facts(before, call, reason=reason) if fact[0] not in recorded]
        if call.over:
            self._written.add(call.id)
            self.past.ended([call])
            await self.hand_over.call_ended(call)
            await desk.quick.call_ended(call)
            await self._after_call()
        if facts:
            await self._write(facts)
            await desk.refresh_journal()
        if before is None and call.rings_here:
            if self.hand_over.came_back(call):
                desk.notice(tr("Никто не взял: вызов вернулся к вам вместе с обращением."), urgent=True)
            else:
                await self._line.talks.ringing(call)
                await self._words.ringing(call)
        self._words.rings_no_more(call)
        if before is not None and before.held and not call.held and not call.over:
            await self._back_from_hold(call)
        if call.answered_ms is not None and (before is None or before.answered_ms is None) and not call.over:
            await self._open_card(call)
        if call.over:
            desk.parts.kick()  # what happened in the call goes to the centre in one piece, also without an appeal
            await self._back_to_the_caller(call)
            if call.ended_by in (EndedBy.THERE, EndedBy.NETWORK):
                self._tell_unfinished()
            if call.direction is Direction.OUTGOING:
                self._words.not_reached(call)
                await desk.promises.call_ended(call)

    def _goes_on(self, move: Move) -> bool:
        """Whether another call keeps the state that this one's end would end: while a caller is on the line, held or
        not, no talk is over, and while another rings nobody is free."""
        living = self.calls.values()
        if move is Move.HANG_UP:
            return any(one.answered_ms for one in living)
        return move is Move.MISS and any(one.rings_here for one in living)

    async def _back_to_the_caller(self, call: Call) -> None:
        """The consultation is over without a transfer: whoever waits is talked to again."""
        self.consults.discard(call.id)
        if call.id in self.returning or (call.answered_ms is None and call.direction is Direction.OUTGOING):
            self.returning.discard(call.id)
            held = next((other for other in self.calls.values() if other.held), None)
            if held is not None and len(self.calls) == 1:
                await self._line.engine().hold(held.id, False)
                await self.bring_card(held)

    async def _back_from_hold(self, call: Call) -> None:
        """The card shown is still that of another caller, who is gone: this one's comes back with him."""
        shown = self._desk.state.card
        gone = shown is not None and bool(shown.call) and shown.call not in self.calls
        if shown is not None and gone and (shown.saved is None or shown.finished):
            await self.bring_card(call)

    async def _after_call(self) -> None:
        """Wrap-up begins; with nothing left to write it is over at once."""
        card = self._desk.state.card
        if self._desk.state.call is None and (card is None or card.finished or not card.editable):
            await self._line.ready()
        else:
            await self._line.tell_ready()

    def _tell_unfinished(self) -> None:
        card = self._desk.state.card
        known = card is not None and (self.hand_over.sent(card.call) or self._line.talks.elsewhere(card.call))
        if card is not None and card.call not in self.calls and not known:
            self._words.unfinished(card)

    async def _open_card(self, call: Call) -> None:
        """Answering opens the card of that call; after a restart the kept draft is that card."""
        desk = self._desk
        if call.id not in self.consults:
            self._card_of = call.id
        if desk.state.card is not None and desk.state.card.call == call.id:
            return
        if self.hand_over.came_back(call):
            await self.hand_over.bring_card(call)
            return
        if call.direction is Direction.OUTGOING and (call.id in self.consults or desk.state.card is not None):
            return  # a colleague's advice is no appeal, and a call back belongs to the card it was made from
        draft = await desk.on_journal(lambda journal: journal.draft_for_call(call.id))
        if draft is None:
            opening = desk.card.open(answered=call.id in self._taken)
            self._is_taken(call)  # the card is there; whose number it is, is looked up while the operator goes on
            await opening
        elif desk.state.card is not None and self._card_of == call.id:
            await desk.card.bring(draft)

    def _registered(self, registration: Registration) -> None:
        self._desk.change(Topic.PHONE, registration=registration)
        self._desk.light(phone=_LIGHTS[registration.state])
        presence = self._desk.state.presence
        if registration.state in (RegistrationState.LOST, RegistrationState.FAILED):
            if presence.state is State.BREAK:
                self._break = presence.kind
            self._line.states.move(Move.LOST)
        elif registration.state is RegistrationState.OK and presence.state is State.OFFLINE:
            self._back_at_work(self._line.engine().snapshot)
        if refusal := told(registration.refusal):
            self._desk.refused(refusal)

    def _back_at_work(self, snapshot: Snapshot) -> None:
        """The desk was started anew, or the line is back. Who was in wrap-up or on a break then gets no call thrown on
        him: the engine still keeps the queue's calls away, and the screen says so."""
        kind, self._break = self._break, ""
        self._line.states.move(Move.BEGIN_WORK)
        if snapshot.working and not snapshot.ready and not snapshot.calls:
            self._line.states.move(Move.BREAK, kind=kind)
            self._desk.notice(tr("Вызовы из очереди не идут: F12 — готов к вызову."), urgent=True)

    def asked_colleague(self) -> Call | None:
        """The answered call to a colleague; two callers must never hear each other, nor one who was called back."""
        connected = [call for call in self.calls.values() if call.answered_ms is not None]
        asked = next((call for call in connected if call.id in self.consults), None)
        if asked is not None:
            return asked
        dialled = (call for call in connected if call.direction is Direction.OUTGOING)  # the desk was started anew
        return next((call for call in dialled if len(call.number) <= _INNER_DIGITS), None)

    async def bring_card(self, call: Call) -> None:
        """The card of that call comes back as it was left; a consultation has none."""
        desk = self._desk
        shown = desk.state.card
        if call.id in self.consults:
            return
        self._card_of = call.id
        if shown is not None and shown.call == call.id:
            return
        draft = await desk.on_journal(lambda journal: journal.draft_for_call(call.id))
        if draft is None:
            return
        await desk.card.flush_draft()
        if self._card_of == call.id:
            await desk.card.bring(draft)


def _broken_off(call: Call, now_ms: int) -> Call:
    return msgspec.structs.replace(
        call, state=CallState.ENDED, ended_ms=now_ms, ended_by=EndedBy.NETWORK, held=False, cause="engine"
    )
