"""A small form above the screen: labelled lines, accepted by F9 or Enter in the last one; what is wrong is said there.

What was typed stays until it is accepted or left with Esc, also over the end of the desk (screens/keeping.py).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widget import Widget

from operator_tui.appeals.begun import FormLine, FormOf
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.i18n import tr
from operator_tui.sentences import sentence
from screens.keeping import Keeping
from widgets.field import Field
from widgets.lean import LeanInput
from widgets.line import Line
from widgets.wrapped import Wrapped

Values = dict[str, str]
_SHOWN = 6  # names that are said at once while one types


@dataclass(frozen=True)
class Asked:
    """One line of a form. ``options`` are the values it may take: a beginning is enough, or their number. ``offers``
    are names that are found by beginnings of their words; another may be written too. ``proposed``: the first letter
    typed takes the place of ``value``. ``passing``: ``value`` is made up for the moment (today, a file's name)."""

    name: str
    label: str
    value: str = ""
    hint: str = ""
    required: bool = False
    options: Sequence[str] = ()
    offers: Sequence[str] = ()
    proposed: bool = False
    passing: bool = False


class FormScreen(Keeping[Values | None], ModalScreen[Values | None]):
    """Returns the values by name; None when it was left. ``check`` raises a Refusal for what can not be accepted.
    ``of`` says which form it is and of what: under that its text is kept."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", show=False),
        Binding("f9", "accept", show=False, priority=True),
        Binding("ctrl+s", "accept", show=False, priority=True),
        Binding("down", "step(1)", show=False, priority=True),
        Binding("up", "step(-1)", show=False, priority=True),
    ]
    DEFAULT_CSS = """
    FormScreen Field > Line { width: 26; }
    """

    def __init__(
        self,
        title: str,
        asked: Sequence[Asked],
        check: Callable[[Values], object] | None = None,
        *,
        of: FormOf | None = None,
    ) -> None:
        super().__init__()
        self.of = of
        self._title = title
        self._asked = {one.name: one for one in asked}
        self._check = check
        self._refused: Mapping[str, str] | None = None  # what was typed when it was refused: the reason stays as long

    def compose(self) -> ComposeResult:
        yield Line(self._title, tr("F9 — принять, Esc — назад"), classes="heading")
        yield self.begun_line()
        with VerticalScroll(can_focus=False):
            for one in self._asked.values():
                label = f"{one.label}{' *' if one.required else ''}"
                yield Field(f"form-{one.name}", label, placeholder=one.hint)
        yield Wrapped(id="form-hint")

    def on_mount(self) -> None:
        for one in self._asked.values():
            self._field(one.name).show(one.value)
        self._begin().focus()

    @property
    def heading(self) -> str:
        return self._title

    def form_lines(self) -> Sequence[FormLine]:
        return [
            FormLine(
                one.name,
                one.label,
                secret=self._field(one.name).input.password,
                passing=one.passing or one.proposed,
            )
            for one in self._asked.values()
        ]

    def form_values(self) -> Mapping[str, str]:
        return {name: self._field(name).input.value for name in self._asked}

    def lay(self, values: Mapping[str, str]) -> None:
        for name in values.keys() & self._asked.keys():
            self._field(name).show(values[name])
            self._field(name).input.action_end()

    def action_leave(self) -> None:
        """Esc: what was typed is not wanted."""
        self.thrown_away()
        self.dismiss(None)

    def _begin(self) -> Widget:
        """Where one begins to type."""
        return self._field(next(iter(self._asked))).input

    def _field(self, name: str) -> Field:
        return self.query_one(f"#field-form-{name}", Field)

    def on_descendant_focus(self) -> None:
        """Says what the line one stands in may hold."""
        one = self._here()
        if one is not None and one.proposed and self._field(one.name).input.value == one.value:
            self._field(one.name).input.select_all()
        if self._refused == self.form_values():
            return
        self._hint(one)

    @on(Field.Typed)
    def _found_by_typing(self) -> None:
        one = self._here()
        refused = self._refused is not None and self._refused != self.form_values()
        if refused:
            self._refused = None  # the reason is of what stood there
        if one is not None and (one.offers or refused):
            self._hint(one)

    def _hint(self, one: Asked | None) -> None:
        words = one.options if one else ()
        if one and one.offers:
            words = matching(one.offers, self._field(one.name).input.value)
            if len(words) > _SHOWN:
                words = [*words[:_SHOWN], tr("ещё {count}").format(count=len(words) - _SHOWN)]
        self._say(" · ".join(words))

    def _say(self, text: str, *, urgent: bool = False) -> None:
        """Below the lines; the one that is typed into stays in sight when the words take more room."""
        self.query_one("#form-hint", Wrapped).say(text, urgent=urgent)
        if self.focused is not None:
            self.call_after_refresh(self.focused.scroll_visible, animate=False)

    def _here(self) -> Asked | None:
        return next((one for one in self._asked.values() if self._field(one.name).input.has_focus), None)

    def action_step(self, step: int) -> None:
        """To the next line, or the one before."""
        names = list(self._asked)
        here = self._here()
        place = names.index(here.name) + step if here else 0
        self._field(names[max(0, min(place, len(names) - 1))]).input.focus()

    @on(LeanInput.Submitted)
    def _entered(self) -> None:
        here = self._here()
        if here is None or here.name == list(self._asked)[-1]:
            self.action_accept()
        else:
            self.action_step(1)

    def _values(self) -> Values:
        """What stands in the lines. Refusals: FIELD_REQUIRED, FIELD_INVALID."""
        return {name: _read(one, self._field(name).input.value) for name, one in self._asked.items()}

    def action_accept(self) -> None:
        """Close with the values, or say what is wrong and go there."""
        try:
            values = self._values()
            if self._check is not None:
                self._check(values)
        except Refusal as refusal:
            self._refused = self.form_values()
            self._say(sentence(refusal), urgent=True)
            wrong = str(refusal.params.get("field", ""))
            if wrong in self._asked:
                self._field(wrong).input.focus()
            return
        self.accepted()
        self.dismiss(values)


def _read(one: Asked, typed: str) -> str:
    """The value meant. Refusals: FIELD_REQUIRED, FIELD_INVALID."""
    text = typed.strip()
    if not text:
        if one.required:
            raise Refusal(Code.FIELD_REQUIRED, field=one.name)
        return ""
    if one.offers:
        found = matching(one.offers, text)
        return found[0] if len(found) == 1 else text
    return chosen(one.options, text, one.name) if one.options else text


def matching(offers: Sequence[str], text: str) -> list[str]:
    """The names each of whose typed words begins one of theirs; the name itself alone when it is typed whole."""
    if text.strip() in offers:
        return [text.strip()]
    typed = _words(text)
    return [name for name in offers if all(any(own.startswith(word) for own in _words(name)) for word in typed)]


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold().replace("ё", "е"))


def chosen(options: Sequence[str], text: str, field: str) -> str:
    """The option that was typed, begun, or numbered from 1. Refusal(FIELD_INVALID) for none and for two."""
    if text in options:
        return text
    if text.isdigit() and 0 < int(text) <= len(options):
        return options[int(text) - 1]
    found = [option for option in options if option.casefold().startswith(text.casefold())]
    if len(found) != 1:
        raise Refusal(Code.FIELD_INVALID, field=field)
    return found[0]


def iso_day(text: str, field: str) -> str:
    """``12.03.2026`` or ISO as ISO; empty stays empty. Refusal(FIELD_INVALID)."""
    if not text:
        return ""
    for pattern in ("%d.%m.%Y", "%Y-%m-%d"):
        try:
            return datetime.strptime(text, pattern).date().isoformat()  # noqa: DTZ007  # a local date, no instant
        except ValueError:
            continue
    raise Refusal(Code.FIELD_INVALID, field=field)


def iso_days(values: Values, *names: str) -> Mapping[str, str]:
    """The values with their dates as ISO. Refusal(FIELD_INVALID) names the field."""
    return {**values, **{name: iso_day(values.get(name, ""), name) for name in names}}
