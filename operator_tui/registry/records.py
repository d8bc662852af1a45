"""One record of a list of people, whatever file it came from: what its fields are called, and whether it is sound."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple, Protocol

from operator_tui.registry import faults as flk
from operator_tui.registry.faults import Fault, Faults
from operator_tui.registry.identifiers import (
    check_enp,
    check_iin,
    check_snils,
    enp_facts,
    enp_fits,
    snils_fits,
    to_e164,
)
from operator_tui.registry.names import name_key
from operator_tui.registry.people import COLUMNS, MORE, Person, more_of

CELLS = (*COLUMNS, *MORE, "op")
REQUIRED = ("enp", "surname", "name", "birth_date")

# What the exchange formats call our columns (domain facts 2.1, 2.3, 4.3).
_ALIASES: dict[str, tuple[str, ...]] = {
    "enp": ("enp", "n_polis", "енп"),
    "snils": ("snils", "ss", "снилс"),
    "surname": ("surname", "fam", "фамилия"),
    "name": ("name", "im", "firstname", "имя"),
    "patronymic": ("patronymic", "ot", "отчество"),
    "birth_date": ("birth_date", "dr", "birthday", "дата_рождения"),
    "sex": ("sex", "w", "gender", "pol", "пол"),
    "phone": ("phone", "tel", "tel_m", "tele2", "телефон"),
    "phone2": ("phone2", "teledom", "tel_f"),
    "phone3": ("phone3", "telework"),
    "insurer": ("insurer", "smo", "insurfcode"),
    "clinic": ("clinic", "mo", "lpu", "mocode"),
    "district": ("district", "raion"),
    "address": ("address", "adr", "adres"),
    "policy_status": ("policy_status", "pcystatus", "p_status"),
    "previous": ("previous",),
    "policies": ("policies",),
    "attachments": ("attachments",),
    "representative": ("representative",),
    "merged_with": ("merged_with", "whenmerged", "enp_new"),
    "death_date": ("death_date", "deathdate", "d_death"),
    "iin": ("iin",),
    "op": ("op", "oper"),
}
CANONICAL = {alias: column for column, aliases in _ALIASES.items() for alias in aliases}

# How lists write the sex: our own letters, the Russian ones, and V005 (1 male, 2 female).
_SEX = {"": "", "m": "m", "f": "f", "м": "m", "ж": "f", "1": "m", "2": "f", "M": "m", "F": "f", "М": "m", "Ж": "f"}
_OPERATIONS = {"": "u", "u": "u", "d": "d", "U": "u", "D": "d"}
# Cyrillic and Latin letters, Roman numerals, apostrophes, points, brackets: names are odd, but no box of another table.
_NAME = re.compile(r"[A-Za-zÀ-ÖØ-öø-ſ\u0400-\u052f\s.,'’‘ʼ`´\"()/\-‐‑‒–—−]*")
_REMEMBERED = 200_000


class Source(Protocol):
    """A list of people in a file. ``names``: how the file itself calls our columns; ``as_of``: the day it tells, or
    None; ``base``: the element that holds a record.
    """

    file: Path
    base: str
    names: dict[str, str]
    as_of: date | None

    def rows(self) -> Iterator[tuple[int, str, Sequence[str]]]:
        """(row as a person counts, the record's own number or nothing, texts in the order of CELLS).

        Refusal(FILE_UNREADABLE) with the row when the file breaks off or is no such file.
        """
        ...

    def done(self) -> float:
        """Share of the file that has been read."""
        ...


class Change(NamedTuple):
    """One record of a delta: a person as he is now, or only the ЕНП of one who is no longer insured here."""

    enp: str
    person: Person | None


def sound(source: Source, faults: Faults) -> Iterator[tuple[int, Person]]:
    """(row, person) of each record that is sound in itself; what is wrong goes to ``faults`` and is passed over."""
    check = _Check(source, faults)
    for row, ident, cells in source.rows():
        person = check.person(row, ident, cells)
        if person is not None:
            yield row, person


def people(source: Source, faults: Faults) -> Iterator[Person]:
    """The sound people of a full list, each once. What is wrong goes to ``faults`` and is passed over."""
    check = _Check(source, faults)
    seen: set[int] = set()
    for row, ident, cells in source.rows():
        person = check.person(row, ident, cells)
        if person is None:
            continue
        number = int(person.enp)
        if number in seen:
            check.fault(row, ident, "enp", flk.DUPLICATE)
            continue
        seen.add(number)
        yield person


def changes(source: Source, faults: Faults) -> Iterator[Change]:
    """The sound records of a delta. An ЕНП that comes twice is a fault: their order would decide what is true."""
    check = _Check(source, faults)
    seen: set[str] = set()
    for row, ident, cells in source.rows():
        operation = _OPERATIONS.get(cells[-1].strip())
        if operation is None:
            check.fault(row, ident, "op", flk.NUMBER)
            continue
        person = None
        if operation == "u":
            person = check.person(row, ident, cells)
            enp = person.enp if person else ""
        else:
            enp = check_enp(cells[0]).value
            if not enp:
                check.fault(row, ident, "enp", flk.NUMBER)
        if not enp:
            continue
        if enp in seen:
            check.fault(row, ident, "enp", flk.DUPLICATE)
            continue
        seen.add(enp)
        yield Change(enp, person)


class _Check:
    """Makes people of records. The common case is one pass; only a record with a fault is looked at field by field."""

    def __init__(self, source: Source, faults: Faults) -> None:
        self._source = source
        self._faults = faults
        # Nobody is born later; a day more, as the list's own region may be ahead of this clock.
        self._latest = max(date.today() + timedelta(days=1), source.as_of or date.min).isoformat()  # noqa: DTZ011
        self._dates: dict[str, str] = {}
        self._hidden: dict[tuple[str, str], bool] = {}

    def person(self, row: int, ident: str, cells: Sequence[str]) -> Person | None:
        """The person, or None after his faults were noted."""
        text = "|".join(cells)
        if " |" in text or "| " in text or text[:1] == " ":
            cells = [cell.strip() for cell in cells]
        enp, snils, surname, name, patronymic, born, sex, phone = cells[:8]
        birth_date = self._dates.get(born) or self._date(born)
        sex_letter = _SEX.get(sex)
        e164 = _phone(phone)
        digits = snils if not snils or snils_fits(snils) else check_snils(snils).value
        number = enp if enp_fits(enp) else check_enp(enp).value
        more = self._more(cells[13:-1])
        sound = (
            number
            and birth_date
            and birth_date <= self._latest
            and sex_letter is not None
            and e164 is not None
            and bool(digits) == bool(snils)
            and more is not None
            and _named(surname, name, patronymic)
            and text.isprintable()
        )
        if not sound:
            self._explain(row, ident, cells)
            return None
        person = Person(
            number, surname, name, patronymic, birth_date, sex_letter or "", digits, e164 or "",
            cells[8], cells[9], cells[10], cells[11], cells[12], more or "",
        )  # fmt: skip
        if not self._hides(person):
            self.fault(row, ident, "enp", flk.WARNING)
        return person

    def fault(self, row: int, ident: str, column: str, code: int) -> None:
        """Note one fault."""
        source = self._source
        self._faults.add(Fault(code, source.names.get(column, column), source.base, ident or str(row), row))

    def _explain(self, row: int, ident: str, cells: Sequence[str]) -> None:
        """All faults of a record that is not sound."""
        cells = [cell.strip() for cell in cells]
        fields = dict(zip(CELLS, cells, strict=True))
        wrong: dict[str, int] = {column: flk.SCHEMA for column, text in fields.items() if not text.isprintable()}
        if not check_enp(fields["enp"]).valid:
            wrong["enp"] = flk.NUMBER if fields["enp"] else flk.SCHEMA
        for column in ("surname", "name", "patronymic"):
            if not _NAME.fullmatch(fields[column]):
                wrong[column] = flk.SCHEMA
        if not name_key(fields["surname"]) and not name_key(fields["name"]):
            wrong["surname"] = flk.SCHEMA
        born = self._date(fields["birth_date"])
        if not born or born > self._latest:
            wrong["birth_date"] = flk.DATE if fields["birth_date"] else flk.SCHEMA
        if fields["sex"] not in _SEX:
            wrong["sex"] = flk.NUMBER
        if fields["snils"] and not check_snils(fields["snils"]).valid:
            wrong["snils"] = flk.NUMBER
        for column in ("phone", "phone2", "phone3"):
            if _phone(fields[column]) is None:
                wrong[column] = flk.NUMBER
        wrong.update(_wrong_cells(fields))
        for column, code in (wrong or {"enp": flk.SCHEMA}).items():
            self.fault(row, ident, column, code)

    def _more(self, cells: Sequence[str]) -> str | None:
        """The text of Person.more, None when a cell is wrong."""
        if not any(cells):
            return ""
        made = list(cells)
        for place in (0, 1):
            if made[place]:
                number = _phone(made[place])
                if number is None:
                    return None
                made[place] = number
        for place, pattern in _SHAPES.items():
            if made[place] and not pattern.fullmatch(made[place]):
                return None
        if (made[6] and not enp_fits(made[6])) or (made[7] and not self._date(made[7])):
            return None
        if made[8] and not check_iin(made[8]).valid:
            return None
        if made[7]:
            made[7] = self._date(made[7])
        return more_of(made)

    def _date(self, text: str) -> str:
        """The day as YYYY-MM-DD, empty when it is none; 36 thousand different ones make up a whole region."""
        known = self._dates.get(text)
        if known is None:
            if len(self._dates) > _REMEMBERED:
                self._dates.clear()
            known = self._dates[text] = iso_date(text)
        return known

    def _hides(self, person: Person) -> bool:
        """Whether the ЕНП hides this birth date and sex."""
        asked = (person.enp[2:10], person.birth_date + person.sex)
        known = self._hidden.get(asked)
        if known is None:
            if len(self._hidden) > _REMEMBERED:
                self._hidden.clear()
            hidden = enp_facts(person.enp)
            known = self._hidden[asked] = (
                hidden.birth_date is not None
                and hidden.birth_date.isoformat() == person.birth_date
                and person.sex in ("", hidden.sex)
            )
        return known


def _shape(parts: str) -> re.Pattern[str]:
    """A cell of repetitions whose parts are texts (t) and dates (d); parts at the end may be left out."""
    kinds = {"t": r"[^~^]*", "d": r"(?:\d{4}-[01]\d-[0-3]\d)?"}
    pattern = ""
    for kind in reversed(parts):
        pattern = rf"{kinds[kind]}(?:\^{pattern})?" if pattern else kinds[kind]
    return re.compile(rf"{pattern}(?:~{pattern})*")


_SHAPES = {2: _shape("tttd"), 3: _shape("tttddtt"), 4: _shape("tttddtt"), 5: _shape("ttttd")}  # by place in MORE


def _wrong_cells(fields: dict[str, str]) -> dict[str, int]:
    wrong = {
        MORE[place]: flk.SCHEMA for place, pattern in _SHAPES.items() if not pattern.fullmatch(fields[MORE[place]])
    }
    if fields["merged_with"] and not enp_fits(fields["merged_with"]):
        wrong["merged_with"] = flk.NUMBER
    if fields["death_date"] and not iso_date(fields["death_date"]):
        wrong["death_date"] = flk.DATE
    if fields["iin"] and not check_iin(fields["iin"]).valid:
        wrong["iin"] = flk.NUMBER
    return wrong


def _named(surname: str, name: str, patronymic: str) -> bool:
    if surname.isalpha() and name.isalpha() and (not patronymic or patronymic.isalpha()):
        return surname != "НЕТ" or name != "НЕТ"
    if not (_NAME.fullmatch(surname) and _NAME.fullmatch(name) and _NAME.fullmatch(patronymic)):
        return False
    return bool(name_key(surname) or name_key(name))


def _phone(text: str) -> str | None:
    """E.164, empty for nothing, None for what is no telephone."""
    # A number of zone 7 in E.164 needs no asking of phonenumbers, which costs 50 microseconds a row.
    if not text or (len(text) == 12 and text.startswith("+7") and text[2] in "3456789" and text[1:].isdecimal()):
        return text
    return to_e164(text) or None


def iso_date(text: str) -> str:
    """YYYY-MM-DD of that or of DD.MM.YYYY; empty when it is no day from 1880 on."""
    if len(text) == 10 and text[2] == text[5] == ".":
        text = f"{text[6:]}-{text[3:5]}-{text[:2]}"
    try:
        born = date.fromisoformat(text)
    except ValueError:
        return ""
    return born.isoformat() if 1880 <= born.year <= 2200 else ""
