"""The telephone directory (functions.md K-4.1): who can be called or be given a caller. Pure.

One search line matches surname, first name, patronymic, organisation or internal number, word by word from the
beginning, also when it was typed in the wrong keyboard layout.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.people import ROLE_TITLES, Role
from operator_tui.appeals.routing import LANGUAGE_WORDS
from operator_tui.letters import fold, to_latin_layout, to_russian_layout

# Not dialled from a list of colleagues: a trainee's telephone is simulated.
LISTED = tuple(role for role in Role if role is not Role.TRAINEE)
PSYCHOLOGIST = "психолог"  # the purpose by which his number is found when somebody is threatened
_COLUMNS = ("extension", "name", "role", "organisation", "skills", "user", "groups", "languages", "themes")
_LEVEL_2 = frozenset({Role.OPERATOR_2, Role.INSURER_2})


@dataclass(frozen=True)
class Colleague:
    """One entry; ``role`` None for somebody outside the centre, whose ``organisation`` says what for; ``skills`` are
    words of the administration's; ``user`` the server's number of him, 0 where it is not known: then an appeal can not
    go to him with a call; ``groups`` are the codes of his groups of level 2, ``languages`` and ``themes`` (codes of
    groups) what the PBX gives him calls by (appeals/routing.py)."""

    extension: str
    name: str
    role: Role | None
    organisation: str
    skills: str = ""
    user: int = 0
    groups: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    themes: tuple[str, ...] = ()


def parse_colleagues(text: str, *, file: str = "colleagues.csv") -> tuple[Colleague, ...]:
    """The directory of a CSV with ``extension;name;role;organisation;skills;user;groups;languages;themes``, by name;
    the last five may miss.

    Refusal(ROW_INVALID, file, row, field) for a row that is none; ``row`` counts the heading as 1.
    """
    found: dict[str, Colleague] = {}
    for number, row in enumerate(csv.DictReader(io.StringIO(text), delimiter=";"), 2):
        values = {key: (row.get(key) or "").strip() for key in _COLUMNS}
        for field, good in (
            ("extension", values["extension"].isdigit() and values["extension"] not in found),
            ("name", bool(values["name"])),
            ("role", values["role"] in set(LISTED)),
            ("user", not values["user"] or values["user"].isdigit()),
        ):
            if not good:
                raise Refusal(Code.ROW_INVALID, file=file, row=number, field=field)
        found[values["extension"]] = Colleague(
            values["extension"],
            values["name"],
            Role(values["role"]),
            values["organisation"],
            values["skills"],
            int(values["user"] or 0),
            tuple(values["groups"].split()),
            tuple(values["languages"].split()),
            tuple(values["themes"].split()),
        )
    return tuple(sorted(found.values(), key=lambda one: fold(one.name)))


def colleagues_of(rows: Iterable[Mapping[str, str]]) -> tuple[Colleague, ...]:
    """The directory of the reference list ``directory``, by name."""
    found = [
        Colleague(
            row["extension"],
            row["name"],
            Role(row["role"]),
            row.get("organisation", ""),
            row.get("skills", ""),
            int(row.get("user") or 0),
            tuple(row.get("groups", "").split()),
            tuple(row.get("languages", "").split()),
            tuple(row.get("themes", "").split()),
        )
        for row in rows
    ]
    return tuple(sorted(found, key=lambda one: fold(one.name)))


def outside_of(rows: Iterable[Mapping[str, str]]) -> tuple[Colleague, ...]:
    """Targets outside the centre of the reference list ``outside``, in its order."""
    return tuple(Colleague(row["number"], row["name"], None, row["purpose"]) for row in rows)


def parse_outside(text: str, *, file: str = "outside.csv") -> tuple[Colleague, ...]:
    """Targets outside the centre of a CSV with ``number;name;purpose``, in its order. Refusal(ROW_INVALID)."""
    found: dict[str, Colleague] = {}
    for line, row in enumerate(csv.DictReader(io.StringIO(text), delimiter=";"), 2):
        number, name, purpose = ((row.get(key) or "").strip() for key in ("number", "name", "purpose"))
        for field, good in (
            ("number", number.removeprefix("+").isdigit() and number not in found),
            ("name", bool(name)),
            ("purpose", bool(purpose)),
        ):
            if not good:
                raise Refusal(Code.ROW_INVALID, file=file, row=line, field=field)
        found[number] = Colleague(number, name, None, purpose)
    return tuple(found.values())


def of_group(colleagues: Iterable[Colleague], group: str) -> list[Colleague]:
    """Level 2 of a group, for «Перевести»; where the directory says nobody's groups, all of level 2 (K-5.1.5.4)."""
    level_2 = [one for one in colleagues if one.role in _LEVEL_2]
    told = any(one.groups for one in level_2)
    return [one for one in level_2 if not told or group in one.groups]


def search(colleagues: Sequence[Colleague], typed: str) -> list[Colleague]:
    """Whom every typed word may mean, in the order of the list; all of them for an empty line."""
    for reading in (typed, to_russian_layout(typed), to_latin_layout(typed)):
        words = _parts(reading)
        found = [one for one in colleagues if all(_meant(one, word) for word in words)]
        if found:
            return found
    return []


def _meant(one: Colleague, word: str) -> bool:
    role = ROLE_TITLES[one.role] if one.role is not None else ""
    languages = (LANGUAGE_WORDS.get(code, "") for code in one.languages)
    texts = (one.name, one.organisation, role, one.skills, one.extension, *languages)
    return any(part.startswith(word) for text in texts for part in _parts(text))


def _parts(text: str) -> list[str]:
    return fold(text).replace("-", " ").split()
