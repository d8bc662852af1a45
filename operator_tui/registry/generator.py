"""Made-up insured people: deterministic, heavy-tailed, in families, with identifiers no real person has.

Territory 26, serials 90000-99999, СНИЛС from 9xx-xxx-xxx and telephones whose subscriber number starts with 0, so
that none can ring (domain facts 1.1, 1.3, 1.5). Names: assets/reference/names_*.csv with their NOTICE.
"""

from __future__ import annotations

import csv
import io
from bisect import bisect
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from importlib import resources
from itertools import accumulate
from random import Random
from typing import Generic, TypeVar

from msgspec import structs

from operator_tui.registry.identifiers import make_enp, snils_tail
from operator_tui.registry.people import MORE, Person, more_of

TERRITORY = 26
FIRST_SERIAL = 90_000
_TODAY = date(2026, 1, 1)  # fixed, so that two runs on different days are equal
_EPOCH = date(1900, 1, 1).toordinal()

_INSURERS = ((55, "Опора-Мед (26991)"), (30, "Степная страховая компания (26992)"), (15, "Здоровый край (26993)"))
_STATUSES = ((965, "действует"), (25, "приостановлен"), (10, "сдан"))
_TOWNS = (
    (20, "г. Ставрополь", 9), (8, "г. Пятигорск", 4), (6, "г. Кисловодск", 3), (6, "г. Невинномысск", 3),
    (5, "г. Ессентуки", 3), (4, "г. Минеральные Воды", 2), (4, "г. Михайловск", 2), (4, "г. Георгиевск", 2),
    (3, "г. Будённовск", 2), (3, "г. Изобильный", 1), (3, "г. Светлоград", 1), (2, "г. Зеленокумск", 1),
    (2, "г. Благодарный", 1), (2, "с. Кочубеевское", 1), (2, "с. Александровское", 1), (1, "с. Красногвардейское", 1),
    (1, "с. Донское", 1), (1, "с. Грачёвка", 1), (1, "ст. Курская", 1), (1, "с. Левокумское", 1),
)  # fmt: skip
_STREETS = (
    "Ленина", "Мира", "Советская", "Октябрьская", "Садовая", "Школьная", "Молодёжная", "Пушкина", "Гагарина",
    "Лермонтова", "Кирова", "Степная", "Новая", "Комсомольская", "Первомайская", "Победы", "Дзержинского", "Калинина",
    "Горького", "Маяковского", "Набережная", "Заводская", "Полевая", "Вокзальная", "Чехова", "Суворова", "Южная",
    "Северная", "Партизанская", "Кавказская",
)  # fmt: skip
# Age pyramid: people per five years of age, youngest first.
_PYRAMID = (52, 62, 66, 58, 50, 54, 70, 80, 76, 70, 64, 60, 66, 60, 48, 30, 18, 12, 4)
# Children in a household, by chance.
_FAMILY_SIZES = (45, 27, 19, 7, 2)


Item = TypeVar("Item")


class _Choice(Generic[Item]):
    """Weighted choice by one bisection: ``random.choices`` costs five times as much for one value."""

    def __init__(self, weighted: list[tuple[float, Item]]) -> None:
        self._items = [item for _, item in weighted]
        self._sums = list(accumulate(weight for weight, _ in weighted))
        self._total = self._sums[-1]

    def pick(self, point: float) -> Item:
        """The item at ``point`` of [0, 1)."""
        return self._items[bisect(self._sums, point * self._total)]


class _Names:
    """The name lists, by origin of the family: a group keeps its own first names and patronymics."""

    def __init__(self) -> None:
        self.surnames = _Choice([*_common_surnames(), *_rare_surnames()])
        eras: dict[tuple[str, int], list[tuple[float, str]]] = {}
        for row in _table("names_by_era.csv"):
            since = int(row["era"][:4])
            eras.setdefault((row["sex"], since), []).append((float(row["weight"]), row["name"]))
        rare: dict[tuple[str, str], list[tuple[float, str]]] = {}
        for row in _table("names_first.csv"):
            rare.setdefault((row["sex"], row["group"]), []).append((float(row["weight"]), row["name"]))
        self._by_era = {key: _Choice(names) for key, names in eras.items()}
        self._by_group = {key: _Choice(names) for key, names in rare.items()}
        fathers: dict[str, list[tuple[float, tuple[str, str]]]] = {}
        for row in _table("names_patronymics.csv"):
            fathers.setdefault(row["group"], []).append((float(row["weight"]), (row["male"], row["female"])))
        self._fathers = {group: _Choice(names) for group, names in fathers.items()}

    def first(self, random: Random, group: str, sex: str, year: int) -> str:
        """A first name of the group, or of the era for the majority, now and then a rare one of any era."""
        point = random.random()
        if group in ("arm", "cauc"):
            return self._by_group[sex, group].pick(point)
        if point < 0.05:
            return self._by_group[sex, "ru"].pick(random.random())
        since = 1920 if year < 1950 else 1950 if year < 1975 else 1975 if year < 2000 else 2000
        return self._by_era[sex, since].pick(random.random())

    def father(self, random: Random, group: str) -> tuple[str, str]:
        """A patronymic, for sons and for daughters."""
        return self._fathers[group if group in self._fathers else "ru"].pick(random.random())


_Surname = tuple[str, str, str]  # of a man, of a woman, group of the family's other names


def _common_surnames() -> Iterator[tuple[float, _Surname]]:
    for row in _table("names_surnames.csv"):
        yield float(row["weight"]), (row["male"], row["female"], row["group"])


def _rare_surnames() -> Iterator[tuple[float, _Surname]]:
    """The tail: a short list makes namesakes of people who have none, and a slip of the finger harmless."""
    for row in _table("names_surnames_rare.csv"):
        yield float(row["weight"]), (row["surname"], _of_a_woman(row["surname"]), "ru")


def _of_a_woman(surname: str) -> str:
    """The woman's form of the endings that the list of rare surnames has."""
    if surname.endswith(("ов", "ев", "ёв", "ин", "ын")):
        return f"{surname}а"
    return f"{surname.removesuffix('ий')}ая" if surname.endswith(("ский", "цкий")) else surname


def _table(name: str) -> Iterator[dict[str, str]]:
    text = resources.files("assets").joinpath("reference", name).read_text(encoding="utf-8")
    return csv.DictReader(io.StringIO(text), delimiter=";")


class _Numbers:
    """Hands out identifiers, each once."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._people = 0
        self._lines = 0
        self._serials: dict[tuple[date, str], int] = {}

    def enp(self, born: date, sex: str) -> str:
        serial = self._serials.get((born, sex), 0)
        self._serials[born, sex] = serial + 1
        return make_enp(TERRITORY, born, sex, FIRST_SERIAL + serial % 10_000)

    def snils(self) -> str:
        # A multiplier prime to the modulus visits every number once, in an order that looks random.
        nine = f"{900_000_000 + (self._people * 48_271 + self._seed) % 99_999_989:09d}"
        self._people += 1
        return nine + snils_tail(nine)

    def phone(self) -> str:
        """+7 8652 0xxxxx; when those are used up, +7 865 0xxxxxx, which can not ring either."""
        line = self._lines
        self._lines += 1
        if line < 100_000:
            return f"+786520{(line * 7_919 + self._seed) % 100_000:05d}"
        return f"+78650{(line * 7_919 + self._seed) % 1_000_000:06d}"


class _Rest:
    """What is only shown of a person: policies, attachments, previous surname, other telephones, representative.

    Its chances are drawn from a row of their own, so that the people of a seed stay who they were.
    """

    def __init__(self, names: _Names, numbers: _Numbers, seed: int) -> None:
        self._random = Random(seed ^ 0x5EED)
        self._names = names
        self._numbers = numbers
        first = date(2011, 5, 1).toordinal()  # the first policies of the uniform kind
        self._days = [date.fromordinal(day).isoformat() for day in range(first, _TODAY.toordinal())]

    def of(self, person: Person, head: Person | None) -> Person:
        """The person with the rest; ``head`` is the head of his household when he is another."""
        chance = self._random.random
        born = person.birth_date
        cells = [""] * len(MORE)
        if chance() < 0.16 and person.phone:
            cells[_PHONE2] = self._numbers.phone()
        if person.sex == "f" and born < "2000" and chance() < 0.3:
            cells[_PREVIOUS] = self._names.surnames.pick(chance())[1]
        since = max(born, self._days[int(chance() * len(self._days))])
        kind = "П" if since < "2015" else "Э" if since < "2022-12" else "Ц"
        status = _STATUS_CODES[person.policy_status]
        cells[_POLICIES] = f"{kind}^^^{since}^^{status}^{_INSURER_CODES[person.insurer]}"
        if born < "1995" and chance() < 0.2:
            number = int(chance() * 1_000_000)
            cells[_POLICIES] += f"~С^07^{number:06d}^{max(born, '1999-05-06')}^{since}^НСД^26993"
        attached = max(born, self._days[int(chance() * len(self._days))])
        method = "2" if chance() < 0.7 else "1"
        doctor = f"9000000{int(chance() * 1000):03d}"
        cells[_ATTACHMENTS] = f"1^{method}^ДПП^{attached}^^{_CLINIC_CODES[person.clinic]}^{doctor}"
        if chance() < 0.1:
            cells[_ATTACHMENTS] += f"~1^1^НСМ^{max(born, '2009-01-01')}^{attached}^260099"
        if head and born > "2011":
            cells[_REPRESENTATIVE] = f"{head.full_name}^{head.phone}^родитель^1^{attached}"
        return structs.replace(person, more=more_of(cells))


_PHONE2, _PREVIOUS, _POLICIES, _ATTACHMENTS, _REPRESENTATIVE = (
    MORE.index(name) for name in ("phone2", "previous", "policies", "attachments", "representative")
)
_STATUS_CODES = {"действует": "ДПП", "приостановлен": "НВС", "сдан": "НСД"}
_INSURER_CODES = {title: title[-6:-1] for _, title in _INSURERS}
_CLINIC_CODES: dict[str, str] = {
    f"Поликлиника № {number}, {town}": f"26{place:02d}{number:02d}"
    for place, (_, town, clinics) in enumerate(_TOWNS, 1)
    for number in range(1, clinics + 1)
}


def people(count: int, seed: int, progress: Callable[[int], None] | None = None) -> Iterator[Person]:
    """``count`` made-up people, the same for the same arguments. ``progress`` gets the number made, now and then."""
    random = Random(seed)
    names = _Names()
    numbers = _Numbers(seed)
    rest = _Rest(names, numbers, seed)
    made = 0
    while made < count:
        head: Person | None = None
        for plain in _household(random, names, numbers):
            person = rest.of(plain, head)
            head = head or person
            yield person
            made += 1
            if progress and made % 1000 == 0:
                progress(made)
            if made == count:
                return


_AGES = _Choice([(float(weight), index) for index, weight in enumerate(_PYRAMID)])
_PLACES = _Choice([(float(weight), (town, clinics)) for weight, town, clinics in _TOWNS])
_INSURER = _Choice([(float(weight), title) for weight, title in _INSURERS])
_STATUS = _Choice([(float(weight), title) for weight, title in _STATUSES])
_CHILDREN_IN = _Choice([(float(weight), index) for index, weight in enumerate(_FAMILY_SIZES)])


def _household(random: Random, names: _Names, numbers: _Numbers) -> Iterator[Person]:
    """One family under one roof: one surname, one address, often one telephone for all."""
    male, female, group = names.surnames.pick(random.random())
    if random.random() < 0.005:
        second = names.surnames.pick(random.random())
        male, female = f"{male}-{second[0]}", f"{female}-{second[1]}"
    town, clinics = _PLACES.pick(random.random())
    clinic = f"Поликлиника № {1 + int(random.random() * clinics)}, {town}"
    house = f"{town}, ул. {_STREETS[int(random.random() ** 1.5 * len(_STREETS))]}, д. {1 + int(random.random() * 120)}"
    if random.random() < 0.6:
        house += f", кв. {1 + int(random.random() * 90)}"
    shared = numbers.phone() if random.random() < 0.7 else ""
    head = _born(random, _AGES.pick(random.random()))
    head_sex = "m" if random.random() < 0.46 else "f"
    members = [(head, head_sex, names.father(random, group))]
    if head.year <= 2006:
        if random.random() < 0.55:
            spouse = head + timedelta(days=int(random.gauss(0, 900)))
            members.append((spouse, "f" if head_sex == "m" else "m", names.father(random, group)))
        father = names.father(random, group)
        for _ in range(_CHILDREN_IN.pick(random.random())):
            born = head + timedelta(days=7300 + int(random.random() * 6000))
            members.append((born, "m" if random.random() < 0.51 else "f", father))
    for born, sex, father_names in members:
        if not _EPOCH <= born.toordinal() < _TODAY.toordinal():
            continue
        own = random.random()
        phone = shared if own < 0.62 else numbers.phone() if own < 0.8 else ""
        patronymic = father_names[0 if sex == "m" else 1]
        absent = random.random()
        if absent < 0.012:
            patronymic = "НЕТ" if absent < 0.004 else ""
        first = names.first(random, group, sex, born.year)
        surname = male if sex == "m" else female
        if random.random() < 0.5:  # half of all exports write е for ё
            surname, first, patronymic = (
                word.replace("ё", "е").replace("Ё", "Е") for word in (surname, first, patronymic)
            )
        yield Person(
            enp=numbers.enp(born, sex),
            surname=surname,
            name=first,
            patronymic=patronymic,
            birth_date=born.isoformat(),
            sex=sex,
            snils=numbers.snils(),
            phone=phone,
            insurer=_INSURER.pick(random.random()),
            clinic=clinic,
            district=town,
            address=house,
            policy_status=_STATUS.pick(random.random()),
        )


def _born(random: Random, five_years: int) -> date:
    days = int((five_years * 5 + random.random() * 5) * 365.25)
    return _TODAY - timedelta(days=days + 1)
