"""The desk's side of the telephone: follows the engine's events, records what happened, keeps the presence."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import msgspec

from operator_tui.appeals.alarm import Told
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.operations import Kind
from operator_tui.appeals.people import Role
from operator_tui.appeals.presence import Move, State
from operator_tui.desk import calls
from operator_tui.desk import card as card_steps
from operator_tui.desk.handover import HandOver
from operator_tui.desk.line_words import LineWords
from operator_tui.desk.shift import ShiftDesk
from operator_tui.desk.state import Light, Topic
from operator_tui.desk.states import StateDesk
from operator_tui.desk.talks import TalkDesk
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
    TransferEnded,
    told,
)
from operator_tui.phone.settings import PhoneSettings

if TYPE_CHECKING:
    from operator_tui.desk.desk import Desk
    from operator_tui.phone.remote import RemotePhone

_LOOK_S = 1.0  # for an engine that is there to say what goes on
_LIGHTS = {
    RegistrationState.OFF: Light.OFF,
    RegistrationState.REGISTERING: Light.STARTING,
    RegistrationState.OK: Light.ON,
    RegistrationState.FAILED: Light.TROUBLE,
    RegistrationState.LOST: Light.AWAY,
}


class PhoneDesk:
    """Commands of the telephone and what its events mean for the desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._phone: RemotePhone | None = None
        self._calls: dict[str, Call] = {}
        self._consults: set[str] = set()  # calls to colleagues about a caller who is held
        self._returning: set[str] = set()  # of these, which the operator has ended to go back to the caller
        self._joined: set[str] = set()  # callers given to a colleague who was asked first
        self._hand_over = HandOver(desk)
        self._words = LineWords(desk)
        self._pictured = asyncio.Event()  # what the engine told first is on the screen
        self.shift = ShiftDesk(desk)
        self.states = StateDesk(desk, self._tell_ready, self.end_work)
        self.talks = TalkDesk(desk)

    async def attach(self) -> None:
        """Attach to the engine (starting it when there is none) and follow it until detached."""
        from operator_tui.phone.remote import RemotePhone

        start_engine = not self._desk.settings.get(PhoneSettings).elsewhere
        self._phone = RemotePhone(self._desk.profile, start_engine=start_engine)
        await self._phone.attach()
        self._desk.background(self._follow(self._phone))
        if self._desk.profile.synthetic and not self._phone.snapshot.working:
            await self.begin_work()

    async def looked(self) -> None:
        """Wait, where an engine is at work, until its calls are on the screen; never long."""
        if self._desk.profile.phone_socket.exists():  # a dead engine's may lie there still
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_S):
                    await self._pictured.wait()

    @property
    def works_as(self) -> str:
        """The inner number the engine works under; empty while work has not begun."""
        snapshot = self._phone.snapshot if self._phone is not None else None
        return snapshot.registration.extension if snapshot is not None and snapshot.working else ""

    @property
    def in_talk(self) -> bool:
        """Whether anybody is on the line; one who only rings is not yet."""
        calls = self._phone.snapshot.calls if self._phone is not None else ()
        return any(call.answered_ms is not None for call in calls)

    async def detach(self, *, leave: bool) -> None:
        """Let go of the engine; with ``leave`` it ends, unless a call goes on."""
        if self._phone is None:
            return
        if leave:
            await self._phone.shut_down()
        else:
            await self._phone.detach()

    async def begin_work(self) -> None:
        """«Начало работы»: the line registers, the account becomes «Активен» (K-3.3, K-3.6)."""
        await self._desk.parts.registry_opened.wait()
        config, secret, callers = await self._desk.parts.phone_account()
        ami = await self._desk.parts.ami_secret() if config.ami_server else ""
        key = await self._desk.parts.record_key() if config.record and config.line == "sip" else ""
        await self._engine().begin_work(config, secret, callers, ami_secret=ami, record_key=key)
        await self.shift.begun()
        self._move(Move.BEGIN_WORK)

    async def end_work(self) -> None:
        """«Завершить»: the line is let go, the account becomes «Не активен» (K-5.4.1)."""
        await self._desk.alarms.tell_without_card()
        await self._engine().end_work()
        await self.shift.ended()
        self._move(Move.END_WORK)

    async def answer(self) -> None:
        """«Ответить»: takes the ringing call; who is talked to meanwhile is held."""
        incoming = next((call for call in self._calls.values() if call.rings_here), None)
        if incoming is None:
            raise Refusal(Code.NO_CALL_WAITING)
        await self._engine().answer(incoming.id)

    async def hang_up(self) -> None:
        """Ends the call; a ringing one is refused. After a consultation the caller is talked to again."""
        call = self._current()
        engine = self._engine()
        if call.id in self._consults:
            self._returning.add(call.id)
        if call.answered_ms is None and call.direction.value == "in":
            await engine.reject(call.id, "operator")
        else:
            await engine.hang_up(call.id)

    async def check_sound(self) -> float:
        """Two seconds of the microphone, played back; how loud they were, 0.0-1.0. Meanwhile ``state.levels`` moves."""
        engine = self._engine()
        await engine.watch_levels(True)
        try:
            return await engine.check_microphone()
        finally:
            await engine.watch_levels(False)
            self._desk.change(Topic.PHONE, levels=(0.0, 0.0))

    @property
    def sound_to_check(self) -> bool:
        """Whether this desk's telephone has a sound card of its own to try before work."""
        settings = self._desk.settings.get(PhoneSettings)
        return settings.line == "sip" and settings.sound == "pyaudio"

    async def change_volume(self, percent: int) -> None:
        """The caller louder or quieter in the ear, by so many percent of what comes."""
        await self._engine().set_volume(self._desk.state.sound.volume + percent)
        self._desk.notice(tr("Громкость: {percent} %.").format(percent=self._engine().snapshot.sound.volume))

    async def toggle_hold(self) -> None:
        """Hold, or take back from hold."""
        call = self._current()
        await self._engine().hold(call.id, not call.held)

    async def toggle_mute(self) -> None:
        """The microphone off, or on again."""
        call = self._current()
        await self._engine().mute(call.id, not call.muted)

    async def pause_record(self, reason: str) -> None:
        """Stop recording for a while; the reason stands in the journal. Refusal(RECORD_OFF)."""
        call = self._current()
        self.talks.demand_pause(call)
        await self._engine().pause_record(call.id, True)
        about = {"call": call.id, "reason": reason}
        await self._desk.on_journal(lambda journal: journal.record(Kind.CALL_RECORD_PAUSED, about))

    async def resume_record(self) -> None:
        """Record on."""
        call = self._current()
        await self._engine().pause_record(call.id, False)
        await self._desk.on_journal(lambda journal: journal.record(Kind.CALL_RECORD_RESUMED, {"call": call.id}))

    async def dtmf(self, digits: str) -> None:
        """Send keys 0-9 * # to the other end. Refusal(NUMBER_INVALID) for others."""
        await self._engine().dtmf(self._current().id, digits)

    async def dial(self, number: str) -> None:
        """Call a number (K-4.8); who is talked to meanwhile is held."""
        await self._engine().dial(number)

    async def call_back(self) -> None:
        """Call the number that stands in the card at hand."""
        card = self._desk.state.card
        number = str(card.fields.get("phone", "")) if card else ""
        if not number:
            raise Refusal(Code.NO_NUMBER)
        await self.dial(number)

    async def transfer(self, target: str) -> None:
        """Blind transfer to an extension (K-5.1.8.2)."""
        call, engine = self._current(), self._engine()
        number = self._elsewhere(target)
        await self._hand_over.prepare(call, number)
        await engine.blind_transfer(call.id, number)

    async def send(self, call: Call, target: str) -> None:
        """The talk alone goes to that number, its card does not."""
        await self._engine().blind_transfer(call.id, self._elsewhere(target))

    async def consult(self, target: str) -> None:
        """First half of an attended transfer: the caller is held, the colleague is called."""
        self._current()
        consult = await self._engine().dial(self._elsewhere(target))
        self._consults.add(consult)

    async def ask_administrator(self) -> None:
        """F8: the administrator on shift is called about the caller; a free one first. Refusal(NOBODY_ON_SHIFT)."""
        known = self._desk.state.colleagues
        own = self._desk.state.registration.extension
        found = [
            one.extension
            for one in self._desk.parts.colleagues()
            if one.role is Role.ADMINISTRATOR and one.extension != own and known.get(one.extension) != State.OFFLINE
        ]
        await self._desk.alarms.report(Told.HELP)  # he sees it at once, on his screen too
        if not found:
            raise Refusal(Code.NOBODY_ON_SHIFT)
        await self.consult(min(found, key=lambda extension: known.get(extension) != State.FREE))

    async def join(self) -> None:
        """Second half: the caller and the colleague talk with each other, this desk is free."""
        connected = [call for call in self._calls.values() if call.answered_ms is not None]
        consult = next((call for call in connected if call.id in self._consults), None)
        consult = consult or next((call for call in connected if call.direction is Direction.OUTGOING), None)
        caller = next((call for call in connected if consult is not None and call.id != consult.id), None)
        if consult is None or caller is None:
            raise Refusal(Code.NO_SECOND_CALL)
        await self._hand_over.prepare(caller, consult.number)
        self._joined.add(caller.id)
        await self._engine().attended_transfer(caller.id, consult.id)

    async def swap(self) -> None:
        """Talk to the other one; the card goes with the call."""
        others = [call for call in self._desk.state.others if call.held]
        if not others:
            raise Refusal(Code.NO_SECOND_CALL)
        await self._engine().hold(others[0].id, False)
        await self._bring_card(others[0])

    @property
    def transfer_rings_s(self) -> float:
        """For how long a transferred caller may ring at a colleague before he comes back."""
        return self._desk.settings.get(PhoneSettings).transfer_rings_seconds

    def _elsewhere(self, target: str) -> str:
        if target.strip() == self._desk.state.registration.extension:
            raise Refusal(Code.TRANSFER_SELF)
        return target

    async def _bring_card(self, call: Call) -> None:
        """The card of that call comes back as it was left; a consultation has none."""
        desk = self._desk
        shown = desk.state.card
        if call.id in self._consults or (shown is not None and shown.call == call.id):
            return
        draft = await desk.on_journal(lambda journal: journal.draft_for_call(call.id))
        if draft is None:
            return
        await desk.card.flush_draft()
        saved = await desk.on_journal(lambda journal: journal.card(draft.card)) if draft.card else None
        desk.change(Topic.CARD, card=card_steps.from_draft(draft, saved))

    async def ready(self) -> None:
        """Wrap-up or break is over: the queue may give calls again. Nothing to do in another state."""
        await self.states.onward()
        self._desk.background(self._desk.alarms.tell_without_card())

    async def _tell_ready(self) -> None:
        """Pausing in the queue follows the operator's state."""
        if self._phone is not None and self._desk.state.presence.state is not State.OFFLINE:
            await self._phone.set_ready(self._desk.state.presence.state is State.FREE)

    def _engine(self) -> RemotePhone:
        if self._phone is None:
            raise Refusal(Code.PHONE_AWAY)
        return self._phone

    def _current(self) -> Call:
        call = self._desk.state.call
        if call is None or call.over:
            raise Refusal(Code.NO_SUCH_CALL)
        return call

    async def _follow(self, phone: RemotePhone) -> None:
        async for event in phone.events():
            await self._take(event)

    async def _take(self, event: PhoneEvent) -> None:
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
                await self.talks.moved(call_id, target, refused=refused is not None)
                joined = call_id in self._joined
                self._joined.discard(call_id)
                await self._hand_over.ended(call_id, joined=joined, refused=refused is not None)
                if refusal := told(refused):
                    self._desk.refused(refusal)
            case QueueChanged(queue=queue):
                self._desk.change(Topic.PHONE, queue=queue)
            case Quality():
                self._words.quality(event)
            case Levels(microphone=microphone, speaker=speaker):
                self._desk.change(Topic.PHONE, levels=(microphone, speaker))
            case ColleaguesChanged(states=states):
                self._hand_over.seen(states)
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
        self._desk.change(Topic.PHONE, sound=snapshot.sound, queue=snapshot.queue, colleagues=snapshot.colleagues)
        if snapshot.working and self._desk.state.presence.state is State.OFFLINE:
            self._move(Move.BEGIN_WORK)
            self._desk.background(self.shift.take_up())
            if not snapshot.ready and not snapshot.calls:
                # He was in wrap-up or on a break when this desk ended: nobody throws a call on him now.
                self._move(Move.BREAK)
                self._desk.notice(tr("Вызовы из очереди не идут: F12 — готов к вызову."), urgent=True)
        self._registered(snapshot.registration)
        for gone in [call for call in self._calls.values() if snapshot.call(call.id) is None]:
            # The engine was started anew and knows nothing of it: the call died with the old one.
            await self._take_call(_broken_off(gone, self._desk.clock.now_ms()))
        for call in (*snapshot.recent, *snapshot.calls):
            known = call.id in self._calls
            if known or not call.over:
                await self._take_call(call, recorded=await self._recorded(call.id))

        for recorded in snapshot.recorded:
            await self._take_recorded(recorded)
        self._pictured.set()
        self._tell_unfinished()

    async def _take_recorded(self, ended: Recorded) -> None:
        """Bind the recording to its call, once."""
        if Kind.CALL_RECORDED in await self._recorded(ended.call):
            return
        about = msgspec.to_builtins(ended)
        about.pop("type", None)
        await self._desk.on_journal(lambda journal: journal.record(Kind.CALL_RECORDED, about))
        await self._desk.refresh_journal()

    async def _recorded(self, call: str) -> frozenset[Kind]:
        """Facts of this call the journal already has: another desk process may have written them."""
        return await self._desk.on_journal(lambda journal: frozenset(journal.recorded(call)))

    async def _take_call(self, call: Call, recorded: frozenset[Kind] = frozenset()) -> None:
        before = self._calls.get(call.id)
        if call.over:
            self._calls.pop(call.id, None)
        else:
            self._calls[call.id] = call
        desk = self._desk
        if move := calls.presence_move(before, call):
            self._move(move)
        self.talks.changed(call)
        living = tuple(self._calls.values())
        desk.change(Topic.PHONE, call=calls.front(living), calls=living)
        facts = [fact for fact in calls.facts(before, call) if fact[0] not in recorded]
        if call.over:
            await self._after_call()
        if facts:
            await desk.on_journal(lambda journal: [journal.record(kind, x) for kind, x in facts] and None)
            await desk.refresh_journal()
        if before is None and call.rings_here:
            if self._hand_over.came_back(call):
                desk.notice(tr("Никто не взял: вызов вернулся к вам вместе с обращением."), urgent=True)
            else:
                await self.talks.ringing(call)
                await self._words.ringing(call)
        self._words.rings_no_more(call)
        if call.answered_ms is not None and (before is None or before.answered_ms is None) and not call.over:
            await self._open_card(call)
        if call.over:
            desk.parts.kick()  # what happened in the call goes to the centre in one piece, also without an appeal
            await self._back_to_the_caller(call)
            if call.ended_by in (EndedBy.THERE, EndedBy.NETWORK):
                self._tell_unfinished()
            if call.direction is Direction.OUTGOING:
                await desk.promises.call_ended(call)

    async def _back_to_the_caller(self, call: Call) -> None:
        """The consultation is over without a transfer: whoever waits is talked to again."""
        self._consults.discard(call.id)
        if call.id in self._returning or (call.answered_ms is None and call.direction is Direction.OUTGOING):
            self._returning.discard(call.id)
            held = next((other for other in self._calls.values() if other.held), None)
            if held is not None and len(self._calls) == 1:
                await self._engine().hold(held.id, False)
                await self._bring_card(held)

    async def _after_call(self) -> None:
        """Wrap-up begins; with nothing left to write it is over at once."""
        card = self._desk.state.card
        if self._desk.state.call is None and (card is None or card.finished or not card.editable):
            await self.ready()
        else:
            await self._tell_ready()

    def _tell_unfinished(self) -> None:
        card = self._desk.state.card
        known = card is not None and (self._hand_over.sent(card.call) or self.talks.elsewhere(card.call))
        if card is not None and card.call not in self._calls and not known:
            self._words.unfinished(card)

    async def _open_card(self, call: Call) -> None:
        """Answering opens the card of that call; after a restart the kept draft is that card."""
        desk = self._desk
        if desk.state.card is not None and desk.state.card.call == call.id:
            return
        if self._hand_over.came_back(call):
            await self._hand_over.bring_card(call)
            return
        if call.direction is Direction.OUTGOING and (call.id in self._consults or desk.state.card is not None):
            return  # a colleague's advice is no appeal, and a call back belongs to the card it was made from
        draft = await desk.on_journal(lambda journal: journal.draft_for_call(call.id))
        if draft is None:
            await desk.card.open()

    def _registered(self, registration: Registration) -> None:
        self._desk.change(Topic.PHONE, registration=registration)
        self._desk.light(phone=_LIGHTS[registration.state])
        if registration.state in (RegistrationState.LOST, RegistrationState.FAILED):
            self._move(Move.LOST)
        elif registration.state is RegistrationState.OK and self._desk.state.presence.state is State.OFFLINE:
            self._move(Move.BEGIN_WORK)
        if refusal := told(registration.refusal):
            self._desk.refused(refusal)

    def _move(self, move: Move) -> None:
        self.states.move(move)


def _broken_off(call: Call, now_ms: int) -> Call:
    return msgspec.structs.replace(
        call, state=CallState.ENDED, ended_ms=now_ms, ended_by=EndedBy.NETWORK, held=False, cause="engine"
    )
