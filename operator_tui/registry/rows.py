"""Makes people of rows: only for those who are shown, with the texts that many share remembered."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from operator_tui.registry import bodies
from operator_tui.registry.codes import title
from operator_tui.registry.people import Person

_COLUMNS = "p.id, p.enp, p.sn, p.fn, p.pn, p.y, p.md, p.sex, p.snils, p.phone"
_TEXTS = "p.insurer, p.clinic, p.district, p.street, p.house, p.status"
_REMEMBERED = 8192
_SHOWN = 128  # people: while a line is typed, mostly the same stay on the screen


class People:
    """Reads people by their row ids over an open connection."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._bodies: bodies.Bodies | None = None
        self._words: dict[str, dict[int, str]] = {"word": {}, "v_sn": {}, "v_fn": {}, "v_pn": {}}
        self._shown: dict[int, Person] = {}

    def forget(self) -> None:
        """Drop the remembered texts and people: the tables have changed."""
        self.forget_people()
        for words in self._words.values():
            words.clear()

    def forget_people(self) -> None:
        """Drop the remembered people alone."""
        self._shown.clear()

    def of(self, row_ids: list[int]) -> dict[int, Person]:
        """The people of these rows; a row that is not there is left out."""
        missing = [row_id for row_id in row_ids if row_id not in self._shown]
        found = self._read(missing) if missing else {}
        found.update((row_id, self._shown[row_id]) for row_id in row_ids if row_id in self._shown)
        if len(self._shown) > _SHOWN:
            self._shown.clear()
        self._shown.update(found)
        return found

    def _read(self, row_ids: list[int]) -> dict[int, Person]:
        marks = ",".join(map(str, row_ids))
        rows = self._connection.execute(
            f"SELECT {_COLUMNS}, more.body, {_TEXTS} FROM p LEFT JOIN more ON more.id = p.id WHERE p.id IN ({marks})"
        ).fetchall()
        surnames = self._texts("v_sn", {row[2] for row in rows})
        names = self._texts("v_fn", {row[3] for row in rows})
        patronymics = self._texts("v_pn", {row[4] for row in rows})
        words = self._texts("word", {number for row in rows for number in row[11:]})
        people: dict[int, Person] = {}
        for row_id, enp, sn, fn, pn, year, day, sex, snils, phone, more, *texts in rows:
            insurer, clinic, district, street, house, status = (words[number] for number in texts)
            people[row_id] = Person(
                f"{enp:016d}",
                surnames[sn],
                names[fn],
                patronymics[pn],
                f"{year:04d}-{day // 100:02d}-{day % 100:02d}",
                ("", "m", "f")[sex],
                f"{snils:011d}" if snils else "",
                f"+{phone}" if phone else "",
                insurer,
                clinic,
                district,
                street + house,
                title("policy_status", status),
                self._unpacked(more) if more else "",
            )
        return people

    def _unpacked(self, body: bytes) -> str:
        if self._bodies is None:
            self._bodies = bodies.read(self._connection)
        return self._bodies.unpack(body)

    def _texts(self, table: str, numbers: Iterable[int]) -> dict[int, str]:
        known = self._words[table]
        missing = [number for number in numbers if number not in known]
        if missing:
            if len(known) > _REMEMBERED:
                known.clear()
                missing = list(numbers)
            key, text = ("id", "text") if table == "word" else ("code", "disp")
            marks = ",".join(map(str, missing))
            known.update(
                self._connection.execute(f"SELECT {key}, {text} FROM {table} WHERE {key} IN ({marks})").fetchall()
            )
        return known
