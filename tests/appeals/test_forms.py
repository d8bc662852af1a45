"""Clarifying fields: asked for by type and theme, by the version a card remembers."""

from __future__ import annotations

import pytest

from operator_tui.appeals.card import missing_to_close
from operator_tui.appeals.catalogue import Catalogue
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.forms import FieldKind, Forms, parse_forms
from operator_tui.appeals.lifecycle import Act
from tests.appeals.making import LEVEL_2, Bench

TWO = """version;types;themes;field;title;kind;required;options
1;Жалоба;Ж-07.04;test;Вид исследования;choice;close;КТ|МРТ
1;Жалоба;Ж-07;wait;Сколько ждут;text;;
2;Жалоба;Ж-07;test;Какое исследование;choice;;КТ|МРТ|ПЭТ
2;Жалоба;;when;Когда;date;close;
"""
CT = {"type": "Жалоба", "theme": "Ж-07.04"}
CLOSING = {"result": "R10", "comment": "Сроки не нарушены"}


@pytest.fixture
def forms() -> Forms:
    return parse_forms(TWO)


def test_a_card_is_asked_by_the_version_it_was_made_with(forms: Forms) -> None:
    assert forms.latest == 2
    assert [field.title for field in forms.asked(1, "Жалоба", "Ж-07.04")] == ["Вид исследования", "Сколько ждут"]
    assert [field.title for field in forms.asked(2, "Жалоба", "Ж-07.04")] == ["Какое исследование", "Когда"]
    assert forms.missing({**CT, "form": 1}) == ["clarify.test"]
    assert forms.missing({**CT, "form": 2}) == ["clarify.when"]
    assert forms.missing({**CT, "form": 2, "clarify.when": "2026-09-01"}) == []


@pytest.mark.parametrize("version", [None, 0, 9, "1"])
def test_a_version_nobody_has_asks_for_nothing(forms: Forms, version: object) -> None:
    assert forms.missing({**CT, "form": version}) == []


def test_what_a_field_can_not_hold(forms: Forms) -> None:
    test, *_ = forms.asked(1, "Жалоба", "Ж-07.04")
    assert test.kind is FieldKind.CHOICE
    for value in ("КТ", ""):
        test.demand(value)
    with pytest.raises(Refusal) as refused:
        test.demand("УЗИ")
    assert refused.value.params == {"field": "Вид исследования"}
    when = forms.asked(2, "Жалоба", "Ж-10.1")[-1]
    with pytest.raises(Refusal) as refused:
        when.demand("31.02.2026")
    assert refused.value.code is Code.FIELD_INVALID


def test_the_packaged_data_fits_the_themes(catalogue: Catalogue) -> None:
    forms = catalogue.forms
    asked = {theme.code: forms.asked(forms.latest, theme.type.value, theme.code) for theme in catalogue.themes.values()}
    assert any(asked.values())
    for fields in asked.values():
        assert len(fields) <= 6
        assert all(field.options for field in fields if field.kind is FieldKind.CHOICE)


def test_an_appeal_is_not_closed_before_it_is_clarified_and_an_old_one_is(bench: Bench) -> None:
    card = bench.new({**CT, "form": 1}, who=LEVEL_2)
    assert missing_to_close(card.fields, CLOSING, bench.catalogue) == ["clarify.test"]
    with pytest.raises(Refusal) as refused:
        bench.move(Act.CLOSE, who=LEVEL_2, **CLOSING)
    assert (refused.value.code, refused.value.params["field"]) == (Code.FIELD_REQUIRED, "clarify.test")
    assert not missing_to_close(card.fields, {"result": "R19", "comment": "Отозвано"}, bench.catalogue)
    bench.set({"clarify.test": "КТ"}, who=LEVEL_2)
    bench.move(Act.CLOSE, who=LEVEL_2, **CLOSING)
    bench.card = None
    bench.new(CT, who=LEVEL_2)  # made before there were any
    bench.move(Act.CLOSE, who=LEVEL_2, **CLOSING)
