"""On a Linux console every sign of the desk is one that its font has."""

from __future__ import annotations

from operator_tui.terminal.signs import PLAIN_SIGNS
from tests.wire.scenes import DESK, walk


def foreign(text: str) -> set[str]:
    """What CP866, the character set of Russian consoles, does not have."""
    return {sign for sign in set(text) - {"\n"} if not sign.encode("cp866", "ignore")}


def test_a_walk_on_a_linux_console_shows_signs_of_its_font_alone() -> None:
    seen = walk(DESK, env=(("TERM", "linux"),))
    shown = "".join(step.text for step in seen)
    assert not foreign(shown)


def test_on_other_terminals_the_signs_are_the_manuals() -> None:
    shown = "".join(step.text for step in walk(DESK, driver="tee"))
    assert {chr(sign) for sign in PLAIN_SIGNS} & set(shown), "else the walk above shows nothing"


def test_every_replacement_is_of_that_font_and_as_wide() -> None:
    for sign, plain in PLAIN_SIGNS.items():
        assert foreign(chr(sign)), "it needs no replacement"
        assert not foreign(plain)
        assert len(plain) == 1
