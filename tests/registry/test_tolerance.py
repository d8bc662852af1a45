"""Searching in spite of a slip of the finger, another layout or spelling, a date turned round."""

from __future__ import annotations

from random import Random

import pytest

from operator_tui.letters import RUSSIAN_ALPHABET, to_latin_layout
from operator_tui.registry.index import Registry
from operator_tui.registry.people import Person
from tests.registry.answers import enps, shown


@pytest.mark.parametrize(
    ("typed", "enp"),
    [
        ("ежикова алена", "2656240885900014"),  # ё written е
        ("ЁЖИКОВА АЛЁНА", "2656240885900014"),
        ("~;brjdf Fktyf", "2656240885900014"),  # the wrong layout
        ("ezhikova alena", "2656240885900014"),  # a foreign spelling
        ("водкина мария", "2647999718900051"),  # the second half of a double surname
        ("петрова водкина мария", "2647999718900051"),
        ("Петрова - Водкина", "2647999718900051"),
        ("мамедов али гасан оглы", "2667940818900034"),
        ("мамедов али гасан-оглы", "2667940818900034"),
        ("Гаджимурадов Расул", "2697579720900072"),
    ],
)
def test_spellings_that_are_no_slip(registry: Registry, typed: str, enp: str) -> None:
    assert enp in enps(registry.search(typed))


@pytest.mark.parametrize(
    ("typed", "enp"),
    [
        ("гаджимурадво", "2697579720900072"),  # two letters swapped
        ("гаджимрадов расул", "2697579720900072"),  # a letter lost
        ("гаджимуррадов", "2697579720900072"),  # a letter twice
        ("гаджимурадов разул", "2697579720900072"),  # a wrong letter
        ("гаджымур", "2697579720900072"),  # a slip in a beginning
        ("гаджимурадов 02.29.2024", "2697579720900072"),
        ("ежикова 14.03.1957 олена", "2656240885900014"),
        ("гаджимурадов расул магомедович", "2697579720900072"),  # the registry has no patronymic
    ],
)
def test_a_slip_still_finds_and_is_marked(registry: Registry, typed: str, enp: str) -> None:
    found = registry.search(typed)
    if "02.29" in typed:  # not a date at all: ignored, never emptying the list
        assert enp in enps(found)
        return
    assert enp in enps(found)
    assert found.repaired
    assert all(hit.repaired for hit in found.hits)
    assert found.more or "Возможно" in found.note


def test_day_and_month_turned_round(registry: Registry, people: list[Person]) -> None:
    person = next(one for one in people if one.birth_date[8:] <= "12" and one.birth_date[8:] != one.birth_date[5:7])
    year, month, day = person.birth_date.split("-")
    found = registry.search(f"{person.surname} {person.name} {month}.{day}.{year}")
    assert person.enp in enps(found)
    assert found.hits[enps(found).index(person.enp)].repaired


@pytest.mark.parametrize(
    ("typed", "read"),
    [("Bdfyjd", "иванов"), ("bdfyjd gtn", "иванов пет"), ("Ivanov", "иванов"), ("bdfyjd Пётр", "иванов петр")],
)
def test_latin_letters_read_as_russian_ones_are_marked(registry: Registry, typed: str, read: str) -> None:
    found = registry.search(typed)
    assert found.hits
    assert all(hit.read for hit in found.hits)
    assert not found.repaired, "it is what was meant, letter by letter"
    assert found.more or found.note == f"Прочитано как «{read}»."
    plain = registry.search(read)
    assert enps(found) == enps(plain)
    assert not any(hit.read for hit in plain.hits)


def test_exact_hits_are_never_marked(registry: Registry) -> None:
    hits = registry.search("иванов").hits
    assert hits
    assert not any(hit.repaired for hit in hits)


def _slipped(word: str, random: Random) -> str:
    place = random.randrange(1, len(word))
    kind = random.randrange(4)
    if kind == 0:
        return word[:place] + word[place + 1 :]
    if kind == 1:
        return word[:place] + random.choice(RUSSIAN_ALPHABET) + word[place:]
    if kind == 2 and place + 1 < len(word):
        return word[:place] + word[place + 1] + word[place] + word[place + 2 :]
    return word[:place] + random.choice(RUSSIAN_ALPHABET) + word[place + 1 :]


def test_recall_of_slipped_queries(registry: Registry, people: list[Person]) -> None:
    """Surname with one slip, name and birth year: the right person among the ten in at least 95 of 100 (issue 5)."""
    random = Random(20)
    asked = [one for one in random.sample(people, 700) if len(shown(one)) >= 5][:500]
    hit = 0
    for person in asked:
        found = registry.search(f"{_slipped(shown(person), random)} {person.name} {person.birth_date[:4]}")
        hit += person.enp in enps(found)
    assert hit >= 0.95 * len(asked), hit


def test_wrong_layout_finds_whom_the_right_one_finds(registry: Registry, people: list[Person]) -> None:
    for person in Random(21).sample(people, 100):
        typed = f"{shown(person)} {person.name.lower()}"
        found = enps(registry.search(typed))
        assert found
        assert enps(registry.search(to_latin_layout(typed))) == found


def test_four_digits_that_are_no_year_of_anybody_are_a_day(registry: Registry, people: list[Person]) -> None:
    """«2009» beside a name is a year, and the 20th of September when nobody of that name was born in it."""
    names = [(one.surname, one.name, one.birth_date[:4]) for one in people]
    born = next(
        one
        for one in people
        if one.birth_date[8:] in ("19", "20")
        and (one.surname, one.name, one.birth_date[8:] + one.birth_date[5:7]) not in names
    )
    digits = born.birth_date[8:] + born.birth_date[5:7]
    assert born.enp in enps(registry.search(f"{born.surname} {born.name} {digits}"))
    year = next(one for one in people if one.birth_date.startswith(("1910", "1911", "1912", "2009", "2010", "2011")))
    assert year.enp in enps(registry.search(f"{year.surname} {year.name} {year.birth_date[:4]}"))
