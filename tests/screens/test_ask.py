"""Reasons of the administration's that may be taken instead of one's own words."""

from __future__ import annotations

from screens.ask import offering

WORDS = ("Зарегистрировано дважды", "Учебная запись")


def keys(text: str) -> list[str]:
    find = offering(WORDS)
    assert find is not None
    return [row.key for row in find(text)]


def test_enter_on_nothing_takes_nothing() -> None:
    assert keys("") == ["", *WORDS]


def test_ones_own_words_stand_first_and_the_fitting_ones_below() -> None:
    assert keys("уч") == ["уч", "Учебная запись"]
    assert keys(" Учебная запись ") == ["Учебная запись"]
    assert keys("своё") == ["своё"]


def test_without_any_the_line_stands_alone() -> None:
    assert offering(()) is None
