"""One conjunctive query over the people's table: which covering index drives it, decided from exact word counts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from operator_tui.registry.query import Birth, Digits
from operator_tui.registry.schema import DRIVERS
from operator_tui.registry.vocabulary import Condition

ENOUGH = 41  # rows: «больше 10» needs no more, and the best ten are among the exact ones asked apart
Row = tuple[int, int, int, int, int, int]  # id, sn, fn, pn, y, md
_SEEK = 12  # a seek costs as much as reading so many entries of an index
_PROBED = 2000  # people of an identifier's beginning that are counted
_IDENTIFIERS = frozenset({"phone", "snils", "enp"})
_YEARS, _DAYS = 85, 366  # spread of birth dates, for estimates
_FORMER = ("sn", "fn", "pn", "y", "md")  # the order of the table of previous names
_FORMER_SHARE = 0.1  # of the people have one, for estimates


def birth_conditions(birth: Birth, people: int) -> list[Condition]:
    """A birth date, whole or partial, as conditions on year and day."""
    found: list[Condition] = []
    if birth.years:
        rows = people * len(birth.years) // _YEARS
        first, last = min(birth.years), max(birth.years)
        decade = last - first == len(birth.years) - 1
        found.append(Condition("y", birth.years, first, last, rows, len(birth.years), solid=decade))
    if birth.day:
        months = (birth.month,) if birth.month else tuple(range(1, 13))
        days = tuple(month * 100 + birth.day for month in months)
        found.append(Condition("md", days, days[0], days[-1], people * len(days) // _DAYS, len(days)))
    elif birth.month:
        first = birth.month * 100
        found.append(Condition("md", None, first, first + 31, people // 12, 31))
    return found


def identifier_conditions(digits: Digits) -> list[Condition]:
    """What a row of digits may begin: telephone, СНИЛС or ЕНП, each an alternative (not all at once)."""
    text = digits.text
    phones: list[str] = []
    if digits.international:
        phones.append(text)
    else:
        if text[0] in "78" and len(text) <= 11:
            phones.append("7" + text[1:])
        if len(text) <= 10:
            phones.append("7" + text)
    found = [_begins("phone", phone, 11) for phone in phones if len(phone) <= 11]
    if not digits.international:
        if len(text) <= 11:
            found.append(_begins("snils", text, 11))
        if len(text) <= 16:
            found.append(_begins("enp", text, 16))
    return found


def _begins(column: str, text: str, length: int) -> Condition:
    shift = 10 ** (length - len(text))
    lo = int(text) * shift
    return Condition(column, None if shift > 1 else (lo,), lo, lo + shift - 1, 1, 1)


def probed(connection: Any, condition: Condition) -> Condition:
    """The condition on an identifier with its people counted, up to a bound: beginnings are spread too unevenly
    (all telephones of a town share one) to be guessed.
    """
    column = condition.column
    (rows,) = connection.execute(
        f"SELECT count(*) FROM (SELECT 1 FROM p INDEXED BY i_{column} WHERE {column} BETWEEN ? AND ? LIMIT {_PROBED})"
        " AS probed",
        (condition.lo, condition.hi),
    ).fetchone()
    return replace(condition, rows=rows)


def select(connection: Any, conditions: Sequence[Condition], people: int, limit: int = ENOUGH) -> list[Row]:
    """At most ``limit`` rows that fit all conditions.

    Conditions on identifiers alone give rows of which only the id is filled in: their indexes hold no more, and a
    hundred look-ups of rows that nobody will see would cost more than the rest of the search.
    """
    by_column = {condition.column: condition for condition in conditions}
    driver, sought = _driver(by_column, people, limit)
    columns = "id, 0, 0, 0, 0, 0" if by_column.keys() <= _IDENTIFIERS else "id, sn, fn, pn, y, md"
    where, values = _where(conditions, sought)
    statement = f"SELECT {columns} FROM p INDEXED BY i_{driver} WHERE {where} LIMIT {limit}"
    rows: list[Row] = connection.execute(statement, values).fetchall()
    return rows


def select_former(connection: Any, conditions: Sequence[Condition], people: int) -> list[Row]:
    """People who had such a surname before; the rows carry the earlier name. None beside a condition on identifiers."""
    by_column = {condition.column: condition for condition in conditions}
    if by_column.keys() & _IDENTIFIERS:
        return []
    _, sought = _cheapest(_FORMER, by_column, people, ENOUGH, share=_FORMER_SHARE)
    where, values = _where(conditions, sought)
    rows: list[Row] = connection.execute(
        f"SELECT id, sn, fn, pn, y, md FROM former WHERE {where} LIMIT {ENOUGH}", values
    ).fetchall()
    return rows


@dataclass(frozen=True)
class Sought:
    """Which columns of an index are sought in it; the last of them, when ``ranged``, as one range."""

    columns: tuple[str, ...] = ()
    ranged: bool = False

    def in_range(self, column: str) -> bool:
        """Whether a condition that has both forms is put as a range: it is what an index is read by once, and the
        cheaper thing to compare with."""
        return column not in self.columns or (self.ranged and column == self.columns[-1])


def _where(conditions: Sequence[Condition], sought: Sought) -> tuple[str, list[int]]:
    """The conditions as SQL. Those on columns that are not sought only filter what the index gives (a plus before
    the column says so, to SQLite and PostgreSQL alike): a list of codes behind a range would be sought code by code.
    """
    where: list[str] = []
    values: list[int] = []
    for condition in conditions:
        column = condition.column if condition.column in sought.columns else f"+{condition.column}"
        if condition.codes is not None and len(condition.codes) == 1:
            where.append(f"{column} = ?")
            values.append(condition.codes[0])
        elif condition.codes is None or (condition.solid and sought.in_range(condition.column)):
            where.append(f"{column} BETWEEN ? AND ?")
            values += [condition.lo, condition.hi]
        else:
            where.append(f"{column} IN ({','.join(map(str, condition.codes))})")
    return " AND ".join(where), values


def _driver(by_column: Mapping[str, Condition], people: int, limit: int) -> tuple[str, Sought]:
    """The index with the least to read, and which of its columns are sought in it."""
    plans = (
        (*_cheapest(columns, by_column, people, limit), name) for name, columns in DRIVERS.items() if name in by_column
    )
    _, sought, name = min(plans, key=lambda plan: plan[0])
    return name, sought


def _cheapest(
    columns: Sequence[str], by_column: Mapping[str, Condition], people: int, limit: int, share: float = 1.0
) -> tuple[float, Sought]:
    """How to seek in an index over these columns, with its cost.

    What is read: entries up to the limit, given how many of them pass the conditions that only filter, and a seek for
    each combination of codes that comes before the limit is reached. ``share`` of the people is in the index.
    """
    shares = {name: max(condition.rows, 1) / max(people, 1) for name, condition in by_column.items()}
    best = (people * share, Sought())
    for rows, seeks, sought in _reaches(columns, by_column, shares):
        rows *= share
        passing = 1.0
        for column, of_all in shares.items():
            if column not in sought.columns:
                passing *= of_all
        entries = min(rows, limit / min(passing, 1.0))
        cost = entries + max(1.0, seeks * entries / max(rows, 1.0)) * _SEEK
        if cost < best[0]:
            best = cost, sought
    return best


def _reaches(
    columns: Sequence[str], by_column: Mapping[str, Condition], shares: Mapping[str, float]
) -> Iterator[tuple[float, int, Sought]]:
    """How far the conditions may reach into an index: (entries in reach, seeks to get there, what is sought), one
    column more each time. Behind a range no column is sought.
    """
    rows, seeks = float(max(by_column[columns[0]].rows, 1)) if columns[0] in by_column else 0.0, 1
    for place, column in enumerate(columns, 1):
        condition = by_column.get(column)
        if condition is None:
            return
        if place > 1:
            rows *= shares[column]
        if condition.codes is None or (condition.solid and len(condition.codes) > 1):
            yield rows, seeks, Sought(tuple(columns[:place]), ranged=True)
        if condition.codes is None:
            return
        seeks *= len(condition.codes)
        yield rows, seeks, Sought(tuple(columns[:place]))
