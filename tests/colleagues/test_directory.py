"""The directory: one line for name, organisation or number."""

from __future__ import annotations

import pytest

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.people import Role
from operator_tui.colleagues.directory import LISTED, parse_colleagues, search
from operator_tui.reference import packaged_colleagues

EVERYBODY = parse_colleagues(packaged_colleagues())


def names(typed: str) -> list[str]:
    return [one.name.split()[0] for one in search(EVERYBODY, typed)]


@pytest.mark.function("K-4.1.1")
def test_operators_and_representatives_of_all_levels_are_there() -> None:
    assert {one.role for one in EVERYBODY} == set(LISTED)
    assert Role.TRAINEE not in LISTED


@pytest.mark.function("K-4.1.3")
@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("крюк", ["Крюкова"]),
        ("елена крю", ["Крюкова"]),
        ("2009", ["Рябинина"]),
        ("елкина", ["Ёлкина"]),
        ("учебная 2010", ["Соколов"]),
        ("rh.r", ["Крюкова"]),
        ("Djhj,m", []),
        ("эксперт", ["Рябинина"]),
        ("казахский", ["Ахметов", "Бондаренко", "Смирнов"]),
    ],
)
def test_name_organisation_or_number_in_one_line(typed: str, found: list[str]) -> None:
    assert names(typed) == found


def test_an_empty_line_shows_everybody() -> None:
    assert len(search(EVERYBODY, " ")) == len(EVERYBODY)


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ("x;Имя;o1;Фонд;", "extension"),
        ("2001;;o1;Фонд;", "name"),
        ("2001;Имя;boss;Фонд;", "role"),
        ("2001;Имя;trainee;Фонд;", "role"),
        ("2001", "name"),
    ],
)
def test_a_wrong_row_is_named(row: str, field: str) -> None:
    with pytest.raises(Refusal) as refused:
        parse_colleagues(f"extension;name;role;organisation;skills\n{row}\n")
    assert refused.value.code is Code.ROW_INVALID
    assert (refused.value.params["row"], refused.value.params["field"]) == (2, field)
