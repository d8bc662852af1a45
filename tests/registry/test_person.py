"""One person of the registry: previous surnames, merged records, codes as they came."""

from __future__ import annotations

from pathlib import Path
from random import Random

import msgspec
import pytest

from operator_tui.registry import search
from operator_tui.registry.codes import title
from operator_tui.registry.index import Registry
from operator_tui.registry.load import build
from operator_tui.registry.names import name_key
from operator_tui.registry.people import Person
from tests.registry.conftest import KEY, KNOWN


def test_a_merged_person_leads_to_the_one_that_lives(tmp_path: Path) -> None:
    first, second, third = KNOWN[:3]
    pairs = ((first, second), (second, third))
    links = [msgspec.structs.replace(one, more="\x1f" * 6 + lives.enp) for one, lives in pairs]
    build(tmp_path / "merged.db", KEY, [*links, third])
    registry = Registry.open(tmp_path / "merged.db", KEY)
    found = registry.search("ежикова").hits[0].person
    assert found.merged_with == second.enp
    assert registry.living(found).enp == third.enp
    assert registry.living(registry.living(found)).enp == third.enp
    registry.close()


def test_two_records_merged_with_each_other_end_somewhere(tmp_path: Path) -> None:
    first, second = KNOWN[:2]
    build(
        tmp_path / "round.db",
        KEY,
        [
            msgspec.structs.replace(one, more="\x1f" * 6 + other.enp)
            for one, other in ((first, second), (second, first))
        ],
    )
    registry = Registry.open(tmp_path / "round.db", KEY)
    found = registry.person(first.enp)
    assert found
    assert registry.living(found).enp in (first.enp, second.enp)
    registry.close()


@pytest.mark.parametrize("typed", ["{0}", "{0} {1}", "{0} {1} {2}"])
def test_a_previous_surname_finds_and_says_so(registry: Registry, people: list[Person], typed: str) -> None:
    once = [one for one in people if one.previous]
    assert len(once) > 300
    for person in Random(9).sample(once, 60):
        was = person.previous[0].surname
        found = registry.search(typed.format(was, person.name, person.birth_date[:4]))
        hit = next((hit for hit in found.hits if hit.person.enp == person.enp), None)
        assert hit or found.more, was
        if hit and name_key(was) != name_key(person.surname):
            assert hit.former == was
            assert not hit.repaired


def test_a_previous_surname_is_not_meant_by_a_letter_that_many_begin_with(
    registry: Registry, people: list[Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "_FORMER_WORDS", 1)
    once = [one for one in people if one.previous and name_key(one.previous[0].surname) != name_key(one.surname)]
    for person in Random(9).sample(once, 20):
        rest = f"{person.name} {person.birth_date[8:]}.{person.birth_date[5:7]}.{person.birth_date[:4]}"
        was = person.previous[0].surname
        assert person.enp in [hit.person.enp for hit in registry.search(f"{was} {rest}").hits], "whole, it is"
        assert not any(hit.former for hit in registry.search(f"{was[0]} {rest}").hits)


def test_raw_codes_are_kept_and_have_titles(registry: Registry, people: list[Person]) -> None:
    person = registry.person(people[10].enp)
    assert person
    assert person.policies == people[10].policies
    assert person.attachments == people[10].attachments
    assert title("policy_status", person.policies[0].status).startswith(("Действует", "Не действует", "Приостановлен"))
    assert title("policy_type", "Ц") == "Цифровой полис"
    assert title("policy_type", "?") == "?"


def test_an_unknown_or_broken_enp_is_nobody(registry: Registry) -> None:
    assert registry.person("2656240885900022") is None
    assert registry.person("x") is None
