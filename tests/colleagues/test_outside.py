"""Targets outside the centre, as the administration writes them."""

from __future__ import annotations

import pytest

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.colleagues.directory import PSYCHOLOGIST, parse_outside, search
from operator_tui.reference import packaged_outside

HEAD = "number;name;purpose\n"


def test_emergency_numbers_and_a_psychologist_are_in_the_release() -> None:
    outside = parse_outside(packaged_outside())
    assert {"103", "112"} <= {one.extension for one in outside}
    assert [one for one in outside if one.organisation == PSYCHOLOGIST]
    assert [one.extension for one in search(outside, "скорая")] == ["103"]
    assert all(one.role is None and one.user == 0 for one in outside)


@pytest.mark.parametrize(
    ("row", "field"),
    [("1o3;Скорая;врачи", "number"), ("103;;врачи", "name"), ("103;Скорая;", "purpose"), (";Скорая;врачи", "number")],
)
def test_a_row_that_is_none_is_named(row: str, field: str) -> None:
    with pytest.raises(Refusal) as refused:
        parse_outside(f"{HEAD}112;Служба;врачи\n{row}\n", file="o.csv")
    assert refused.value.code is Code.ROW_INVALID
    assert refused.value.params == {"file": "o.csv", "row": 3, "field": field}


def test_a_number_stands_there_once() -> None:
    with pytest.raises(Refusal) as caught:
        parse_outside(HEAD + "112;а;б\n112;в;г\n")
    assert (caught.value.code, caught.value.params["row"], caught.value.params["field"]) == (
        Code.ROW_INVALID,
        3,
        "number",
    )
