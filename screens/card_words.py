"""A card in words: title, theme, policy, result and the hints of its fields. Pure."""

from __future__ import annotations

from operator_tui.appeals.card import FIELD_TITLES, STATUS_TITLES
from operator_tui.appeals.catalogue import AppealType, Catalogue
from operator_tui.appeals.forms import PREFIX
from operator_tui.desk.state import CardAtHand
from operator_tui.i18n import mark, tr
from operator_tui.reference import packaged_catalogue
from screens.words import day

_DATES = ("birth_date", "new_date")
# Shorter words for a label of ten cells.
_ASKED_LABELS = {
    "operator": mark("Оператор"),
    "new_date": mark("Новая дата"),
    "measures": mark("Меры"),
    "organisation": mark("Организац."),
    "sum": mark("Сумма"),
    "expert_act": mark("Акт эксп."),
    "letter": mark("Письмо"),
    "territory": mark("Территория"),
    "call_log": mark("Попытки"),
    "linked_appeal": mark("Прежнее"),
}


def field_title(field: str) -> str:
    """A field of a card by its name on the screen."""
    if field.startswith(PREFIX):
        return packaged_catalogue().forms.title(field)
    return tr(FIELD_TITLES.get(field, field))


def asked_label(field: str) -> str:
    """A field of «Принятые меры» in ten cells."""
    return tr(_ASKED_LABELS.get(field, FIELD_TITLES.get(field, field)))


def shown_value(card: CardAtHand, field: str) -> str:
    """A field's value as an operator reads it."""
    value = str(card.fields.get(field, ""))
    return day(value) if field in _DATES else value


def typed_value(field: str, text: str) -> str:
    """What was typed as the card keeps it: ``12.03.1958`` becomes ISO.

    What is not a whole date stays as typed, so that nothing is lost.
    """
    if field not in _DATES:
        return text
    parts = text.strip().split(".")
    if len(parts) == 3 and len(parts[2]) == 4 and all(part.isdigit() for part in parts):
        return f"{parts[2]}-{int(parts[1]):02d}-{int(parts[0]):02d}"
    return text


def hint(card: CardAtHand, field: str) -> str:
    """What a field that a result asks for wants to hear."""
    match field:
        case "operator":
            return tr("номер работника или добавочный; ^D — список")
        case "organisation":
            return tr("название; ^D — список")
        case "new_date":
            deadline = card.saved.deadline if card.saved else ""
            return tr("ДД.ММ.ГГГГ, позже {day}").format(day=day(deadline)) if deadline else tr("ДД.ММ.ГГГГ")
        case "letter":
            return tr("номер и дата письма")
        case "sum":
            return tr("рублей")
        case "call_log":
            return tr("когда звонили: три попытки")
        case "linked_appeal":
            return tr("номер прежнего обращения")
    return ""


def card_title(card: CardAtHand, room: int) -> str:
    """What card this is, and what state it is in, in ``room`` cells where it can be said in so few."""
    if card.saved is None:
        source = str(card.fields.get("source", "")).lower()
        whole = tr("Регистрационная карта: {source}").format(source=source)
        return whole if len(whole) <= room else tr("Рег. карта: {source}").format(source=source)
    if card.saved.rival:
        titles = ", ".join(map(field_title, card.saved.rival))
        return tr("РАСХОЖДЕНИЕ: {fields} — ^K").format(fields=titles)
    number, status = card.saved.value("number"), tr(STATUS_TITLES[card.saved.status])
    return tr("Обращение {number}: {status}").format(number=number, status=status)


def history_title(card: CardAtHand, again: int, room: int) -> tuple[str, str]:
    """The heading of the earlier appeals and what stands at its edge, in ``room`` cells. ``again`` is which call of
    these seven days this is. That the history is not whole goes before everything else."""
    count = len(card.history)
    titles = [tr("История обращений: {count}").format(count=count) if count else tr("История обращений")]
    if again > 1:
        titles = [tr("Звонит {count}-й раз за 7 дней").format(count=again)]
    if card.history_since:
        since = day(card.history_since)
        whole = tr("здесь с {day}, центр недоступен").format(day=since)
        titles = [f"{titles[0]} · {whole}", tr("История с {day}: центр недоступен").format(day=since)]
    tick, centre = tr("Пробел: прикрепить"), tr("ц — у центра")
    hints = ([f"{centre} · {tick}", centre] if card.of_centre else [tick]) if count else []
    for title in titles:
        for hint in (*hints, ""):
            if len(title) + len(hint) < room:
                return title, hint
    return titles[-1], ""


_TYPES_IN_SHORT = {
    AppealType.CONSULTATION: mark("Конс."),
    AppealType.STATEMENT: mark("Заявл."),
    AppealType.PROPOSAL: mark("Предл."),
    AppealType.THANKS: mark("Благод."),
}


def theme_line(card: CardAtHand, catalogue: Catalogue, room: int) -> str:
    """Type and theme, the type in short where ``room`` cells are too few for both."""
    theme = catalogue.themes.get(str(card.fields.get("theme", "")))
    if theme is None:
        return tr("Тип и тематика не выбраны")
    whole = f"{theme.type.value}: {theme.title}"
    return whole if len(whole) <= room else f"{tr(_TYPES_IN_SHORT.get(theme.type, theme.type.value))} {theme.title}"


def policy_line(card: CardAtHand, room: int) -> str:
    """The number of the policy and who insures; without the insurer's code where ``room`` cells are too few."""
    enp = str(card.fields.get("enp", ""))
    if not enp:
        return tr("Не прикреплён к реестру")
    insured = str(card.fields.get("insured_name", "")) if card.represented else ""
    insurer = str(card.fields.get("insurer", ""))
    whose = tr("За {name}").format(name=insured) if insured else ""
    parts = [whose, f"{tr('ЕНП')} {enp}", insurer]
    if len(" · ".join(filter(None, parts))) > room:
        parts[2] = insurer.partition(" (")[0]
    return " · ".join(filter(None, parts))


def result_line(card: CardAtHand, catalogue: Catalogue) -> str:
    """The result chosen."""
    result = catalogue.results.get(str(card.fields.get("result", "")))
    return result.title if result else tr("Результат не выбран")
