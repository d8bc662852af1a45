"""The application's own repairs of Textual."""

from __future__ import annotations

from typing import cast

from operator_tui.app import DeskApp
from operator_tui.desk.desk import Desk
from screens.themes import THEMES


def test_a_field_may_ask_before_there_is_a_screen() -> None:
    """On Python 3.12 and later a text field of the first screen does so; stock Textual 8.2.8 ends there."""
    app = DeskApp(cast("Desk", None), theme=THEMES[0].name)
    app.clear_selection()
