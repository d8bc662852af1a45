"""What an operator does with the registry: commands and keys."""

from __future__ import annotations

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.commands import Command, Situation, register
from operator_tui.i18n import mark


def _card_open(situation: Situation) -> Refusal | None:
    return None if situation.card and situation.card_editable else Refusal(Code.NO_CARD_OPEN)


register(
    Command(
        id="registry.search",
        title=mark("Поиск"),
        help=mark("Найти застрахованного по любым словам и номерам; второй раз — четыре поля: ФИО и дата рождения."),
        keys=("f5",),
        scope="work",
        footer=True,
        rank=30,
    ),
    Command(
        id="registry.clear",
        title=mark("Очистить"),
        help=mark("Очистить поля поиска."),
        keys=("ctrl+u",),
        scope="work",
        rank=31,
    ),
    Command(
        id="registry.hide",
        title=mark("Скрыть"),
        help=mark("Свернуть форму поиска или развернуть её снова."),
        keys=("ctrl+o",),
        scope="work",
        rank=32,
    ),
    Command(
        id="registry.attach",
        title=mark("прикрепить"),
        help=mark("Прикрепить найденного человека к карточке (Enter на строке)."),
        scope="work",
        rank=33,
        available=_card_open,
    ),
    Command(
        id="registry.centre",
        title=mark("Спросить центр"),
        help=mark("Тот же поиск на центральном сервере: когда здесь никого нет или данные старые."),
        keys=("f8",),
        scope="work",
        rank=35,
    ),
    Command(
        id="registry.person",
        title=mark("Сведения"),
        help=mark("Все сведения о человеке: полисы, прикрепления, прежние ФИО, телефоны, представитель."),
        keys=("ctrl+a",),
        scope="work",
        rank=36,
    ),
    Command(
        id="registry.report",
        title=mark("двойник / ошибка в регистре"),
        help=mark("Составить обращение об ошибке в реестре; пробел в списке отмечает вторую запись."),
        scope="work",
        rank=37,
    ),
    Command(
        id="registry.apply",
        title=mark("Применить"),
        help=mark("Перенести сведения выбранного или прикреплённого человека в личную информацию обратившегося."),
        keys=("ctrl+t",),
        scope="work",
        rank=34,
        available=_card_open,
    ),
)
