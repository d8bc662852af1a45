"""What is read back to a caller, in groups that can be said and written down: «Итак: …», addresses, dates. Pure."""

from __future__ import annotations

import re
from datetime import date

from operator_tui.appeals.catalogue import Theme
from operator_tui.desk.state import CardAtHand
from operator_tui.i18n import mark, tr
from screens.words import phone_words

_MONTHS = (
    mark("января"), mark("февраля"), mark("марта"), mark("апреля"), mark("мая"), mark("июня"),
    mark("июля"), mark("августа"), mark("сентября"), mark("октября"), mark("ноября"), mark("декабря"),
)  # fmt: skip
# Abbreviations of an address as they are said; each stands before its name, with a full stop or without.
_SAID = {
    "г": mark("город"), "с": mark("село"), "п": mark("посёлок"), "пос": mark("посёлок"), "ст-ца": mark("станица"),
    "х": mark("хутор"), "ул": mark("улица"), "пер": mark("переулок"), "пр": mark("проспект"),
    "пр-т": mark("проспект"), "пр-кт": mark("проспект"), "пл": mark("площадь"), "б-р": mark("бульвар"),
    "ш": mark("шоссе"), "мкр": mark("микрорайон"), "д": mark("дом"), "корп": mark("корпус"), "к": mark("корпус"),
    "стр": mark("строение"), "кв": mark("квартира"), "обл": mark("область"), "р-н": mark("район"),
}  # fmt: skip
_SHORT = re.compile(r"([а-яё][а-яё-]*)\.?\s*(?=[\dА-ЯЁа-яё])")


def said_day(iso: str) -> str:
    """``1958-03-12`` -> ``12 марта 1958 года``; what is no whole date as it is."""
    try:
        day = date.fromisoformat(iso)
    except ValueError:
        return iso
    return tr("{day} {month} {year} года").format(day=day.day, month=tr(_MONTHS[day.month - 1]), year=day.year)


def said_address(address: str) -> str:
    """``г. Ставрополь, ул. Лесная, д. 12, кв. 5`` -> ``город Ставрополь — улица Лесная — дом 12 — квартира 5``."""
    return " — ".join(_said_part(part.strip()) for part in address.split(",") if part.strip())


def _said_part(part: str) -> str:
    found = _SHORT.match(part)
    if found is None or found[1] not in _SAID:
        return part
    return f"{tr(_SAID[found[1]])} {part[found.end() :]}"


def summary(card: CardAtHand, theme: Theme) -> str:
    """«Итак: …»: theme, number and term, then telephone, address and date of birth as the card has them."""
    fields = card.fields
    parts = [tr("Итак: {theme}.").format(theme=theme.title)]
    if card.saved is not None:
        parts.append(tr("Номер обращения {number}.").format(number=card.saved.value("number")))
        if card.saved.deadline:
            parts.append(tr("Ответ до {day}.").format(day=said_day(card.saved.deadline)))
    else:
        parts.append(tr("Номер появится после «Сохранить»."))
    if phone := str(fields.get("phone", "")):
        parts.append(tr("Ваш телефон {phone}.").format(phone=phone_words(phone)))
    if address := str(fields.get("address", "")):
        parts.append(tr("Адрес: {address}.").format(address=said_address(address)))
    if born := str(fields.get("birth_date", "")):
        parts.append(tr("Дата рождения: {day}.").format(day=said_day(born)))
    return " ".join(parts)
