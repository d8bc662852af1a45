"""One search, from the conditions of a query to ranked rows: plain readings first, then the tolerant ones."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from enum import IntEnum
from itertools import product
from typing import Any

from operator_tui.letters import has_latin
from operator_tui.registry.people import MOST_SHOWN
from operator_tui.registry.plan import (
    ENOUGH,
    Row,
    birth_conditions,
    identifier_conditions,
    probed,
    select,
    select_former,
)
from operator_tui.registry.query import Birth, Digits, Query
from operator_tui.registry.vocabulary import Condition, Vocabulary

# In which order the words may name a person, the likely ones first.
_ORDERS: dict[int, tuple[tuple[str, ...], ...]] = {
    1: (("sn",), ("fn",), ("pn",)),
    2: (("sn", "fn"), ("fn", "pn"), ("fn", "sn"), ("sn", "pn"), ("pn", "sn"), ("pn", "fn")),
    3: (
        ("sn", "fn", "pn"),
        ("fn", "pn", "sn"),
        ("sn", "pn", "fn"),
        ("pn", "fn", "sn"),
        ("fn", "sn", "pn"),
        ("pn", "sn", "fn"),
    ),
}
_MOST_NAMES = 3
_WIDE_WORDS, _WIDE_ROWS = 2000, 20_000  # a range this wide is first asked for its commonest words
# A previous surname is looked for when it stands whole, or when no more surnames than these begin with what was typed.
_FORMER_WORDS = 500
_PLACE = {"sn": 1, "fn": 2, "pn": 3}  # the column's place in a Row
_CHECK_EVERY = 2000  # steps of SQLite's machine between two looks at the clock


class Way(IntEnum):
    """How a person was found; the lower ranks first."""

    PLAIN = 0
    FORMER = 1  # by a previous surname
    REPAIRED = 2


class Interrupted(Exception):
    """The search was stopped, by the next key or by its deadline; what it had found stays."""


class Search:
    """The state of one search. ``run`` once, then ``best`` and ``more``."""

    def __init__(
        self, connection: Any, vocabulary: Vocabulary, people: int, halted: Callable[[], bool] = lambda: False
    ) -> None:
        """``people``: how many the registry has; ``halted`` says between statements whether to stop."""
        self._connection = connection
        self._vocabulary = vocabulary
        self._people = people
        self._halted = halted
        self._found: dict[int, Way] = {}  # row id -> how it was found, in the order of rank
        self._full = False  # a reading had more rows than were read
        self.read = ""
        """The words as they were read, where Latin letters stood for Russian ones; empty where none did."""

    @property
    def more(self) -> bool:
        """Whether there are more people than may be shown."""
        return self._full or len(self._found) > MOST_SHOWN

    def best(self, most: int) -> list[tuple[int, Way]]:
        """Row ids with how they were found, best first."""
        found: list[tuple[int, Way]] = []
        for way in Way:
            found += [one for one in self._found.items() if one[1] is way]
            if len(found) >= most:
                break
        return found[:most]

    @contextmanager
    def bounded(self, deadline_ms: float) -> Iterator[None]:
        """Bound the processor time (not the wall: another process on the machine is no reason to show less).

        For SQLCipher's connections; the central server bounds its own (central/registry)."""
        import sqlcipher3

        end = time.thread_time() + deadline_ms / 1000
        if deadline_ms:
            self._connection.set_progress_handler(lambda: int(time.thread_time() > end), _CHECK_EVERY)
        try:
            yield
        except sqlcipher3.OperationalError as error:
            if "interrupted" in str(error):
                raise Interrupted from None
            raise
        finally:
            self._connection.set_progress_handler(None, 0)

    def run(self, query: Query) -> None:
        """Fill in the rows that fit; raises Interrupted within ``bounded``."""
        words = [self._russian(word) for word in query.words]
        if words != list(query.words):
            self.read = " ".join(words)
        alternatives = self._beside(query.birth, query.digits, counted=bool(words))
        if not words:
            for beside in alternatives:
                if beside:
                    self._take(self._select(beside, ENOUGH), ())
            for part in query.digits:
                self._other_lines(part)
            return
        for beside in alternatives:
            self._plain(words, query.fields, beside)
        if not self._found and query.otherwise:
            for beside in self._beside(query.otherwise, query.digits, counted=True):
                self._plain(words, query.fields, beside)
        if not self._found:
            for beside in alternatives:
                self._tolerant(words, query, beside)

    def _russian(self, word: str) -> str:
        return self._vocabulary.read_latin(word) if has_latin(word) else word

    def _beside(self, birth: Birth, digits: Sequence[Digits], *, counted: bool) -> list[list[Condition]]:
        """Conditions beside the names. Digits may begin several kinds of identifier: each is an alternative.

        ``counted``: the plan will weigh them against names, so it must know how many people they leave; kinds that
        leave nobody are dropped.
        """
        dated = birth_conditions(birth, self._people)
        alternatives = [dated]
        for part in digits:
            kinds = identifier_conditions(part)
            if counted:
                kinds = [kind for kind in (probed(self._connection, kind) for kind in kinds) if kind.rows]
            alternatives = [[*conditions, kind] for conditions in alternatives for kind in kinds]
        return alternatives

    def _plain(self, words: list[str], fields: tuple[str, ...], beside: list[Condition]) -> None:
        """The words as they stand, in every order they may name a person."""
        readings: list[tuple[int, list[Condition]]] = []
        for variant in _joined(words) if not fields else [words]:
            for order in self._orders(len(variant), fields):
                known = self._known(order, variant)
                if known:
                    # «александр иванов» is a name and a surname before it is Александр Иванович; one word alone,
                    # though, is a surname being typed even when a first name is spelled so.
                    exact = sum(bool(name.exact) for name in known) if len(known) > 1 else 0
                    readings.append((exact, known))
        for _, names in sorted(readings, key=lambda reading: -reading[0]):
            self._query(names, beside)
            if self.more:
                return
        self._second_parts(words, fields, beside)

    def _known(self, order: Sequence[str], words: Sequence[str]) -> list[Condition]:
        """The words as beginnings of these names; empty when one of them begins none."""
        found = [self._vocabulary.prefix(field, word) for field, word in zip(order, words, strict=True)]
        return [name for name in found if name] if all(found) else []

    def _orders(self, count: int, fields: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
        if fields:
            return (fields,) if count == len(fields) else ()
        return _ORDERS.get(count, ())

    def _query(self, names: list[Condition], beside: list[Condition], *, repaired: bool = False) -> None:
        """All rows of one reading; when they are too many, those of the exact words are asked for first."""
        exact = [name.exactly() if name.exact else name for name in names]
        rows: list[Row] = []
        if exact != names:
            rows = self._select([*exact, *beside], MOST_SHOWN + 1)
        if len(rows) <= MOST_SHOWN:
            rows += self._wide([*names, *beside])
        self._take(rows, names, Way.REPAIRED if repaired else Way.PLAIN)
        if not self.more and (once := _as_previous(names)):
            former = select_former(self._connection, [*once, *beside], self._people)
            self._take(former, names, Way.REPAIRED if repaired else Way.FORMER)

    def _other_lines(self, digits: Digits) -> None:
        """A whole telephone may be one of the person's others."""
        for condition in identifier_conditions(digits):
            if condition.column == "phone" and condition.codes:
                found = self._connection.execute("SELECT id FROM line WHERE phone = ? LIMIT 11", condition.codes)
                self._take([(row_id, 0, 0, 0, 0, 0) for (row_id,) in found.fetchall()], ())

    def _wide(self, conditions: list[Condition]) -> list[Row]:
        widest = conditions[0]
        if (
            len(conditions) > 1
            and widest.codes is None
            and widest.column in _PLACE
            and widest.words <= _WIDE_WORDS
            and widest.rows > _WIDE_ROWS
        ):
            rows = self._select([self._vocabulary.commonest(widest), *conditions[1:]], ENOUGH)
            if len(rows) >= ENOUGH:
                return rows
        return self._select(conditions, ENOUGH)

    def _select(self, conditions: list[Condition], limit: int) -> list[Row]:
        if self._halted():
            raise Interrupted
        return select(self._connection, conditions, self._people, limit)

    def _take(self, rows: list[Row], names: Sequence[Condition], way: Way = Way.PLAIN) -> None:
        """Rank: rows whose names are the typed words themselves first, then by the alphabet (which ids follow)."""
        exact = [(_PLACE[name.column], name.exact) for name in names if name.column in _PLACE and name.exact]
        ranked = sorted(set(rows))
        if exact:
            ranked.sort(key=lambda row: -sum([row[place] in codes for place, codes in exact]))
        for row in ranked:
            self._found.setdefault(row[0], way)
        self._full = self._full or len(rows) >= ENOUGH

    def _second_parts(self, words: list[str], fields: tuple[str, ...], beside: list[Condition]) -> None:
        """A double surname is known to the caller by its second half as well."""
        for place, word in enumerate(words):
            if len(word) < 3 or (fields and fields[place] != "sn"):
                continue
            surnames = self._vocabulary.second_part(word)
            if surnames is None:
                continue
            rest = words[:place] + words[place + 1 :]
            if not rest:
                self._query([surnames], beside)
            for order in self._orders_beside_surname(len(rest), fields[:place] + fields[place + 1 :]):
                if others := self._known(order, rest):
                    self._query([surnames, *others], beside)

    def _orders_beside_surname(self, count: int, fields: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
        if fields:
            return (fields,)
        return {1: (("fn",), ("pn",)), 2: (("fn", "pn"),)}.get(count, ())

    def _tolerant(self, words: list[str], query: Query, beside: list[Condition]) -> None:
        """What may have been meant: a slip, a date turned round, a patronymic the registry lacks."""
        self._slips(words, query.fields, beside)
        if self._found:
            return
        turned = _turned(query.birth)
        if turned:
            dated = {condition.column for condition in beside if condition.column in ("y", "md")}
            others = [condition for condition in beside if condition.column not in dated]
            conditions = [*birth_conditions(turned, self._people), *others]
            self._plain(words, query.fields, conditions)
            self._found = dict.fromkeys(self._found, Way.REPAIRED)
        if not self._found:
            self._without_patronymic(words, query.fields, beside)

    def _slips(self, words: list[str], fields: tuple[str, ...], beside: list[Condition]) -> None:
        """Repair the words no name begins with; when all are known, each word in turn, the longest first."""
        variants = [words] if len(words) <= _MOST_NAMES else [v for v in _joined(words) if len(v) <= _MOST_NAMES]
        for variant in variants:
            unknown = tuple(i for i, word in enumerate(variant) if not self._vocabulary.knows(word))
            longest = sorted(range(len(variant)), key=lambda i: -len(variant[i]))
            for bad in [unknown] if unknown else [(i,) for i in longest]:
                for order in self._orders(len(variant), fields)[:3]:
                    self._slip(variant, order, bad, beside)
                    if self.more:
                        return
                if self._found:
                    return

    def _slip(self, words: list[str], order: tuple[str, ...], bad: tuple[int, ...], beside: list[Condition]) -> None:
        choices: list[tuple[Condition, ...]] = []
        for place, (field, word) in enumerate(zip(order, words, strict=True)):
            if place in bad:
                finished = place < len(words) - 1 or bool(beside)
                choices.append(self._vocabulary.near(field, word, finished=finished))
            else:
                known = self._vocabulary.prefix(field, word)
                choices.append((known,) if known else ())
        for names in product(*choices):
            if len(names) == 1 and not beside:
                self._best_words_first(names[0])
            else:
                self._query(list(names), beside, repaired=True)
            if self.more:
                return

    def _best_words_first(self, name: Condition) -> None:
        """One repaired word alone: its likeliest meaning fills the screen, not the alphabet's first."""
        for code in (name.codes or ())[:6]:
            one = replace(name, codes=(code,), lo=code, hi=code)
            self._take(self._select([one], MOST_SHOWN + 1), (), Way.REPAIRED)
            if self.more:
                return

    def _without_patronymic(self, words: list[str], fields: tuple[str, ...], beside: list[Condition]) -> None:
        """The caller named a patronymic, but the registry has none for him («НЕТ» of an export)."""
        names = dict(zip(fields, words, strict=True)) if fields else dict(zip(("sn", "fn", "pn"), words, strict=False))
        if len(words) > _MOST_NAMES or not {"sn", "fn", "pn"} <= names.keys():
            return
        known = [self._vocabulary.prefix(field, names[field]) for field in ("sn", "fn")]
        if all(known):
            conditions = [found for found in known if found]
            self._query([*conditions, self._vocabulary.nameless("pn")], beside, repaired=True)


def _as_previous(names: Sequence[Condition]) -> list[Condition]:
    """The names with the surname as a previous one; empty when there is no surname, or too little of it."""
    wide = [name for name in names if name.column == "sn" and name.words > _FORMER_WORDS]
    if all(name.column != "sn" for name in names) or any(not name.exact for name in wide):
        return []
    return [name.exactly() if name in wide else name for name in names]


def _joined(words: list[str]) -> list[list[str]]:
    """The words as they stand, and with two neighbours taken as one double name (петрова водкина, али оглы)."""
    variants = [words] if len(words) <= _MOST_NAMES else []
    for place in range(len(words) - 1):
        if len(words) - 1 <= _MOST_NAMES and len(words[place]) > 1 and len(words[place + 1]) > 1:
            joined = f"{words[place]}-{words[place + 1]}"
            variants.append([*words[:place], joined, *words[place + 2 :]])
    return variants or [words[:_MOST_NAMES]]


def _turned(birth: Birth) -> Birth | None:
    """Day and month swapped, when both could be either."""
    if birth.day and birth.month and birth.day <= 12 and birth.day != birth.month:
        return replace(birth, day=birth.month, month=birth.day)
    return None
