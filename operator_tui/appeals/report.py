"""Lists and counts of appeals for reports: columns, and counts by type, theme, clinic, insurer, form row and whether
they were justified. Pure: whoever has the cards writes them where he wants.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum

from operator_tui.appeals.card import STATUS_TITLES, Card, full_name, is_written
from operator_tui.appeals.catalogue import Catalogue
from operator_tui.appeals.deadlines import local_date
from operator_tui.appeals.hlc import stamp_ms
from operator_tui.appeals.promises import attempts_of, vain

# Titles of the list, in their order (the columns of a fund's own journal, domain README 3.2).
COLUMNS = (
    "Номер",
    "Дата регистрации",
    "Способ поступления",
    "Форма",
    "Входящий номер",
    "Тип обращения",
    "Код тематики",
    "Тематика",
    "Строка формы ПГ",
    "ФИО",
    "Дата рождения",
    "Телефон",
    "ЕНП",
    "Страховая компания",
    "Медицинская организация",
    "Статус",
    "Срок",
    "Исполнитель",
    "Результат",
    "Обоснованность",
    "Принятые меры",
    "Комментарий",
    "Попыток связаться",
)


class By(StrEnum):
    """What appeals are counted by; the value is the report's title."""

    TYPE = "тип обращения"
    THEME = "тематика"
    CLINIC = "медицинская организация"
    INSURER = "страховая компания"
    JUSTIFIED = "обоснованность"
    FORM_ROW = "строка формы ПГ"


def list_row(card: Card, catalogue: Catalogue, zone: str) -> tuple[str, ...]:
    """One appeal in the order of COLUMNS; dates are ISO, local to the organisation."""
    theme = catalogue.themes.get(str(card.value("theme")))
    result = catalogue.results.get(str(card.value("result")))
    return (
        str(card.value("number")),
        local_date(stamp_ms(card.created), zone).isoformat(),
        str(card.value("source")),
        "письменное" if is_written(card.fields) else "устное",
        str(card.value("in_number")),
        str(card.value("type")),
        str(card.value("theme")),
        theme.title if theme else "",
        theme.pg_row if theme else "",
        full_name(card.fields),
        str(card.value("birth_date")),
        str(card.value("phone")),
        str(card.value("enp")),
        str(card.value("insurer")),
        str(card.value("clinic")),
        STATUS_TITLES[card.status],
        card.deadline,
        str(card.worker or ""),
        result.title if result else "",
        _justified(card, catalogue),
        str(card.value("measures")),
        str(card.value("comment")),
        str(len(vain(attempts_of(card))) or ""),
    )


def safe_cell(text: str) -> str:
    """A cell that no sheet takes for a formula: what a citizen wrote may begin with ``=`` (OWASP, CSV injection)."""
    return "'" + text if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def counts(cards: Iterable[Card], catalogue: Catalogue, by: By) -> list[tuple[str, int, int]]:
    """``(value, spoken, written)`` for each value, the largest first; what has none is counted under an empty one."""
    spoken: Counter[str] = Counter()
    written: Counter[str] = Counter()
    for card in cards:
        into = written if is_written(card.fields) else spoken
        into[_value(card, catalogue, by)] += 1
    values = sorted(spoken.keys() | written.keys(), key=lambda value: (-(spoken[value] + written[value]), value))
    return [(value, spoken[value], written[value]) for value in values]


def _value(card: Card, catalogue: Catalogue, by: By) -> str:
    theme = catalogue.themes.get(str(card.value("theme")))
    match by:
        case By.TYPE:
            return str(card.value("type"))
        case By.THEME:
            return f"{theme.code} {theme.title}" if theme else ""
        case By.CLINIC:
            return str(card.value("clinic"))
        case By.INSURER:
            return str(card.value("insurer"))
        case By.JUSTIFIED:
            return _justified(card, catalogue)
        case By.FORM_ROW:
            return theme.pg_row if theme else ""


def _justified(card: Card, catalogue: Catalogue) -> str:
    result = catalogue.results.get(str(card.value("result")))
    return result.justified if result else ""
