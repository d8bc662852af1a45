"""The registry as the desk uses it: search as you type, by the manual's four fields, by the caller's number.

Synchronous: call it from one worker thread. ``interrupt`` may be called from any thread when the next key comes.
At most ten people ever leave it (K-5.1.3.3).
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.i18n import mark, tr
from operator_tui.registry.identifiers import check_enp, to_e164
from operator_tui.registry.people import MOST_SHOWN, Found, Hit, Person
from operator_tui.registry.query import Query, parse_fields, parse_line
from operator_tui.registry.schema import SCHEMA, connect
from operator_tui.registry.search import Interrupted, Search
from operator_tui.registry.vocabulary import Vocabulary

DEADLINE_MS = 30.0

_NARROW = mark("Найдено больше 10 человек. Уточните: полное ФИО или дата рождения.")
_NOBODY = mark("Никого не найдено. Проверьте написание или внесите сведения вручную.")
_PARTIAL = mark("Показано не всё: запрос слишком общий. Добавьте буквы или дату рождения.")
_REPAIRED = mark("Точного совпадения нет. Возможно, имелись в виду эти люди.")
_CUT = mark("Запрос слишком длинный: учтены первые 200 знаков.")

_PEOPLE = """
SELECT p.id, p.enp, s.disp, f.disp, n.disp, p.y, p.md, p.sex, p.snils, p.phone, insurer.text, clinic.text,
    district.text, street.text, house.text, status.text
FROM p JOIN v_sn s ON s.code = p.sn JOIN v_fn f ON f.code = p.fn JOIN v_pn n ON n.code = p.pn
JOIN word insurer ON insurer.id = p.insurer JOIN word clinic ON clinic.id = p.clinic
JOIN word district ON district.id = p.district JOIN word street ON street.id = p.street
JOIN word house ON house.id = p.house JOIN word status ON status.id = p.status
"""


class Registry:
    """One open registry, read-only."""

    def __init__(self, connection: Any, facts: dict[str, str], deadline_ms: float = DEADLINE_MS) -> None:
        self._connection = connection
        self._vocabulary = Vocabulary(connection)
        self._deadline_ms = deadline_ms
        self._halted = False  # set by interrupt: SQLite alone forgets one that comes between two statements
        self._closed = False
        self.size = int(facts["rows"])
        self.built_at = datetime.fromtimestamp(int(facts["built_at"]) / 1000, UTC)

    @classmethod
    def open(cls, path: Path, key: bytes, deadline_ms: float = DEADLINE_MS) -> Registry:
        """Open the file with its raw key (32 bytes).

        ``deadline_ms`` bounds the processor time of one search; 0 means none. Refusal: REGISTRY_MISSING,
        REGISTRY_KEY_WRONG, FILE_UNREADABLE (no registry inside, or of a newer program).
        """
        import sqlcipher3

        connection = connect(path, key, read_only=True)
        reason = "это не реестр"
        try:
            facts = dict(connection.execute("SELECT name, value FROM meta").fetchall())
            if int(facts["schema"]) == SCHEMA:
                return cls(connection, facts, deadline_ms)
            reason = "другая версия программы"
        except (sqlcipher3.DatabaseError, KeyError, ValueError):
            pass
        connection.close()
        raise Refusal(Code.FILE_UNREADABLE, file=path.name, reason=reason)

    def close(self) -> None:
        """Close the file. The registry must not be searched afterwards."""
        self._closed = True
        self._connection.close()

    def age(self, now_ms: int) -> timedelta:
        """How old the data are."""
        return datetime.fromtimestamp(now_ms / 1000, UTC) - self.built_at

    def interrupt(self) -> None:
        """Stop the search that runs now (from another thread): it returns what it has, marked partial."""
        self._halted = True
        if not self._closed:
            self._connection.interrupt()

    def search(self, text: str) -> Found:
        """The people meant by the one search line, best first. An empty line finds nobody and says nothing."""
        query = parse_line(text)
        return self._answer(query) if not query.empty else Found()

    def search_fields(self, surname: str = "", name: str = "", patronymic: str = "", birth_date: str = "") -> Found:
        """The manual's search. Refusal(SEARCH_EMPTY) when all four fields are empty."""
        return self._answer(parse_fields(surname, name, patronymic, birth_date))

    def by_phone(self, number: str) -> list[Person]:
        """The people who have this telephone number, at most ten; an unreadable or withheld number has nobody."""
        e164 = to_e164(number)
        if not e164:
            return []
        rows = self._surely("WHERE p.phone = ? ORDER BY p.y LIMIT ?", int(e164[1:]), MOST_SHOWN)
        return [_person(row) for row in rows]

    def person(self, enp: str) -> Person | None:
        """The person of this ЕНП, if the registry has one."""
        checked = check_enp(enp)
        if not checked.valid:
            return None
        rows = self._surely("WHERE p.enp = ?", int(checked.value))
        return _person(rows[0]) if rows else None

    def _surely(self, condition: str, *values: int) -> list[tuple[Any, ...]]:
        """A look-up of one index entry. It is too short to be stopped: an ``interrupt`` was meant for a search."""
        import sqlcipher3

        while True:
            try:
                rows: list[tuple[Any, ...]] = self._connection.execute(_PEOPLE + condition, values).fetchall()
            except sqlcipher3.OperationalError as error:
                if not _interrupted(error):
                    raise
            else:
                return rows

    def _answer(self, query: Query) -> Found:
        started = time.perf_counter()
        self._halted = False
        search = Search(self._connection, self._vocabulary, self.size, halted=lambda: self._halted)
        partial = False
        try:
            with search.bounded(self._deadline_ms):
                search.run(query)
        except Interrupted:
            partial = True
        shown = search.best(MOST_SHOWN)
        try:
            people = self._people([row_id for row_id, _ in shown])
        except Exception as error:
            if not _interrupted(error):
                raise
            people, partial = {}, True
        hits = tuple(Hit(people[row_id], repaired) for row_id, repaired in shown if row_id in people)
        more = search.more or partial
        repaired = bool(hits) and all(hit.repaired for hit in hits)
        note = _note(hits, more=search.more, partial=partial, repaired=repaired, cut=query.cut)
        elapsed = (time.perf_counter() - started) * 1000
        return Found(hits, more, round(elapsed, 3), repaired, partial, note)

    def _people(self, row_ids: list[int]) -> dict[int, Person]:
        if not row_ids:
            return {}
        marks = ",".join(map(str, row_ids))
        rows = self._connection.execute(f"{_PEOPLE} WHERE p.id IN ({marks})").fetchall()
        return {row[0]: _person(row) for row in rows}


def _interrupted(error: Exception) -> bool:
    return "interrupted" in str(error)


def _note(hits: tuple[Hit, ...], *, more: bool, partial: bool, repaired: bool, cut: bool) -> str:
    if cut:
        return tr(_CUT)
    if partial:
        return tr(_PARTIAL)
    if more:
        return tr(_NARROW)
    if not hits:
        return tr(_NOBODY)
    return tr(_REPAIRED) if repaired else ""


def _person(row: tuple[Any, ...]) -> Person:
    (_, enp, surname, name, patronymic, year, day, sex, snils, phone, *texts) = row
    insurer, clinic, district, street, house, status = texts
    return Person(
        enp=f"{enp:016d}",
        surname=surname,
        name=name,
        patronymic=patronymic,
        birth_date=f"{year:04d}-{day // 100:02d}-{day % 100:02d}",
        sex=("", "m", "f")[sex],
        snils=f"{snils:011d}" if snils else "",
        phone=f"+{phone}" if phone else "",
        insurer=insurer,
        clinic=clinic,
        district=district,
        address=street + house,
        policy_status=status,
    )
