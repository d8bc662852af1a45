"""People on their way into a new generation: columns of integers in memory, before the words have their codes.

A ``Collector`` makes a ``Batch`` of some thousand people, in this process or in another (pieces.py); the ``Stage``
puts batch behind batch. What is only shown of a person (``Person.more``) is kept packed, and goes to the file in the
order of the people, so that the ten of a screen lie side by side.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

from operator_tui.registry.bodies import DICTIONARY_ROW, Bodies, train
from operator_tui.registry.people import Person
from operator_tui.registry.schema import FIELDS

SEX = {"": 0, "m": 1, "f": 2}
AT_ONCE = 20_000  # people of a batch, and texts of which the dictionary is made
# Columns of the people's table (schema.py) without its id, in their order. The words among them are numbers of a
# batch's own lists until the stage gives them its own.
WORDS = ("insurer", "clinic", "district", "street", "house", "status")
COLUMNS = (*FIELDS, "y", "md", "sex", "phone", "enp", "snils", *WORDS, "more")
_NO_LINES = "\x1f\x1f"  # Person.more begins so when there is no other telephone
_NO_PREVIOUS = "\x1f\x1f\x1f"  # and so when there is no previous name either


class Words(dict[str, int]):
    """Distinct texts and their numbers, which are given in the order of arrival."""

    def __missing__(self, text: str) -> int:
        number = self[text] = len(self)
        return number


@dataclass
class Batch:
    """Some people as columns. Numbers in ``columns`` of FIELDS lead into ``names``, those of WORDS into ``texts``,
    ``more`` is the place (from 1) in ``bodies``. ``former`` holds (place, three numbers of names), ``lines`` holds
    (telephone, place); a place counts the batch's people from 0.
    """

    names: dict[str, list[str]]
    texts: list[str]
    columns: dict[str, array[int]]
    former: list[tuple[int, int, int, int]] = field(default_factory=list)
    lines: list[tuple[int, int]] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)
    packed: list[bytes] | None = None  # the bodies, when they were packed where the batch was made

    def __len__(self) -> int:
        return len(self.columns["enp"])

    def without(self, places: set[int]) -> Batch:
        """The batch without the people of these places."""
        kept = [place for place in range(len(self)) if place not in places]
        now = {place: number for number, place in enumerate(kept)}
        columns = {name: array("q", (column[place] for place in kept)) for name, column in self.columns.items()}
        shown = [place for place in columns["more"] if place]
        given = iter(range(1, len(shown) + 1))
        columns["more"] = array("q", (next(given) if place else 0 for place in columns["more"]))
        return Batch(
            self.names, self.texts, columns,
            [(now[place], sn, fn, pn) for place, sn, fn, pn in self.former if place in now],
            [(line, now[place]) for line, place in self.lines if place in now],
            [self.bodies[place - 1] for place in shown] if self.packed is None else [],
            None if self.packed is None else [self.packed[place - 1] for place in shown],
        )  # fmt: skip


class Collector:
    """Makes one batch."""

    def __init__(self) -> None:
        self._names = {name: Words() for name in FIELDS}
        self._texts = Words()
        self._born: dict[str, tuple[int, int]] = {}
        self._rows: array[int] = array("q")  # whole rows, one behind the other
        self._bodies: list[str] = []
        self._former: list[tuple[int, int, int, int]] = []
        self._lines: list[tuple[int, int]] = []
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, person: Person) -> None:
        born = person.birth_date
        day = self._born.get(born)
        if day is None:
            day = self._born[born] = (int(born[:4]), int(born[5:7]) * 100 + int(born[8:10]))
        street, house = split_address(person.address)
        text, names = self._texts, self._names
        self._rows.extend((
            names["sn"][person.surname], names["fn"][person.name], names["pn"][person.patronymic], *day,
            SEX[person.sex], int(person.phone[1:] or 0), int(person.enp), int(person.snils or 0),
            text[person.insurer], text[person.clinic], text[person.district], text[street], text[house],
            text[person.policy_status], self._keep(person) if person.more else 0,
        ))  # fmt: skip
        self._count += 1

    def _keep(self, person: Person) -> int:
        place = self._count
        self._bodies.append(person.more)
        if not person.more.startswith(_NO_LINES):
            self._lines += [(number, place) for number in other_lines(person)]
        if not person.more.startswith(_NO_PREVIOUS):
            names = self._names
            for surname, name, patronymic in former_names(person):
                self._former.append((place, names["sn"][surname], names["fn"][name], names["pn"][patronymic]))
        return len(self._bodies)

    def batch(self) -> Batch:
        """What was collected."""
        # Whole rows to columns: far cheaper than sixteen appends for each person.
        columns = {name: self._rows[place :: len(COLUMNS)] for place, name in enumerate(COLUMNS)}
        names = {name: list(words) for name, words in self._names.items()}
        return Batch(names, list(self._texts), columns, self._former, self._lines, self._bodies)


def batches(people: Iterable[Person]) -> Iterator[Batch]:
    """All people, batch by batch, made in this process."""
    collector = Collector()
    for person in people:
        collector.add(person)
        if len(collector) == AT_ONCE:
            yield collector.batch()
            collector = Collector()
    yield collector.batch()


class Stage:
    """All people as columns of integers and packed texts (about 180 bytes each)."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._packer: Bodies | None = None
        self._bodies = bytearray()
        self._ends = array("Q", (0,))  # of each body
        self.former: list[tuple[int, int, int, int]] = []  # row, number of surname, of name, of patronymic
        self.lines: list[tuple[int, int]] = []  # telephone, row
        self.names = {name: Words() for name in FIELDS}  # spelling -> number
        self.texts = Words()  # everything else that is text
        self.columns: dict[str, array[int]] = {name: array("q") for name in COLUMNS}

    def __len__(self) -> int:
        return len(self.columns["enp"])

    def take(self, batch: Batch) -> None:
        """Put the batch behind those before it."""
        first, columns = len(self), self.columns
        given = {name: [self.names[name][word] for word in words] for name, words in batch.names.items()}
        texts = [self.texts[text] for text in batch.texts]
        given |= dict.fromkeys(WORDS, texts)
        for name, column in batch.columns.items():
            numbers = given.get(name)
            if numbers is not None:
                columns[name].extend(map(numbers.__getitem__, column))
            elif name == "more":
                kept = len(self._ends) - 1
                columns[name].extend(place and place + kept for place in column)
            else:
                columns[name].extend(column)
        self.former += [
            (place + first, given["sn"][sn], given["fn"][fn], given["pn"][pn]) for place, sn, fn, pn in batch.former
        ]
        self.lines += [(line, place + first) for line, place in batch.lines]
        self._put(batch)

    def shrink(self) -> None:
        """All is written: keep only the ЕНП, which a refusal may have to look at."""
        self._bodies.clear()
        del self._ends[1:]
        for name, column in self.columns.items():
            if name != "enp":
                del column[:]

    def dictionary(self, texts: list[str]) -> bytes:
        """Make the dictionary for all texts of these, write it, and return it."""
        dictionary = train(texts)
        self._connection.execute("INSERT INTO more VALUES(?, ?)", (DICTIONARY_ROW, dictionary))
        self._packer = Bodies(dictionary)
        return dictionary

    def bodies(self, order: Iterable[int]) -> Iterator[tuple[int, bytes]]:
        """(id, body) of the people who have one; ids count the rows in that order from 1."""
        numbers, bodies, ends = self.columns["more"], self._bodies, self._ends
        for row_id, row in enumerate(order, 1):
            if number := numbers[row]:
                yield row_id, bytes(bodies[ends[number - 1] : ends[number]])

    def _put(self, batch: Batch) -> None:
        if self._packer is None:
            self.dictionary(batch.bodies)
        assert self._packer
        packed = batch.packed if batch.packed is not None else list(map(self._packer.pack, batch.bodies))
        first = len(self._bodies)
        self._bodies += b"".join(packed)
        self._ends.extend(first + end for end in accumulate(map(len, packed)))


def former_names(person: Person) -> list[tuple[str, str, str]]:
    """Surname, name and patronymic of each earlier name; what the list leaves out is as it is now."""
    return [
        (old.surname or person.surname, old.name or person.name, old.patronymic or person.patronymic)
        for old in person.previous
    ]


def other_lines(person: Person) -> list[int]:
    """The telephones beyond the first, as numbers."""
    return [int(number[1:]) for number in {person.cell("phone2"), person.cell("phone3")} if number]


def split_address(address: str) -> tuple[str, str]:
    """Street and house apart, since both repeat and their pairs do not. ``join_address`` is the inverse."""
    head, separator, tail = address.partition(", д. ")
    return (head, separator + tail) if separator else (address, "")
