"""A one-time code, to be read aloud: in groups, with the names of its letters. It is shown once and kept nowhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.widgets import Static

from operator_tui.i18n import mark, tr
from operator_tui.signin.people import ENROLMENT, RESET, VOICE
from widgets.line import Line

_TITLES = {
    ENROLMENT: mark("Код рабочего места: {name}"),
    RESET: mark("Код сброса пароля: {name}"),
    VOICE: mark("Код на восемь часов: {name}"),
}
_HINTS = {
    ENROLMENT: mark("Один раз, 15 минут: при первом запуске программы на рабочем месте, вместе с новым паролем."),
    RESET: mark("Один раз, 15 минут: на первом экране F8 «забыт пароль», код и новый пароль. Записи не пропадут."),
    VOICE: mark("Восемь часов без сервера. Сначала убедитесь, что говорите с этим человеком."),
}
# How the letters of a code are named on the telephone; i, l, o and u are in none.
_NAMES = {
    "A": "а", "B": "бэ", "C": "цэ", "D": "дэ", "E": "е", "F": "эф", "G": "гэ", "H": "аш", "J": "йот", "K": "ка",
    "M": "эм", "N": "эн", "P": "пэ", "Q": "ку", "R": "эр", "S": "эс", "T": "тэ", "V": "вэ", "W": "дубль-вэ",
    "X": "икс", "Y": "игрек", "Z": "зет",
}  # fmt: skip


class CodeScreen(ModalScreen[None]):
    """The code of one person. Enter or Esc puts it away for good."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,enter", "dismiss(None)", show=False)]

    def __init__(self, name: str, kind: str, codes: Mapping[str, str]) -> None:
        super().__init__()
        self._name = name
        self._kind = kind
        self._codes = dict(codes)

    def compose(self) -> ComposeResult:
        yield Line(tr(_TITLES[self._kind]).format(name=self._name), "", classes="heading")
        yield Static(tr(_HINTS[self._kind]), markup=False)
        for about, code in self._codes.items():
            yield Line("")
            if self._kind == VOICE:
                yield Line(tr("Рабочее место {device}").format(device=about))
            for text in _told(code):
                yield Line(text, classes="code")
        yield Line("")
        yield Line(tr("Enter — закрыть. Второй раз код не показывается; новый можно дать в любое время."))

    def on_unmount(self) -> None:
        self._codes.clear()


def _told(code: str) -> Iterator[str]:
    """A line for each group: ``K7Q2    ка 7 ку 2``."""
    for group in code.upper().replace("-", " ").split():
        named = " ".join(_NAMES.get(letter, letter) for letter in group)
        yield f"    {group}      {named}" if named != " ".join(group) else f"    {group}"
