"""A window whose text is kept until it is sent or thrown away: a kill, a power cut or a dead desk loses a second of it.

Whatever is typed into: a form's lines, a question in words of one's own, a long text. What is typed as a password is
never kept. What it is for says ``of``; a window without it keeps nothing (decision 0060 names them).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, TypeVar

from textual import on
from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Input, TextArea

from operator_tui.appeals.begun import Begun, FormLine, FormOf, Laid, Typed, laid, typed_over
from operator_tui.appeals.errors import Refusal
from operator_tui.i18n import tr
from operator_tui.sentences import sentence
from screens.words import local_time
from widgets.field import Field
from widgets.wrapped import Wrapped

if TYPE_CHECKING:
    from operator_tui.desk.begun import BegunDesk
    from operator_tui.desk.desk import Desk

Result = TypeVar("Result")
_SAID_OF_GONE = 60  # characters of a text that has no line any more


class Keeping(Screen[Result]):
    """Subclasses give ``heading``, ``form_lines``, ``form_values`` and ``lay``, put ``begun_line`` where it is read,
    and call ``accepted`` or ``thrown_away`` before they close."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("f5", "anew", show=False)]
    of: FormOf | None = None
    _begun: BegunDesk | None = None  # where it is kept; None before the window stands, and where nothing is
    _before: Mapping[str, str] = MappingProxyType({})  # what the program put there; empty once the window closes
    _other: Mapping[str, str] | None = None  # what F5 puts there; None where nothing was brought back
    _gone: Mapping[str, Typed] = MappingProxyType({})  # of lines that this form has no more: kept until it is sent
    _anew = False

    # what a subclass gives

    @property
    def heading(self) -> str:
        """What it is called where it waits."""
        raise NotImplementedError

    def form_lines(self) -> Sequence[FormLine]:
        """Its lines, without what the program put there."""
        raise NotImplementedError

    def form_values(self) -> Mapping[str, str]:
        """What stands in them, by name."""
        raise NotImplementedError

    def lay(self, values: Mapping[str, str]) -> None:
        """Put these into their lines, as if they had been typed."""
        raise NotImplementedError

    def form_before(self) -> Mapping[str, str]:
        """What the program has put there: what stands there when the window comes."""
        return self.form_values()

    # what it does for them

    def begun_line(self) -> Wrapped:
        """Says that a text was brought back, and how one begins anew; takes no room while there is nothing to say."""
        line = Wrapped(id="begun")
        line.display = False
        return line

    def accepted(self) -> None:
        """It closes to be sent."""
        if self._begun is not None and self.of is not None:
            self._keep()
            self._begun.accepted(self.of)
            self._before = {}  # whatever comes late is not typed into it

    def thrown_away(self) -> None:
        """It closes because he does not want it."""
        if self._begun is not None and self.of is not None:
            self._begun.drop(self.of)
            self._before = {}

    async def send(self, act: Callable[[], Awaitable[None]]) -> None:
        """Do what it is for while it stands; then its text goes."""
        if self._begun is None or self.of is None:
            await act()
        else:
            self._keep()
            self._begun.accepted(self.of)
            await self._begun.sent(self.of, act)
            self._before = {}  # as above

    def action_anew(self) -> None:
        """F5: as if nothing had been begun; once more: what was there. Only where something was brought back."""
        if self._other is None:
            return
        now = dict(self.form_values())
        self.lay(self._other)
        self._other, self._anew = now, not self._anew
        said = tr("Начато заново. F5 — вернуть прежнее.") if self._anew else tr("Прежнее на месте. F5 — начать заново.")
        self.say_begun(said)
        self._keep()

    def say_begun(self, text: str) -> None:
        """Above the lines."""
        line = self.query_one("#begun", Wrapped)
        line.display = bool(text)
        line.say(text)

    # inside

    def on_mount(self) -> None:
        """Behind the subclass's own: Textual calls each class's, the last one's first."""
        desk: Desk | None = getattr(self.app, "desk", None)
        self._before = dict(self.form_before())
        if desk is None or self.of is None:
            return
        self._begun = desk.begun
        begun = self._begun.opened(self.of)
        if begun is not None:
            back = laid(begun, self._lines())
            self._gone = back.gone
            self._other = dict(self._before)
            self.lay(back.values)
            self.say_begun(brought_back(begun, back, desk.promises.zone))

    def dismiss(self, result: Result | None = None) -> AwaitComplete:
        self._go()  # the next key may open the same form again, before this one has come apart
        return super().dismiss(result)

    def on_unmount(self) -> None:
        self._go()

    def on_screen_resume(self) -> None:
        """It was set aside for a call: what stands here is what is kept, whatever was opened meanwhile."""
        self._keep()

    @on(Field.Typed)
    @on(Input.Changed)
    @on(TextArea.Changed)
    def words_typed(self) -> None:
        """On disk within a second."""
        self._keep()

    def on_descendant_blur(self) -> None:
        """A field was left: on disk now."""
        if self._begun is not None:
            self._begun.write_now()

    def _go(self) -> None:
        begun, self._begun = self._begun, None
        if begun is not None and self.of is not None:
            begun.left(self.of)

    def _keep(self) -> None:
        if self._begun is not None and self.of is not None and self._before:
            lines = typed_over(self._lines(), self.form_values())
            kept = lines if self._anew else {**self._gone, **lines}
            self._begun.keep(self.of, self.heading, kept, self._not_kept)

    def _lines(self) -> list[FormLine]:
        return [
            FormLine(line.name, line.label, self._before.get(line.name, ""), line.secret, line.passing)
            for line in self.form_lines()
        ]

    def _not_kept(self, refusal: Refusal) -> None:
        if self.is_attached:
            words = tr("Форма работает, но до отправки её текст не записывается на диск: {why}")
            self.say_begun(words.format(why=sentence(refusal)))


def brought_back(begun: Begun, back: Laid, zone: str) -> str:
    """What the operator is told of a text that is there again."""
    if begun.sent_ms:
        when = local_time(begun.sent_ms, zone)
        said = [tr("Отправлялось {when}, что вышло — неизвестно: проверьте, не сделано ли.").format(when=when)]
    else:
        when = local_time(begun.at_ms, zone)
        said = [tr("Введённое {when} восстановлено: продолжайте.").format(when=when)]
    said.append(tr("F5 — начать заново."))
    said += [
        tr("«{line}» изменено с тех пор, теперь там: «{now}».").format(line=label, now=now)
        for label, now in back.changed.items()
    ]
    said += [
        tr("Строки «{line}» больше нет, в ней было: «{text}».").format(line=one.label, text=_cut(one.text))
        for one in back.gone.values()
    ]
    return " ".join(said)


def _cut(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= _SAID_OF_GONE else words[: _SAID_OF_GONE - 1] + "…"
