"""What this operator does, for how long he may, and what comes next: wrap-up and breaks with their limits.

The moves are those of ``appeals/presence.py``; here they get their times, are told to the PBX's queue and written down.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from operator_tui.appeals.breaks import BreakKind, parse_breaks
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.operations import Kind
from operator_tui.appeals.presence import Move, Presence, State, moved, possible
from operator_tui.desk.settings import ShiftSettings
from operator_tui.desk.state import Topic
from operator_tui.i18n import tr
from operator_tui.reference import text_of

if TYPE_CHECKING:
    from operator_tui.desk.desk import Desk

READY, END = "ready", "end"  # beside the kinds of break
_LOOK_SECONDS = 1.0
_WITH_SOMEBODY = (State.TALKING, State.RINGING)


class StateDesk:
    """Belongs to the telephone's desk, whose ``tell_ready`` and ``end_work`` it is given."""

    def __init__(
        self, desk: Desk, tell_ready: Callable[[], Awaitable[None]], end_work: Callable[[], Awaitable[None]]
    ) -> None:
        self._desk = desk
        self._tell_ready = tell_ready
        self._end_work = end_work
        self.unlimited = False  # the talk goes on elsewhere: this wrap-up has no end of its own
        self._read: tuple[tuple[str, str], tuple[BreakKind, ...]] | None = None

    @property
    def kinds(self) -> tuple[BreakKind, ...]:
        """The kinds of break, the usual one first, as they stand now. Refusal(FILE_UNREADABLE | ROW_INVALID) of the
        administration's."""
        file = self._desk.settings.get(ShiftSettings).breaks
        self._read = None
        if file:
            found = parse_breaks(text_of(file), file=file)
        else:
            rows = self._desk.catalogue.reference.open("breaks").values()
            found = tuple(BreakKind(row["code"], row["title"], int(row["minutes"])) for row in rows)
        self._read = (file, self._desk.catalogue.version), found
        return found

    def kind(self, code: str) -> BreakKind:
        """The kind of that code; one that is no longer listed has no limit. Never fails: it is asked for at every paint
        and at every call, and what is wrong with the list is said where one chooses from it. For the same reason a
        file is read once, and again where one chooses."""
        return next((one for one in self._known if one.code == code), BreakKind(code, code, 0))

    @property
    def _known(self) -> tuple[BreakKind, ...]:
        now = self._desk.settings.get(ShiftSettings).breaks, self._desk.catalogue.version
        if self._read is None or self._read[0] != now:
            try:
                return self.kinds
            except Refusal:
                self._read = now, ()
        return self._read[1]

    # moves

    def move(self, move: Move, *, kind: str = "", cause: str = "") -> None:
        """What happened to him. Nothing where the table has no such move."""
        before: Presence = self._desk.state.presence
        if not possible(before.state, move):
            return
        now_ms = self._desk.clock.now_ms()
        after = moved(before, move, at_ms=now_ms, kind=kind, cause=cause)
        if after == before:
            return
        changes: dict[str, object] = {"presence": after, "limit_ms": self._limit(after)}
        if before.state is State.BREAK:
            self._desk.background(self._note_break(before, now_ms))
            if after.state is State.TALKING:  # a colleague's call in a break: the break goes on after it
                changes["next_state"] = self._desk.state.next_state or before.kind
        if after.state is State.OFFLINE:  # what was to come after a talk came with it, or not at all
            changes["next_state"] = ""
        self._desk.change(Topic.PHONE, **changes)
        if after.state is State.BREAK:
            self._desk.background(self._record(Kind.BREAK_BEGUN, {"kind": after.kind}))
        if self._desk.state.limit_ms is not None:
            self._desk.background(self._keep_limit(after))

    def _limit(self, presence: Presence) -> int | None:
        settings = self._desk.settings.get(ShiftSettings)
        seconds = 0.0
        if presence.state is State.WRAP_UP and not self.unlimited:
            seconds = settings.wrap_up_s
        elif presence.state is State.BREAK:
            seconds = 60.0 * self.kind(presence.kind).minutes
        return presence.since_ms + int(1000 * seconds) if seconds else None

    # what the operator says

    async def choose(self, code: str) -> None:
        """A break, «Готов» or the end of work: now, or after this call and its wrap-up while somebody is there."""
        desk = self._desk
        if desk.state.presence.state in _WITH_SOMEBODY or (code == END and self._rings):
            desk.change(Topic.PHONE, next_state="" if code == READY else code)
            desk.notice(tr("После разговора — {what}.").format(what=self.word(code)))
            return
        desk.change(Topic.PHONE, next_state="" if code == READY else code)
        await self.onward()

    @property
    def _rings(self) -> bool:
        return any(call.rings_here for call in self._desk.state.calls)

    async def onward(self) -> None:
        """Wrap-up or break is over: what was chosen to come next comes, else he is free. Nothing in another state, nor
        the end of work while somebody rings."""
        desk, chosen = self._desk, self._desk.state.next_state
        if desk.state.presence.state in _WITH_SOMEBODY or (chosen == END and self._rings):
            return
        self.unlimited = False
        if chosen == END:
            await self._end_work()  # refused, it is still what he chose
            desk.change(Topic.PHONE, next_state="", ends=desk.state.ends + 1)
            return
        desk.change(Topic.PHONE, next_state="")
        self.move(Move.BREAK if chosen else Move.READY, kind=chosen)
        if not chosen and self._rings:
            self.move(Move.RING)  # who has been ringing meanwhile: nobody is to be told that he is free
        await self._tell_ready()

    async def more(self, reason: str) -> None:
        """Some more seconds of wrap-up; the reason stands in the journal. Refusal(NO_WRAP_UP) in another state."""
        desk = self._desk
        if desk.state.presence.state is not State.WRAP_UP or desk.state.limit_ms is None:
            raise Refusal(Code.NO_WRAP_UP)
        seconds = desk.settings.get(ShiftSettings).more_s
        # From now where the limit has passed meanwhile: what is given is given whole.
        limit = max(desk.state.limit_ms, desk.clock.now_ms()) + int(1000 * seconds)
        desk.change(Topic.PHONE, limit_ms=limit)
        await self._record(Kind.WRAP_UP_MORE, {"reason": reason, "ms": int(1000 * seconds)})
        desk.notice(tr("Постобработка продлена на {seconds} с.").format(seconds=round(seconds)))

    def word(self, code: str) -> str:
        """What comes next, in words."""
        if code in ("", READY):
            return tr("готов к вызову")
        return tr("завершить работу") if code == END else tr("перерыв: {kind}").format(kind=self.kind(code).title)

    # limits

    async def _keep_limit(self, of: Presence) -> None:
        """Waits for the limit of this state, which «ещё 30 секунд» may move; gone when the state is."""
        desk = self._desk
        while desk.state.presence == of and (limit := desk.state.limit_ms) is not None:
            left = (limit - desk.clock.now_ms()) / 1000
            if left <= 0:
                await self._over(of)
                return
            await asyncio.sleep(min(left, _LOOK_SECONDS))

    async def _over(self, of: Presence) -> None:
        desk = self._desk
        desk.change(Topic.LIGHTS, bells=desk.state.bells + 1)
        if of.state is State.BREAK:
            desk.notice(tr("Время перерыва вышло. F12 — готов к вызову."), urgent=True)
            return
        await desk.card.flush_draft()
        card = desk.state.card
        kept = card is not None and card.editable and not card.finished
        ends = desk.state.ends
        await self.onward()
        words = tr("Постобработка окончена: карточка осталась черновиком.") if kept else tr("Постобработка окончена.")
        if desk.state.ends != ends:  # not while somebody rings: he is talked to before
            words += " " + tr("Работа завершена; ^Y — что не закончено.")
        desk.notice(words, urgent=kept)

    # the journal

    async def _note_break(self, ended: Presence, now_ms: int) -> None:
        minutes, length = self.kind(ended.kind).minutes, now_ms - ended.since_ms
        over = max(0, length - 60_000 * minutes) if minutes else 0
        await self._record(Kind.BREAK_ENDED, {"kind": ended.kind, "ms": length, "over_ms": over})

    async def _record(self, kind: Kind, x: dict[str, object]) -> None:
        await self._desk.on_journal(lambda journal: journal.record(kind, x))
