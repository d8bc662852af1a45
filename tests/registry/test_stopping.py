"""A search that is stopped by the next key or its deadline, and a look-up that is not."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from operator_tui.registry.index import Registry
from operator_tui.registry.load import build
from operator_tui.registry.people import Person
from tests.registry.conftest import KEY


@pytest.fixture(scope="module")
def heavy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry where «а б в» must read every row: all begin so, none together."""
    count = 40_000
    path = tmp_path_factory.mktemp("heavy") / "heavy.db"

    def crowd() -> Iterator[Person]:
        for n in range(count):
            letters = "абвгде"
            surname = f"а{letters[n % 6]}{letters[n // 6 % 6]}{letters[n // 36 % 6]}{letters[n // 216 % 6]}"
            yield Person(f"26{n:09d}90000", surname, "Анна", "Борисовна", f"{1930 + n % 90}-0{1 + n % 9}-1{n % 9}", "f")

    build(path, KEY, crowd())
    registry = Registry.open(path, KEY, deadline_ms=0)
    yield registry
    registry.close()


def test_the_next_key_stops_a_running_search(heavy: Registry) -> None:
    """``interrupt`` from another thread: the call comes back with what it has, and the registry goes on."""
    stop = threading.Event()

    def nag() -> None:
        while not stop.wait(0.0005):
            heavy.interrupt()

    nagging = threading.Thread(target=nag)
    nagging.start()
    try:
        # So many that the other thread gets the processor in one of them, however busy the machine is.
        days = [(day, month) for month in (12, 11, 10) for day in range(1, 29)]
        partial = any(heavy.search(f"а анна борисовна {day:02d}.{month}").partial for day, month in days)
    finally:
        stop.set()
        nagging.join()
    assert partial
    assert heavy.search("а анна").hits


def test_a_look_up_by_number_is_not_stopped(registry: Registry) -> None:
    """The desk interrupts whatever runs when a key comes; the ring's candidates must still arrive."""
    stop = threading.Event()

    def nag() -> None:
        while not stop.is_set():
            registry.interrupt()

    nagging = threading.Thread(target=nag)
    nagging.start()
    try:
        for _ in range(300):
            assert len(registry.by_phone("+78652099001")) == 2
            assert registry.person("2656240885900014") is not None
    finally:
        stop.set()
        nagging.join()


def test_interrupting_a_closed_registry_is_harmless(registry_file: Path) -> None:
    registry = Registry.open(registry_file, KEY)
    registry.close()
    registry.interrupt()


def test_the_deadline_stops_a_search(heavy: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heavy, "_deadline_ms", 0.001)
    found = heavy.search("а анна борисовна 29.12")
    assert found.partial
    assert found.note
    monkeypatch.setattr(heavy, "_deadline_ms", 0)
    assert not heavy.search("а анна борисовна 29.12").partial
