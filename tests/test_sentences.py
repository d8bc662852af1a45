"""What a person reads of a refusal."""

from __future__ import annotations

import pytest

from operator_tui.appeals.card import FIELD_TITLES
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.sentences import sentence
from operator_tui.sentences.appeals import WANTED


@pytest.mark.parametrize("field", sorted(WANTED))
def test_a_wrong_field_says_what_it_wants_to_hold(field: str) -> None:
    said = sentence(Refusal(Code.FIELD_INVALID, field=field))
    assert said.startswith(f"Поле «{FIELD_TITLES[field]}» заполнено неверно: {WANTED[field]}.")
    assert said.endswith("Введённое сохранено в черновике.")


def test_a_field_without_a_rule_of_its_own_is_named() -> None:
    assert "«Сумма»" in sentence(Refusal(Code.FIELD_INVALID, field="Сумма"))
