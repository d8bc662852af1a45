"""Who works at the desk: roles and the signed-in operator."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from operator_tui.appeals.words import mark


class Role(StrEnum):
    """The customer's roles (manual, section 1; functions.md 1.2)."""

    OPERATOR_1 = "o1"
    OPERATOR_2 = "o2"
    INSURER_1 = "sp1"
    INSURER_2 = "sp2"
    INSURER_3 = "sp3"
    ADMINISTRATOR = "adm"
    TRAINEE = "trainee"


ROLE_TITLES = {
    Role.OPERATOR_1: mark("Оператор 1 уровня"),
    Role.OPERATOR_2: mark("Оператор 2 уровня"),
    Role.INSURER_1: mark("Страховой представитель 1 уровня"),
    Role.INSURER_2: mark("Страховой представитель 2 уровня"),
    Role.INSURER_3: mark("Страховой представитель 3 уровня"),
    Role.ADMINISTRATOR: mark("Администратор контакт-центра"),
    Role.TRAINEE: mark("Стажёр"),
}
# For a narrow screen.
SHORT_ROLE_TITLES = {
    Role.OPERATOR_1: mark("Оператор 1 ур."),
    Role.OPERATOR_2: mark("Оператор 2 ур."),
    Role.INSURER_1: mark("Страх. предст. 1 ур."),
    Role.INSURER_2: mark("Страх. предст. 2 ур."),
    Role.INSURER_3: mark("Страх. предст. 3 ур."),
    Role.ADMINISTRATOR: mark("Администратор"),
    Role.TRAINEE: mark("Стажёр"),
}


def short_name(name: str) -> str:
    """``Иванова Анна Петровна`` -> ``Иванова А. П.``, for a narrow screen."""
    first, _, rest = name.partition(" ")
    return " ".join([first, *(f"{word[0]}." for word in rest.split())])


class Operator(msgspec.Struct, frozen=True):
    """The person at the desk, as the central server knows him.

    ``organisation`` is the stream of his appeals (``26/tf`` is the fund of region 26); ``zone`` the IANA time
    zone of his office; ``groups`` the codes of the level-2 groups he belongs to.
    """

    user: int
    name: str
    role: Role
    extension: str
    organisation: str
    zone: str = "Europe/Moscow"
    groups: tuple[str, ...] = ()
