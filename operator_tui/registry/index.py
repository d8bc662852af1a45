"""The registry as the desk uses it: search as you type, by the manual's four fields, by the caller's number.

Synchronous: call it from one worker thread. ``interrupt`` may be called from any thread when the next key comes.
At most ten people ever leave it (K-5.1.3.3).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.i18n import mark, tr
from operator_tui.registry import generations
from operator_tui.registry.identifiers import check_enp, to_e164
from operator_tui.registry.people import MOST_SHOWN, Found, Hit, Person
from operator_tui.registry.query import Query, parse_fields, parse_line
from operator_tui.registry.rows import People
from operator_tui.registry.schema import SCHEMA, connect
from operator_tui.registry.search import Interrupted, Search, Way
from operator_tui.registry.vocabulary import Vocabulary

DEADLINE_MS = 30.0

_NARROW = mark("Найдено больше 10 человек. Уточните: полное ФИО или дата рождения.")
_NOBODY = mark("Никого не найдено. Проверьте написание или внесите сведения вручную.")
_PARTIAL = mark("Показано не всё: запрос слишком общий. Добавьте буквы или дату рождения.")
_MANY_REPAIRED = mark("Точных совпадений нет, похожих больше 10. Уточните: полное ФИО или дата рождения.")
_REPAIRED = mark("Точного совпадения нет. Возможно, имелись в виду эти люди.")
_READ = mark("Прочитано как «{words}».")
_CUT = mark("Запрос слишком длинный: учтены первые 200 знаков.")
_CUT_NOBODY = mark("Никого не найдено: запрос слишком длинный, учтены первые 200 знаков.")

_MOST_LINKS = 5  # steps from a merged person to the one that lives

OnView = Callable[[Sequence[str]], None]


class Registry:
    """One open registry, read-only.

    ``on_view``, when set, is called with the ЕНП of every person handed out, before he is: the desk logs each view with
    the call it served. What it raises stops the hand-out.
    """

    def __init__(self, path: Path, key: bytes, deadline_ms: float = DEADLINE_MS) -> None:
        self._path = path
        self._key = key
        self._deadline_ms = deadline_ms
        self._halted = False  # set by interrupt: SQLite alone forgets one that comes between two statements
        self._closed = False
        self._swap = threading.Lock()  # an interrupt must not meet a connection that is being closed
        self.on_view: OnView | None = None
        self._generation = generations.identity(path)
        self._use(*_opened(path, key))

    @classmethod
    def open(cls, path: Path, key: bytes, deadline_ms: float = DEADLINE_MS) -> Registry:
        """Open the file with its raw key (32 bytes).

        ``deadline_ms`` bounds the processor time of one search; 0 means none. Refusal: REGISTRY_MISSING,
        REGISTRY_KEY_WRONG, FILE_UNREADABLE (no registry inside, or of another version of the program).
        """
        return cls(path, key, deadline_ms)

    def _use(self, connection: Any, facts: dict[str, str]) -> None:
        self._connection = connection
        self._vocabulary = Vocabulary(connection)
        self._people = People(connection)
        self._version = connection.execute("PRAGMA data_version").fetchone()[0]
        self._know(facts)

    def _know(self, facts: dict[str, str]) -> None:
        self.size = int(facts["rows"])
        self.built_at = datetime.fromtimestamp(int(facts["built_at"]) / 1000, UTC)
        self.as_of = date.fromisoformat(facts["as_of"])

    def close(self) -> None:
        """Close the file. The registry must not be searched afterwards."""
        with self._swap:
            self._closed = True
            self._connection.close()

    def age(self, now_ms: int) -> timedelta:
        """How old the data are."""
        return datetime.fromtimestamp(now_ms / 1000, UTC) - self.built_at

    def refresh(self) -> None:
        """Look for another generation or a delta now, and not with the next search."""
        self._refresh()
        with self._steady():
            pass

    def interrupt(self) -> None:
        """Stop the search that runs now (from another thread): it returns what it has, marked partial."""
        self._halted = True
        with self._swap:
            if not self._closed:
                self._connection.interrupt()

    def search(self, text: str) -> Found:
        """The people meant by the one search line, best first. An empty line finds nobody and says nothing."""
        query = parse_line(text)
        return self._answer(query) if not query.empty else Found()

    def search_fields(self, surname: str = "", name: str = "", patronymic: str = "", birth_date: str = "") -> Found:
        """The manual's search. Refusal(SEARCH_EMPTY) when all four fields are empty."""
        return self._answer(parse_fields(surname, name, patronymic, birth_date))

    def by_phone(self, number: str, preferred: Sequence[str] = ()) -> list[Person]:
        """The people who have this telephone number, at most ten; an unreadable or withheld number has nobody.

        ``preferred``: ЕНП once bound to this number, the last first; these people come before the others. Nobody is
        ever bound by this.
        """
        e164 = to_e164(number)
        if not e164:
            return []
        line = int(e164[1:])
        # Those bound before must be among the ten even if a crowd shares the number.
        bound = [int(enp) for enp in preferred if enp.isdecimal()][:MOST_SHOWN]
        marks = ",".join(map(str, bound)) or "NULL"
        people = self._looked_up(
            "SELECT id FROM (SELECT id, enp, y FROM p WHERE phone = ?1 UNION SELECT p.id, p.enp, p.y FROM line JOIN p"
            f" ON p.id = line.id WHERE line.phone = ?1) ORDER BY enp IN ({marks}) DESC, y LIMIT ?2",
            line,
            MOST_SHOWN,
        )
        place = {enp: rank for rank, enp in enumerate(bound)}
        ranked = sorted(people, key=lambda person: place.get(int(person.enp), len(place)))
        self._viewed(ranked)
        return ranked

    def person(self, enp: str) -> Person | None:
        """The person of this ЕНП, if the registry has one."""
        checked = check_enp(enp)
        if not checked.valid:
            return None
        found = self._looked_up("SELECT id FROM p WHERE enp = ?", int(checked.value))
        self._viewed(found)
        return found[0] if found else None

    def living(self, person: Person) -> Person:
        """The person who lives on when this record was merged with his; the same one when it was not."""
        for _ in range(_MOST_LINKS):
            following = self.person(person.merged_with) if person.merged_with else None
            if following is None:
                break
            person = following
        return person

    def _looked_up(self, statement: str, *values: int) -> list[Person]:
        """The people of one look-up. It is too short to be stopped: an ``interrupt`` was meant for a search."""
        self._refresh()
        while True:
            try:
                with self._steady():
                    row_ids = [row_id for (row_id,) in self._connection.execute(statement, values).fetchall()]
                    people = self._people.of(row_ids)
            except Exception as error:
                if not _interrupted(error):
                    raise
            else:
                return [people[row_id] for row_id in row_ids if row_id in people]

    def _viewed(self, people: Sequence[Person]) -> None:
        if self.on_view and people:
            self.on_view([person.enp for person in people])

    def _refresh(self) -> None:
        """Go over to a new generation when there is one. One that does not open leaves the old one serving."""
        generation = generations.identity(self._path)
        if generation == self._generation or generation == (0, 0):
            return
        self._generation = generation
        with suppress(Refusal):
            opened = _opened(self._path, self._key)
            with self._swap:
                self._connection.close()
                self._use(*opened)

    @contextmanager
    def _steady(self) -> Iterator[None]:
        """One state of the data for all statements of a search; it also saves a lock for each of them."""
        self._connection.execute("BEGIN")
        try:
            (version,) = self._connection.execute("PRAGMA data_version").fetchone()
            if version != self._version:
                self._version = version
                self._vocabulary.forget()
                self._people.forget()
                self._know(_facts(self._connection))
            yield
        finally:
            while self._connection.in_transaction:
                with suppress(Exception):  # an interrupt that comes now; there is nothing to lose
                    self._connection.execute("ROLLBACK")

    def _answer(self, query: Query) -> Found:
        started = time.perf_counter()
        self._refresh()
        self._halted = False
        search: Search | None = None
        partial = False
        people: dict[int, Person] = {}
        try:
            with self._steady():
                search = Search(self._connection, self._vocabulary, self.size, halted=lambda: self._halted)
                try:
                    with search.bounded(self._deadline_ms):
                        search.run(query)
                except Interrupted:
                    partial = True
                people = self._people.of([row_id for row_id, _ in search.best(MOST_SHOWN)])
        except Exception as error:
            if not _interrupted(error):
                raise
            partial = True
        found = answer(search, people, partial=partial, cut=query.cut, started=started)
        self._viewed([hit.person for hit in found.hits])
        return found


def answer(search: Search | None, people: Mapping[int, Person], *, partial: bool, cut: bool, started: float) -> Found:
    """What a search found, as it is shown. ``started``: ``time.perf_counter`` at its beginning."""
    shown = search.best(MOST_SHOWN) if search else []
    read = search.read if search else ""
    hits = tuple(_hit(people[row_id], way, read=bool(read)) for row_id, way in shown if row_id in people)
    more = partial or (search is not None and search.more)
    repaired = bool(hits) and all(hit.repaired for hit in hits)
    note = _note(hits, more=more and not partial, partial=partial, repaired=repaired, cut=cut)
    if read and not note:
        note = tr(_READ).format(words=read)
    elapsed = (time.perf_counter() - started) * 1000
    return Found(hits, more, round(elapsed, 3), repaired, partial, note, cut)


def _opened(path: Path, key: bytes) -> tuple[Any, dict[str, str]]:
    import sqlcipher3

    connection = connect(path, key, read_only=True)
    reason = "это не реестр"
    try:
        facts = _facts(connection)
        if int(facts["schema"]) == SCHEMA:
            return connection, facts
        reason = "другая версия программы"
    except (sqlcipher3.DatabaseError, KeyError, ValueError):
        pass
    connection.close()
    raise Refusal(Code.FILE_UNREADABLE, file=path.name, reason=reason)


def _facts(connection: Any) -> dict[str, str]:
    return dict(connection.execute("SELECT name, value FROM meta").fetchall())


def _interrupted(error: Exception) -> bool:
    return "interrupted" in str(error)


def _hit(person: Person, way: Way, *, read: bool) -> Hit:
    former = ", ".join(old.surname for old in person.previous) if way is Way.FORMER else ""
    return Hit(person, way is Way.REPAIRED, former, read)


def _note(hits: tuple[Hit, ...], *, more: bool, partial: bool, repaired: bool, cut: bool) -> str:
    if cut:
        return tr(_CUT if hits else _CUT_NOBODY)
    if partial:
        return tr(_PARTIAL)
    if more:
        return tr(_MANY_REPAIRED if repaired else _NARROW)
    if not hits:
        return tr(_NOBODY)
    return tr(_REPAIRED) if repaired else ""
