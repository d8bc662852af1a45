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


@pytest.mark.parametrize("code", [Code.DISK_FULL, Code.DISK_FAILED])
def test_a_command_line_does_not_speak_of_a_screen(code: Code) -> None:
    refusal = Refusal(code, path="/srv/r.db", reason="нет прав")
    assert "на экране" in sentence(refusal)
    said = sentence(refusal, at_command_line=True)
    assert "экран" not in said
    assert "повторите команду" in said
