"""What is read back to a caller: in groups, in whole words."""

from __future__ import annotations

import pytest

from operator_tui.desk.state import CardAtHand
from operator_tui.reference import packaged_catalogue
from screens.read_back import said_address, said_day, summary


@pytest.mark.parametrize(
    ("address", "said"),
    [
        (
            "355000, г. Ставрополь, ул. Лесная, д. 12, кв. 5",
            "355000 — город Ставрополь — улица Лесная — дом 12 — квартира 5",
        ),
        ("с.Донское,пер Мирный,д.3", "село Донское — переулок Мирный — дом 3"),
        ("пр-кт Кулакова, 8", "проспект Кулакова — 8"),
        ("Дом престарелых", "Дом престарелых"),
        ("", ""),
    ],
)
def test_an_address_is_said_part_by_part(address: str, said: str) -> None:
    assert said_address(address) == said


def test_a_date_is_said_in_words_and_half_of_one_as_it_was_heard() -> None:
    assert said_day("1958-03-12") == "12 марта 1958 года"
    assert said_day("1958") == "1958"


def test_the_summary_has_telephone_address_and_date() -> None:
    theme = packaged_catalogue().theme("К-01.3")
    fields = {"phone": "+78652001234", "address": "ул. Лесная, д. 12", "birth_date": "1958-03-12"}
    text = summary(CardAtHand(draft="d", fields=fields), theme)
    assert text.startswith(f"Итак: {theme.title}. Номер появится")
    assert "+7 8652 00-12-34" in text
    assert "улица Лесная — дом 12" in text
    assert "12 марта 1958 года" in text
