"""Commands of signing in, and of the people who do."""

from __future__ import annotations

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.rights import Right
from operator_tui.commands import Command, Situation, register
from operator_tui.i18n import mark


def _person_chosen(situation: Situation) -> Refusal | None:
    return None if situation.row else Refusal(Code.NO_PERSON_CHOSEN)


def _with_person(id_: str, title: str, help_: str, *, key: str, rank: int, short: str) -> Command:
    """A command of the list of people about the row under the cursor."""
    return Command(
        id_,
        title,
        help_,
        (key,),
        scope="people",
        rank=rank,
        footer=True,
        short=short,
        right=Right.PEOPLE,
        available=_person_chosen,
    )


register(
    Command(
        "desk.lock",
        mark("Закрыть экран"),
        mark("Закрыть экран до ввода пароля; разговор продолжается, о звонке будет видно."),
        ("alt+l",),
        rank=980,
    ),
    Command(
        "desk.password",
        mark("Сменить пароль"),
        mark("Сменить свой пароль: прежний, затем новый два раза."),
        ("ctrl+o",),
        scope="journal",
        rank=970,
    ),
    Command(
        "people.open",
        mark("Пользователи"),
        mark("Пользователи контакт-центра: роли, внутренние номера, коды (администратор)."),
        # On the work screen the same key shows «Итак»: a slip there writes nothing.
        ("alt+a",),
        scope="journal",
        rank=47,
        footer=True,
        right=Right.PEOPLE,
    ),
    Command(
        "people.add",
        mark("Добавить пользователя"),
        mark("Новый пользователь: имя для входа, ФИО, роль, внутренний номер, организация, группы."),
        ("f5",),
        scope="people",
        rank=30,
        footer=True,
        short=mark("Добавить"),
        right=Right.PEOPLE,
    ),
    _with_person(
        "people.change",
        mark("Изменить пользователя"),
        mark("Изменить роль, организацию, внутренний номер или группы (Enter на строке)."),
        key="f6",
        rank=31,
        short=mark("Изменить"),
    ),
    _with_person(
        "people.block",
        mark("Заблокировать"),
        mark("Закрыть пользователю вход или открыть его снова; его сеансы кончаются сразу, записи остаются."),
        key="f9",
        rank=32,
        short=mark("Блок."),
    ),
    _with_person(
        "people.enrolment",
        mark("Код рабочего места"),
        mark("Одноразовый код регистрации рабочего места: 15 минут, показывается один раз."),
        key="ctrl+g",
        rank=33,
        short=mark("Место"),
    ),
    _with_person(
        "people.reset",
        mark("Код сброса пароля"),
        mark("Одноразовый код для забытого пароля: 15 минут, показывается один раз."),
        key="ctrl+r",
        rank=34,
        short=mark("Сброс"),
    ),
    _with_person(
        "people.voice",
        mark("Код на восемь часов"),
        mark("Код, по которому место работает без сервера восемь часов; называется по телефону."),
        key="ctrl+v",
        rank=35,
        short=mark("8 часов"),
    ),
    _with_person(
        "people.seats",
        mark("Рабочие места"),
        mark("Рабочие места пользователя: последняя связь, неотправленное; отозвать утерянное."),
        key="ctrl+d",
        rank=36,
        short=mark("Места"),
    ),
)
