"""Numbers: every row of the shared examples, and rules that hold for all."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operator_tui.registry.identifiers import (
    CHECKS,
    Check,
    check_enp,
    check_iin,
    check_mkb,
    check_mo,
    check_okato,
    check_oktmo,
    check_phone,
    check_smo,
    check_snils,
    check_temporary_certificate,
    enp_facts,
    luhn_digit,
    luhn_tail,
    make_enp,
    snils_tail,
    to_e164,
)
from operator_tui.registry.names import layout_reading, name_key, word_key

EXAMPLES = Path(__file__).with_name("data") / "id_examples.csv"


def _examples() -> list[dict[str, str]]:
    with EXAMPLES.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter=";"))


_BY_KIND = {
    "enp": check_enp,
    "temp_cert": check_temporary_certificate,
    "snils": check_snils,
    "smo_code": check_smo,
    "mo_code": check_mo,
    "okato": check_okato,
    "oktmo": check_oktmo,
    "mkb10": check_mkb,
    "phone": check_phone,
    "iin_kz": check_iin,
}


@pytest.mark.parametrize("row", _examples(), ids=lambda row: f"{row['kind']} {row['value']}")
def test_example(row: dict[str, str]) -> None:
    kind, value, why = row["kind"], row["value"], row["why"]
    if kind == "kbd_slip":
        assert layout_reading(value) == word_key(why.rpartition(" ")[2])
    elif kind == "name_key":
        assert name_key(value) == why.rpartition("«")[2].rstrip("»")
    elif kind == "enp_person":
        verdict = check_enp(*value.split("|"))
        assert verdict.valid
        assert bool(verdict.warning) == ("[warn" in why)
    else:
        verdict = _BY_KIND[kind](value)
        assert verdict.valid == (row["valid"] == "1"), verdict
        assert bool(verdict.value) == verdict.valid
        if kind == "phone" and verdict.valid:
            assert verdict.value == why.rpartition(" ")[2]


def test_every_kind_of_example_is_tested() -> None:
    assert {row["kind"] for row in _examples()} <= {*_BY_KIND, "kbd_slip", "name_key", "enp_person"}


BORN = st.dates(date(1900, 1, 1), date(2026, 12, 31))


@given(st.integers(0, 99), BORN, st.sampled_from("mf"), st.integers(0, 99_999))
def test_an_enp_tells_what_it_was_made_of(territory: int, born: date, sex: str, serial: int) -> None:
    number = make_enp(territory, born, sex, serial)
    verdict = check_enp(number, born.isoformat(), sex)
    assert verdict.valid
    assert not verdict.warning
    facts = enp_facts(number)
    assert (facts.territory, facts.birth_date, facts.sex) == (f"{territory:02d}", born, sex)


@given(BORN, st.integers(0, 15), st.integers(1, 9))
def test_one_wrong_digit_never_passes(born: date, place: int, shift: int) -> None:
    number = make_enp(26, born, "f", 90_001)
    wrong = number[:place] + str((int(number[place]) + shift) % 10) + number[place + 1 :]
    assert not check_enp(wrong).valid


@given(st.text("0123456789", min_size=15, max_size=15))
def test_the_quick_check_digit_is_the_librarys(body: str) -> None:
    assert luhn_tail(body) == luhn_digit(body)


@given(st.integers(2_000_000, 999_999_999), st.integers(1, 99))
def test_a_snils_has_one_control_number(number: int, shift: int) -> None:
    nine = f"{number:09d}"
    tail = snils_tail(nine)
    assert check_snils(nine + tail).valid
    assert not check_snils(f"{nine}{(int(tail) + shift) % 100:02d}").valid


def test_an_enp_without_a_real_birth_date_is_only_a_warning() -> None:
    body = "26" + "00000000" + "90001"
    verdict = check_enp(body + luhn_tail(body))
    assert verdict.valid
    assert verdict.warning


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("+7 (8652) 01-23-45", "+78652012345"),
        ("88652012345", "+78652012345"),
        ("sip", ""),
        ("", ""),
        ("112", ""),
        ("anonymous", ""),
        ("+49 30 901820", "+4930901820"),
        ("+7 000 000 00 00", ""),
        ("+7865201234", ""),
    ],
)
def test_telephones_are_stored_in_e164(typed: str, stored: str) -> None:
    assert to_e164(typed) == stored


@pytest.mark.parametrize(
    ("kind", "typed", "valid", "word"),
    [
        ("phone", "201", True, "внутренний"),
        ("phone", "8652-01-23-45x", False, "посторонние"),
        ("mkb", "i10", True, "верно"),
        ("mkb", "Е11.9", False, "E11.9"),
        ("mkb", "E11,9", False, "E11.9"),
        ("mkb", "E1", False, "две цифры"),
        ("mkb", "S72.00", True, "верно"),
        ("mkb", " J 06.9 ", True, "верно"),
        ("mkb", "J-06.9", True, "верно"),
        ("iin", "850101500128", False, "контрольная"),
        ("iin", "851301500127", False, "дата"),
        ("iin", "12", False, "12 цифр"),
        ("enp", "²656240885900014", False, "16 цифр"),
    ],
)
def test_a_verdict_says_why(kind: str, typed: str, valid: bool, word: str) -> None:
    verdict = CHECKS[kind](typed)
    assert verdict.valid == valid
    assert word in verdict.reason


@given(st.sampled_from(sorted(CHECKS)), st.text(max_size=30))
def test_no_text_breaks_a_check(kind: str, typed: str) -> None:
    verdict = CHECKS[kind](typed)
    assert isinstance(verdict, Check)
    assert verdict.reason.endswith(".")
    assert "\n" not in verdict.reason
