"""The telephone directory (functions.md K-4.1): who can be called or be given a caller. Pure.

One search line matches surname, first name, patronymic, organisation or internal number, word by word from the
beginning, also when it was typed in the wrong keyboard layout.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.people import ROLE_TITLES, Role
from operator_tui.letters import fold, to_latin_layout, to_russian_layout

# Not dialled from a list of colleagues: a trainee's telephone is simulated.
LISTED = tuple(role for role in Role if role is not Role.TRAINEE)
_COLUMNS = ("extension", "name", "role", "organisation", "skills", "user")


@dataclass(frozen=True)
class Colleague:
    """One entry; ``skills`` are words of the administration's (themes, languages); ``user`` the server's number of him,
    0 where it is not known: then an appeal can not go to him with a call."""

    extension: str
    name: str
    role: Role
    organisation: str
    skills: str = ""
    user: int = 0


def parse_colleagues(text: str, *, file: str = "colleagues.csv") -> tuple[Colleague, ...]:
    """The directory of a CSV with ``extension;name;role;organisation;skills;user``, by name; the last two may miss.

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
        )
    return tuple(sorted(found.values(), key=lambda one: fold(one.name)))


def search(colleagues: Sequence[Colleague], typed: str) -> list[Colleague]:
    """Whom every typed word may mean, in the order of the list; all of them for an empty line."""
    for reading in (typed, to_russian_layout(typed), to_latin_layout(typed)):
        words = _parts(reading)
        found = [one for one in colleagues if all(_meant(one, word) for word in words)]
        if found:
            return found
    return []


def _meant(one: Colleague, word: str) -> bool:
    texts = (one.name, one.organisation, ROLE_TITLES[one.role], one.skills, one.extension)
    return any(part.startswith(word) for text in texts for part in _parts(text))


def _parts(text: str) -> list[str]:
    return fold(text).replace("-", " ").split()
