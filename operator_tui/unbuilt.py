"""Commands of the plan that this release does not have yet, for the command lines of desk and central server alike."""

from __future__ import annotations

from typing import Any

import click

from operator_tui.appeals.errors import Code, Refusal


def not_built(name: str, help_text: str = "") -> click.Command:
    """A command that refuses with NOT_BUILT: one sentence, exit 1."""

    def refuse(**_: Any) -> None:
        raise Refusal(Code.NOT_BUILT, command=name)

    return click.Command(
        name,
        callback=refuse,
        help=help_text,
        context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
    )
