"""The appeal goes with the call: «Перевести» saves the card and makes who takes the caller its worker (K-5.1.8).

After an attended transfer the colleague has the caller, and gets the card at once. After a blind one the PBX says no
more than that it took the caller over: the card follows when the colleague is seen talking, stays when the caller comes
back, and follows anyway when nothing is heard for as long as the PBX lets it ring.

A desk may end meanwhile. What is under way stands in the journal, and the next start settles it: the card follows where
the caller was taken over, also where nobody can tell any more (the engine is gone too), since whoever talks to him then
needs it; it stays where he is known to have hung up before, is still here, or has come back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from operator_tui.appeals.card import Status
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.lifecycle import Act
from operator_tui.appeals.operations import Kind
from operator_tui.appeals.presence import State
from operator_tui.i18n import tr
from operator_tui.journal.transfers import Transfer
from operator_tui.phone.line import Call, EndedBy, Snapshot

if TYPE_CHECKING:
    from operator_tui.colleagues.directory import Colleague
    from operator_tui.desk.desk import Desk

_BACK_SECONDS = 3.0
_ANSWER_MS = 3_600_000  # who did not wait is called back within the hour


@dataclass
class Pending:
    """A card whose caller is on the way to ``target``; ``number`` is the caller's, ``call`` the one he was sent with.
    ``card`` is empty where it could not be saved yet: then it is that call's draft."""

    card: str
    call: str
    target: str
    number: str
    ms: int  # when he was sent, UTC milliseconds
    settled: asyncio.Event = field(default_factory=asyncio.Event)
    awaited: bool = False  # somebody waits for how it comes out
    back: bool = False
    idle_seen: bool = False  # a colleague who was talking before has not taken this caller
    rang: bool = False
    gone: bool = False  # it stopped ringing there and nobody talks


class HandOver:
    """Transfers under way on one desk, by the call they began with."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._pending: dict[str, Pending] = {}
        self._sent: set[str] = set()  # calls that were handed over: what becomes of their cards is said here
        self._returned: dict[str, Pending] = {}  # by the call they came back with
        self._unanswered: set[str] = set()  # calls that were still here when their transfer was taken up

    def words(self, target: str) -> str:
        """To whom a caller is on the way, and how he may come back: the PBX rings him here again by itself."""
        if (one := self._colleague(target)) is not None:
            words = tr("Переводится: {name}, {number}. Не возьмёт трубку — вызов вернётся к вам, раньше не вернуть.")
            return words.format(name=one.name, number=target)
        outside = next((one.name for one in self._desk.colleagues.outside() if one.extension == target), "")
        who = ", ".join(filter(None, (outside, target)))
        return tr("Переводится: {who}. Вернуть вызов будет нельзя.").format(who=who)

    async def prepare(self, call: Call, target: str) -> None:
        """Before the caller is sent: his card is saved, with what was typed.

        One that can not be saved yet keeps nobody from being helped: the call goes, the draft stays and says so.
        """
        card = self._desk.state.card
        if card is None or card.call != call.id or not card.editable:
            return
        taker = self._colleague(target)
        if taker is not None:
            # Said while the insured person can still be asked; level 3 would have to refuse him after the transfer.
            self._desk.appeals.demand_consent(card.fields, taker.user)
        saved = ""
        try:
            saved = (await self._desk.card.save()).id
        except Refusal as refusal:
            if refusal.code is not Code.FIELD_REQUIRED:
                raise
        self._sent.add(call.id)
        self._pending[call.id] = Pending(saved, call.id, target, call.number, self._desk.clock.now_ms())
        await self._keep()
        self.seen(self._desk.state.colleagues)

    async def take_up(self, snapshot: Snapshot) -> None:
        """What a desk that ended left under way, with what the engine knows of it."""
        left: list[Transfer] = []
        with suppress(Refusal):  # without a journal there is nothing
            left = await self._desk.on_journal(lambda journal: journal.transfers())
        for one in left:
            pending = Pending(one.card, one.call, one.target, one.number, one.ms)
            call = snapshot.call(one.call)
            others = (*snapshot.calls, *snapshot.recent)
            back = next((known for known in others if known.started_ms >= one.ms and _returns(known, pending)), None)
            if back is not None and not back.over:
                self._returned[back.id] = pending
            elif call is not None and not call.over:
                self._pending[one.call] = pending  # how it came out is still to be told
                self._unanswered.add(one.call)
            elif back is None and await self._was_taken(pending, call) and await self._is_ours(pending):
                self._pending[one.call] = pending
                self._await(one.call, pending)
        if left:
            self.seen(snapshot.colleagues)
            await self._keep()

    async def call_ended(self, call: Call) -> None:
        """Of a transfer that was taken up: the PBX may have refused it while no desk was there to hear that."""
        if call.id not in self._unanswered:
            return
        self._unanswered.discard(call.id)
        if call.ended_by is EndedBy.TRANSFER:
            self._await(call.id, self._pending[call.id])
        else:
            self._pending.pop(call.id, None)
            await self._keep()

    async def _was_taken(self, sent: Pending, call: Call | None) -> bool:
        """Whether the PBX took the caller over, or nobody can tell; the engine that knew may be another one now."""
        if call is not None:
            return call.ended_by is EndedBy.TRANSFER
        known = await self._desk.on_journal(lambda journal: journal.recorded(sent.call, began_ms=sent.ms))
        return Kind.CALL_TRANSFERRED in known or Kind.CALL_ENDED not in known

    async def _is_ours(self, sent: Pending) -> bool:
        """Whether the appeal may still be given away: the server or another desk may have moved it meanwhile."""
        if not sent.card:
            return True
        operator, card = self._desk.state.operator, await self._desk.on_journal(lambda journal: journal.card(sent.card))
        return (
            card is not None and operator is not None and card.worker == operator.user and card.status is Status.IN_WORK
        )

    async def _keep(self) -> None:
        """What is under way stands in the journal; a full disk keeps no caller from being helped."""
        now = [Transfer(one.card, one.call, one.target, one.number, one.ms) for one in self._pending.values()]
        with suppress(Refusal):
            await self._desk.on_journal(lambda journal: journal.keep_transfers(now))

    async def ended(self, call_id: str, *, joined: bool, refused: bool) -> None:
        """What the PBX said to the transfer; a refused one leaves call and card where they are."""
        pending = self._pending.get(call_id)
        self._unanswered.discard(call_id)
        if pending is None:
            return
        if refused:
            self._sent.discard(call_id)
            self._pending.pop(call_id, None)
            await self._keep()
        elif joined:
            await self._give(call_id, pending)
        else:
            pending.ms = self._desk.clock.now_ms()  # now it rings there
            self._await(call_id, pending)

    def _await(self, call_id: str, pending: Pending) -> None:
        """Once: that the caller is gone and that the PBX took him over are told one after the other."""
        if not pending.awaited:
            pending.awaited = True
            self._desk.background(self._when_taken(call_id, pending))

    def seen(self, colleagues: Mapping[str, str]) -> None:
        """How the telephones of the colleagues are now."""
        for pending in self._pending.values():
            state = colleagues.get(pending.target)
            if state == State.TALKING and pending.idle_seen:
                pending.gone = False
                pending.settled.set()
            elif state == State.RINGING:
                pending.rang = pending.idle_seen = True
            else:
                pending.idle_seen = True
                pending.gone = pending.rang and state == State.FREE
                if pending.gone:
                    pending.settled.set()

    def sent(self, call_id: str) -> bool:
        """Whether this call was handed over: then its end is no call that broke off."""
        return call_id in self._sent

    def came_back(self, call: Call) -> bool:
        """Whether this is a caller whom the PBX brings back from a transfer: then his card stays here."""
        found = next((one for one in self._pending.values() if _returns(call, one)), None)
        if found is not None:
            found.back = True
            found.settled.set()
            self._returned[call.id] = found
        return call.id in self._returned

    async def bring_card(self, call: Call) -> None:
        """The card of a caller who came back, bound to the call he is in now."""
        desk, sent = self._desk, self._returned.pop(call.id)
        if not self._is_at_hand(sent):
            draft = None if sent.card else await desk.on_journal(lambda journal: journal.draft_for_call(sent.call))
            if sent.card:
                await desk.card.edit(sent.card)
            elif draft is not None:
                await desk.card.bring(draft)
            else:
                await desk.card.open()  # his draft is gone: he is a caller as any other
                return
        at_hand = desk.state.card
        if at_hand is not None and self._is_at_hand(sent):  # else another one was asked for meanwhile
            desk.card.put(replace(at_hand, call=call.id))

    def _is_at_hand(self, sent: Pending) -> bool:
        """Whether the card before the operator is that of the caller who was sent."""
        card = self._desk.state.card
        if card is None or not sent.card:
            return card is not None and card.call == sent.call
        return card.saved is not None and card.saved.id == sent.card

    async def _when_taken(self, call_id: str, pending: Pending) -> None:
        passed = (self._desk.clock.now_ms() - pending.ms) / 1000
        try:
            async with asyncio.timeout(max(0.0, self._desk.phone.transfer_rings_s - max(0.0, passed))):
                await pending.settled.wait()
        except TimeoutError:
            pass
        if pending.gone:
            # A caller whom nobody took rings here again in a moment; one who hung up does not.
            await asyncio.sleep(_BACK_SECONDS)
        if pending.back:
            self._pending.pop(call_id, None)
            await self._keep()
        else:
            await self._give(call_id, pending)

    async def _give(self, call_id: str, pending: Pending) -> None:
        self._pending.pop(call_id, None)
        await self._hand(pending)
        await self._keep()

    async def _hand(self, pending: Pending) -> None:
        desk = self._desk
        if not pending.card:
            desk.notice(tr("Вызов переведён, обращение осталось у вас черновиком: выберите тематику."), urgent=True)
            return
        one = self._colleague(pending.target)
        if one is None or not one.user:
            desk.notice(tr("Вызов переведён, обращение осталось у вас: работника нет в справочнике."), urgent=True)
            return
        at_hand = desk.state.card
        if at_hand is not None and at_hand.saved is not None and at_hand.saved.id == pending.card:
            await desk.card.leave()
        words = tr("Обращение {number} передано с вызовом: {name}.")
        if pending.gone:
            words = tr("Обратившийся не дождался: обращение {number} стало отсроченным ответом, {name}.")
            due = desk.clock.now_ms() + _ANSWER_MS
            card = await desk.appeals.move(
                pending.card, Act.DEFER, operator=str(one.user), promise_due=due, promise_phone=pending.number
            )
        else:
            card = await desk.appeals.move(pending.card, Act.FORWARD, operator=str(one.user))
        desk.notice(words.format(number=card.value("number"), name=one.name), urgent=pending.gone)
        if desk.state.call is None and desk.state.presence.state is not State.BREAK:  # nobody ends it for him
            await desk.phone.ready()

    def _colleague(self, extension: str) -> Colleague | None:
        try:
            return next((one for one in self._desk.colleagues.everybody() if one.extension == extension), None)
        except Refusal:
            return None


def _returns(call: Call, sent: Pending) -> bool:
    """Whether this may be the caller who was sent. A hidden number is nobody's: two callers without one are not told
    apart, and a card is not bound by a guess."""
    same = bool(call.number) and call.number == sent.number
    return same and not call.queue and call.id != sent.call
