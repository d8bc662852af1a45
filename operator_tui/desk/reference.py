"""The administrator's lists on one desk: rows, versions, the way back, and federal registers from a file."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.operations import reference_stream
from operator_tui.appeals.quick import QuickClass, quick_of
from operator_tui.appeals.reference import OFF, Reference, Row, Version, key_of, rows_back
from operator_tui.appeals.reference_change import decide_change, latest_form
from operator_tui.appeals.reference_columns import ListForm
from operator_tui.appeals.reference_forms import LISTS
from operator_tui.appeals.routing import LANGUAGE_WORDS
from operator_tui.desk.state import Topic
from operator_tui.i18n import tr

if TYPE_CHECKING:
    from operator_tui.colleagues.directory import Colleague
    from operator_tui.desk.desk import Desk
    from operator_tui.registry.federal import Register


class Taken(msgspec.Struct, frozen=True):
    """What came of a file: rows that are new, that changed, and that are as they were."""

    new: int
    changed: int
    same: int


class ReferenceDesk:
    """What the lists say now is the desk's ``catalogue``; here they are looked at and changed."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._quick: dict[str, QuickClass] | None = None

    @property
    def now(self) -> Reference:
        """The newest version known here, with one's own changes that are not sent yet."""
        return self._desk.catalogue.reference

    @property
    def quick(self) -> dict[str, QuickClass]:
        """The quick classes by code."""
        if self._quick is None:
            self._quick = quick_of(self._desk.catalogue)
        return self._quick

    def reasons(self, use: str) -> list[str]:
        """Reasons that are offered for an act (``void``, ``return``, ``pause``)."""
        return [row["title"] for row in self.now.open("reasons").values() if row["use"] == use]

    def named(self, *kinds: str) -> list[str]:
        """The short names of the organisations of these kinds (``clinic``, ``insurer``, …; of all where none is named),
        as they are offered."""
        rows = self.now.open("organisations").values()
        return sorted({row["short"] for row in rows if not kinds or row["kind"] in kinds})

    def queue(self, code: str) -> str:
        """A queue of the PBX as the administration calls it; its code where it has no name."""
        return self.now.all("queues").get(code, {}).get("title", code)

    def knows(self, one: Colleague) -> str:
        """Languages and themes a colleague gets calls by, in words; empty where nothing is said of him."""
        groups = self.now.all("groups")
        titles = [groups[code]["title"] for code in one.themes if code in groups]
        languages = [tr(LANGUAGE_WORDS[code]) for code in one.languages if code in LANGUAGE_WORDS]
        return " · ".join(filter(None, (", ".join(languages), ", ".join(titles))))

    def organisation(self, stream: str) -> str:
        """``26/smo-26001`` as it is called; the stream itself where nobody knows it."""
        code = stream.partition("/")[2].removeprefix("smo-")
        return self.now.all("organisations").get(code, {}).get("short", stream)

    def receivers(self) -> dict[str, str]:
        """The organisations of the region that an appeal may be sent to, but one's own: title by stream."""
        operator = self._desk.state.operator
        own = operator.organisation if operator else ""
        region = own.partition("/")[0]
        found = {}
        for code, row in self.now.open("organisations").items():
            if row["kind"] in ("fund", "insurer") and (row["kind"] == "fund" or code.startswith(region)):
                stream = f"{region}/{code}" if row["kind"] == "fund" else f"{region}/smo-{code}"
                found[stream] = row["short"]
        found.pop(own, None)
        return found

    def lists(self) -> list[ListForm]:
        """The lists that are kept row by row."""
        return list(LISTS.values())

    def rows(self, name: str) -> dict[str, Row]:
        """The rows of a list, closed ones too. Of fields by type, those of the newest version; typical answers stand in
        the program's book until one is changed."""
        rows = dict(self.now.all(name))
        if name == "answers":
            rows = {**self._book, **rows}
        if name == "fields":
            latest = str(latest_form(self.now))
            rows = {key: row for key, row in rows.items() if row["version"] == latest}
        return rows

    @cached_property
    def _book(self) -> dict[str, Row]:
        from operator_tui.answers.scripts import parse_scripts, row_of
        from operator_tui.reference import packaged_scripts

        rows = map(row_of, parse_scripts(packaged_scripts()))
        return {key_of(row, LISTS["answers"].keys): row for row in rows}

    def check(self, name: str, row: Mapping[str, str], key: str = "") -> None:
        """The refusal that ``put`` would raise for what was typed."""
        decide_change(self.now, {"list": name, "rows": self._changed(name, row, key)}, self._seen(name, row, key))

    async def put(self, name: str, row: Mapping[str, str], key: str = "") -> None:
        """Write a row in the place of ``key``, or a new one. Refusals: those of Journal.change_reference."""
        await self._write(name, self._changed(name, row, key))

    async def close(self, name: str, key: str, *, closed: bool) -> None:
        """Offer a row no more, or again."""
        row = {column: value for column, value in self.rows(name)[key].items() if column != OFF}
        if name == "fields":
            await self._write(name, self._next_form(leave=key if closed else ""))
            return
        await self._write(name, {key: {**row, OFF: "1"} if closed else row})

    async def versions(self, name: str) -> list[Version]:
        """The changes of a list, the newest first."""
        found = await self._desk.on_journal(lambda journal: journal.reference_versions(name))
        return found[::-1]

    async def back(self, name: str, number: int) -> None:
        """As it was after a version (0: the program's own). Refusals: REFERENCE_SAME and those of ``put``."""
        if name == "answers":  # version zero is the book, which is no list
            rows = rows_back(self._book, (await self.versions(name))[::-1], number)
            if not rows:
                raise Refusal(Code.REFERENCE_SAME)
            await self._write(name, rows)
            return
        await self._desk.on_journal(lambda journal: journal.reference_back(name, number))
        self._written()

    async def take_register(self, file: Path, register: Register) -> Taken:
        """The organisations of this region from a federal register. Refusals: FILE_UNREADABLE, ROW_INVALID, and those
        of ``put``; a file is taken whole or not at all."""
        from operator_tui.registry.federal import read_register

        operator = self._desk.state.operator
        if operator is None:
            raise Refusal(Code.NOT_ENROLLED)
        region = reference_stream(operator.organisation).partition("/")[0]
        rows = await asyncio.to_thread(read_register, file, register, region)
        known = self.now.all("organisations")
        different = {key: row for key, row in rows.items() if known.get(key) != row}
        if different:
            await self._write("organisations", different)
        new = sum(key not in known for key in different)
        return Taken(new, len(different) - new, len(rows) - len(different))

    def taken(self) -> None:
        """The journal has another version: whatever is made of it is made anew."""
        journal = self._desk.parts.journal
        if journal is None or journal.catalogue is self._desk.catalogue:
            return
        self._desk.catalogue = journal.catalogue
        self._quick = None
        self._desk.parts.forget_reference()
        self._desk.promises.forget_calendar()
        self._desk.change(Topic.REFERENCE)

    async def _write(self, name: str, rows: Mapping[str, Row]) -> None:
        await self._desk.on_journal(lambda journal: journal.change_reference(name, rows))
        self._written()

    def _written(self) -> None:
        self.taken()
        self._desk.parts.kick()

    def _changed(self, name: str, row: Mapping[str, str], key: str) -> dict[str, Row]:
        form = LISTS[name]
        if name == "fields":
            return self._next_form(row, leave=key)
        made = key_of(row, form.keys)
        if key and made != key:
            raise Refusal(Code.FIELD_INVALID, field=form.column(form.keys[0]).title)
        if not key and made in self.rows(name):
            raise Refusal(Code.REFERENCE_THERE, key=made)
        return {made: dict(row)}

    def _seen(self, name: str, row: Mapping[str, str], key: str) -> dict[str, str]:
        rows = self._changed(name, row, key)
        return {one: op for one in rows if (op := self.now.writer(name, one))}

    def _next_form(self, row: Mapping[str, str] | None = None, *, leave: str = "") -> dict[str, Row]:
        """All fields by type as the next version: without ``leave``, with ``row``."""
        number = str(latest_form(self.now) + 1)
        kept = [one for key, one in self.rows("fields").items() if key != leave and not one.get(OFF)]
        placed = [*kept, *([row] if row else [])]
        rows = [{**one, "version": number} for one in placed]
        return {key_of(one, LISTS["fields"].keys): one for one in rows}

    def describe(self, version: Version) -> str:
        """A version in a line: what was gone back to, or the rows that it wrote."""
        if version.back >= 0:
            return tr("возврат к версии {number}").format(number=version.back)
        keys = list(version.rows)
        more = f" +{len(keys) - 3}" if len(keys) > 3 else ""
        return ", ".join(key.rpartition(":")[2] for key in keys[:3]) + more
