"""What is refused by the journal of this workstation and about what is chosen in it."""

from __future__ import annotations

from operator_tui.appeals.errors import Code
from operator_tui.i18n import mark

SENTENCES: dict[Code, str] = {
    Code.JOURNAL_KEY_WRONG: mark(
        "Журнал {path} не открывается: ключ к нему не подходит. Записи целы, ничего не удалено. "
        "Верните прежний ключ профиля или обратитесь к администратору."
    ),
    Code.JOURNAL_BUSY: mark(
        "Журнал уже открыт другим рабочим местом (процесс {pid}). Закройте его или перейдите в его окно."
    ),
    Code.JOURNAL_NEWER: mark(
        "Журнал записан более новой версией программы. Записи целы. Обновите программу на этом месте."
    ),
    Code.JOURNAL_DAMAGED: mark("Файл журнала {path} повреждён. Он не изменён. Обратитесь к администратору."),
    Code.DISK_FULL: mark(
        "На диске не осталось места: запись не сохранена, введённое осталось на экране. "
        "Освободите место и нажмите «Сохранить» ещё раз."
    ),
    Code.DISK_FAILED: mark("Не удаётся писать в {path}: {reason}. Введённое осталось на экране."),
    Code.NOT_ENROLLED: mark("Рабочее место ещё не зарегистрировано на сервере. Обратитесь к администратору."),
    Code.NO_CARD_OPEN: mark("Карточка не открыта. Откройте обращение из журнала или добавьте новое."),
    Code.CALL_OTHER: mark("Пока выбирали, на линии другой вызов: ничего не сделано. Нажмите клавишу ещё раз."),
    Code.CARD_OTHER: mark("Той карточки на экране уже нет, ничего не сделано: откройте её и повторите."),
    Code.NO_ROW_CHOSEN: mark("В журнале не выбрано обращение. Выберите строку стрелками."),
    Code.CARD_UNSAVED: mark("Сначала сохраните карту (Ctrl+S)."),
    Code.CARD_READ_ONLY: mark(
        "Обращение уже на рассмотрении или закрыто: здесь его не изменить, на экране всё осталось как было. "
        "«Просмотр» — Alt+Q."
    ),
}

# The same where nothing was typed on a screen: at the command line.
AT_COMMAND_LINE: dict[Code, str] = {
    Code.DISK_FULL: mark(
        "На диске не осталось места: ничего нового не записано, прежнее цело. Освободите место и повторите команду."
    ),
    Code.DISK_FAILED: mark(
        "Не удаётся писать в {path}: {reason}. Прежнее цело. Проверьте путь и права и повторите команду."
    ),
}
