"""Chords mean the physical key, and digits can be chosen under the Kazakh layout."""

from __future__ import annotations

import string

import pytest
from textual.keys import _character_to_key

from operator_tui.terminal.layouts import aliases, chord, digit, latin


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("ctrl+ф", "ctrl+a"),
        ("ctrl+з", "ctrl+p"),
        ("ctrl+Ф", "ctrl+a"),
        ("ctrl+shift+я", "ctrl+shift+z"),
        ("alt+ь", "alt+m"),
        ("alt+Ь", "alt+M"),
        ("alt+х", "alt+left_square_bracket"),
        ("alt+ё", "alt+grave_accent"),
        ("ctrl+ә", "ctrl+2"),
        ("alt+қ", "alt+0"),
        ("alt+ө", "alt+minus"),
    ],
)
def test_a_chord_is_named_by_its_key(typed: str, meant: str) -> None:
    assert chord(typed) == meant


@pytest.mark.parametrize("key", ["ф", "ctrl+a", "f2", "shift+f2", "ctrl+up", "alt+m", "shift+ф", "ctrl+世", "plus"])
def test_other_keys_stay(key: str) -> None:
    assert chord(key) is None


def test_every_latin_letter_has_a_key_in_the_russian_layout() -> None:
    russian = "абвгдеёжзийклмнопрстуфхцчшщъыьэюя"
    keys = {latin(letter) for letter in russian}
    assert set(string.ascii_lowercase) <= keys
    assert len(keys) == len(russian)


def test_the_kazakh_digit_row_gives_digits() -> None:
    assert [digit(letter) for letter in '"әіңғ,.үұқ'] == list("1234567890")
    assert digit("Ә") == "2"
    assert digit("ө") is None
    assert digit("а") is None
    assert digit("5") is None


def test_aliases_are_textuals_names_of_what_the_key_types() -> None:
    assert aliases("2") == ("2", "ә")
    assert aliases("1") == ("1", "quotation_mark")
    assert aliases("6") == ("6", "comma")
    assert aliases("plus") == ("plus", "Һ")
    assert aliases("equals_sign") == ("equals_sign", "һ")
    assert aliases("m") == ("m", "ь")
    assert aliases("f2") == ("f2",)
    for name, character in (("quotation_mark", '"'), ("comma", ","), ("full_stop", "."), ("ә", "ә")):
        assert _character_to_key(character) == name
