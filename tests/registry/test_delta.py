"""Daily changes: what they leave behind equals a full load, they may come twice, and desks go on searching."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.cli import cli
from operator_tui.registry import bodies, delta
from operator_tui.registry.delta import Applied, apply
from operator_tui.registry.index import Registry
from operator_tui.registry.load import build
from operator_tui.registry.people import COLUMNS, MORE, Person
from operator_tui.registry.records import Change
from operator_tui.registry.schema import FIELDS, connect
from operator_tui.sentences import sentence
from tests.registry.conftest import KEY

DAY, NEXT = date(2026, 1, 10), date(2026, 1, 11)


@pytest.fixture
def some(people: list[Person]) -> list[Person]:
    return people[:900]


@pytest.fixture
def path(tmp_path: Path, some: list[Person]) -> Path:
    path = tmp_path / "registry.db"
    build(path, KEY, some, as_of=DAY)
    return path


def replaced(person: Person, **fields: str) -> Change:
    return Change(person.enp, msgspec.structs.replace(person, **fields))


def a_days_changes(some: list[Person], fresh: list[Person]) -> tuple[list[Change], list[Person]]:
    """Changes of every kind, and the people as a full list would have them afterwards."""
    random = Random(11)
    changes: list[Change] = []
    after: list[Person] = []
    for place, person in enumerate(some):
        if place % 17 == 0:
            changes.append(Change(person.enp, None))
            continue
        if place % 5 == 0:
            letters = "".join(random.choice("абвгд") for _ in range(random.randint(1, 4)))
            more = f"+78652{random.randrange(10**5):06d}\x1f\x1f{person.surname}"
            change = replaced(person, surname=f"Иванова{letters}", name=f"Анна{letters}", more=more)
            changes.append(change)
            person = change.person or person
        after.append(person)
    changes += [Change(person.enp, person) for person in fresh]
    return changes, [*after, *fresh]


def contents(path: Path) -> tuple[Any, ...]:
    """What the tables say, whatever codes and ids the words and people have."""
    connection = connect(path, KEY, read_only=True)
    names = ", ".join(f"{field}.norm, {field}.disp" for field in FIELDS)
    joins = " ".join(f"JOIN v_{field} {field} ON {field}.code = t.{field}" for field in FIELDS)
    texts = ("insurer", "clinic", "district", "street", "house", "status")
    words = " ".join(f"JOIN word {text} ON {text}.id = t.{text}" for text in texts)
    shown = ", ".join(f"{text}.text" for text in texts)
    packed = bodies.read(connection)
    found = [
        connection.execute(
            f"SELECT {names}, t.y, t.md, t.sex, t.phone, t.enp, t.snils, {shown}, more.body FROM p t {joins} {words}"
            " LEFT JOIN more ON more.id = t.id ORDER BY t.enp"
        ).fetchall(),
        connection.execute(
            f"SELECT {names}, t.y, t.md, p.enp FROM former t {joins} JOIN p ON p.id = t.id ORDER BY p.enp, sn.norm"
        ).fetchall(),
        connection.execute("SELECT l.phone, p.enp FROM line l JOIN p ON p.id = l.id ORDER BY 1, 2").fetchall(),
        connection.execute("SELECT count(*) FROM more").fetchall(),
    ]
    found[0] = [(*row[:-1], packed.unpack(row[-1])) for row in found[0]]
    for field in FIELDS:
        found.append(connection.execute(f"SELECT norm, disp, n FROM v_{field} WHERE n > 0 ORDER BY code").fetchall())
        found.append(connection.execute(f"SELECT prefix, n FROM pc_{field} WHERE n > 0 ORDER BY prefix").fetchall())
    found.append(
        connection.execute("SELECT part, sum(n) FROM v_part GROUP BY part HAVING sum(n) ORDER BY 1").fetchall()
    )
    (damage,) = connection.execute("PRAGMA integrity_check").fetchone()
    connection.close()
    assert damage == "ok"
    return tuple(found)


def ordered(path: Path) -> bool:
    """Codes follow the words, and every beginning covers exactly its words."""
    connection = connect(path, KEY, read_only=True)
    try:
        for field in FIELDS:
            words = connection.execute(f"SELECT norm, disp, code FROM v_{field} ORDER BY code").fetchall()
            assert [word[:2] for word in words] == sorted(word[:2] for word in words)
            for prefix, low, high, count in connection.execute(f"SELECT prefix, lo, hi, k FROM pc_{field}").fetchall():
                codes = [code for norm, _, code in words if norm.startswith(prefix)]
                assert (low, high, count) == (min(codes), max(codes), len(codes)), (field, prefix)
    finally:
        connection.close()
    return True


def test_after_a_delta_the_registry_is_as_a_full_load_makes_it(
    path: Path, tmp_path: Path, some: list[Person], people: list[Person]
) -> None:
    changes, after = a_days_changes(some, people[900:1000])
    done = apply(path, KEY, changes, NEXT)
    assert done.removed == sum(change.person is None for change in changes)
    assert done.new == 100
    assert done.same == 0
    whole = tmp_path / "whole.db"
    build(whole, KEY, after, as_of=NEXT)
    assert contents(path) == contents(whole)
    assert ordered(path)
    ours, theirs = Registry.open(path, KEY, 0), Registry.open(whole, KEY, 0)
    assert ours.size == theirs.size
    assert ours.as_of == NEXT
    for person in Random(5).sample(after, 120):
        for typed in (f"{person.surname} {person.name}", person.surname[:4], person.enp, person.birth_date):
            one, other = ours.search(typed), theirs.search(typed)
            assert {hit.person for hit in one.hits} == {hit.person for hit in other.hits} or one.more, typed
            assert one.more == other.more, typed
    ours.close()
    theirs.close()


def test_who_was_just_shown_is_shown_as_the_delta_left_him(path: Path, some: list[Person]) -> None:
    """What a desk remembers of a person ends with the data it was read from, at the ring too."""
    person = next(one for one in some if one.phone)
    desk = Registry.open(path, KEY, 0)
    assert desk.search(person.enp).hits[0].person.address == person.address
    moved = "г. Невинномысск, ул. Новая, д. 1"
    apply(path, KEY, [replaced(person, address=moved)], NEXT)
    assert {one.address for one in desk.by_phone(person.phone) if one.enp == person.enp} == {moved}
    apply(path, KEY, [Change(person.enp, person)], NEXT)
    found = desk.person(person.enp)
    assert found
    assert found.address == person.address
    desk.close()


def test_a_delta_may_come_twice(path: Path, some: list[Person], people: list[Person]) -> None:
    changes, _ = a_days_changes(some, people[900:950])
    apply(path, KEY, changes, NEXT)
    before = contents(path)
    assert apply(path, KEY, changes, NEXT) == Applied(same=len(changes))
    assert contents(path) == before


def test_words_that_find_no_gap_push_their_neighbours_aside(path: Path, some: list[Person]) -> None:
    """Ever narrower words between two neighbours: more than any gap holds."""
    changes = [replaced(person, surname="Иванов" + "а" * place + "б") for place, person in enumerate(some[:60])]
    changes += [replaced(person, surname="Аа" + "б" * place) for place, person in enumerate(some[60:120])]
    apply(path, KEY, changes, NEXT)
    assert ordered(path)
    registry = Registry.open(path, KEY, 0)
    for change in changes:
        assert change.person
        found = registry.search(change.person.surname)
        assert change.enp in [hit.person.enp for hit in found.hits], change.person.surname
    registry.close()


def test_a_delta_older_than_the_data_is_refused(path: Path, some: list[Person]) -> None:
    apply(path, KEY, [Change(some[0].enp, None)], NEXT)
    before = contents(path)
    with pytest.raises(Refusal) as refused:
        apply(path, KEY, [Change(some[1].enp, None)], DAY, name="d.csv")
    assert refused.value.code == Code.REGISTRY_DELTA_OLD
    assert "2026-01-10" in sentence(refused.value)
    assert contents(path) == before


def test_desks_search_on_while_a_delta_comes(path: Path, some: list[Person], people: list[Person]) -> None:
    changes, _ = a_days_changes(some, people[900:2400])
    done = threading.Event()
    failed: list[BaseException] = []
    sizes: set[int] = set()

    def ask() -> None:
        desk = Registry.open(path, KEY, 0)
        try:
            while True:
                last = done.is_set()
                assert desk.search(some[1].enp).hits  # never changed by the delta
                sizes.add(desk.size)
                if last:
                    break
        except BaseException as error:
            failed.append(error)
        finally:
            desk.close()

    asking = threading.Thread(target=ask)
    asking.start()
    apply(path, KEY, changes, NEXT)
    done.set()
    asking.join()
    assert failed == []
    assert max(sizes) == 900 - len([change for change in changes if change.person is None]) + 1500


def test_a_delta_that_is_cut_off_leaves_whole_transactions_and_is_finished_by_itself(
    path: Path, some: list[Person], people: list[Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delta, "AT_ONCE", 40)
    changes, _ = a_days_changes(some, people[900:950])

    def breaking() -> Iterator[Change]:
        yield from changes[:100]
        raise RuntimeError

    with pytest.raises(RuntimeError):
        apply(path, KEY, breaking(), NEXT)
    registry = Registry.open(path, KEY)
    assert registry.as_of == DAY  # the day moves with the last record
    registry.close()
    assert apply(path, KEY, changes, NEXT).same == 80


def test_a_removed_and_a_renamed_person(path: Path, some: list[Person]) -> None:
    anna, maria = some[0], some[1]
    registry = Registry.open(path, KEY, 0)
    assert registry.search("ежикова").hits
    change = replaced(anna, surname="Соколовская", more="\x1f\x1fЁжикова^^^2020-05-05")
    apply(path, KEY, [change, Change(maria.enp, None)], NEXT)
    (hit,) = registry.search("ежикова алена").hits
    assert (hit.person.surname, hit.former, hit.repaired) == ("Соколовская", "Ёжикова", False)
    assert registry.search("соколовская").hits[0].former == ""
    assert registry.person(maria.enp) is None
    registry.close()


def test_the_command(tmp_path: Path, some: list[Person]) -> None:
    from operator_tui.registry.lists import row_of, write_csv

    write_csv(tmp_path / "all.csv", some)
    base = ("--db", str(tmp_path / "r.db"))
    run = CliRunner().invoke
    assert (
        run(cli, ("registry", "load", "--csv", str(tmp_path / "all.csv"), *base, "--as-of", "2026-01-10")).exit_code
        == 0
    )
    rows = [
        ";".join((*COLUMNS, *MORE, "op")),
        ";".join((*row_of(some[2]), "d")),
        f"{some[3].enp};;;;;;;;;;;;;;;;;;;;;;d",
    ]
    (tmp_path / "day.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    arguments = ("registry", "delta", "--csv", str(tmp_path / "day.csv"), *base)
    dry = run(cli, (*arguments, "--dry-run"))
    assert "Проверено: 2" in dry.output
    done = run(cli, (*arguments, "--as-of", "2026-01-11"))
    assert "снято 2" in done.output
    again = run(cli, (*arguments, "--as-of", "2026-01-11"))
    assert "без изменений 2" in again.output
    old = run(cli, (*arguments, "--as-of", "2026-01-09"))
    assert isinstance(old.exception, Refusal)
    assert old.exception.code == Code.REGISTRY_DELTA_OLD


def test_a_delta_needs_a_registry(tmp_path: Path) -> None:
    with pytest.raises(Refusal) as refused:
        apply(tmp_path / "none.db", KEY, [], NEXT)
    assert refused.value.code == Code.REGISTRY_MISSING
