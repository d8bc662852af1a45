"""What is typed into the search line, made by rule from the people of a list; and the people it should find."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from random import Random

from operator_tui.letters import RUSSIAN_ALPHABET, to_latin_layout
from operator_tui.registry.lists import read_csv
from operator_tui.registry.names import display_name
from operator_tui.registry.people import Person

SEED = 5


@dataclass(frozen=True)
class Typed:
    """One finished query and the ЕНП of the person meant."""

    text: str
    enp: str


def sample(csv: Path, people: int, most: int) -> list[Person]:
    """Every n-th person of the list, so that frequent names come as often as in it."""
    step = max(1, people // most)
    # Lines alone, as the generator writes no cell over two: looking every person through takes longer than the bench.
    with csv.open("rb") as lines, tempfile.NamedTemporaryFile(suffix=".csv") as chosen:
        chosen.write(lines.readline())
        chosen.writelines(islice(lines, 0, None, step))
        chosen.flush()
        found = list(read_csv(Path(chosen.name)))
    return [person for person in found if len(person.surname) >= 4][:most]


def slipped(word: str, random: Random) -> str:
    """One slip of the finger: a letter wrong, lost, added, or two swapped; never the first, which is looked at."""
    place = random.randrange(1, len(word))
    kind = random.random()
    letter = random.choice(RUSSIAN_ALPHABET)
    if kind < 0.35:
        return word[:place] + letter + word[place + 1 :]
    if kind < 0.6:
        return word[:place] + word[place + 1 :]
    if kind < 0.8 or place + 1 >= len(word):
        return word[:place] + letter + word[place:]
    return word[:place] + word[place + 1] + word[place] + word[place + 2 :]


def queries(people: list[Person]) -> list[Typed]:
    """One query for each person, of sixteen kinds in turn."""
    random = Random(SEED)

    def day(one: Person) -> str:
        year, month, number = one.birth_date.split("-")
        return f"{number}.{month}.{year}"

    def name(one: Person) -> str:
        return display_name(one.patronymic)

    kinds: list[Callable[[Person], str]] = [
        lambda one: f"{one.surname} {one.name} {name(one)[:4]}",
        lambda one: f"{one.surname} {one.birth_date[:4]}",
        lambda one: f"{one.surname} {day(one)}",
        lambda one: f"{one.surname[:4]} {one.name[:2]} {one.birth_date[:4]}",
        lambda one: one.phone or one.enp,
        lambda one: one.snils,
        lambda one: f"{one.name} {name(one)} {one.birth_date[:4]}",
        lambda one: f"{slipped(one.surname.lower(), random)} {one.name} {one.birth_date[:4]}",
        lambda one: f"{one.surname} {slipped(one.name.lower(), random)} {day(one)}",
        lambda one: to_latin_layout(f"{one.surname} {one.name}".lower()),
        lambda one: f"{one.surname} {one.name[0]} {name(one)[:1]}",
        lambda one: f"{one.name} {one.surname}",
        lambda one: one.surname[: 1 + random.randrange(4)],
        lambda one: f"{one.surname[0]} {one.birth_date[:4]}",
        lambda one: day(one),
        lambda one: f"{one.surname} {one.name[:1]} {one.birth_date[8:]}.{one.birth_date[5:7]}",
    ]
    return [Typed(kinds[place % len(kinds)](one).strip(), one.enp) for place, one in enumerate(people)]


def keys(typed: list[Typed]) -> Iterator[str]:
    """Every state of the line while each query is typed, letter by letter."""
    for query in typed:
        for length in range(1, len(query.text) + 1):
            yield query.text[:length]


def named(people: list[Person], *, slip: bool) -> list[Typed]:
    """Surname, name and birth year; with one slip in the surname or the name."""
    random = Random(SEED + 1)
    found: list[Typed] = []
    for place, one in enumerate(people):
        surname, name = one.surname.lower(), one.name.lower()
        if slip and (place % 3 or len(name) < 4):
            surname = slipped(surname, random)
        elif slip:
            name = slipped(name, random)
        found.append(Typed(f"{surname} {name} {one.birth_date[:4]}", one.enp))
    return found
