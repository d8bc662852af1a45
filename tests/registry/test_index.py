"""Searching people: who is found, in what order, and how many."""

from __future__ import annotations

import itertools
from pathlib import Path
from random import Random

import pytest

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.registry.index import Registry
from operator_tui.registry.load import build
from operator_tui.registry.names import display_name, name_key
from operator_tui.registry.people import MOST_SHOWN, Found, Person
from tests.registry.answers import enps
from tests.registry.conftest import KEY, KNOWN

# --- the manual's search --------------------------------------------------------------------------------------------


@pytest.mark.function("K-5.1.3.1", "K-5.1.3.4")
def test_the_four_fields_find_a_person(registry: Registry) -> None:
    found = registry.search_fields("ежикова", "алена", "петровна", "14.03.1957")
    assert enps(found) == ["2656240885900014"]
    assert not found.more
    assert not found.repaired


@pytest.mark.function("K-5.1.3.1")
@pytest.mark.parametrize(
    "field", [{"surname": "ежик"}, {"name": "алена", "patronymic": "петровна"}, {"birth_date": "14.03.1957"}]
)
def test_any_of_the_fields_may_be_left_out(registry: Registry, field: dict[str, str]) -> None:
    assert "2656240885900014" in enps(registry.search_fields(**field))


def test_a_field_binds_its_word(registry: Registry) -> None:
    assert any(hit.person.name == "Мария" for hit in registry.search_fields(name="мария").hits)
    assert not any(hit.person.name == "Мария" for hit in registry.search_fields(surname="мария").hits)


@pytest.mark.function("K-5.1.3.2")
def test_empty_fields_are_refused(registry: Registry) -> None:
    with pytest.raises(Refusal) as refused:
        registry.search_fields()
    assert refused.value.code == Code.SEARCH_EMPTY


def test_an_empty_line_finds_nobody_and_says_nothing(registry: Registry) -> None:
    assert registry.search("  ") == Found()


@pytest.mark.function("K-5.1.3.3", "K-5.1.3.7")
@pytest.mark.parametrize("typed", ["и", "иван", "а а", "1985", "8652", "а", "петр ан", "15."])
def test_never_more_than_ten_people(registry: Registry, typed: str) -> None:
    found = registry.search(typed)
    assert len(found.hits) == MOST_SHOWN
    assert found.more
    assert "полное ФИО" in found.note
    assert "дата рождения" in found.note


@pytest.mark.function("K-5.1.3.3")
def test_a_telephone_of_a_crowd_gives_ten(tmp_path: Path) -> None:
    crowd = [
        Person(enp, "Кузьмин", "Олег", "", "1980-01-01", "m", phone="+78652000001")
        for enp in (f"26000000009{serial:05d}"[:16] for serial in range(40))
    ]
    path = tmp_path / "crowd.db"
    build(path, KEY, crowd)
    registry = Registry.open(path, KEY)
    assert len(registry.by_phone("+78652000001")) == MOST_SHOWN
    assert len(registry.search("кузьмин олег").hits) == MOST_SHOWN
    registry.close()


def test_exactly_ten_is_not_more(tmp_path: Path) -> None:
    ten = [Person(f"26000000009{n:05d}", "Кузьмин", "Олег", "", f"19{80 + n}-01-01", "m") for n in range(10)]
    path = tmp_path / "ten.db"
    build(path, KEY, ten)
    registry = Registry.open(path, KEY)
    found = registry.search("кузьмин")
    assert len(found.hits) == MOST_SHOWN
    assert not found.more
    registry.close()


# --- every order, every part ----------------------------------------------------------------------------------------


def test_the_words_may_come_in_any_order(registry: Registry) -> None:
    for order in itertools.permutations(("ежик", "алёна", "петр", "14.03.1957")):
        assert enps(registry.search(" ".join(order))) == ["2656240885900014"], order


@pytest.mark.parametrize(
    "typed",
    [
        "+7 (8652) 09-90-01",
        "88652099001",
        "8652099001",
        "2656240885900014",
        "2656 2408 8590 0014",
        "900-000-001 82",
        "90000000182",
        "ежикова 8652099001",
        "2656240885900014 ежикова",
    ],
)
def test_identifiers_find_their_person(registry: Registry, typed: str) -> None:
    assert "2656240885900014" in enps(registry.search(typed))


def test_a_name_beside_an_identifier_narrows(registry: Registry) -> None:
    assert set(enps(registry.search("8652099001"))) == {"2656240885900014", "2647999718900051"}
    assert enps(registry.search("водкина 8652099001")) == ["2647999718900051"]


def test_the_exact_word_comes_before_the_beginning_of_a_longer_one(registry: Registry) -> None:
    surnames = [hit.person.surname for hit in registry.search("иванов").hits]
    assert surnames[0] == "Иванов"
    exact = [surname == "Иванов" for surname in surnames]
    assert exact == sorted(exact, reverse=True)


def test_first_name_before_surname_is_not_taken_for_a_patronymic(registry: Registry, people: list[Person]) -> None:
    person = next(one for one in people if one.surname == "Иванов" and one.name)
    assert registry.search(f"{person.name} иванов").hits[0].person.surname == "Иванов"


def test_what_is_found_agrees_with_a_plain_scan(registry: Registry, people: list[Person]) -> None:
    """Oracle: for surname and name beginnings, all and only those people fit whom a scan of the list finds, those who
    had such a surname before behind the others.
    """
    random = Random(3)
    keys = [(name_key(one.surname), name_key(one.name), one.enp) for one in people]
    once = [(name_key(old.surname), name_key(one.name), one.enp) for one in people for old in one.previous]
    for person in random.sample(people, 150):
        surname, name = name_key(person.surname)[: random.randint(2, 9)], name_key(person.name)[: random.randint(1, 4)]
        present = {enp for sn, fn, enp in keys if sn.startswith(surname) and fn.startswith(name)}
        fitting = present | {enp for sn, fn, enp in once if sn.startswith(surname) and fn.startswith(name)}
        found = registry.search_fields(surname=surname, name=name)
        assert found.more == (len(fitting) > MOST_SHOWN), (surname, name)
        assert set(enps(found)) <= fitting
        assert len(found.hits) == min(len(fitting), MOST_SHOWN)
        former = [bool(hit.former) for hit in found.hits]
        assert former == sorted(former)
        assert {hit.person.enp for hit in found.hits if not hit.former} <= present


def test_every_sampled_person_is_found_by_name_and_birth_date(registry: Registry, people: list[Person]) -> None:
    for person in Random(5).sample(people, 200):
        born = person.birth_date
        found = registry.search(f"{person.surname} {person.name} {born[8:]}.{born[5:7]}.{born[:4]}")
        assert person.enp in enps(found)
        assert not found.hits[enps(found).index(person.enp)].repaired


def test_a_person_comes_back_as_loaded(registry: Registry, people: list[Person]) -> None:
    for person in Random(11).sample(people[len(KNOWN) :], 50):
        got = registry.person(person.enp)
        assert got is not None
        assert got.surname == display_name(person.surname)
        assert got.patronymic == display_name(person.patronymic)
        for field in ("enp", "name", "birth_date", "sex", "snils", "phone", "insurer", "clinic", "district",
                      "address", "policy_status"):  # fmt: skip
            assert getattr(got, field) == getattr(person, field), field


def test_age_and_size(registry: Registry, people: list[Person]) -> None:
    assert registry.size == len(people)
    built_ms = int(registry.built_at.timestamp() * 1000)
    assert registry.age(built_ms + 3_600_000).total_seconds() == pytest.approx(3600, abs=0.01)
