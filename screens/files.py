"""«Файлы и записи»: the papers and recordings of one appeal, how each is on its way; listening to a recording."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from operator_tui.appeals.errors import Refusal
from operator_tui.desk.files import CardFile, Way
from operator_tui.i18n import mark, tr
from operator_tui.sentences import sentence
from screens.words import day, local_time
from widgets.line import Line
from widgets.rows import Column, Row, Rows

if TYPE_CHECKING:
    from operator_tui.phone.playing import Played, Player

_WAYS = {
    Way.WAITS: mark("ждёт передачи"),
    Way.GOES: mark("передаётся {percent} %"),
    Way.THERE: mark("на сервере"),
    Way.REFUSED: mark("не принят"),
    Way.STAYS: mark("остаётся здесь"),
    Way.HERE: mark("только здесь"),
    Way.ELSEWHERE: mark("на другом месте"),
    Way.AT_PBX: mark("запись на АТС"),
}
_MARKS = {Way.REFUSED: "!", Way.GOES: ">", Way.THERE: "+"}
_BAR = 30
_BACK_S, _STEP = 5.0, 0.25
_FASTEST = 2.0


def way_words(file: CardFile) -> str:
    """Where a file is, in a few words; one that was begun says how far it got."""
    words = tr(_WAYS[file.way]).format(percent=file.percent)
    begun = file.way in (Way.WAITS, Way.ELSEWHERE) and file.percent
    return f"{words}, {file.percent} %" if begun else words


def file_cells(file: CardFile, zone: str) -> tuple[str, ...]:
    """A row: what it is, its name and date or its length, where it is."""
    if file.paper is None:
        length = f" · {clock_words(file.ms)}" if file.ms else ""
        return (tr("запись"), tr("Разговор {at}").format(at=local_time(file.at_ms, zone)) + length, way_words(file))
    paper = file.paper
    kind = tr("сообщение") if paper.kind == "voice" else paper.kind
    return (kind, f"{paper.name} · № {paper.number} · {day(paper.date)}", way_words(file))


def clock_words(ms: int) -> str:
    """``1:05``: minutes and seconds."""
    return f"{ms // 60_000}:{ms // 1000 % 60:02}"


class FilesScreen(ModalScreen[int | None]):
    """Returns the place of the file that was chosen."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", show=False, priority=True)]

    def __init__(self, title: str, files: Sequence[CardFile], zone: str) -> None:
        super().__init__()
        self._title = title
        self._files = files
        self._zone = zone

    def compose(self) -> ComposeResult:
        yield Line(self._title, tr("Enter — открыть, Esc — назад"), classes="heading")
        yield Rows((Column(10), Column(), Column(22)), id="files", empty=tr("Файлов и записей нет"))
        yield Line("", id="why")

    def on_mount(self) -> None:
        rows = self.query_one(Rows)
        rows.show(
            [
                Row(
                    str(place),
                    file_cells(file, self._zone),
                    mark=_MARKS.get(file.way, " "),
                    urgent=file.way is Way.REFUSED,
                )
                for place, file in enumerate(self._files)
            ]
        )
        rows.focus()
        self._moved()

    @on(Rows.Moved)
    def _moved(self) -> None:
        row = self.query_one(Rows).current
        refusal = self._files[int(row.key)].refusal if row else None
        self.query_one("#why", Line).say(sentence(refusal) if refusal else "")

    @on(Rows.Chosen)
    def _chosen(self, event: Rows.Chosen) -> None:
        self.dismiss(int(event.key))


Start = Callable[[Callable[["Played"], None]], Awaitable["Player"]]


class PlayerScreen(ModalScreen[None]):
    """A recording in the ear: pause, back and on by five seconds, 1.0 to 2.0 times as fast."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", show=False, priority=True),
        Binding("space,enter", "play_or_pause", show=False, priority=True),
        Binding("left", "move(-1)", show=False, priority=True),
        Binding("right", "move(1)", show=False, priority=True),
        Binding("up,plus,equals_sign", "faster(1)", show=False, priority=True),
        Binding("down,minus", "faster(-1)", show=False, priority=True),
    ]

    def __init__(self, title: str, start: Start, quiet: Callable[[], bool]) -> None:
        """``start`` begins to play; ``quiet`` whether somebody calls: then it pauses by itself."""
        super().__init__()
        self._title = title
        self._start = start
        self._quiet = quiet
        self._playback: Player | None = None

    def compose(self) -> ComposeResult:
        yield Line(self._title, tr("Esc — закончить"), classes="heading")
        yield Line(tr("Запись открывается…"), id="place")
        yield Line(tr("Пробел — пауза   ← → — на 5 секунд   ↑ ↓ — быстрее, медленнее"), id="keys")

    async def on_mount(self) -> None:
        try:
            self._playback = await self._start(self._paint)
        except Refusal as refusal:
            self.query_one("#place", Line).say(sentence(refusal))

    async def on_unmount(self) -> None:
        if self._playback is not None:
            await self._playback.stop()

    def action_leave(self) -> None:
        self.dismiss(None)

    def action_play_or_pause(self) -> None:
        if self._playback is not None:
            self._playback.pause(self._playback.now.playing)

    def action_move(self, way: int) -> None:
        if self._playback is not None:
            self._playback.move(way * _BACK_S)

    def action_faster(self, way: int) -> None:
        if self._playback is not None:
            self._playback.speed(max(1.0, min(_FASTEST, self._playback.now.speed + way * _STEP)))

    def _paint(self, now: Played) -> None:
        if not self.is_mounted:
            return
        if now.playing and self._quiet() and self._playback is not None:
            self._playback.pause(True)
        filled = _BAR * now.at_ms // max(now.ms, 1)
        if now.broken:
            self.query_one("#place", Line).say(tr("Звук прервался: Esc и откройте запись снова."))
            return
        word = tr("конец") if now.over else tr("идёт") if now.playing else tr("пауза")
        speed = f"{now.speed:.2f}".rstrip("0").rstrip(".").replace(".", ",")
        bar = "#" * filled + "." * (_BAR - filled)
        words = f"{word}  {clock_words(now.at_ms)} / {clock_words(now.ms)}  [{bar}]"
        self.query_one("#place", Line).say(words, tr("скорость {speed}").format(speed=speed))
