"""Themes by key words (K-5.1.4.4): queries as operators type them, with the themes they mean."""

from __future__ import annotations

import pytest

from operator_tui.answers.themes import ThemeSearch
from operator_tui.appeals.catalogue import AppealType
from operator_tui.letters import to_latin_layout
from operator_tui.reference import packaged_catalogue

# Written before the search was first run on them. Any of the codes among the first three counts.
QUERIES = [
    ("полис потерял", "К-01.3 З-05.2"),
    ("потеряла полис что делать", "К-01.3 З-05.2"),
    ("полис новорожденному", "К-01.5"),
    ("родился ребенок", "К-01.5"),
    ("прикрепиться к поликлинике", "К-03.1 К-03.2"),
    ("отказ в прикреплении", "Ж-04.1 Ж-04.2"),
    ("поменять врача", "К-04.1 Ж-05.1"),
    ("не могу дозвониться в регистратуру", "Ж-07.01"),
    ("нет талонов к терапевту", "Ж-07.02"),
    ("очередь на мрт", "Ж-07.04 К-14.2"),
    ("сколько ждать узи", "К-14.2 Ж-07.05"),
    ("скорая долго", "Ж-07.10"),
    ("врач не пришел на дом", "Ж-07.11 К-06.2"),
    ("грязно в туалете", "Ж-08.1 К-07.1"),
    ("нахамила медсестра", "Ж-10.1"),
    ("сломан аппарат", "Ж-09.1"),
    ("нет пандуса", "Ж-09.2"),
    ("взяли деньги за анализ", "Ж-15.1 К-13.1 К-13.2 З-06.3"),
    ("вернуть деньги за лекарства", "К-13.2 З-06.3 Ж-15.3"),
    ("льготные лекарства", "Ж-12.2 К-10.2"),
    ("диспансеризация когда", "К-14.6"),
    ("выходной на диспансеризацию", "К-14.8"),
    ("эко", "К-14.11"),
    ("квота на операцию", "К-14.12"),
    ("зуб", "К-14.13"),
    ("реабилитация после инсульта", "К-14.14"),
    ("приписали услуги", "Ж-17.1 Ж-11.4"),
    ("иностранец полис", "К-02.1"),
    ("сменить страховую", "К-05.1 З-02.2 Ж-06.1"),
    ("страховая сменилась без моего ведома", "Ж-06.2"),
    ("помощь в другом городе", "К-12.1 К-03.2"),
    ("спасибо доктору", "Б-01.1"),
    ("благодарность оператору", "Б-01.3"),
    ("не звоните мне больше", "З-06.6"),
    ("перенести госпитализацию", "К-16.3 Ж-07.07"),
    ("копия медкарты", "К-06.3"),
    ("где мое обращение", "К-16.5"),
    ("разгласили диагноз", "Ж-16.1"),
    ("предложение по поликлинике", "П-01.1"),
    ("умер родственник", "Ж-11.5"),
]
SLIPPED = [
    ("стамотология", "К-14.13"),
    ("реабелитация", "К-14.14"),
    ("беременасть", "К-14.15"),
    ("диспансиризация", "К-14.6 К-14.7 К-14.8 Ж-07.12"),
    ("прекрепление", "К-03.1 Ж-04.1 Ж-04.2 Ж-04.3"),
    ("полс потерян", "К-01.3"),
    ("госпетализация", "К-14.4 К-16.3 Ж-07.07"),
]


@pytest.fixture(scope="module")
def search() -> ThemeSearch:
    return ThemeSearch(packaged_catalogue().themes.values())


def _found(search: ThemeSearch, typed: str, codes: str) -> bool:
    return bool({theme.code for theme in search.search(typed)[:3]} & set(codes.split()))


@pytest.mark.function("K-5.1.4.4")
def test_a_theme_is_quickly_and_rightly_chosen_by_key_words(search: ThemeSearch) -> None:
    missed = [typed for typed, codes in QUERIES if not _found(search, typed, codes)]
    assert len(missed) <= 0.1 * len(QUERIES), missed


def test_in_the_wrong_layout_too(search: ThemeSearch) -> None:
    right = [search.search(typed) for typed, _ in QUERIES]
    wrong = [search.search(to_latin_layout(typed)) for typed, _ in QUERIES]
    assert wrong == right


@pytest.mark.parametrize(("typed", "codes"), SLIPPED)
def test_with_a_slip_or_as_it_is_heard(search: ThemeSearch, typed: str, codes: str) -> None:
    assert _found(search, typed, codes), [theme.title for theme in search.search(typed)[:3]]


def test_a_beginning_is_enough(search: ThemeSearch) -> None:
    assert search.search("стом")[0].code == "К-14.13"
    assert "К-14.14" in {theme.code for theme in search.search("реаб")[:3]}


@pytest.mark.parametrize("type_", list(AppealType))
def test_a_type_narrows_the_list(search: ThemeSearch, type_: AppealType) -> None:
    everything = packaged_catalogue().themes_of(type_)
    assert search.search("", type_) == everything
    named = everything[0].title.split()[0]
    found = search.search(named, type_)
    assert everything[0] in found
    assert all(theme.type == type_ for theme in found)
    assert {theme.type for theme in search.search("")} > {type_}, "and without it there are others"


def test_all_themes_for_an_empty_line(search: ThemeSearch) -> None:
    assert len(search.search("  ")) == 124


def test_a_code_finds_its_theme(search: ThemeSearch) -> None:
    assert [theme.code for theme in search.search("ж-07.04")] == ["Ж-07.04"]


@pytest.mark.parametrize("typed", ["щщщщщщщ", "x" * 10_000, "'\"*", "\x00", "1", "()", "🙂"])
def test_no_text_breaks_it(search: ThemeSearch, typed: str) -> None:
    search.search(typed)
