"""Searching people: who is found, in what order, how many, and what is said."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

import msgspec
import pytest

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.letters import RUSSIAN_ALPHABET, to_latin_layout
from operator_tui.registry.codes import title
from operator_tui.registry.index import Registry
from operator_tui.registry.load import build
from operator_tui.registry.names import display_name, name_key
from operator_tui.registry.people import MOST_SHOWN, Found, Person
from tests.registry.conftest import KEY, KNOWN


def names(found: Found) -> list[str]:
    return [hit.person.full_name for hit in found.hits]


def enps(found: Found) -> list[str]:
    return [hit.person.enp for hit in found.hits]


def shown(person: Person) -> str:
    return display_name(person.surname).lower()


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


# --- tolerance ------------------------------------------------------------------------------------------------------


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


def test_exact_hits_are_never_marked(registry: Registry) -> None:
    assert not any(hit.repaired for hit in registry.search("иванов").hits)


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
        assert enps(registry.search(to_latin_layout(typed))) == enps(registry.search(typed))


# --- the ring -------------------------------------------------------------------------------------------------------


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
        with pytest.raises(Refusal):
            ask()


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


def test_raw_codes_are_kept_and_have_titles(registry: Registry, people: list[Person]) -> None:
    person = registry.person(people[10].enp)
    assert person
    assert person.policies == people[10].policies
    assert person.attachments == people[10].attachments
    assert title("policy_status", person.policies[0].status).startswith(("Действует", "Не действует", "Приостановлен"))
    assert title("policy_type", "Ц") == "Цифровой полис"
    assert title("policy_type", "?") == "?"


@pytest.mark.parametrize("number", ["", "anonymous", "112", "201", "+4930901820", "0", "x" * 1000])
def test_other_numbers_give_nobody(registry: Registry, number: str) -> None:
    assert registry.by_phone(number) == []


def test_an_unknown_or_broken_enp_is_nobody(registry: Registry) -> None:
    assert registry.person("2656240885900022") is None
    assert registry.person("x") is None


# --- bad input, keys and files --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "typed",
    ["x" * 10_000, "'; DROP TABLE p; --", "%", "_", "\x00", "ы" * 200, "а " * 90, "1" * 199, "🙂", "-", "[", "а-",
     "++7", "0", "00000000000000000", "9" * 30, "'" * 5, "\ud800"],
)  # fmt: skip
def test_no_typed_text_breaks_the_search(registry: Registry, typed: str) -> None:
    found = registry.search(typed)
    assert len(found.hits) <= MOST_SHOWN
    assert registry.search("ежикова").hits


def test_too_long_a_query_says_so(registry: Registry) -> None:
    assert "200" in registry.search("иванов " + "а" * 10_000).note


def test_a_wrong_key_is_refused_and_the_file_stays(registry_file: Path, capfd: pytest.CaptureFixture[str]) -> None:
    before = registry_file.read_bytes()
    for key in (bytes(32), b"short", b""):
        with pytest.raises(Refusal) as refused:
            Registry.open(registry_file, key)
        assert refused.value.code == Code.REGISTRY_KEY_WRONG
    assert registry_file.read_bytes() == before
    assert capfd.readouterr().err == ""


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal) as refused:
        Registry.open(tmp_path / "none.db", KEY)
    assert refused.value.code == Code.REGISTRY_MISSING
    assert not (tmp_path / "none.db").exists()


def test_another_database_is_no_registry(tmp_path: Path) -> None:
    import sqlcipher3

    path = tmp_path / "other.db"
    connection = sqlcipher3.connect(str(path))
    connection.execute(f"PRAGMA key = \"x'{KEY.hex()}'\"")
    connection.execute("CREATE TABLE t(x)")
    connection.close()
    with pytest.raises(Refusal) as refused:
        Registry.open(path, KEY)
    assert refused.value.code == Code.FILE_UNREADABLE


def test_the_registry_can_not_be_written(registry: Registry) -> None:
    import sqlcipher3

    with pytest.raises(sqlcipher3.OperationalError):
        registry._connection.execute("DELETE FROM p")


def test_names_are_not_readable_on_disk(registry_file: Path) -> None:
    raw = registry_file.read_bytes()
    assert "Гаджимурадов".encode() not in raw
    assert not raw.startswith(b"SQLite format 3")


# --- stopping -------------------------------------------------------------------------------------------------------


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
        partial = any(heavy.search(f"а анна борисовна {day:02d}.12").partial for day in range(1, 29))
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


def test_age_and_size(registry: Registry, people: list[Person]) -> None:
    assert registry.size == len(people)
    built_ms = int(registry.built_at.timestamp() * 1000)
    assert registry.age(built_ms + 3_600_000).total_seconds() == pytest.approx(3600, abs=0.01)
