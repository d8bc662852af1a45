"""The search line and the four fields, parsed."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.registry.query import MOST_WORDS, Birth, Digits, Query, parse_fields, parse_line

TODAY = date(2026, 11, 20)


@pytest.mark.parametrize(
    ("typed", "query"),
    [
        ("", Query()),
        ("   ", Query()),
        ("смирн ан вик 12031958", Query(("смирн", "ан", "вик"), birth=Birth((1958,), 3, 12))),
        ("12.03.1958 смирнов", Query(("смирнов",), birth=Birth((1958,), 3, 12))),
        ("Смирнов 12 03 1958", Query(("смирнов",), birth=Birth((1958,), 3, 12))),
        ("смирнов 1958-03-12", Query(("смирнов",), birth=Birth((1958,), 3, 12))),
        ("смирнов 12ю03ю1958", Query(("смирнов",), birth=Birth((1958,), 3, 12))),
        ("смирнов 12/03/1958", Query(("смирнов",), birth=Birth((1958,), 3, 12))),
        ("смирнов 120358", Query(("смирнов",), birth=Birth((1958,), 3, 12))),
        ("смирнов 12.03.58", Query(("смирнов",), birth=Birth((1958,), 3, 12))),
        ("смирнов 12.03", Query(("смирнов",), birth=Birth((), 3, 12))),
        ("смирнов 12.", Query(("смирнов",), birth=Birth((), 0, 12))),
        ("смирнов 12.1", Query(("смирнов",), birth=Birth((), 0, 12))),
        ("смирнов 12.03.1", Query(("смирнов",), birth=Birth((), 3, 12))),
        ("смирнов 12.03.19", Query(("смирнов",), birth=Birth((), 3, 12))),
        ("смирнов 12.03.195", Query(("смирнов",), birth=Birth((), 3, 12))),
        ("смирнов 1958", Query(("смирнов",), birth=Birth((1958,)))),
        ("смирнов 1912", Query(("смирнов",), birth=Birth((1912,)), otherwise=Birth((), 12, 19))),
        ("1912", Query(birth=Birth((1912,)))),
        ("смирнов 195", Query(("смирнов",), birth=Birth(tuple(range(1950, 1960))))),
        ("смирнов 202", Query(("смирнов",), birth=Birth(tuple(range(2020, 2027))))),
        ("смирнов 85", Query(("смирнов",), birth=Birth((1985,)))),
        ("смирнов 12", Query(("смирнов",))),
        ("смирнов 19", Query(("смирнов",))),
        ("смирнов 1", Query(("смирнов",))),
        ("смирнов 31.02.1958", Query(("смирнов",))),
        ("Петрова - Водкина", Query(("петрова", "водкина"))),
        ("Петрова-Водкина анна", Query(("петрова-водкина", "анна"))),
        ("Иванов А.Б.", Query(("иванов", "а", "б"))),
        ("Bdfyjd", Query(("Bdfyjd",))),
        ("8 (8652) 01-23-45", Query(digits=(Digits("88652012345"),))),
        ("+7 8652 01 23 45", Query(digits=(Digits("78652012345", international=True),))),
        ("112-233-445 95", Query(digits=(Digits("11223344595"),))),
        ("2656 2408 8590 0014", Query(digits=(Digits("2656240885900014"),))),
        ("2690 1997 4690 0001", Query(digits=(Digits("2690199746900001"),))),
        ("2656 2108 1990 00", Query(digits=(Digits("26562108199000"),))),
        ("иванов 2690 1997 4690 0001", Query(("иванов",), digits=(Digits("2690199746900001"),))),
        ("иванов 86520", Query(("иванов",), digits=(Digits("86520"),))),
        ("\x00\x1b \t", Query()),
    ],
)
def test_line(typed: str, query: Query) -> None:
    assert parse_line(typed, TODAY) == query


@given(st.text(max_size=400))
def test_no_text_breaks_the_line(typed: str) -> None:
    query = parse_line(typed, TODAY)
    assert len(query.words) <= MOST_WORDS
    assert query.cut == (len(typed) > 200)
    assert 0 <= query.birth.day <= 31
    assert all(part.text.isdigit() and part.text.isascii() for part in query.digits)


@given(st.dates(date(1900, 1, 1), date(2025, 12, 31)), st.integers(1, 10))
def test_a_date_being_typed_never_excludes_its_day(born: date, typed: int) -> None:
    """Whatever part of dd.mm.yyyy is typed, the conditions still fit the date meant."""
    text = born.strftime("%d.%m.%Y")
    birth = parse_line("иванов " + text[:typed], TODAY).birth
    assert not birth.years or born.year in birth.years
    assert birth.month in (0, born.month)
    assert birth.day in (0, born.day)


@pytest.mark.function("K-5.1.3.1")
def test_the_manuals_four_fields() -> None:
    query = parse_fields("Смирнов", "Андрей", "Викторович", "12.03.1958", TODAY)
    assert query.words == ("смирнов", "андрей", "викторович")
    assert query.fields == ("sn", "fn", "pn")
    assert query.birth == Birth((1958,), 3, 12)


@pytest.mark.function("K-5.1.3.2")
@pytest.mark.parametrize("filled", [{"surname": "и"}, {"name": "и"}, {"patronymic": "и"}, {"birth_date": "12.03.1958"}])
def test_one_field_is_enough(filled: dict[str, str]) -> None:
    assert not parse_fields(**filled, today=TODAY).empty


@pytest.mark.function("K-5.1.3.2")
@pytest.mark.parametrize("filled", [{}, {"surname": " ", "name": "\t"}, {"birth_date": "x"}, {"patronymic": "-"}])
def test_no_field_is_refused(filled: dict[str, str]) -> None:
    with pytest.raises(Refusal) as refused:
        parse_fields(**filled, today=TODAY)
    assert refused.value.code == Code.SEARCH_EMPTY
