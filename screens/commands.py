"""Commands of the screens themselves."""

from __future__ import annotations

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.rights import Right
from operator_tui.commands import Command, Situation, register
from operator_tui.i18n import mark


def _card_open(situation: Situation) -> Refusal | None:
    return None if situation.card else Refusal(Code.NO_CARD_OPEN)


def _card_writable(situation: Situation) -> Refusal | None:
    return _card_open(situation) or (None if situation.card_editable else Refusal(Code.LOCKED))


def _row_of_list(situation: Situation) -> Refusal | None:
    return None if situation.row else Refusal(Code.NO_LIST_CHOSEN)


register(
    Command(
        "reference.open",
        mark("Справочники"),
        mark("Справочники региона: результаты, причины, сроки, организации и другие (администратор)."),
        ("alt+f",),
        scope="journal",
        footer=True,
        rank=48,
        right=Right.REFERENCE,
    ),
    Command(
        "reference.add",
        mark("Добавить запись"),
        mark("Новая запись открытого справочника."),
        ("f5",),
        scope="reference",
        footer=True,
        rank=30,
        short=mark("Добавить"),
        right=Right.REFERENCE,
    ),
    Command(
        "reference.change",
        mark("Изменить запись"),
        mark("Изменить запись под курсором (Enter на строке); прежняя остаётся в версиях."),
        ("f6",),
        scope="reference",
        footer=True,
        rank=31,
        short=mark("Изменить"),
        right=Right.REFERENCE,
        available=_row_of_list,
    ),
    Command(
        "reference.close",
        mark("Закрыть запись"),
        mark("Больше не предлагать запись или предлагать снова; прежние обращения её помнят."),
        ("f9",),
        scope="reference",
        footer=True,
        rank=32,
        short=mark("Закрыть"),
        right=Right.REFERENCE,
        available=_row_of_list,
    ),
    Command(
        "reference.versions",
        mark("Версии"),
        mark("Кто и когда менял справочник; Enter возвращает его к версии."),
        ("ctrl+g",),
        scope="reference",
        footer=True,
        rank=33,
        right=Right.REFERENCE,
    ),
    Command(
        "reference.load",
        mark("Загрузить реестр"),
        mark("Организации региона из файла федерального реестра F002 или F032."),
        ("ctrl+v",),
        scope="reference",
        footer=True,
        rank=34,
        short=mark("Загрузить"),
        right=Right.REFERENCE,
    ),
    Command("desk.help", mark("Помощь"), mark("Все команды и клавиши."), ("f1",), footer=True, rank=10),
    Command("desk.menu", mark("Меню"), mark("Выбрать команду из списка."), ("f10",), rank=900),
    Command(
        "desk.card",
        mark("Карточка"),
        mark("Вернуться к открытой карточке."),
        ("ctrl+t",),
        scope="journal",
        footer=True,
        rank=45,
        available=_card_open,
    ),
    Command(
        "desk.repaint",
        mark("Обновить экран"),
        mark("Нарисовать экран заново, если он испорчен."),
        ("ctrl+l",),
        rank=910,
    ),
    Command(
        "text.undo",
        mark("Отменить ввод"),
        mark("Отменить последнее введённое в поле или в комментарии, в любом окне (Ctrl и _, он же Ctrl+7)."),
        ("ctrl+underscore",),
        rank=905,
    ),
    Command("desk.theme", mark("Сменить цвета"), mark("Следующая цветовая тема."), ("f11",), rank=920),
    Command(
        "desk.quit",
        mark("Выход"),
        mark("Выйти из программы; неотправленное отправляется ещё 30 секунд, потом спрашивается, как с ним быть."),
        ("ctrl+q",),
        rank=990,
    ),
    Command(
        "card.result",
        mark("Результат"),
        mark("Выбрать результат обращения из списка."),
        ("ctrl+r",),
        scope="work",
        footer=True,
        rank=85,
        available=_card_writable,
    ),
)
