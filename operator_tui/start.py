"""Starts the desk in this terminal: profile, settings and terminal first, the screen library last."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from operator_tui.profiles import open_profile
from operator_tui.settings import load


def run_desk(profile_name: str, options: Mapping[str, Mapping[str, Any]]) -> int:
    """Run the desk until it ends; its exit code. A Refusal when it can not even begin."""
    from operator_tui import terminal
    from operator_tui.logs import log_to
    from operator_tui.secrets import harden_process
    from operator_tui.terminal.settings import TerminalSettings

    profile = open_profile(profile_name)
    settings = load(profile, options=options)
    profile.make_folders()
    harden_process()
    log_to(profile.logs / "desk.log")
    chosen = terminal.choose(settings.get(TerminalSettings).profile)
    terminal.prepare_environment(chosen)  # before Textual is imported: it reads its constants once

    from operator_tui.app import make_app
    from operator_tui.desk.desk import Desk
    from operator_tui.tidying import Tidying

    while True:
        app = make_app(
            Desk(profile, settings),
            colours=chosen.colours,
            driver=terminal.driver_class(chosen),
            timer_step_s=chosen.timer_step_s,
        )
        with Tidying() as tidying:
            app.in_pause = tidying.pause
            code = app.run(mouse=chosen.mouse) or 0
        if not app.seat_is_free:
            return code
        # «Выход»: the next person finds the first screen, without the second that a new process costs.
