"""Daily changes, applied to the generation that serves while desks go on searching it.

Idempotent: a record that says what the registry already says is passed over, so the same file may come twice, and a
delta that was cut off is simply applied again. Each transaction holds at most 500 records (WAL: readers wait for
none), and the day of the data moves with the last one.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.registry import bodies, generations
from operator_tui.registry.load import sound
from operator_tui.registry.names import display_name, name_key
from operator_tui.registry.people import Person
from operator_tui.registry.records import Change
from operator_tui.registry.schema import FIELDS, GAPS, SCHEMA, SHORT_PREFIX, connect
from operator_tui.registry.stage import SEX, former_names, other_lines, split_address

AT_ONCE = 500
_WAIT_MS = 500  # for the desks to let go of the log, so that it may be cut short
_CACHE_KB = 65_536  # a delta touches pages all over the file; with the reader's cache it would decrypt each twice
_PERSON = "sn, fn, pn, y, md, sex, phone, enp, snils, insurer, clinic, district, street, house, status"
_COLUMNS = tuple(_PERSON.split(", "))
_IN_SIDES = frozenset({*FIELDS, "y", "md"})  # columns the side tables repeat
_SIDE = len(_COLUMNS)  # place of the text of ``more`` behind these


class Applied(NamedTuple):
    """What a delta did, in people."""

    new: int = 0
    changed: int = 0
    removed: int = 0
    same: int = 0


def apply(
    path: Path,
    key: bytes,
    changes: Iterable[Change],
    as_of: date,
    *,
    name: str = "",
    progress: Callable[[int], None] | None = None,
) -> Applied:
    """Apply the changes of a delta whose data are of the day ``as_of``.

    ``name`` is the delta's own file, for a refusal; ``progress`` gets the number of records done, after each
    transaction. Refusals: REGISTRY_MISSING,
    REGISTRY_KEY_WRONG, FILE_UNREADABLE (another program's version), REGISTRY_DELTA_OLD when the registry's data are
    newer, REGISTRY_BUSY, DISK_FULL, DISK_FAILED. What was committed before a failure stays; the same delta finishes it.
    """
    import sqlcipher3

    if not path.exists():
        raise Refusal(Code.REGISTRY_MISSING, path=str(path))
    with generations.writing(path):
        connection = connect(path, key, read_only=False)
        try:
            # The pages go into the file once, behind the last record, and not after each transaction.
            connection.executescript(f"PRAGMA cache_size = -{_CACHE_KB}; PRAGMA wal_autocheckpoint = 0")
            _demand(connection, path, as_of, name)
            done = Delta(connection).run(changes, as_of, progress or (lambda _: None))
            _settle(connection)
        except sqlcipher3.OperationalError as error:
            full = "full" in str(error)
            raise Refusal(Code.DISK_FULL if full else Code.DISK_FAILED, path=str(path), reason="SQLite") from error
        finally:
            connection.close()
    return done


def _settle(connection: Any) -> None:
    """Bring the log into the file. A desk that searches without a pause keeps the log from being emptied; it is soon
    empty all the same, as the next delta begins it anew.
    """
    connection.execute(f"PRAGMA busy_timeout = {_WAIT_MS}").fetchall()
    connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _demand(connection: Any, path: Path, as_of: date, name: str) -> None:
    facts = dict(connection.execute("SELECT name, value FROM meta").fetchall())
    if facts.get("schema") != str(SCHEMA):
        raise Refusal(Code.FILE_UNREADABLE, file=path.name, reason="другая версия программы")
    if as_of.isoformat() < facts["as_of"]:
        raise Refusal(Code.REGISTRY_DELTA_OLD, file=name, delta=as_of.isoformat(), registry=facts["as_of"])


class Delta:
    """One run over one connection: SQLCipher's, or one with its face (central/registry/delta.py), so its statements
    are those that both databases understand.
    """

    def __init__(self, connection: Any, at_once: int = 0) -> None:
        """``at_once``: records of one transaction, 0 for the usual number."""
        self._connection = connection
        self._at_once = at_once or AT_ONCE
        self._bodies = bodies.read(connection)
        self._texts = {text: number for number, text in self._all("SELECT id, text FROM word")}
        self._next_text = max(self._texts.values(), default=-1) + 1
        self._codes: dict[tuple[str, str, str], int] = {}
        self._forms: dict[str, tuple[str, str]] = {}  # spelling -> its two forms in the vocabulary
        self._people: dict[str, Counter[int]] = {field: Counter() for field in FIELDS}

    def run(self, changes: Iterable[Change], as_of: date, progress: Callable[[int], None]) -> Applied:
        done: Counter[str] = Counter()
        batch: list[Change] = []
        for change in changes:
            batch.append(change)
            if len(batch) == self._at_once:
                done.update(self._commit(batch, None))
                batch.clear()
                progress(done.total())
        done.update(self._commit(batch, as_of))
        progress(done.total())
        return Applied(done["new"], done["changed"], done["removed"], done["same"])

    def _commit(self, batch: list[Change], as_of: date | None) -> Counter[str]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            # In the order of the rows, so that neighbours in the file are touched together.
            done = Counter(self._one(change) for change in sorted(batch, key=lambda change: change.enp))
            self._write_counts()
            grown = done["new"] - done["removed"]
            self._set("rows", str(int(self._fact("rows")) + grown))
            if as_of is not None:
                self._set("as_of", as_of.isoformat())
                self._set("built_at", str(time.time_ns() // 1_000_000))
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
        return done

    # --- one person -------------------------------------------------------------------------------------------------

    def _one(self, change: Change) -> str:
        # The codes first: a new word may move those of its neighbours, and with them what the old row says.
        values = self._values(change.person) if change.person else ()
        found = self._all(
            f"SELECT {_PERSON}, more.body, p.id FROM p LEFT JOIN more ON more.id = p.id WHERE enp = ?",
            int(change.enp),
        )
        old = (*found[0][:_SIDE], self._bodies.unpack(found[0][_SIDE]), found[0][_SIDE + 1]) if found else None
        if change.person is None:
            if old is None:
                return "same"
            self._remove(old)
            return "removed"
        if old is None:
            self._insert(self._all("SELECT coalesce(max(id), 0) + 1 FROM p")[0][0], values, change.person)
            return "new"
        if tuple(old[:_SIDE]) == values and old[_SIDE] == change.person.more:
            return "same"
        self._update(old, values, change.person)
        return "changed"

    def _values(self, person: Person) -> tuple[int | None, ...]:
        born = person.birth_date
        street, house = split_address(person.address)
        text = self._text
        return (
            self._code("sn", person.surname), self._code("fn", person.name), self._code("pn", person.patronymic),
            int(born[:4]), int(born[5:7]) * 100 + int(born[8:10]), SEX[person.sex], int(person.phone[1:] or 0) or None,
            int(person.enp), int(person.snils or 0) or None, text(person.insurer), text(person.clinic),
            text(person.district), text(street), text(house), text(person.policy_status),
        )  # fmt: skip

    def _insert(self, row_id: int, values: tuple[int | None, ...], person: Person) -> None:
        marks = ", ".join("?" * (len(values) + 1))
        self._connection.execute(f"INSERT INTO p(id, {_PERSON}) VALUES({marks})", (row_id, *values))
        self._put_more(row_id, person.more)
        self._count(values, 1)
        self._put_sides(row_id, values, person)

    def _update(self, old: tuple[Any, ...], values: tuple[int | None, ...], person: Person) -> None:
        """Write what differs, so that an index is touched only when one of its columns is: most changes are of an
        address, a clinic or a policy, and each of the indexes spared is a page to decrypt and to encrypt again.
        """
        *was, body, row_id = old
        changed = {name: value for name, value, before in zip(_COLUMNS, values, was, strict=True) if value != before}
        sides = body != person.more or not changed.keys().isdisjoint(_IN_SIDES)
        if sides:
            self._drop_sides(row_id, was, body)
        if body != person.more:
            self._put_more(row_id, person.more)
        if changed:
            columns = ", ".join(f"{name} = ?" for name in changed)
            self._connection.execute(f"UPDATE p SET {columns} WHERE id = ?", (*changed.values(), row_id))
        self._count(was, -1)
        self._count(values, 1)
        if sides:
            self._put_sides(row_id, values, person)

    def _remove(self, old: tuple[Any, ...]) -> None:
        *was, body, row_id = old
        self._drop_sides(row_id, was, body)
        self._put_more(row_id, "")
        self._connection.execute("DELETE FROM p WHERE id = ?", (row_id,))
        self._count(was, -1)

    def _count(self, values: Sequence[int | None], grown: int) -> None:
        for field, code in zip(FIELDS, values, strict=False):
            self._people[field][code or 0] += grown

    def _put_more(self, row_id: int, text: str) -> None:
        """Put the text into the person's row of ``more``; no text needs no row."""
        if text:
            self._connection.execute(
                "INSERT INTO more(id, body) VALUES(?, ?) ON CONFLICT(id) DO UPDATE SET body = excluded.body",
                (row_id, self._bodies.pack(text)),
            )
        else:
            self._connection.execute("DELETE FROM more WHERE id = ?", (row_id,))

    def _put_sides(self, row_id: int, values: Sequence[int | None], person: Person) -> None:
        """His rows in the side tables: previous names and other telephones."""
        execute = self._connection.execute
        for names in former_names(person):
            codes = [self._code(field, name) for field, name in zip(FIELDS, names, strict=True)]
            execute(
                "INSERT INTO former VALUES(?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", (*codes, *values[3:5], row_id)
            )
        for number in other_lines(person):
            execute("INSERT INTO line VALUES(?, ?) ON CONFLICT DO NOTHING", (number, row_id))

    def _drop_sides(self, row_id: int, was: Sequence[int], body: str) -> None:
        """They are found by what his text says: the side tables have no index by his id."""
        person = Person("", "", "", more=body)
        for number in other_lines(person):
            self._connection.execute("DELETE FROM line WHERE phone = ? AND id = ?", (number, row_id))
        for name in person.previous:
            code = self._code("sn", name.surname) if name.surname else was[0]
            self._connection.execute("DELETE FROM former WHERE sn = ? AND id = ?", (code, row_id))

    def _text(self, text: str) -> int:
        number = self._texts.get(text)
        if number is None:
            number = self._texts[text] = self._next_text
            self._next_text += 1
            self._connection.execute("INSERT INTO word VALUES(?, ?)", (number, text))
        return number

    # --- the vocabulary ---------------------------------------------------------------------------------------------

    def _code(self, field: str, spelling: str) -> int:
        """The word's code; a new word gets one between its neighbours'."""
        form = self._forms.get(spelling)
        if form is None:
            form = self._forms[spelling] = (name_key(spelling), display_name(spelling))
        norm, disp = form
        known = self._codes.get((field, norm, disp))
        if known is None:
            found = self._all(f"SELECT code FROM v_{field} WHERE norm = ? AND disp = ?", norm, disp)
            known = found[0][0] if found else self._new_word(field, norm, disp)
            self._codes[field, norm, disp] = known
        return known

    def _new_word(self, field: str, norm: str, disp: str) -> int:
        low, high = self._neighbours(field, norm, disp)
        if high is not None and high - low < 2:
            self._make_room(field, low, high)
            low, high = self._neighbours(field, norm, disp)
        code = low + GAPS[field] if high is None else (low + high) // 2
        self._connection.execute(f"INSERT INTO v_{field} VALUES(?, ?, ?, 0, ?)", (code, norm, disp, sound(norm)))
        for length in range(1, min(SHORT_PREFIX, len(norm)) + 1):
            self._connection.execute(
                f"INSERT INTO pc_{field} AS was VALUES(?, ?, ?, 0, 1) ON CONFLICT(prefix) DO UPDATE SET"
                " lo = CASE WHEN excluded.lo < was.lo THEN excluded.lo ELSE was.lo END,"
                " hi = CASE WHEN excluded.hi > was.hi THEN excluded.hi ELSE was.hi END, k = was.k + 1",
                (norm[:length], code, code),
            )
        if field == "sn":
            for part in set(norm.split("-")[1:]):
                self._connection.execute("INSERT INTO v_part VALUES(?, ?, 0) ON CONFLICT DO NOTHING", (part, code))
        return code

    def _neighbours(self, field: str, norm: str, disp: str) -> tuple[int, int | None]:
        """Codes of the words before and behind; 0 and None at the ends."""
        before = self._all(
            f"SELECT max(code) FROM (SELECT code FROM v_{field} WHERE norm < ? UNION ALL"
            f" SELECT code FROM v_{field} WHERE norm = ? AND disp < ?) AS before", norm, norm, disp,
        )[0][0]  # fmt: skip
        behind = self._all(f"SELECT min(code) FROM v_{field} WHERE code > ?", before or 0)[0][0]
        return before or 0, behind

    def _make_room(self, field: str, low: int, high: int) -> None:
        """The gap between two neighbours is used up: move words one code aside, up to the next gap, on the side where
        fewer people bear them.
        """
        upward, downward = self._run(field, high, +1), self._run(field, low, -1)
        moved, step = upward, +1
        # The code of no name at all is fixed, and is the first.
        if downward[-1][0] != GAPS[field] and sum(n for _, n in downward) < sum(n for _, n in upward):
            moved, step = downward, -1
        for code, _ in reversed(moved):
            self._move(field, code, code + step)

    def _run(self, field: str, start: int, step: int) -> list[tuple[int, int]]:
        """(code, people) of the words without a gap from ``start`` on."""
        order, sign = ("code", ">=") if step > 0 else ("code DESC", "<=")
        run: list[tuple[int, int]] = []
        cursor = self._connection.execute(
            f"SELECT code, n FROM v_{field} WHERE code {sign} ? ORDER BY {order}", (start,)
        )
        for code, people in cursor:
            if run and code != run[-1][0] + step:
                break
            run.append((code, people))
        cursor.close()
        return run

    def _move(self, field: str, code: int, to: int) -> None:
        execute = self._connection.execute
        (norm, disp) = self._all(f"SELECT norm, disp FROM v_{field} WHERE code = ?", code)[0]
        execute(f"UPDATE v_{field} SET code = ? WHERE code = ?", (to, code))
        execute(f"UPDATE p SET {field} = ? WHERE {field} = ?", (to, code))
        execute(f"UPDATE former SET {field} = ? WHERE {field} = ?", (to, code))
        if field == "sn":
            execute("UPDATE v_part SET code = ? WHERE code = ?", (to, code))
        for length in range(1, min(SHORT_PREFIX, len(norm)) + 1):
            execute(
                f"UPDATE pc_{field} SET lo = CASE lo WHEN ? THEN ? ELSE lo END,"
                " hi = CASE hi WHEN ? THEN ? ELSE hi END WHERE prefix = ?",
                (code, to, code, to, norm[:length]),
            )
        self._codes.pop((field, norm, disp), None)
        self._people[field][to] += self._people[field].pop(code, 0)

    def _write_counts(self) -> None:
        """How many people bear each word and each beginning, by what this batch changed."""
        for field in FIELDS:
            beginnings: Counter[str] = Counter()
            for code, grown in self._people[field].items():
                if not grown:
                    continue
                norm = self._all(f"SELECT norm FROM v_{field} WHERE code = ?", code)[0][0]
                self._connection.execute(f"UPDATE v_{field} SET n = n + ? WHERE code = ?", (grown, code))
                if field == "sn" and "-" in norm:
                    self._connection.execute("UPDATE v_part SET n = n + ? WHERE code = ?", (grown, code))
                for length in range(1, min(SHORT_PREFIX, len(norm)) + 1):
                    beginnings[norm[:length]] += grown
            for beginning, grown in beginnings.items():
                self._connection.execute(f"UPDATE pc_{field} SET n = n + ? WHERE prefix = ?", (grown, beginning))
            self._people[field].clear()

    def _fact(self, name: str) -> str:
        return str(self._all("SELECT value FROM meta WHERE name = ?", name)[0][0])

    def _set(self, name: str, value: str) -> None:
        self._connection.execute("UPDATE meta SET value = ? WHERE name = ?", (value, name))

    def _all(self, statement: str, *values: Any) -> list[Any]:
        rows: list[Any] = self._connection.execute(statement, values).fetchall()
        return rows
