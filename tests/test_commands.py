"""The registry of commands: keys that can be pressed, words that are the customer's, reasons that can be said."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from operator_tui import commands
from operator_tui.appeals.errors import Code
from operator_tui.commands import Command, Situation
from operator_tui.sentences import sentence, untold
from screens.words import key_name

KEY_CARD = {
    "f1": "desk.help",
    "f2": "phone.answer",
    "f3": "phone.hold",
    "f4": "phone.hang_up",
    "f5": "registry.search",
    "f6": "answers.theme",
    "f7": "phone.transfer",
    "f9": "card.close",
    "f10": "desk.menu",
}


def test_the_function_keys_are_those_of_the_key_card() -> None:
    on_call = [command for command in commands.collect().values() if command.scope in ("desk", "work")]
    keys = {key: command.id for command in on_call for key in command.keys}
    assert {key: keys[key] for key in KEY_CARD} == KEY_CARD


def test_no_two_commands_want_the_same_key() -> None:
    assert commands.clashes(commands.collect().values()) == []


def test_every_command_has_a_key_or_says_where_it_is() -> None:
    keyless = [command.id for command in commands.collect().values() if not command.keys]
    assert keyless == ["registry.attach", "registry.report"], "Enter on the row; F8 on the sheet of a person"


def test_a_clash_is_found() -> None:
    one = Command("a.b", "A", "a", ("f5",), scope="work")
    other = Command("c.d", "C", "c", ("f5",))
    assert commands.clashes([one, other]) == [("f5", "a.b", "c.d")]


@pytest.mark.parametrize("key", sorted(commands.FORBIDDEN_KEYS))
def test_keys_that_terminals_confuse_are_refused(key: str) -> None:
    with pytest.raises(ValueError, match="wants"):
        commands.register(Command("x.y", "X", "x", (key,)))


@pytest.mark.parametrize(
    "word",
    [
        pytest.param("Ответить", marks=pytest.mark.function("K-5.1.1.3")),
        "Добавить",
        "Поиск",
        "Очистить",
        "Скрыть",
        "прикрепить",
        "Применить",
        "Сохранить",
        "Редактирование",
        "Закрыть обращение",
        "Перевести",
        "Просмотр",
        "История обращения",
        "Начало работы",
        "Завершить",
        "Выход",
    ],
)
def test_the_words_of_the_manual_are_commands(word: str) -> None:
    assert word in {command.title for command in commands.collect().values()}


def test_every_command_explains_itself_in_a_sentence() -> None:
    for command in commands.collect().values():
        assert command.help.endswith("."), command.id
        assert command.help[0].isupper(), command.id


def test_every_closed_command_says_why() -> None:
    for command in commands.collect().values():
        refusal = command.refusal(Situation())
        assert refusal is None or sentence(refusal).endswith("."), command.id


def test_every_refusal_has_its_sentence() -> None:
    assert untold() == []
    for code in Code:
        assert code.value == code.value.lower()


KEYS = Path(__file__).parents[1] / "docs" / "keys.md"
PLACES = {
    "desk": "везде",
    "journal": "в журнале",
    "work": "в карточке",
    "review": "в очереди",
    "people": "в списке",
    "reference": "в справочниках",
}


def keys_page() -> str:
    """docs/keys.md: all commands, made from the registry."""
    rows = [
        f"| {' '.join(key_name(key) for key in command.keys) or '—'} | {command.title} "
        f"| {PLACES.get(command.scope, command.scope)} | {command.help} |"
        for command in commands.collect().values()
    ]
    head = ["# Команды и клавиши", "", "Страница сделана из реестра команд; `^S` значит Ctrl+S.", ""]
    return "\n".join([*head, "| клавиша | команда | где | что делает |", "|---|---|---|---|", *rows, ""])


def test_the_page_of_keys_is_true() -> None:
    if os.environ.get("WRITE_KEYS"):
        KEYS.write_text(keys_page(), encoding="utf-8")
    assert KEYS.read_text(encoding="utf-8") == keys_page(), "WRITE_KEYS=1 pytest tests/test_commands.py writes it anew"
