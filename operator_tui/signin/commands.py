"""Commands of signing in, and of the people who do."""

from __future__ import annotations

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.rights import Right
from operator_tui.commands import Command, Situation, register
from operator_tui.i18n import mark


def _person_chosen(situation: Situation) -> Refusal | None:
    return None if situation.row else Refusal(Code.NO_PERSON_CHOSEN)


# What is done with the person under the cursor: id, title, help, key, and the word on the key bar.
_WITH_PERSON = (
    (
        "people.change",
        mark("Изменить пользователя"),
        mark("Изменить роль, организацию, внутренний номер или группы (Enter на строке)."),
        "f6",
        mark("Изменить"),
    ),
    (
        "people.block",
        mark("Заблокировать"),
        mark("Закрыть пользователю вход или открыть его снова; его сеансы кончаются сразу, записи остаются."),
        "f9",
        mark("Блок."),
    ),
    (
        "people.enrolment",
        mark("Код рабочего места"),
        mark("Одноразовый код регистрации рабочего места: 15 минут, показывается один раз."),
        "ctrl+g",
        mark("Место"),
    ),
    (
        "people.reset",
        mark("Код сброса пароля"),
        mark("Одноразовый код для забытого пароля: 15 минут, показывается один раз."),
        "ctrl+r",
        mark("Сброс"),
    ),
    (
        "people.voice",
        mark("Код на восемь часов"),
        mark("Код, по которому место работает без сервера восемь часов; называется по телефону."),
        "ctrl+v",
        mark("8 часов"),
    ),
    (
        "people.seats",
        mark("Рабочие места"),
        mark("Рабочие места пользователя: последняя связь, неотправленное; отозвать утерянное."),
        "ctrl+d",
        mark("Места"),
    ),
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
)

register(
    *(
        Command(
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
        for rank, (id_, title, help_, key, short) in enumerate(_WITH_PERSON, 31)
    )
)
