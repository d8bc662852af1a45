"""The reference data holds together."""

from __future__ import annotations

import re

import pytest

from operator_tui.appeals.card import FIELDS
from operator_tui.appeals.catalogue import AppealType, Catalogue, parse_catalogue
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.rights import LEVEL_1_CLOSES
from operator_tui.reference import packaged_scripts


@pytest.mark.function("K-5.1.4.2")
def test_the_five_types_in_the_manuals_words_and_order() -> None:
    assert [each.value for each in AppealType] == [
        "Жалоба",
        "Консультация",
        "Заявление",
        "Предложение",
        "Благодарность",
    ]


def test_all_themes_are_there(catalogue: Catalogue) -> None:
    assert len(catalogue.themes) == 124
    assert len(catalogue.results) == 26
    assert len({theme.title for theme in catalogue.themes.values()}) > 100


@pytest.mark.function("K-5.1.4.3")
@pytest.mark.parametrize("type_", AppealType)
def test_themes_are_chosen_by_type(catalogue: Catalogue, type_: AppealType) -> None:
    themes = catalogue.themes_of(type_)
    assert themes
    assert {theme.type for theme in themes} == {type_}


@pytest.mark.parametrize("type_", AppealType)
def test_every_type_can_be_finished_and_handed_on(catalogue: Catalogue, type_: AppealType) -> None:
    results = catalogue.results_of(type_)
    assert any(result.final for result in results)
    assert any(result.hands_on for result in results)


def test_every_theme_has_a_default_result_that_fits_it(catalogue: Catalogue) -> None:
    for theme in catalogue.themes.values():
        assert theme.type in catalogue.default_result(theme).types, theme.code


def test_one_key_needs_no_more_than_a_comment_where_level_1_closes(catalogue: Catalogue) -> None:
    for theme in catalogue.themes.values():
        if theme.type in LEVEL_1_CLOSES:
            assert catalogue.default_result(theme).required <= {"comment"}, theme.code


def test_terms_are_those_of_the_law(catalogue: Catalogue) -> None:
    # 59-ФЗ article 12: thirty days, no theme may take longer by itself.
    # 0: answered at once.
    assert all(0 <= theme.deadline_days <= 30 for theme in catalogue.themes.values())


def test_every_theme_has_keywords_and_answers_that_exist(catalogue: Catalogue) -> None:
    scripts = set(re.findall(r"\b[A-Z]-\d+\b", packaged_scripts()))
    for theme in catalogue.themes.values():
        assert theme.keywords, theme.code
        assert set(theme.scripts) <= scripts, theme.code


def test_results_ask_for_fields_that_cards_have(catalogue: Catalogue) -> None:
    for result in catalogue.results.values():
        assert result.required <= {*FIELDS, "operator"}, result.code


def test_the_manuals_two_results_stand_in_its_words(catalogue: Catalogue) -> None:
    forward, extend = catalogue.result("R04"), catalogue.result("R05")
    assert forward.title == "Переадресация с уведомлением обратившегося"
    assert forward.required == {"operator"}
    assert extend.title == "Находится на контроле, сроки рассмотрения продлены"
    assert extend.required == {"new_date", "comment"}


def test_unknown_codes_are_refused(catalogue: Catalogue) -> None:
    with pytest.raises(Refusal) as theme:
        catalogue.theme("Ж-99.9")
    with pytest.raises(Refusal) as result:
        catalogue.result("R99")
    assert (theme.value.code, result.value.code) == (Code.UNKNOWN_THEME, Code.UNKNOWN_RESULT)


THEMES = "type;code;title;keywords;level2_group;deadline_days;pg_row;scripts;default_result\n"
RESULTS = "code;title;types;required_fields;next_status;final;needs_admin\n"
GROUPS = "code;title;owner\npolicy;Полисы;fund\n"


def test_the_version_follows_the_texts() -> None:
    one = parse_catalogue(themes=THEMES, results=RESULTS, groups=GROUPS)
    same = parse_catalogue(themes=THEMES, results=RESULTS, groups=GROUPS)
    other = parse_catalogue(themes=THEMES + "Жалоба;Ж-1;т;к;policy;30;;;\n", results=RESULTS, groups=GROUPS)
    assert one.version == same.version != other.version


@pytest.mark.parametrize(
    "row", ["Жалоба;Ж-1;т;к;nobody;30;;;\n", "Жалоба;Ж-1;т;к;policy;30;;;R77\n", "Просьба;П;т;к;;3;;;\n"]
)
def test_data_that_contradicts_itself_is_not_taken(row: str) -> None:
    with pytest.raises(ValueError, match=r"unknown|Просьба"):
        parse_catalogue(themes=THEMES + row, results=RESULTS, groups=GROUPS)
