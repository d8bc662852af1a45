"""Ways of receipt and what level 1 closes are lists of the centre: data, and the rules read them."""

from __future__ import annotations

import pytest

from operator_tui.appeals.card import WITHOUT_CALL, WRITTEN, Source, is_written
from operator_tui.appeals.catalogue import LEVEL_1_CLOSES, AppealType, Catalogue, catalogue_of
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.owed import answer_owed
from operator_tui.appeals.people import Role
from operator_tui.appeals.rights import may_close_type
from tests.appeals.making import LEVEL_2, Bench

COURIER = {"ways": {"Курьер": {"code": "Курьер", "written": "1", "without_call": "1"}}}


@pytest.fixture
def with_courier(catalogue: Catalogue) -> Catalogue:
    """The centre has added a way of its own."""
    rows = {**catalogue.reference.all("ways"), **COURIER["ways"]}
    return catalogue_of(catalogue.reference.changed([("ways", rows, "op:1")]))


@pytest.mark.function("K-4.3", "K-5.2.0.3")
def test_the_ways_of_this_release_are_a_list_and_say_what_the_program_knows(catalogue: Catalogue) -> None:
    assert {way.title for way in catalogue.ways.values()} == {source.value for source in Source}
    assert {way.title for way in catalogue.ways.values() if way.written} == set(WRITTEN)
    assert {way.title for way in catalogue.ways.values() if way.without_call} == set(WITHOUT_CALL)


def test_a_way_of_the_centres_own_is_level_twos_and_in_writing(with_courier: Catalogue) -> None:
    bench = Bench(with_courier)
    with pytest.raises(Refusal) as refused:
        bench.new({"source": "Курьер"})
    assert refused.value.code is Code.RIGHT_MISSING
    card = bench.new({"source": "Курьер"}, who=LEVEL_2)
    assert is_written(card.fields)
    assert answer_owed(card), "the answer goes out in writing"


def test_what_level_one_closes_is_the_centres_setting(catalogue: Catalogue) -> None:
    assert catalogue.level_1_closes == LEVEL_1_CLOSES
    row = {"Заявление": {"code": "Заявление", "level1_closes": "1"}}
    wider = catalogue_of(catalogue.reference.changed([("types", row, "op:1")]))
    assert may_close_type(Role.OPERATOR_1, AppealType.STATEMENT, wider.level_1_closes)
    assert not may_close_type(Role.OPERATOR_1, AppealType.COMPLAINT, wider.level_1_closes)
