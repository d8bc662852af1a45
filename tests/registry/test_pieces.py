"""A long list read by several processes says what one process would have said of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.registry import pieces
from operator_tui.registry.faults import Faults
from operator_tui.registry.identifiers import make_enp
from operator_tui.registry.index import Registry
from operator_tui.registry.lists import CsvList, write_csv
from operator_tui.registry.load import build
from operator_tui.registry.people import Person
from operator_tui.registry.pieces import Pieces
from operator_tui.registry.records import people as read_people
from tests.registry.conftest import KEY
from tests.registry.test_delta import contents


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "PIECE", 40_000)


def in_pieces(path: Path, file: Path, finish: Callable[[], None] = lambda: None, *, real: bool = True) -> Faults:
    faults = Faults(file)
    build(path, KEY, Pieces(CsvList(file), faults, 2, finish=finish, made_up_only=not real))
    return faults


def in_one(path: Path, file: Path) -> Faults:
    faults = Faults(file)
    build(path, KEY, read_people(CsvList(file), faults))
    return faults


def test_two_processes_make_what_one_makes(tmp_path: Path, people: list[Person]) -> None:
    file = tmp_path / "list.csv"
    write_csv(file, people[:2500])
    lines = file.read_text(encoding="utf-8").splitlines()
    lines[7] = lines[7].replace(";", ' ";', 1)  # a lone quote
    lines[40] = "a;b"
    lines[300] = ""
    lines[1800] = lines[200]  # the same person again, in another piece
    cells = lines[900].split(";")
    cells[11] = f'"{cells[11]}\nвторая строка"'
    lines[900] = ";".join(cells)
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    many, one = tmp_path / "many.db", tmp_path / "one.db"
    there, here = in_pieces(many, file), in_one(one, file)
    assert there.listed == here.listed
    assert (there.errors, there.warnings) == (here.errors, here.warnings)
    assert {fault.code for fault in there.listed if fault.row > 1000} == {16}
    assert contents(many) == contents(one)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "windows-1251"])
def test_either_encoding_and_no_end_of_line_at_the_end(tmp_path: Path, people: list[Person], encoding: str) -> None:
    file = tmp_path / "list.csv"
    write_csv(file, people[:900])
    file.write_bytes(file.read_text(encoding="utf-8").rstrip().encode(encoding))
    assert in_pieces(tmp_path / "many.db", file).errors == 0
    registry = Registry.open(tmp_path / "many.db", KEY)
    assert registry.size == 900
    assert registry.person(people[899].enp) == people[899]
    registry.close()


def test_a_file_that_breaks_off_names_its_row_and_changes_nothing(tmp_path: Path, people: list[Person]) -> None:
    file, path = tmp_path / "list.csv", tmp_path / "many.db"
    write_csv(file, people[:10])
    in_pieces(path, file)
    before = path.readlink()
    write_csv(file, people[:1500])
    lines = file.read_bytes().split(b"\n")
    lines[1200] = "Петров".encode("windows-1251")
    file.write_bytes(b"\n".join(lines))
    with pytest.raises(Refusal) as refused:
        in_pieces(path, file)
    assert refused.value.code is Code.FILE_UNREADABLE
    assert "строка 1201:" in str(refused.value.params["reason"])
    assert path.readlink() == before


def test_what_stops_the_load_at_its_end(tmp_path: Path, people: list[Person]) -> None:
    file = tmp_path / "list.csv"
    write_csv(file, people[:700])

    def refuse() -> None:
        raise Refusal(Code.REGISTRY_FAULTS, file="x", count=1, row=1, field="enp")

    with pytest.raises(Refusal) as refused:
        in_pieces(tmp_path / "many.db", file, refuse)
    assert refused.value.code is Code.REGISTRY_FAULTS
    real = Person(make_enp(26, date(1960, 5, 17), "m", 100), "Иванов", "Иван", "", "1960-05-17", "m")
    write_csv(file, [*people[:100], real])
    with pytest.raises(Refusal) as refused:
        in_pieces(tmp_path / "many.db", file, real=False)
    assert refused.value.code is Code.REGISTRY_KEY_NEEDED
    assert [left.name for left in tmp_path.iterdir()] == ["list.csv"]
