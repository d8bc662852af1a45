"""Begun forms on one desk: what is typed into a window is on disk within a second, until it is sent or thrown away.

The same rule as the card's draft (desk/at_hand.py). What stands in memory is the journal's, and what is still on its
way there: a form that is opened needs not wait for the disk.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

from msgspec.structs import replace

from operator_tui.appeals.begun import Begun, FormOf, Typed
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.desk.at_hand import DRAFT_DELAY_S
from operator_tui.i18n import tr

if TYPE_CHECKING:
    from operator_tui.desk.desk import Desk

Tell = Callable[[Refusal], None]


class BegunDesk:
    """The begun forms of whoever sits here. ``tell`` of a form hears, once, that the disk does not take its text: the
    form goes on, and what was typed waits in memory for a disk that does."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._kept: dict[FormOf, Begun] = {}
        self._unwritten: set[FormOf] = set()
        self._cards: dict[str, str] = {}  # which card a draft became at this desk
        self._open: Counter[FormOf] = Counter()
        self._timer: asyncio.TimerHandle | None = None
        self._tell: Tell | None = None
        self._told = False

    async def restored(self) -> None:
        """After a start: know what waits, and say so behind what is said of the card."""
        user = self._user
        found = await self._desk.on_journal(lambda journal: journal.begun(user))
        self._kept = {one.of: one for one in found} | {of: self._kept[of] for of in self._unwritten & self._kept.keys()}
        if found:
            words = tr("Начатых форм: {count} (в журнале ^Y).").format(count=len(found))
            said = self._desk.state.notice
            self._desk.notice(f"{said.text} {words}".strip(), urgent=said.urgent)

    def of_card(self, form: str, more: str = "") -> FormOf:
        """That form of the card at hand."""
        card = self._desk.state.card
        return FormOf(form, card.known_as if card is not None else "", more)

    def opened(self, of: FormOf) -> Begun | None:
        """A window for it has come: what it gets back. Nothing while the same form lies open already, set aside for a
        call: two windows have not one text."""
        of = self._now(of)
        self._open[of] += 1
        return self._kept.get(of) if self._open[of] == 1 else None

    def left(self, of: FormOf) -> None:
        """That window is gone."""
        self._open[self._now(of)] -= 1

    def waiting(self) -> list[Begun]:
        """Those that no window shows, the last typed one first."""
        return [one for one in reversed(self._kept.values()) if self._open[one.of] < 1]

    def kept(self, of: FormOf) -> Begun | None:
        """What is kept of it."""
        return self._kept.get(self._now(of))

    def keep(self, of: FormOf, title: str, lines: Mapping[str, Typed], tell: Tell) -> None:
        """This stands in it now; on disk within a second. Nothing of the operator's: nothing is kept."""
        of, self._tell = self._now(of), tell
        before = self._kept.get(of)
        if not lines:
            if before is not None:
                self._forget(of)
                self._schedule()
        elif before is None or _texts(before.lines) != _texts(lines):
            self._put(Begun(of, self._user, title, dict(lines), self._desk.clock.now_ms()))
            self._schedule()

    def drop(self, of: FormOf) -> None:
        """It was thrown away, because the operator said so."""
        if self.kept(of) is not None:
            self._forget(self._now(of))
            self._desk.background(self.flush())

    def accepted(self, of: FormOf) -> None:
        """He has accepted it: a desk that dies before it is known what came of it must not say that nothing did."""
        one = self.kept(of)
        if one is not None:
            self._put(replace(one, sent_ms=self._desk.clock.now_ms()))
            self._desk.background(self.flush())

    async def sent(self, of: FormOf, act: Callable[[], Awaitable[None] | None]) -> None:
        """Do what a form was for. Then its text goes; refused, it waits for that form to be opened again."""
        try:
            done = act()
            if done is not None:
                await done
        except Exception as error:
            one = self.kept(of)
            if one is not None:
                self._put(replace(one, sent_ms=0))
                self._schedule()
                error.add_note(tr("Введённое осталось: откройте форму снова."))
            raise
        if self.kept(of) is not None:
            self._forget(self._now(of))
            await self.flush()

    def became(self, draft: str, card: str) -> None:
        """The card of that draft was saved: what is kept of it is of the appeal now, as the journal has it too."""
        if draft != card:
            self._cards[draft] = card
            self._kept = {self._now(of): replace(one, of=self._now(of)) for of, one in self._kept.items()}
            self._unwritten = {self._now(of) for of in self._unwritten}
            self._open = Counter({self._now(of): count for of, count in self._open.items()})

    def write_now(self) -> None:
        """A field was left: not a second more."""
        if self._unwritten:
            self._desk.background(self.flush())

    async def flush(self) -> None:
        """Put what was typed on disk now. A disk that takes nothing is told of once."""
        self._cancel_timer()
        todo, self._unwritten = self._unwritten, set()
        if not todo:
            return
        user = self._user
        kept = [one for of in todo if (one := self._kept.get(of)) is not None]
        gone = [of for of in todo if of not in self._kept]
        try:
            await self._desk.on_journal(lambda journal: journal.keep_begun(kept, gone, user))
        except Refusal as refusal:
            self._unwritten |= todo
            if not self._told and self._tell is not None and refusal.code is not Code.NOT_ENROLLED:
                self._told = True
                self._tell(refusal)
        else:
            self._told = False

    # inside

    @property
    def _user(self) -> int:
        operator = self._desk.state.operator
        return operator.user if operator is not None else 0

    def _now(self, of: FormOf) -> FormOf:
        return replace(of, about=self._cards[of.about]) if of.about in self._cards else of

    def _put(self, one: Begun) -> None:
        self._kept.pop(one.of, None)  # the last typed one stands last
        self._kept[one.of] = one
        self._unwritten.add(one.of)

    def _forget(self, of: FormOf) -> None:
        self._kept.pop(of, None)
        self._unwritten.add(of)

    def _schedule(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(
                DRAFT_DELAY_S, lambda: self._desk.background(self.flush())
            )

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _texts(lines: Mapping[str, Typed]) -> dict[str, str]:
    return {name: one.text for name, one in lines.items()}
