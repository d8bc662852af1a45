"""Folding, layouts, slips and sounds: what both searches rest on."""

from __future__ import annotations

import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from operator_tui.letters import fold, one_edit, phonetic_key, to_latin_layout, to_russian_layout

RUSSIAN = st.text("абвгдеёжзийклмнопрстуфхцчшщъыьэюяАБВГДЕЁЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯ", max_size=20)
WORDS = st.text("абвгдежзийклмнопрстуфхцчшщыьэюя", min_size=2, max_size=10)


@given(st.text(max_size=40))
@example("аẚ")  # falls apart into a Latin letter beside a Cyrillic one
@example("е\u00ad\u0308")  # ё once the soft hyphen is gone
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(RUSSIAN)
def test_every_russian_letter_has_a_key_of_its_own(text: str) -> None:
    assert to_russian_layout(to_latin_layout(text)) == text


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("Bdfyjd", "Иванов"),
        ("Gtnhjdf Jkmuf", "Петрова Ольга"),
        ("<jylfhtyrj", "Бондаренко"),
        ("~;brjdf", "Ёжикова"),
    ],
)
def test_wrong_layout_is_read_before_punctuation_is_dropped(typed: str, meant: str) -> None:
    assert to_russian_layout(typed) == meant


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("Семёнов", "СЕМЕНОВ"),
        ("Иванoв", "Иванов"),  # a Latin o
        ("BACИЛЬЕВ", "Васильев"),  # Latin B, A, C
        ("Петрова–Водкина", "петрова-водкина"),
        ("О’Коннор", "ОКоннор"),
        ("Чуи\u0306ков", "Чуйков"),  # и with a combining breve
    ],
)
def test_spellings_of_one_word_fold_alike(left: str, right: str) -> None:
    assert fold(left) == fold(right)


def test_latin_words_stay_latin() -> None:
    assert fold("Smith") == "smith"


@given(WORDS, st.data())
def test_one_edit_holds_every_single_slip(word: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(word) - 1))
    letter = data.draw(st.sampled_from("абвгдежз"))
    slips = {
        word[:place] + word[place + 1 :],
        word[:place] + letter + word[place + 1 :],
        word[:place] + letter + word[place:],
        word[:place] + word[place + 1 : place + 2] + word[place] + word[place + 2 :],
    } - {word}
    assert slips <= one_edit(word)
    assert word not in one_edit(word)


def test_slips_after_a_dead_letter_are_left_out() -> None:
    assert "кызнец" not in one_edit("кузнец", upto=0)
    assert "кызнец" in one_edit("кузнец", upto=1)


@pytest.mark.parametrize(
    ("heard", "written"),
    [
        ("Стамотология", "Стоматалогия"),
        ("Хаметов", "Хамитов"),
        ("Анна", "Ана"),
        ("Рожков", "Рошков"),
        ("Братцев", "Брацев"),
    ],
)
def test_words_that_sound_alike_share_a_key(heard: str, written: str) -> None:
    assert phonetic_key(heard) == phonetic_key(written)


@given(st.text(string.printable + "абвгд", max_size=30))
def test_sound_never_fails(text: str) -> None:
    assert isinstance(phonetic_key(text), str)
