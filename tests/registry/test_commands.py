"""Commands of the registry: the customer's words, and why one cannot be used now."""

from __future__ import annotations

import pytest

from operator_tui.commands import Situation, clashes, collect
from operator_tui.sentences import sentence


@pytest.mark.parametrize(
    ("command", "word"),
    [
        ("registry.search", "Поиск"),
        ("registry.clear", "Очистить"),
        ("registry.hide", "Скрыть"),
        ("registry.attach", "прикрепить"),
        ("registry.apply", "Применить"),
    ],
)
def test_the_manuals_words(command: str, word: str) -> None:
    assert collect()[command].title == word


def test_no_key_clashes() -> None:
    ours = ("registry.", "answers.")
    assert [
        clash for clash in clashes(collect().values()) if clash[1].startswith(ours) or clash[2].startswith(ours)
    ] == []


def test_apply_wants_an_open_card() -> None:
    """Whom it applies is the one under the cursor or the one attached: the screen says when there is nobody."""
    apply = collect()["registry.apply"].available
    refused = apply(Situation())
    assert refused is not None
    assert "карт" in sentence(refused).lower()
    assert apply(Situation(card=True)) is None
    assert apply(Situation(card=True, card_editable=False)) is not None
