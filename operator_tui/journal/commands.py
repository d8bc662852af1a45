"""What an operator does with appeals: commands and keys. Titles are the customer's words (K-5.1, K-6)."""

from __future__ import annotations

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.commands import Command, Situation, register
from operator_tui.i18n import mark


def _card_open(situation: Situation) -> Refusal | None:
    return None if situation.card else Refusal(Code.NO_CARD_OPEN)


def _card_writable(situation: Situation) -> Refusal | None:
    if refusal := _card_open(situation):
        return refusal
    return None if situation.card_editable else Refusal(Code.LOCKED)


def _anything_returned(situation: Situation) -> Refusal | None:
    return None if situation.returned else Refusal(Code.NOTHING_RETURNED)


def _row_chosen(situation: Situation) -> Refusal | None:
    return None if situation.row else Refusal(Code.NO_ROW_CHOSEN)


register(
    Command(
        "journal.home",
        mark("Журнал"),
        mark("Вернуться к журналу активных обращений; введённое в карточку останется в черновике."),
        ("ctrl+f",),
        scope="work",
        footer=True,
        rank=44,
    ),
    Command(
        "journal.returned",
        mark("Вернулось"),
        mark("Показать записи, которые сервер не принял, и расхождения: решить, чей текст остаётся."),
        ("ctrl+k",),
        footer=True,
        rank=12,
        available=_anything_returned,
    ),
    Command(
        "journal.search",
        mark("Поиск по журналу"),
        mark("Найти обращение по номеру, ФИО, телефону или словам из него."),
        ("ctrl+f",),
        scope="journal",
        footer=True,
        rank=35,
    ),
    Command(
        "card.add",
        mark("Добавить"),
        mark("Открыть новую регистрационную карту; номер звонящего будет уже в ней."),
        ("insert", "ctrl+n"),
        footer=True,
        rank=40,
    ),
    Command(
        "card.edit",
        mark("Редактирование"),
        mark("Открыть выбранное обращение и вести его дальше (Enter на строке)."),
        ("ctrl+g",),
        scope="journal",
        footer=True,
        rank=42,
        available=_row_chosen,
    ),
    Command(
        "card.save",
        mark("Сохранить"),
        mark("Сохранить обращение в журнале; карточка остаётся открытой."),
        # Ctrl+S alone would not do: with software flow control on a serial line it never arrives.
        ("ctrl+s", "ctrl+w"),
        scope="work",
        footer=True,
        rank=70,
        available=_card_writable,
    ),
    Command(
        "card.close",
        mark("Закрыть обращение"),
        mark("Сохранить обращение и закрыть его с выбранным результатом."),
        ("f9",),
        scope="work",
        footer=True,
        rank=35,
        short=mark("Закрыть"),
        available=_card_writable,
    ),
    Command(
        "card.history",
        mark("Прежние обращения"),
        mark("Перейти к прежним обращениям этого человека; пробел отмечает, что прикрепить."),
        ("ctrl+y",),
        scope="work",
        rank=90,
        available=_card_open,
    ),
)
