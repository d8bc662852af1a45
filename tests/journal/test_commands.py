"""The journal's commands: each with a sentence, a key, and a reason when it can not be used."""

from __future__ import annotations

import pytest

from operator_tui.appeals.errors import Code
from operator_tui.commands import Command, Situation, collect
from operator_tui.journal.settings import JournalSettings
from operator_tui.profiles import open_profile
from operator_tui.sentences import sentence
from operator_tui.settings import load

OURS = ("journal.home", "journal.search", "card.add", "card.edit", "card.save", "card.close", "card.history")


@pytest.mark.parametrize("name", OURS)
def test_each_has_a_word_a_sentence_and_a_key(name: str) -> None:
    command = collect()[name]
    assert command.title
    assert command.help.endswith(".")
    assert command.keys


def code(command: Command, situation: Situation) -> Code | None:
    refusal = command.available(situation)
    assert refusal is None or "…" not in sentence(refusal)
    return None if refusal is None else refusal.code


@pytest.mark.parametrize(
    ("name", "situation", "expected"),
    [
        ("card.add", Situation(), None),
        ("card.save", Situation(screen="work"), Code.NO_CARD_OPEN),
        ("card.save", Situation(screen="work", card=True), None),
        ("card.save", Situation(screen="work", card=True, card_editable=False), Code.CARD_READ_ONLY),
        ("card.close", Situation(screen="work"), Code.NO_CARD_OPEN),
        ("card.close", Situation(screen="work", card=True, theme=True), None),
        ("card.close", Situation(screen="work", card=True, theme=True, card_editable=False), Code.CARD_READ_ONLY),
        ("card.missing", Situation(screen="work", card=True, card_editable=False), Code.CARD_READ_ONLY),
        ("card.edit", Situation(), Code.NO_ROW_CHOSEN),
        ("card.edit", Situation(row=True), None),
        ("card.history", Situation(screen="work"), Code.NO_CARD_OPEN),
        ("journal.search", Situation(), None),
        ("journal.home", Situation(screen="work"), None),
    ],
)
def test_what_cannot_be_done_now_says_why(name: str, situation: Situation, expected: Code | None) -> None:
    assert code(collect()[name], situation) is expected


def test_the_customers_words() -> None:
    commands = collect()
    assert commands["card.add"].title == "Добавить"
    assert commands["card.save"].title == "Сохранить"
    assert commands["card.edit"].title == "Редактирование"
    assert commands["card.close"].title == "Закрыть обращение"
    assert commands["card.close"].keys == ("f9",)


def test_settings_have_defaults() -> None:
    assert load(open_profile("demo")).get(JournalSettings) == JournalSettings(file="")
