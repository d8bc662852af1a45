"""What waits at the beginning of a shift, and what is unfinished at its end; the microphone's check before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from operator_tui.appeals.errors import Refusal
from operator_tui.desk.shift import Waits
from operator_tui.i18n import tr
from operator_tui.sentences import sentence
from widgets.line import Line
from widgets.rows import Column, Row, Rows

if TYPE_CHECKING:
    from operator_tui.desk.desk import Desk
    from screens.base import HasDesk

_METER_CELLS = 40
_QUIET = 0.02
_OVERDRIVEN = 0.98
_METER_S = 0.25


@dataclass(frozen=True)
class Handed:
    """Chosen to be handed over to a colleague."""

    waits: Waits


class ShiftScreen(ModalScreen[Waits | Handed | str | None]):
    """Returns what was chosen to be opened or handed over, ``END`` to end the work all the same, None to stay."""

    END = "end"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", show=False, priority=True),
        Binding("ctrl+e", "end", show=False, priority=True),
        Binding("f7", "hand", show=False, priority=True),
    ]

    def __init__(self, title: str, waiting: Sequence[Waits], *, ends: bool) -> None:
        super().__init__()
        self._title = title
        self._waiting = list(waiting)
        self._ends = ends

    def compose(self) -> ComposeResult:
        keys = tr("Enter — открыть   Esc — назад")
        if self._ends:
            keys = tr("Enter — открыть  F7 — передать  ^E — завершить  Esc — назад")
        yield Line(f"{self._title}: {len(self._waiting)}", keys, classes="heading")
        yield Rows((Column(17), Column()), id="waiting", empty=tr("Ничего не ждёт"))

    def on_mount(self) -> None:
        rows = self.query_one(Rows)
        rows.show([Row(str(place), (one.kind, one.text)) for place, one in enumerate(self._waiting)])
        rows.focus()

    def action_end(self) -> None:
        if self._ends:
            self.dismiss(self.END)

    def action_hand(self) -> None:
        row = self.query_one(Rows).current
        if self._ends and row is not None:
            self.dismiss(Handed(self._waiting[int(row.key)]))

    @on(Rows.Chosen)
    def _chosen(self, event: Rows.Chosen) -> None:
        self.dismiss(self._waiting[int(event.key)])


class SoundCheckScreen(ModalScreen[None]):
    """Two seconds are recorded under a meter and played back; Enter once more, Esc to work."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", show=False, priority=True),
        Binding("enter,space", "again", show=False, priority=True),
    ]

    def compose(self) -> ComposeResult:
        yield Line(tr("Проверка микрофона"), tr("Enter — ещё раз   Esc — к работе"), classes="heading")
        yield Line("", id="meter")
        yield Line(tr("Скажите что-нибудь: две секунды записываются, затем вы услышите себя."), id="verdict")

    @property
    def _desk(self) -> Desk:
        return cast("HasDesk", self.app).desk

    def on_mount(self) -> None:
        self.set_interval(_METER_S, self._meter)
        self._check()

    def action_again(self) -> None:
        self._check()

    def _meter(self) -> None:
        microphone, speaker = self._desk.state.levels
        words = (tr("микрофон"), tr("наушники"))
        self.query_one("#meter", Line).say(
            "  ".join(f"{word} {bar(level)}" for word, level in zip(words, (microphone, speaker), strict=True))
        )

    @work(exclusive=True, exit_on_error=False)
    async def _check(self) -> None:
        verdict = self.query_one("#verdict", Line)
        verdict.say(tr("Скажите что-нибудь: две секунды записываются, затем вы услышите себя."))
        try:
            loudest = await self._desk.phone.check_sound()
        except Refusal as refusal:
            verdict.say(sentence(refusal))
        else:
            verdict.say(verdict_words(loudest))


def bar(level: float, cells: int = _METER_CELLS // 2) -> str:
    """``###.......  30 %``: told by length and number, not by colour."""
    filled = round(max(0.0, min(1.0, level)) * cells)
    return "#" * filled + "." * (cells - filled) + f" {round(100 * level):3d} %"


def verdict_words(loudest: float) -> str:
    """What the loudest sample of the check means, 0.0-1.0."""
    percent = round(100 * loudest)
    if loudest < _QUIET:
        return tr("Микрофон молчит ({percent} %): проверьте кнопку на гарнитуре и разъём.").format(percent=percent)
    if loudest > _OVERDRIVEN:
        return tr("Слишком громко ({percent} %): убавьте громкость микрофона.").format(percent=percent)
    return tr("Микрофон работает ({percent} %). Слышали себя — можно начинать.").format(percent=percent)
