"""Keys of names: what a registry stores and what an operator types meet."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from operator_tui.letters import to_latin_layout
from operator_tui.registry.names import display_name, layout_reading, name_key, transliterations, word_key


@given(st.text(max_size=30))
@example("аẚ")
@example("a е")  # a Latin letter that stands beside a Cyrillic one in the key
@example("\u1100!\u1161")  # one Korean letter once the sign between its parts is gone
def test_a_key_is_its_own_key(text: str) -> None:
    assert word_key(word_key(text)) == word_key(text)


@given(st.text("абвгдеёжзийклмнопрстуфхцчшщъыьэюя", min_size=1, max_size=20))
def test_a_name_typed_in_the_wrong_layout_is_read(name: str) -> None:
    assert layout_reading(to_latin_layout(name)) == word_key(name)


@pytest.mark.parametrize("stored", ["НЕТ", "нет", "-", "---", "—", "", "  ", "Отсутствует"])
def test_placeholders_are_no_name(stored: str) -> None:
    assert name_key(stored) == ""
    assert display_name(stored) == ""


def test_a_beginning_that_looks_like_a_placeholder_is_searched() -> None:
    assert word_key("Нет") == "нет"


@pytest.mark.parametrize(
    ("stored", "shown"),
    [("ИВАНОВ", "Иванов"), ("Петрова - Водкина", "Петрова-Водкина"), ("Мамед  Оглы", "Мамед Оглы"), ("д’Арк", "д’Арк")],
)
def test_a_name_is_shown_tidy(stored: str, shown: str) -> None:
    assert display_name(stored) == shown


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("ivanov", "иванов"), ("shcherbakov", "щербаков"), ("kuzmin", "кузмин"), ("Tsvetkov", "цветков")],
)
def test_foreign_spelling_is_read(typed: str, meant: str) -> None:
    assert meant in transliterations(typed, lambda beginning: meant.startswith(beginning))


def test_readings_that_no_name_begins_with_are_dropped() -> None:
    assert transliterations("ivanov", lambda _: False) == []


@given(st.text("abcdefghijklmnopqrstuvwxyz'-", max_size=24))
def test_reading_stays_small(typed: str) -> None:
    assert len(transliterations(typed, lambda _: True)) <= 6
