"""What the line has to say of its calls: who may be calling, a line that gets worse, a talk whose card is not saved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.desk.state import CardAtHand, Notice
from operator_tui.i18n import tr
from operator_tui.phone.line import Call, EndedBy, Quality

if TYPE_CHECKING:
    from operator_tui.desk.desk import Desk

_POOR_LOSS = 4.0  # percent: single words are missed
_POOR_MOS = 3.1  # below that many listeners are dissatisfied (ITU-T G.107, annex B)


def is_poor(heard: Quality) -> bool:
    """Whether words are missed on this line."""
    return heard.loss >= _POOR_LOSS or heard.mos < _POOR_MOS


class LineWords:
    """Notices about calls, each said once and taken back when it no longer holds."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._poor: set[str] = set()  # calls whose sound is poor, and the operator knows it
        self._before: Notice | None = None  # what stood there when the call began to ring, and stands there still
        self._named = ("", "", "")  # the call that rings, what the notice says of it, and what of that the talk needs

    async def ringing(self, call: Call) -> None:
        """Who may be calling, while it rings; and that an answer was promised to this number."""
        before = self._desk.state.notice
        said, words = await self._desk.insured.tell_ringing(call), ""
        promised = await self._desk.appeals.promised(call.number)
        if promised:
            numbers = ", ".join(str(card.value("number")) for card in promised)
            words = tr("Этому номеру обещан ответ: обращение {numbers}.").format(numbers=numbers)
            said = f"{words} {said}".strip()
            self._desk.notice(said, urgent=True)
        self._named = (call.id, said, words)
        self._before = before if self._desk.state.notice is before else None

    def rings_no_more(self, call: Call) -> None:
        """Who may be calling is said while it rings: after that the people stand below the search, or nobody rings."""
        if call.answered_ms is not None and call.id == self._named[0] and self._before is not None:
            if self._desk.state.notice is self._before:
                self._desk.notice("")  # it was about the card before
            self._before = None
        if call.id != self._named[0] or not (call.over or call.answered_ms is not None):
            return
        (_, said, promised), self._named = self._named, ("", "", "")
        kept = promised if call.answered_ms is not None else ""
        if said and self._desk.state.notice.text == said:
            self._desk.notice(kept, urgent=bool(kept))

    def quality(self, heard: Quality) -> None:
        """Warn before the line breaks; said once until it is good again."""
        poor = is_poor(heard)
        if poor and heard.call not in self._poor:
            self._poor.add(heard.call)
            words = tr("Связь ухудшается: теряется {loss} % звука. Запишите номер и главное: вызов может прерваться.")
            self._desk.notice(words.format(loss=round(heard.loss)), urgent=True)
        elif not poor and heard.loss < _POOR_LOSS / 2:
            self._poor.discard(heard.call)

    def not_reached(self, call: Call) -> None:
        """A call from here that the other end or the PBX did not take: why."""
        if call.answered_ms is None and call.ended_by in (EndedBy.THERE, EndedBy.NETWORK):
            reason = call.cause[:3] if call.cause[:3].isdigit() else "408"
            self._desk.refused(Refusal(Code.DIAL_FAILED, number=call.number, reason=reason))

    def unfinished(self, card: CardAtHand) -> None:
        """The talk is over and its card is in nobody's journal: say what can be done with it."""
        if card.saved is not None or not card.call:
            return
        words = tr("Звонок окончен, обращение не сохранено. F10: звонить, обещать, класс.")
        self._desk.notice(words, urgent=True)
