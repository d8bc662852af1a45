"""Kinds of break as the administration writes them."""

from __future__ import annotations

import pytest

from operator_tui.appeals.breaks import BreakKind, parse_breaks
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.reference import packaged_breaks

HEAD = "code;title;minutes\n"


def test_the_kinds_of_the_release_can_be_used() -> None:
    kinds = parse_breaks(packaged_breaks())
    assert kinds[0].minutes <= kinds[1].minutes, "the usual one first"
    assert any(kind.title == "обед" for kind in kinds)


def test_a_kind_without_a_limit() -> None:
    assert parse_breaks(HEAD + "a;поручение;0\n") == (BreakKind("a", "поручение", 0),)


@pytest.mark.parametrize(
    ("rows", "row", "field"),
    [
        ("a b;обед;45", 2, "code"),
        ("a;обед;45\na;ужин;45", 3, "code"),
        ("a;;45", 2, "title"),
        ("a;обед;долго", 2, "minutes"),
        ("a;обед;-5", 2, "minutes"),
        ("", 2, "code"),
    ],
)
def test_a_row_that_is_none_is_named(rows: str, row: int, field: str) -> None:
    with pytest.raises(Refusal) as refused:
        parse_breaks(HEAD + rows + "\n", file="b.csv")
    assert refused.value.code is Code.ROW_INVALID
    assert refused.value.params == {"file": "b.csv", "row": row, "field": field}
