"""The codes of the reference lists as words, and back: nobody has to know ``leastrecent`` to choose an order. Pure."""

from __future__ import annotations

from operator_tui.appeals.people import ROLE_TITLES, Role
from operator_tui.appeals.reference_columns import Column
from operator_tui.appeals.routing import LANGUAGE_WORDS
from operator_tui.i18n import mark, tr

_WORDS = {
    "use": {"void": mark("аннулирование"), "return": mark("возврат работнику"), "pause": mark("пауза записи")},
    "code": {
        "register": mark("регистрация"),
        "forward": mark("передача"),
        "answer": mark("ответ"),
        "extension": mark("продление"),
    },
    "day": {"work": mark("рабочий"), "off": mark("нерабочий")},
    "kind": {
        "fund": mark("фонд"),
        "insurer": mark("страховая"),
        "clinic": mark("клиника"),
        "authority": mark("ведомство"),
        "text": mark("текст"),
        "choice": mark("выбор"),
        "date": mark("дата"),
        "number": mark("число"),
    },
    "required": {"close": mark("для закрытия")},
    "owner": {"fund": mark("фонд"), "insurer": mark("страховая"), "other": mark("другая")},
    "role": {role.value: ROLE_TITLES[role] for role in Role if role is not Role.TRAINEE},
    "language": LANGUAGE_WORDS,
    "record": {"desk": mark("на рабочем месте"), "pbx": mark("на АТС")},
    "order": {
        "rrmemory": mark("по очереди"),
        "leastrecent": mark("кто дольше без звонка"),
        "fewestcalls": mark("у кого меньше звонков"),
        "random": mark("случайно"),
        "ringall": mark("все сразу"),
    },
    "mode": {"clock": mark("по часам и календарю"), "day": mark("всегда"), "night": mark("никогда")},
}


def in_words(column: Column, value: str) -> str:
    """A value of a column that may only have some values, as a person reads it; any other as it stands."""
    single = column.options and not column.apart
    words = _WORDS.get(column.name, {}).get(value) if single else None
    return tr(words) if words else value


def of_words(column: Column, text: str) -> str:
    """The value that those words stand for; a text that is none of them as it is."""
    return next((value for value in column.options if in_words(column, value) == text), text)
