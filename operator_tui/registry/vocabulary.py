"""Words of the registry's names: what a typed word may mean, as ranges of integer codes.

All tolerance (prefixes, wrong layout, foreign spelling, a slip of the finger, hearing) works here, on some ten
thousand words, and never on millions of rows (design/registry.md section 4).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from operator_tui.letters import AFTER, fold, one_edit, phonetic_key
from operator_tui.registry.names import layout_reading, transliterations, word_key
from operator_tui.registry.schema import FIELDS, GAPS, SHORT_PREFIX

# A shorter word has too many neighbours to mean one of them, most of all while it is still being typed.
SHORTEST_WHOLE, SHORTEST_BEGUN = 3, 4
_ENUMERABLE = 128  # words that are better asked for one by one than as a range
_CACHED = 512


@dataclass(frozen=True)
class Condition:
    """One column of the people's table must be one of ``codes``, or lie between ``lo`` and ``hi``.

    ``rows`` people and ``words`` distinct values fit it (estimates, for the plan); ``exact`` holds the codes that are
    the typed word itself, with their people: these rank first. ``solid``: the codes are all there are from ``lo`` to
    ``hi``, so they may be sought one by one or as one range.
    """

    column: str
    codes: tuple[int, ...] | None
    lo: int
    hi: int
    rows: int
    words: int
    exact: Mapping[int, int] = field(default_factory=dict)
    solid: bool = False

    def exactly(self) -> Condition:
        """The condition narrowed to the typed word itself, or as it is when that is no name, or the only one."""
        if self.codes is not None and len(self.exact) == len(self.codes):
            return self
        return replace(either(self.column, self.exact.items()) or self, exact=self.exact)


def either(column: str, counted: Iterable[tuple[int, int]]) -> Condition | None:
    """The condition that the column is one of the given (code, people); None when there are none."""
    people = dict(counted)
    if not people:
        return None
    codes = tuple(people)
    return Condition(column, codes, min(codes), max(codes), sum(people.values()), len(codes))


class Vocabulary:
    """Reads the vocabulary tables over an open connection; remembers what it was asked."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._prefixes: dict[tuple[str, str], Condition | None] = {}
        self._near: dict[tuple[str, str, bool], tuple[Condition, ...]] = {}

    def forget(self) -> None:
        """Drop what is remembered: the tables have changed."""
        self._prefixes.clear()
        self._near.clear()

    def prefix(self, field: str, word: str) -> Condition | None:
        """All names that begin with ``word``; None when there are none."""
        asked = (field, word)
        if asked not in self._prefixes:
            if len(self._prefixes) >= _CACHED:
                self._prefixes.clear()
            self._prefixes[asked] = self._prefix(field, word)
        return self._prefixes[asked]

    def _prefix(self, field: str, word: str) -> Condition | None:
        if len(word) <= SHORT_PREFIX:
            found = self._one(f"SELECT lo, hi, n, k FROM pc_{field} WHERE prefix = ?", word)
        else:
            found = self._one(
                f"SELECT min(code), max(code), sum(n), count(*) FROM v_{field} WHERE norm >= ? AND norm < ?",
                word,
                word + AFTER,
            )
        if not found or not found[3]:
            return None
        lo, hi, rows, words = found
        if words > _ENUMERABLE:
            exact = dict(self._all(f"SELECT code, n FROM v_{field} WHERE norm = ?", word))
            return Condition(field, None, lo, hi, rows, words, exact)
        listed = self._all(f"SELECT code, n, norm FROM v_{field} WHERE code BETWEEN ? AND ?", lo, hi)
        exact = {code: people for code, people, norm in listed if norm == word}
        return Condition(field, tuple(code for code, _, _ in listed), lo, hi, rows, words, exact, solid=True)

    def commonest(self, condition: Condition, most: int = 64) -> Condition:
        """The range narrowed to its most frequent words: enough for a first screen, found by seeks."""
        found = either(
            condition.column,
            self._all(
                f"SELECT code, n FROM v_{condition.column} WHERE code BETWEEN ? AND ? ORDER BY n DESC LIMIT ?",
                condition.lo,
                condition.hi,
                most,
            ),
        )
        return replace(found, exact=condition.exact) if found else condition

    def second_part(self, word: str) -> Condition | None:
        """Double surnames whose second half begins with ``word``."""
        found = self._all("SELECT code, n FROM v_part WHERE part >= ? AND part < ? LIMIT 200", word, word + AFTER)
        return either("sn", found)

    def nameless(self, field: str) -> Condition:
        """People without this name (no patronymic)."""
        code = GAPS[field]
        found = self._one(f"SELECT n FROM v_{field} WHERE code = ? AND norm = ''", code)
        return Condition(field, (code,), code, code, found[0] if found else 0, 1)

    def knows(self, word: str) -> bool:
        """Whether any name of any field begins so."""
        return any(self.prefix(field, word) for field in FIELDS)

    def _popularity(self, word: str) -> int:
        return sum(found.rows for field in FIELDS if (found := self.prefix(field, word)))

    def read_latin(self, typed: str) -> str:
        """The Russian word that was meant by Latin letters: wrong layout first, then a foreign spelling.

        When neither is alive, the reading that stays alive longest: a slip may be repaired from there.
        """
        by_layout = layout_reading(typed)
        if by_layout and self.knows(by_layout):
            return by_layout
        spelled = [word_key(reading) for reading in transliterations(typed, self._begins)]
        if spelled:
            return max(spelled, key=self._popularity)
        plain = [word_key(reading) for reading in transliterations(typed, lambda _: True)[:2]]
        candidates = [word for word in (by_layout, *plain) if word]
        return max(candidates, key=lambda word: self._alive_share(word), default=fold(typed))

    def _begins(self, beginning: str) -> bool:
        return any(
            self._one(f"SELECT 1 FROM v_{field} WHERE norm >= ? AND norm < ? LIMIT 1", beginning, beginning + AFTER)
            for field in FIELDS
        )

    def _alive_share(self, word: str) -> float:
        return max(self._alive(field, word) for field in ("sn", "fn")) / len(word)

    def _alive(self, field: str, word: str) -> int:
        """How many first letters of the word begin some name."""
        low, high = 0, len(word)
        while low < high:
            middle = (low + high + 1) // 2
            begin = word[:middle]
            if self._one(f"SELECT 1 FROM v_{field} WHERE norm >= ? AND norm < ? LIMIT 1", begin, begin + AFTER):
                low = middle
            else:
                high = middle - 1
        return low

    def near(self, field: str, word: str, *, finished: bool) -> tuple[Condition, ...]:
        """Names one slip away, then names that sound alike; whole words first, the frequent first.

        ``finished``: more words follow, so the word stands whole; else it may be a mistyped beginning too.
        """
        asked = (field, word, finished)
        if asked not in self._near:
            if len(self._near) >= _CACHED:
                self._near.clear()
            long_enough = len(word) >= (SHORTEST_WHOLE if finished else SHORTEST_BEGUN)
            self._near[asked] = self._nearest(field, word, finished) if long_enough else ()
        return self._near[asked]

    def _nearest(self, field: str, word: str, finished: bool) -> tuple[Condition, ...]:
        slips = one_edit(word, upto=self._alive(field, word))
        probes = json.dumps(sorted(slips), ensure_ascii=False)
        whole = self._all(
            f"SELECT v.code, v.n FROM json_each(?) j CROSS JOIN v_{field} v ON v.norm = j.value"
            " ORDER BY v.n DESC LIMIT 40",
            probes,
        )
        groups = [either(field, whole)]
        if not finished:
            begun = self._all(
                f"SELECT v.code, v.n FROM json_each(?) j CROSS JOIN v_{field} v"
                " ON v.norm > j.value AND v.norm < j.value || ? ORDER BY v.n DESC LIMIT 80",
                probes,
                AFTER,
            )
            groups.append(either(field, begun))
        found = [group for group in groups if group]
        if not found:
            alike = self._all(
                f"SELECT code, n FROM v_{field} WHERE phon = ? ORDER BY n DESC LIMIT 40", phonetic_key(word)
            )
            found = [group for group in (either(field, alike),) if group]
        return tuple(found)

    def _one(self, statement: str, *values: object) -> Any:
        return self._connection.execute(statement, values).fetchone()

    def _all(self, statement: str, *values: object) -> list[Any]:
        rows: list[Any] = self._connection.execute(statement, values).fetchall()
        return rows
