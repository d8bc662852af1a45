"""What is wrong in settings, profiles and the keys of a profile."""

from __future__ import annotations

from operator_tui.appeals.errors import Code
from operator_tui.i18n import mark

SENTENCES: dict[Code, str] = {
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
    Code.KEY_FILE_OPEN: mark(
        "Файл ключей {path} могут читать другие или он не ваш: ключ не использован, файл не изменён. "
        "Закройте его командой chmod 600 и запустите снова."
    ),
    Code.KEYRING_AWAY: mark(
        "Системное хранилище ключей не отвечает ({reason}). Записи целы. Разблокируйте его и повторите."
    ),
    Code.VAULT_LOCKED: mark("Хранилище ключей {path} закрыто паролем. Записи целы. Войдите с паролем."),
    Code.VAULT_PASSPHRASE: mark("Пароль не подходит к хранилищу ключей {path}. Записи целы. Введите пароль ещё раз."),
    Code.NOT_BUILT: mark("Команда «{command}» в этой версии ещё не готова."),
}
