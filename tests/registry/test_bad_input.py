"""Bad input, each kind of the issue: a clear sentence with its row, and the old generation serves on."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from msgspec import structs

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.cli import cli
from operator_tui.registry import generator
from operator_tui.registry.index import Registry
from operator_tui.registry.lists import write_csv
from operator_tui.registry.people import MOST_SHOWN
from operator_tui.sentences import sentence
from tests.registry.test_lists import write_dbf, xml_of, xml_record

PEOPLE = list(generator.people(120, seed=9))
KNOWN = PEOPLE[0]


class Shop:
    """A folder with a registry that serves, and lists that come to it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "registry.db"
        write_csv(folder / "good.csv", PEOPLE[:20])
        assert self.run("load", "--csv", str(folder / "good.csv"), "--as-of", "2026-01-10").exit_code == 0
        self.generation = self.file.readlink()

    def run(self, command: str, *words: str) -> Result:
        return CliRunner().invoke(cli, ("registry", command, *words, "--db", str(self.file)))

    def serves(self) -> bool:
        """Whether the generation of the beginning answers as it did."""
        registry = Registry.open(self.file, bytes.fromhex((self.folder / "registry.db.key").read_text()))
        try:
            same = self.file.readlink() == self.generation and registry.size == 20
            return same and registry.as_of == date(2026, 1, 10) and registry.person(KNOWN.enp) == KNOWN
        finally:
            registry.close()


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def csv_lines(file: Path, change: Callable[[list[bytes]], None]) -> None:
    write_csv(file, PEOPLE)
    lines = file.read_bytes().split(b"\n")
    change(lines)
    file.write_bytes(b"\n".join(lines))


def turned_to_another_encoding(file: Path) -> str:
    csv_lines(file, lambda lines: lines.__setitem__(60, lines[60].decode().encode("windows-1251")))
    return "строка 61"


def of_another_code_page(file: Path) -> str:
    write_csv(file, PEOPLE)
    file.write_bytes(file.read_text(encoding="utf-8").encode("cp866", "replace"))
    return r"строка \d+"


def twice_the_same_number(file: Path) -> str:
    csv_lines(file, lambda lines: lines.insert(80, lines[5]))
    return "строка 81"


def control_characters(file: Path) -> str:
    csv_lines(file, lambda lines: lines.__setitem__(30, lines[30].replace(b";", b";\x1b[2J", 2)))
    return "строка 31"


def a_number_that_is_none(file: Path) -> str:
    csv_lines(file, lambda lines: lines.__setitem__(30, b"1" + lines[30][1:]))
    return "строка 31"


def a_dbf_cut_in_the_middle(file: Path) -> str:
    women = [structs.replace(person, sex="f", more="") for person in PEOPLE]
    write_dbf(file, women)
    raw = file.read_bytes()
    file.write_bytes(raw[: len(raw) // 2])
    return r"строка \d+: файл обрывается"


def a_broken_xml(file: Path) -> str:
    whole = xml_of(*[xml_record(person) for person in PEOPLE[:9]])
    file.write_text(whole.replace("</FAM>", "</FAN>", 1), encoding="windows-1251")
    return "строка 3"


def an_xml_that_ends_early(file: Path) -> str:
    whole = xml_of(*[xml_record(person) for person in PEOPLE[:9]])
    file.write_text(whole[: len(whole) // 2], encoding="windows-1251")
    return r"строка \d+: XML нарушен"


BROKEN = (
    ("csv", turned_to_another_encoding),
    ("csv", of_another_code_page),
    ("csv", twice_the_same_number),
    ("csv", control_characters),
    ("csv", a_number_that_is_none),
    ("dbf", a_dbf_cut_in_the_middle),
    ("xml", a_broken_xml),
    ("xml", an_xml_that_ends_early),
)


@pytest.mark.parametrize("command", ["load", "delta"])
@pytest.mark.parametrize(("kind", "make"), BROKEN, ids=[make.__name__ for _, make in BROKEN])
def test_a_broken_list(shop: Shop, command: str, kind: str, make: Callable[[Path], str]) -> None:
    file = shop.folder / f"list.{kind}"
    where = make(file)
    result = shop.run(command, f"--{kind}", str(file), "--as-of", "2026-01-11")
    assert isinstance(result.exception, Refusal), result.output
    said = sentence(result.exception)
    assert re.search(where, said), said
    assert file.name in said
    assert KNOWN.surname not in said, "no personal data in a sentence that may be logged"
    assert shop.serves()


def test_a_full_list_of_nobody(shop: Shop) -> None:
    file = shop.folder / "list.csv"
    write_csv(file, [])
    result = shop.run("load", "--csv", str(file), "--as-of", "2026-01-11")
    assert isinstance(result.exception, Refusal)
    assert result.exception.code is Code.REGISTRY_NOBODY
    assert shop.serves()


def test_a_registry_that_is_not_there(shop: Shop) -> None:
    file = shop.folder / "list.csv"
    write_csv(file, PEOPLE[:3])
    shop.file.unlink()
    for arguments in (("search", "иванов"), ("delta", "--csv", str(file))):
        result = shop.run(*arguments)
        assert isinstance(result.exception, Refusal)
        assert result.exception.code is Code.REGISTRY_MISSING


def test_a_delta_older_than_the_data(shop: Shop) -> None:
    file = shop.folder / "day.csv"
    write_csv(file, PEOPLE[20:30])
    result = shop.run("delta", "--csv", str(file), "--as-of", "2026-01-09")
    assert isinstance(result.exception, Refusal)
    assert result.exception.code is Code.REGISTRY_DELTA_OLD
    said = sentence(result.exception)
    assert "day.csv" in said
    assert "2026-01-09" in said or "09.01.2026" in said
    assert shop.serves()


@pytest.fixture
def opened(shop: Shop) -> Iterator[Registry]:
    registry = Registry.open(shop.file, bytes.fromhex((shop.folder / "registry.db.key").read_text()))
    yield registry
    registry.close()


@pytest.mark.function("K-5.1.3.2")
def test_a_search_for_nothing(shop: Shop, opened: Registry) -> None:
    for nothing in ("  ", "\x01\x02", "-"):
        result = shop.run("search", nothing)
        assert isinstance(result.exception, Refusal)
        assert result.exception.code is Code.SEARCH_EMPTY
    assert "поле" in sentence(result.exception).lower()
    with pytest.raises(Refusal) as refused:
        opened.search_fields("  ", "", "\x00", "")
    assert refused.value.code is Code.SEARCH_EMPTY


@pytest.mark.parametrize("typed", ["а", "иванов ", "9"])
def test_ten_thousand_characters(opened: Registry, typed: str) -> None:
    found = opened.search(typed * (10_000 // len(typed)))
    assert "слишком длинный" in found.note
    assert len(found.hits) <= MOST_SHOWN


@pytest.mark.parametrize("spoil", ["\x00{}", "{}\x1b[31m", "\x07{}\x7f", "\u202e{}", "{}\r\n"])
def test_control_characters_in_a_search(opened: Registry, spoil: str) -> None:
    """They say nothing, and no terminal ever gets them back."""
    found = opened.search(spoil.format(KNOWN.enp))
    assert all(character.isprintable() for character in found.note)
    assert [hit.person.enp for hit in found.hits] in ([KNOWN.enp], []), found
    assert opened.search(KNOWN.enp).hits
