"""Making the synthetic registry and loading it: deterministic, atomic, and clear about what is wrong."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.registry import generator
from operator_tui.registry.identifiers import check_enp, check_snils, to_e164
from operator_tui.registry.index import Registry
from operator_tui.registry.lists import made_up_only, read_csv, write_csv
from operator_tui.registry.load import build, make_demo_registry
from operator_tui.registry.people import Person
from tests.registry.conftest import KEY

HEADER = "enp;snils;surname;name;patronymic;birth_date;sex;phone\n"
ROW = "2656240885900014;900-000-001 82;Ёжикова;Алёна;Петровна;1957-03-14;f;8 (8652) 09-90-01\n"


def test_two_runs_make_equal_files(tmp_path: Path) -> None:
    for name in ("one.csv", "two.csv"):
        write_csv(tmp_path / name, generator.people(2000, seed=5))
    one = (tmp_path / "one.csv").read_bytes()
    assert one == (tmp_path / "two.csv").read_bytes()
    write_csv(tmp_path / "other.csv", generator.people(2000, seed=6))
    assert one != (tmp_path / "other.csv").read_bytes()


def test_a_smaller_run_is_the_beginning_of_a_larger() -> None:
    assert list(generator.people(300, seed=5)) == list(generator.people(900, seed=5))[:300]


def test_made_up_people_have_only_reserved_identifiers(people: list[Person]) -> None:
    made = people[4:]
    assert len({person.enp for person in made}) == len(made)
    assert len({person.snils for person in made}) == len(made)
    for person in made:
        assert check_enp(person.enp, person.birth_date, person.sex).warning == ""
        assert person.enp.startswith("26")
        assert person.enp[10] == "9"
        assert check_snils(person.snils).valid
        assert person.snils.startswith("9")
        assert not person.phone or person.phone.startswith("+786520")


def test_reserved_telephones_outlast_their_first_block() -> None:
    numbers = generator._Numbers(3)
    phones = [numbers.phone() for _ in range(150_000)]
    assert len(set(phones)) == len(phones)
    assert all(phone.startswith("+78650") or phone.startswith("+786520") for phone in phones)
    assert all(to_e164(phone) == phone for phone in Random(1).sample(phones, 200))


def test_people_are_like_people(people: list[Person]) -> None:
    made = people[4:]
    surnames = Counter(person.surname for person in made)
    top = sum(count for _, count in surnames.most_common(100)) / len(made)
    assert 0.1 < top < 0.4  # heavy-tailed: 15.75 % in Unbegaun's St Petersburg of 1910
    phones = Counter(person.phone for person in made if person.phone)
    assert 0.5 < sum(phones.values()) / len(made) < 0.9
    assert phones.most_common(1)[0][1] >= 3  # a family shares one
    assert any(person.patronymic == "НЕТ" for person in made)
    assert any("ё" in person.surname + person.name for person in made)
    assert 0.4 < sum(person.sex == "m" for person in made) / len(made) < 0.6


def test_csv_there_and_back(tmp_path: Path, people: list[Person]) -> None:
    file = tmp_path / "people.csv"
    write_csv(file, people[4:504])
    assert list(read_csv(file)) == people[4:504]
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "windows-1251"])
def test_csv_of_either_encoding(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "people.csv"
    file.write_bytes((HEADER + ROW).encode(encoding))
    (person,) = read_csv(file)
    assert person.surname == "Ёжикова"
    assert person.phone == "+78652099001"
    assert person.snils == "90000000182"


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("2656240885900014", "2656240885900015", "enp"),
        ("1957-03-14", "1957-13-14", "birth_date"),
        ("1957-03-14", "", "birth_date"),
        (";f;", ";х;", "sex"),
        ("900-000-001 82", "900-000-001 83", "snils"),
        ("8 (8652) 09-90-01", "0", "phone"),
        ("Ёжикова;Алёна", ";", "surname"),
    ],
)
def test_a_wrong_row_is_named(tmp_path: Path, old: str, new: str, field: str) -> None:
    file = tmp_path / "people.csv"
    file.write_text(HEADER + ROW + ROW.replace(old, new), encoding="utf-8")
    with pytest.raises(Refusal) as refused:
        list(read_csv(file))
    assert refused.value.code == Code.ROW_INVALID
    assert refused.value.params == {"file": "people.csv", "row": 3, "field": field}


@pytest.mark.parametrize("content", [b"", b"a;b\n1;2\n", b"\x00\xff" * 50, "имя;фамилия\n".encode()])
def test_what_is_no_list_of_people_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "people.csv"
    file.write_bytes(content)
    with pytest.raises(Refusal) as refused:
        list(read_csv(file))
    assert refused.value.code == Code.FILE_UNREADABLE


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal) as refused:
        list(read_csv(tmp_path / "none.csv"))
    assert refused.value.code == Code.FILE_UNREADABLE


def test_an_enp_twice_is_refused_and_the_old_registry_serves(tmp_path: Path, people: list[Person]) -> None:
    path = tmp_path / "registry.db"
    build(path, KEY, people[:10])
    before = path.read_bytes()
    with pytest.raises(Refusal) as refused:
        build(path, KEY, [*people[:7], people[3]])
    assert refused.value.code == Code.ROW_INVALID
    assert (refused.value.params["row"], refused.value.params["field"]) == (8, "enp")
    assert path.read_bytes() == before
    assert sorted(file.name for file in tmp_path.iterdir()) == ["registry.db", path.readlink().name]


def test_a_failing_source_leaves_nothing_behind(tmp_path: Path, people: list[Person]) -> None:
    def broken() -> object:
        yield people[0]
        raise Refusal(Code.FILE_UNREADABLE, file="x", reason="y")

    with pytest.raises(Refusal) as refused:
        build(tmp_path / "registry.db", KEY, broken())  # type: ignore[arg-type]  # an iterator of people, then a failure
    assert refused.value.code is Code.FILE_UNREADABLE
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_can_not_be_written_is_refused(tmp_path: Path, people: list[Person]) -> None:
    with pytest.raises(Refusal) as refused:
        build(tmp_path / "none" / "registry.db", KEY, people[:1])
    assert refused.value.code == Code.DISK_FAILED


def test_a_desk_goes_over_to_the_new_generation_with_its_next_search(tmp_path: Path, people: list[Person]) -> None:
    path = tmp_path / "registry.db"
    build(path, KEY, people[:1])
    first = path.readlink()
    desk = Registry.open(path, KEY)
    build(path, KEY, people[1:3])
    assert path.readlink() != first
    assert not (tmp_path / first).exists()
    assert not desk.search("ежикова").hits
    assert desk.search("петрова-водкина").hits
    assert desk.size == 2
    desk.close()


def test_a_search_that_runs_while_the_generation_changes_is_answered_by_one_of_them(
    tmp_path: Path, people: list[Person]
) -> None:
    path = tmp_path / "registry.db"
    build(path, KEY, people[:400])
    done = threading.Event()
    failed: list[BaseException] = []

    def ask() -> None:
        desk = Registry.open(path, KEY)
        try:
            while not done.is_set():
                assert desk.search("ежикова").hits
                assert desk.person(people[0].enp)
        except BaseException as error:
            failed.append(error)
        finally:
            desk.close()

    asking = [threading.Thread(target=ask) for _ in range(2)]
    for thread in asking:
        thread.start()
    for count in (300, 200, 100, 50):
        build(path, KEY, people[:count])
    done.set()
    for thread in asking:
        thread.join()
    assert failed == []
    assert len(list(tmp_path.glob("registry.db.g-*"))) <= 3  # the generation, and its log while somebody read it


def test_a_new_generation_that_does_not_open_leaves_the_old_one_serving(tmp_path: Path, people: list[Person]) -> None:
    path = tmp_path / "registry.db"
    build(path, KEY, people[:1])
    desk = Registry.open(path, KEY)
    build(path, bytes(32), people[1:3])  # under another key
    assert desk.search("ежикова").hits
    desk.close()


def test_only_one_writer_at_a_time(tmp_path: Path, people: list[Person]) -> None:
    path = tmp_path / "registry.db"

    def rival() -> Iterator[Person]:
        yield people[0]
        with pytest.raises(Refusal) as refused:
            build(path, KEY, people[:5])
        assert refused.value.code == Code.REGISTRY_BUSY
        yield people[1]

    assert build(path, KEY, rival()) == 2


def test_a_list_of_nobody_takes_nobodys_place(tmp_path: Path, people: list[Person]) -> None:
    path = tmp_path / "registry.db"
    build(path, KEY, people[:5])
    with pytest.raises(Refusal) as refused:
        build(path, KEY, [])
    assert refused.value.code == Code.REGISTRY_NOBODY
    assert len(list(tmp_path.glob("registry.db.g-*"))) == 1, "and nothing of it is left"
    registry = Registry.open(path, KEY)
    assert registry.size == 5
    registry.close()


def test_the_file_is_its_owners_alone(registry_file: Path) -> None:
    assert registry_file.stat().st_mode & 0o777 == 0o600


def test_the_demo_registry_tells_its_progress(tmp_path: Path) -> None:
    told: list[float] = []
    path = tmp_path / "data" / "registry.db"
    assert make_demo_registry(path, KEY, people=5000, progress=told.append) == 5000
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert len(told) > 8
    registry = Registry.open(path, KEY)
    assert registry.size == 5000
    registry.close()


def test_real_people_need_a_key_of_their_own() -> None:
    real = Person("2656240885100010", "Иванов", "Иван")
    with pytest.raises(Refusal) as refused:
        list(made_up_only([real]))
    assert refused.value.code == Code.REGISTRY_KEY_NEEDED
