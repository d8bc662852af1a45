"""What the registry of insured people and its files refuse."""

from __future__ import annotations

from operator_tui.appeals.errors import Code
from operator_tui.i18n import mark

SENTENCES: dict[Code, str] = {
    Code.SEARCH_EMPTY: mark("Заполните хотя бы одно из полей: фамилия, имя, отчество, дата рождения."),
    Code.REGISTRY_MISSING: mark("Реестра застрахованных здесь нет ({path}). Личную информацию можно внести вручную."),
    Code.REGISTRY_KEY_WRONG: mark("Реестр {path} не открывается: ключ к нему не подходит. Файл не изменён."),
    Code.FILE_UNREADABLE: mark("Файл {file} не читается: {reason}. Прежние данные не изменены."),
    Code.ROW_INVALID: mark("Файл {file}, строка {row}: поле {field} заполнено неверно. Прежние данные не изменены."),
    Code.REGISTRY_KEY_NEEDED: mark(
        "Без файла ключа загружаются только выдуманные люди. Реестр не создан. Укажите --key-file."
    ),
    Code.REGISTRY_BUSY: mark("Реестр {path} сейчас обновляет другая программа. Дождитесь её и повторите."),
    Code.REGISTRY_FAULTS: mark(
        "Файл {file}: неверных записей {count}, первая - строка {row}, поле {field}. Прежние данные не изменены. "
        "Исправьте по списку ошибок (--errors) или загрузите верные записи: --skip-errors."
    ),
    Code.REGISTRY_DELTA_OLD: mark(
        "Изменения в файле {file} от {delta}, а реестр уже на {registry}. Ничего не изменено: нужен более новый файл."
    ),
    Code.REGISTRY_CARD_FIRST: mark(
        "Сначала сохраните обращение, которое открыто: о двойнике или ошибке в реестре составляется отдельное."
    ),
    Code.REGISTRY_TRANSFER: mark(
        "Реестр с сервера не принят: {reason}. Работает прежний; принятое сохранено, повторите передачу."
    ),
    Code.REGISTRY_NOBODY: mark(
        "В полном списке нет ни одного человека. Прежние данные не изменены; изменения за день вносит команда delta."
    ),
    Code.REGISTRY_SHRINKS: mark(
        "В файле людей меньше половины имеющихся: {count}, а в реестре {known}. Прежние данные не изменены. "
        "Если это и есть полный список, повторите с --replace."
    ),
    Code.REGISTRY_NOT_HERE: mark(
        "На этом сервере нет реестра застрахованных. Администратор отдаёт его серверу командой central insured."
    ),
}
