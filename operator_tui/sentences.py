"""Sentences for refusals: what happened, what was kept, what to do. The only place where a code becomes words."""

from __future__ import annotations

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.i18n import mark, tr

_SENTENCES: dict[Code, str] = {
    # appeals
    Code.FIELD_REQUIRED: mark("Не заполнено: {field}. Введённое сохранено в черновике. Заполните поле и повторите."),
    Code.FIELD_INVALID: mark("Поле «{field}» заполнено неверно. Введённое сохранено в черновике."),
    Code.MOVE_NOT_ALLOWED: mark("Сейчас это действие с обращением невозможно. Обращение не изменено."),
    Code.NOT_YOUR_APPEAL: mark("Это обращение ведёт другой работник. Обращение не изменено."),
    Code.RIGHT_MISSING: mark("Для вашей роли это действие закрыто. Обратитесь к администратору контакт-центра."),
    Code.LOCKED: mark("Обращение уже на рассмотрении или закрыто. Ваш текст сохранён и вернулся к вам."),
    Code.STALE: mark("Обращение успел изменить другой работник. Ваш текст сохранён и вернулся к вам."),
    Code.UNKNOWN_CARD: mark("Такого обращения нет. Ничего не изменено."),
    Code.UNKNOWN_KIND: mark("Сервер не знает такого действия. Ваша запись сохранена; нужно обновить программу."),
    Code.UNKNOWN_THEME: mark("Такой тематики нет в справочнике. Выберите тематику из списка (F6)."),
    Code.UNKNOWN_RESULT: mark("Такого результата нет в справочнике. Выберите результат из списка (F9)."),
    # journal
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
    # settings and profiles
    Code.SETTINGS_BROKEN: mark(
        "Файл настроек {file} содержит ошибку в строке {line}. Программа не запущена, файл не изменён. "
        "Исправьте строку и запустите снова. Подробно: {reason}"
    ),
    Code.SETTING_UNKNOWN: mark("Неизвестная настройка {key} ({place}). Возможно, имелось в виду: {nearest}."),
    Code.SETTING_WRONG: mark("Настройка {key} ({place}) имеет неверное значение: {expected}."),
    Code.PROFILE_NAME: mark("Недопустимое имя профиля: {name}. Годятся строчные латинские буквы, цифры, - и _."),
    Code.KEY_BACKEND_REFUSED: mark(
        "Хранилище ключей в открытом файле разрешено только профилям demo и practice. Ключ не записан."
    ),
    Code.KEY_MISSING: mark("В хранилище нет ключа «{name}» для этого профиля. Обратитесь к администратору."),
    Code.NOT_BUILT: mark("Команда «{command}» в этой версии ещё не готова."),
    # sync and central server
    Code.SERVER_AWAY: mark("Сервер недоступен. Работа продолжается, записи хранятся здесь и уйдут сами."),
    Code.SERVER_UNTRUSTED: mark(
        "Сертификат сервера {server} не подтверждён: соединение не установлено, данные не переданы. "
        "Записи хранятся здесь. Сообщите администратору."
    ),
    Code.SERVER_REFUSED: mark("Сервер отклонил запрос ({reason}). Записи хранятся здесь."),
    Code.PROTOCOL_VERSION: mark("Сервер и эта программа разных версий. Записи хранятся здесь. Обновите программу."),
    Code.BAD_REQUEST: mark("Сервер не понял запрос. Записи хранятся здесь. Сообщите администратору."),
    Code.TOKEN_INVALID: mark("Сервер не узнал это рабочее место. Записи хранятся здесь. Обратитесь к администратору."),
    Code.FORK: mark("Журнал этого места был скопирован или восстановлен. Записи целы и будут отправлены заново."),
    Code.GAP: mark("Сервер просит прежние записи. Они будут отправлены по порядку."),
    # telephone
    Code.NO_SUCH_CALL: mark("Этого вызова уже нет."),
    Code.CALL_STATE: mark("Сейчас это действие с вызовом невозможно. Вызов не изменён."),
    Code.LINE_BUSY: mark("Линия занята другим вызовом."),
    Code.PHONE_AWAY: mark("Программный телефон не отвечает. Журнал и поиск работают. Телефон запускается заново."),
    Code.PHONE_PASSWORD: mark(
        "Телефонная станция не приняла пароль внутреннего номера {extension}. Звонков не будет, остальное работает. "
        "Сообщите администратору."
    ),
    Code.PHONE_TAKEN: mark("Программный телефон уже занят другим рабочим местом. Закройте его."),
    Code.NO_MICROPHONE: mark(
        "Микрофон не найден. Без подключенного микрофона программный телефон работать не будет. "
        "Подключите микрофон и нажмите «Начало работы». Остальное работает."
    ),
    Code.NO_SOUND: mark("Звук недоступен: о звонке сообщат текст и сигнал терминала. Остальное работает."),
    Code.NUMBER_INVALID: mark("Неверный номер. Вызов не начат."),
    Code.TRANSFER_FAILED: mark("Перевести не удалось ({reason}). Разговор продолжается."),
    Code.UNSUPPORTED: mark("Эта телефонная линия так не умеет."),
    # registry
    Code.SEARCH_EMPTY: mark("Заполните хотя бы одно из полей: фамилия, имя, отчество, дата рождения."),
    Code.REGISTRY_MISSING: mark("Реестра застрахованных здесь нет ({path}). Личную информацию можно внести вручную."),
    Code.REGISTRY_KEY_WRONG: mark("Реестр {path} не открывается: ключ к нему не подходит. Файл не изменён."),
    Code.FILE_UNREADABLE: mark("Файл {file} не читается: {reason}. Прежние данные не изменены."),
    Code.ROW_INVALID: mark("Файл {file}, строка {row}: поле {field} заполнено неверно. Прежние данные не изменены."),
}


class _Forgiving(dict[str, object]):
    """A sentence must come out even when the refusal lacks a parameter."""

    def __missing__(self, key: str) -> str:
        return "…"


def sentence(refusal: Refusal) -> str:
    """The refusal as a sentence in the operator's language."""
    return tr(_SENTENCES[refusal.code]).format_map(_Forgiving(refusal.params))


def untold() -> list[Code]:
    """Codes that have no sentence yet: a test holds this empty."""
    return [code for code in Code if code not in _SENTENCES]
