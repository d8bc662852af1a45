"""Names that a form offers while one types: found by beginnings of their words."""

from __future__ import annotations

import pytest

from screens.form import matching

CLINICS = ["ГБУЗ «Поликлиника № 1»", "ГБУЗ «Поликлиника № 10»", "ГБУЗ «Краевая больница имени Королёва»", "Больница"]


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("поли 10", [1]),
        ("10 поли", [1]),
        ("гбуз поликл", [0, 1]),
        ("королева", [2]),
        ("больница", [2, 3]),
        ("Больница", [3]),
        ("", [0, 1, 2, 3]),
        ("иная", []),
    ],
)
def test_every_typed_word_begins_a_word_of_the_name(typed: str, found: list[int]) -> None:
    assert matching(CLINICS, typed) == [CLINICS[place] for place in found]
