"""Two values of one field, and what each way of settling them writes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operator_tui.appeals.catalogue import Catalogue
from operator_tui.appeals.operations import Change, Kind
from operator_tui.appeals.returned import Choice, Difference, differences, rivals, settled, with_comment
from tests.appeals.making import COLLEAGUE, Bench, operation


@pytest.fixture
def bench(catalogue: Catalogue) -> Bench:
    bench = Bench(catalogue)
    bench.new({"comment": "первый"})
    return bench


@pytest.mark.parametrize("choice", list(Choice))
def test_after_any_choice_nothing_stands_beside(bench: Bench, choice: Choice) -> None:
    bench.set({"comment": "второй"}, who=COLLEAGUE, b={})
    assert bench.card is not None
    assert rivals(bench.card) == (Difference("comment", "второй", "первый"),)
    card = bench.set(settled(rivals(bench.card), choice, bench.card))
    assert card.rival == {}
    wanted = {Choice.MINE: "второй", Choice.THEIRS: "первый", Choice.COMMENT: "первый\nвторой"}
    assert card.value("comment") == wanted[choice]


def test_a_later_word_that_won_can_be_taken_back(bench: Bench) -> None:
    mine = operation(9, Kind.CARD_SET, {"phone": "+78652000002"})
    change = Change(set={"phone": "+78652000002"}, lost={"phone": "+78652000001"})
    card = bench.set({"phone": "+78652000002"})
    (found,) = differences(mine, change, card, refused=False)
    assert (found.mine, found.theirs) == ("+78652000002", "+78652000001")
    assert settled([found], Choice.THEIRS, card) == {"phone": "+78652000001"}
    assert settled([found], Choice.MINE, card) == {}


def test_a_refused_operation_shows_only_what_differs(bench: Bench) -> None:
    mine = operation(9, Kind.CARD_SET, {"comment": "первый", "surname": "Петров", "answers": ["S-03"]})
    found = differences(mine, Change(), bench.card, refused=True)
    assert found == (Difference("surname", "Петров", ""),)


@given(st.text(max_size=20), st.lists(st.text(min_size=1, max_size=20), max_size=4))
def test_no_word_is_lost_in_the_comment_and_none_is_added_twice(comment: str, mine: list[str]) -> None:
    found = [Difference("comment", value, comment) for value in mine]
    once = with_comment(comment, found)
    assert all(value in once for value in mine)
    assert once.startswith(comment)
    assert with_comment(once, found) == once
