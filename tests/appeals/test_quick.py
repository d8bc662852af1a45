"""Quick classes are data that agrees with the catalogue."""

from __future__ import annotations

import pytest

from operator_tui.appeals.catalogue import Catalogue
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.people import Role
from operator_tui.appeals.quick import parse_quick, quick_fields
from operator_tui.appeals.rights import may_close_type
from operator_tui.reference import packaged_quick


@pytest.mark.parametrize("code", list(packaged_quick()))
def test_level_one_may_close_each_class(code: str, catalogue: Catalogue) -> None:
    one = packaged_quick()[code]
    type_ = catalogue.theme(one.theme).type
    assert may_close_type(Role.OPERATOR_1, type_)
    result = catalogue.result(one.result)
    assert type_ in result.types
    assert result.final
    assert not result.required
    assert len(one.words) <= 125, "the words stand in the two lines of the notice"


def test_data_that_names_no_theme_is_refused(catalogue: Catalogue) -> None:
    with pytest.raises(Refusal) as refused:
        parse_quick("code;title;theme;result;words\nx;X;нет;R26;До свидания\n", catalogue)
    assert refused.value.code is Code.UNKNOWN_THEME


def test_nobody_is_bound_to_a_call_without_a_question(catalogue: Catalogue) -> None:
    begun = {"call": "c1", "phone": "+78652000001", "surname": "Петров", "enp": "1", "comment": "слова"}
    fields = quick_fields(packaged_quick()["silence"], begun, catalogue)
    assert "surname" not in fields
    assert "enp" not in fields
    assert (fields["call"], fields["phone"], fields["comment"]) == ("c1", "+78652000001", "слова\nТишина")
