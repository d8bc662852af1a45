"""What an operator does with themes and typical answers: commands and keys."""

from __future__ import annotations

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.commands import Command, Situation, register
from operator_tui.i18n import mark


def _card_open(situation: Situation) -> Refusal | None:
    if not situation.card:
        return Refusal(Code.NO_CARD_OPEN)
    return None if situation.card_editable else Refusal(Code.CARD_READ_ONLY)


def _theme_chosen(situation: Situation) -> Refusal | None:
    return None if situation.theme else Refusal(Code.FIELD_REQUIRED, field=mark("Тематика"))


register(
    Command(
        id="answers.theme",
        title=mark("Тематика"),
        help=mark("Найти тематику по ключевым словам, тип выберется сам; второй раз — сначала тип, потом тематика."),
        keys=("f6",),
        short=mark("Тема"),
        scope="work",
        footer=True,
        rank=40,
        available=_card_open,
    ),
    Command(
        id="answers.search",
        title=mark("Поиск по сценариям"),
        help=mark("Найти типовой сценарий ответа по ключевым словам."),
        keys=("ctrl+g",),
        scope="work",
        rank=41,
    ),
    Command(
        id="answers.next",
        title=mark("Следующий сценарий"),
        help=mark("Показать следующий типовой сценарий ответа."),
        keys=("ctrl+down",),
        scope="work",
        rank=42,
        available=_theme_chosen,
    ),
    Command(
        id="answers.previous",
        title=mark("Предыдущий сценарий"),
        help=mark("Показать предыдущий типовой сценарий ответа."),
        keys=("ctrl+up",),
        scope="work",
        rank=43,
        available=_theme_chosen,
    ),
)
