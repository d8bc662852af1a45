"""A registry of made-up people, built once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from operator_tui.registry import generator
from operator_tui.registry.index import Registry
from operator_tui.registry.load import build
from operator_tui.registry.people import Person

KEY = bytes(range(32))
PEOPLE = 6000

# People the tests know by name, among the generated ones.
KNOWN = [
    Person("2656240885900014", "Ёжикова", "Алёна", "Петровна", "1957-03-14", "f", "90000000182", "+78652099001"),
    Person("2647999718900051", "Петрова-Водкина", "Мария", "", "2000-12-31", "f", "90000005900", "+78652099001"),
    Person("2667940818900034", "МАМЕДОВ", "Али", "Гасан оглы", "1950-12-31", "m"),
    Person("2697579720900072", "Гаджимурадов", "Расул", "НЕТ", "2024-02-29", "m"),
]


@pytest.fixture(scope="session")
def people() -> list[Person]:
    return [*KNOWN, *generator.people(PEOPLE, seed=7)]


@pytest.fixture(scope="session")
def registry_file(people: list[Person], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("registry") / "registry.db"
    assert build(path, KEY, people) == len(people)
    return path


@pytest.fixture
def registry(registry_file: Path) -> Iterator[Registry]:
    opened = Registry.open(registry_file, KEY, deadline_ms=0)
    yield opened
    opened.close()
