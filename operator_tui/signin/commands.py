"""Commands of signing in."""

from __future__ import annotations

from operator_tui.commands import Command, register
from operator_tui.i18n import mark

register(
    Command(
        "desk.lock",
        mark("Закрыть экран"),
        mark("Закрыть экран до ввода пароля; разговор продолжается, о звонке будет видно."),
        ("alt+l",),
        rank=980,
    ),
)
