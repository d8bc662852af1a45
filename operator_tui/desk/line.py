"""The desk's side of the telephone: follows the engine's events, records what happened, keeps the presence."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from operator_tui.appeals.alarm import Told
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.operations import Kind
from operator_tui.appeals.people import Role
from operator_tui.appeals.presence import Move, State
from operator_tui.desk.account import phone_account
from operator_tui.desk.devices import DeviceDesk
from operator_tui.desk.following import Following
from operator_tui.desk.shift import ShiftDesk
from operator_tui.desk.state import Light, Topic
from operator_tui.desk.states import END, StateDesk
from operator_tui.desk.talks import TalkDesk
from operator_tui.i18n import tr
from operator_tui.phone.line import (
    Call,
)
from operator_tui.phone.settings import PhoneSettings

if TYPE_CHECKING:
    from operator_tui.desk.desk import Desk
    from operator_tui.phone.remote import RemotePhone

_LOOK_S = 1.0  # for an engine that is there to say what goes on
_CARD_S = 2.0  # for the card of a call that was answered; a PBX that is slow must not hold the keys for ever


class PhoneDesk:
    """Commands of the telephone; what its events mean for the desk is ``following``."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._phone: RemotePhone | None = None
        self.shift = ShiftDesk(desk)
        self.states = StateDesk(desk, self.tell_ready, self.end_work)
        self.talks = TalkDesk(desk)
        self.devices = DeviceDesk(desk)
        self.following = Following(desk, self)

    async def attach(self) -> None:
        """Attach to the engine (starting it when there is none) and follow it until detached."""
        from operator_tui.phone.remote import RemotePhone

        start_engine = not self._desk.settings.get(PhoneSettings).elsewhere
        self._phone = RemotePhone(self._desk.profile, start_engine=start_engine)
        await self._found(self._phone)
        self._desk.background(self.following.follow(self._phone))
        if self._desk.profile.synthetic and not self._phone.snapshot.working:
            await self.begin_work()

    async def _found(self, phone: RemotePhone) -> None:
        """Until an engine listens; one that takes its time is told as away, once, and, as its sentence says, started
        again. The light stays: what else is said meanwhile is not to be overwritten by every attempt."""
        said: dict[str, Any] | None = None
        while True:
            try:
                await phone.attach()
            except Refusal as refusal:
                if refusal.code is not Code.PHONE_AWAY:
                    raise
                if said != refusal.wire():
                    said = refusal.wire()
                    self._desk.refused(refusal)
                self._desk.light(phone=Light.AWAY)
            else:
                return

    async def looked(self) -> None:
        """Wait, where an engine is at work, until its calls are on the screen; never long."""
        if self._desk.profile.phone_socket.exists():  # a dead engine's may lie there still
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_S):
                    await self.following.pictured.wait()

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
        keys = self._desk.keys
        config, secret, callers = await phone_account(self._desk)
        config = await self.devices.applied(config)
        ami = await self._desk.run_journal(keys.ami_secret) if config.ami_server else ""
        key = await self._desk.run_journal(keys.record_key) if config.record and config.line == "sip" else ""
        await self.engine().begin_work(config, secret, callers, ami_secret=ami, record_key=key)
        await self.shift.begun()
        self.states.move(Move.BEGIN_WORK)

    async def finish(self) -> None:
        """«Завершить»: at once, or after the talk with somebody who called while the operator was asked. Who rings in
        wrap-up or on a break changes no state."""
        busy = self._desk.state.presence.state in (State.TALKING, State.RINGING)
        if busy or any(call.rings_here for call in self._desk.state.calls):
            await self.states.choose(END)
        else:
            await self.end_work()

    async def end_work(self) -> None:
        """The line is let go, the account becomes «Не активен» (K-5.4.1), whoever is on it."""
        await self._desk.alarms.tell_without_card()
        await self.engine().end_work()
        await self.shift.ended()
        self.states.move(Move.END_WORK)

    async def answer(self) -> None:
        """«Ответить»: takes the ringing call; who is talked to meanwhile is held.

        It is done when the card of that call is at hand: what is typed next is meant for it.
        """
        incoming = next((call for call in self.following.calls.values() if call.rings_here), None)
        if incoming is None:
            raise Refusal(Code.NO_CALL_WAITING)
        taken = self.following.taken(incoming.id)
        await self.engine().answer(incoming.id)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CARD_S):
                await taken.wait()

    def demand_meant(self) -> None:
        """Refusal(HUNG_UP_THERE), once, where whoever was talked to has just hung up himself and another call stands in
        front now: both ends hang up at the same time, and the other caller must not be cut off by that."""
        call, fell_to = self._desk.state.call, self.following.fell_to
        self.following.fell_to = ""
        if call is not None and call.id == fell_to:
            raise Refusal(Code.HUNG_UP_THERE)

    async def asked_elsewhere(self, call_id: str, target: str) -> None:
        """The other end asks this telephone to call somewhere else (REFER). Nobody is called by another's word (toll
        fraud): it is refused, and the operator, who hears of it, dials the number himself or does not."""
        with contextlib.suppress(Refusal):
            await self.engine().refuse_transfer(call_id)
        number = target.partition(":")[2].partition("@")[0] or target
        words = tr("Собеседник просит позвонить на {number}. Программа сама туда не звонит: Alt+D — набрать номер.")
        self._desk.notice(words.format(number=number), urgent=True)

    async def hang_up(self) -> None:
        """Ends the call. After a consultation the caller is talked to again. Refusals: NO_SUCH_CALL, HUNG_UP_THERE."""
        self.demand_meant()
        call = self._current()
        if call.id in self.following.consults:
            self.following.returning.add(call.id)
        await self.engine().hang_up(call.id)

    async def reject(self, call_id: str, reason: str) -> None:
        """Refuses a ringing call: the PBX gives it to somebody else; the reason stands in the journal with its end.
        Refusal(CALL_OTHER) when it does not ring any more."""
        call = self.following.calls.get(call_id)
        if call is None or not call.rings_here:
            raise Refusal(Code.CALL_OTHER)
        self.following.rejected[call_id] = reason
        await self.engine().reject(call_id, reason)

    async def check_sound(self) -> float:
        """Two seconds of the microphone, played back; how loud they were, 0.0-1.0. Meanwhile ``state.levels`` moves."""
        engine = self.engine()
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
        await self.engine().set_volume(self._desk.state.sound.volume + percent)
        self._desk.notice(tr("Громкость: {percent} %.").format(percent=self.engine().snapshot.sound.volume))

    async def toggle_hold(self) -> None:
        """Hold, or take back from hold."""
        call = self._current()
        await self.engine().hold(call.id, not call.held)

    async def toggle_mute(self) -> None:
        """The microphone off, or on again."""
        call = self._current()
        await self.engine().mute(call.id, not call.muted)

    async def pause_record(self, reason: str) -> None:
        """Stop recording for a while; the reason stands in the journal. Refusal(RECORD_OFF)."""
        call = self._current()
        self.talks.demand_pause(call)
        await self.engine().pause_record(call.id, True)
        about = {"call": call.id, "reason": reason}
        await self._desk.on_journal(lambda journal: journal.record(Kind.CALL_RECORD_PAUSED, about))

    async def resume_record(self, of: Call | None = None) -> None:
        """Record on: the call in front, or the one given."""
        call = of or self._current()
        await self.engine().pause_record(call.id, False)
        await self._desk.on_journal(lambda journal: journal.record(Kind.CALL_RECORD_RESUMED, {"call": call.id}))

    async def dtmf(self, digits: str) -> None:
        """Send keys 0-9 * # to the other end. Refusal(NUMBER_INVALID) for others."""
        await self.engine().dtmf(self._current().id, digits)

    def last_calls(self) -> list[Call]:
        """This operator's calls that are over, the newest first; of hidden numbers too, who can not be dialled."""
        return self.following.past.last

    async def dial(self, number: str) -> None:
        """Call a number (K-4.8); who is talked to meanwhile is held."""
        await self.engine().dial(number)

    async def call_back(self) -> None:
        """Call the number that stands in the card at hand."""
        card = self._desk.state.card
        number = str(card.fields.get("phone", "")) if card else ""
        if not number:
            raise Refusal(Code.NO_NUMBER)
        await self.dial(number)

    async def transfer(self, target: str) -> None:
        """Blind transfer to an extension (K-5.1.8.2)."""
        call, engine = self._current(), self.engine()
        number = self._elsewhere(target)
        self._desk.notice(self.following.hand_over.words(number))
        await self.following.hand_over.prepare(call, number)
        try:
            await engine.blind_transfer(call.id, number)
        except Refusal:
            await self.following.hand_over.ended(call.id, joined=False, refused=True)  # nothing will be told of it
            raise

    async def send(self, call: Call, target: str) -> None:
        """The talk alone goes to that number, its card does not."""
        await self.engine().blind_transfer(call.id, self._elsewhere(target))

    async def consult(self, target: str) -> None:
        """First half of an attended transfer: the caller is held, the colleague is called. Refusal(TWO_ON_LINE) where
        another one waits already: the colleague could be given the wrong one."""
        self._current()
        if any(call.answered_ms is not None or call.id in self.following.consults for call in self._desk.state.others):
            raise Refusal(Code.TWO_ON_LINE)
        consult = await self.engine().dial(self._elsewhere(target))
        self.following.consults.add(consult)

    async def ask_administrator(self) -> None:
        """F8: the administrator on shift is called about the caller; a free one first. Refusal(NOBODY_ON_SHIFT)."""
        known = self._desk.state.colleagues
        own = self._desk.state.registration.extension
        found = [
            one.extension
            for one in self._desk.colleagues.everybody()
            if one.role is Role.ADMINISTRATOR and one.extension != own and known.get(one.extension) != State.OFFLINE
        ]
        await self._desk.alarms.report(Told.HELP)  # he sees it at once, on his screen too
        if not found:
            raise Refusal(Code.NOBODY_ON_SHIFT)
        await self.consult(min(found, key=lambda extension: known.get(extension) != State.FREE))

    async def join(self) -> None:
        """Second half: the caller and the colleague talk with each other, this desk is free."""
        connected = [call for call in self.following.calls.values() if call.answered_ms is not None]
        consult = self.following.asked_colleague()
        caller = next((call for call in connected if consult is not None and call.id != consult.id), None)
        if consult is None or caller is None:
            raise Refusal(Code.NO_COLLEAGUE if len(connected) > 1 else Code.NO_SECOND_CALL)
        await self.following.hand_over.prepare(caller, consult.number)
        self.following.joined.add(caller.id)
        try:
            await self.engine().attended_transfer(caller.id, consult.id)
        except Refusal:
            self.following.joined.discard(caller.id)
            await self.following.hand_over.ended(caller.id, joined=False, refused=True)
            raise

    async def swap(self) -> None:
        """Talk to the other one; the card goes with the call."""
        others = [call for call in self._desk.state.others if call.held]
        if not others:
            raise Refusal(Code.NO_SECOND_CALL)
        await self.engine().hold(others[0].id, False)
        await self.following.bring_card(others[0])

    @property
    def transfer_rings_s(self) -> float:
        """For how long a transferred caller may ring at a colleague before he comes back."""
        return self._desk.settings.get(PhoneSettings).transfer_rings_seconds

    def _elsewhere(self, target: str) -> str:
        if target.strip() == self._desk.state.registration.extension:
            raise Refusal(Code.TRANSFER_SELF)
        return target

    async def ready(self) -> None:
        """Wrap-up or break is over: the queue may give calls again. Nothing to do in another state."""
        await self.states.onward()
        self._desk.background(self._desk.alarms.tell_without_card())

    async def tell_ready(self) -> None:
        """Pausing in the queue follows the operator's state."""
        if self._phone is not None and self._desk.state.presence.state is not State.OFFLINE:
            await self._phone.set_ready(self._desk.state.presence.state is State.FREE)

    def engine(self) -> RemotePhone:
        """The engine's side of it. Refusal(PHONE_AWAY) before the first attach."""
        if self._phone is None:
            raise Refusal(Code.PHONE_AWAY)
        return self._phone

    def _current(self) -> Call:
        call = self._desk.state.call
        if call is None or call.over:
            raise Refusal(Code.NO_SUCH_CALL)
        return call
