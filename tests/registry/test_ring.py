"""Who calls: people by their telephones, who was bound before first; and that each view of a person can be logged."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.registry.index import Registry
from operator_tui.registry.load import build
from operator_tui.registry.people import Person
from tests.registry.answers import enps
from tests.registry.conftest import KEY


def test_the_callers_number_gives_his_family(registry: Registry) -> None:
    assert {person.enp for person in registry.by_phone("+78652099001")} == {"2656240885900014", "2647999718900051"}
    assert registry.by_phone("8 (8652) 09-90-01") == registry.by_phone("+78652099001")


def test_who_was_bound_to_this_number_before_comes_first(registry: Registry) -> None:
    for preferred in (["2647999718900051", "2656240885900014"], ["2656240885900014"], ["2647999718900051", "x", ""]):
        assert registry.by_phone("+78652099001", preferred)[0].enp == preferred[0]
    stranger = ["2667940818900034"]
    assert registry.by_phone("+78652099001", stranger) == registry.by_phone("+78652099001")


def test_who_was_bound_before_is_among_the_ten_of_a_crowd(tmp_path: Path) -> None:
    enps = [f"26000000009{serial:05d}" for serial in range(40)]
    crowd = [Person(enp, "Кузьмин", "Олег", "", "1980-01-01", "m", phone="+78652000001") for enp in enps]
    build(tmp_path / "crowd.db", KEY, crowd)
    registry = Registry.open(tmp_path / "crowd.db", KEY)
    for enp in enps[::7]:
        assert registry.by_phone("+78652000001", [enp])[0].enp == enp
    registry.close()


def test_any_of_three_telephones_finds_its_owner(registry: Registry, people: list[Person]) -> None:
    owner = next(one for one in people if one.cell("phone2"))
    assert owner.enp in [one.enp for one in registry.by_phone(owner.cell("phone2"))]
    assert owner.enp in enps(registry.search(owner.cell("phone2")))


def test_every_view_of_a_person_can_be_logged(registry: Registry) -> None:
    """What is handed out was told first; what is not handed out was not."""
    seen: list[str] = []
    registry.on_view = seen.extend
    assert enps(registry.search("ежикова")) == seen
    seen.clear()
    assert {one.enp for one in registry.by_phone("+78652099001")} == set(seen)
    seen.clear()
    registry.person("2656240885900014")
    assert seen == ["2656240885900014"]
    seen.clear()
    assert not registry.search("щщщщщ").hits
    assert registry.person("2656240885900022") is None
    assert seen == []


def test_no_person_is_handed_out_whose_view_can_not_be_logged(registry: Registry) -> None:
    def fail(_: Sequence[str]) -> None:
        raise Refusal(Code.DISK_FULL)

    registry.on_view = fail
    for ask in (lambda: registry.search("ежикова"), lambda: registry.by_phone("+78652099001")):
        with pytest.raises(Refusal) as refused:
            ask()
        assert refused.value.code is Code.DISK_FULL


@pytest.mark.parametrize("number", ["", "anonymous", "112", "201", "+4930901820", "0", "x" * 1000])
def test_other_numbers_give_nobody(registry: Registry, number: str) -> None:
    assert registry.by_phone(number) == []
