"""A long CSV list read by several processes: pieces of whole records go out, batches of people come back in order.

Reading and checking is two thirds of a load, and no row needs another, but for the ЕНП that comes twice: that is
looked at where the batches come together.
"""

from __future__ import annotations

import csv
import io
import os
import re
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date
from multiprocessing import get_context
from pathlib import Path
from typing import IO

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.registry import faults as flk
from operator_tui.registry.bodies import Bodies
from operator_tui.registry.faults import Fault, Faults
from operator_tui.registry.lists import CsvList, broken, records_of
from operator_tui.registry.records import sound
from operator_tui.registry.stage import Batch, Collector

PIECE = 4 << 20  # bytes; some ten thousand people
_LONGEST = 1 << 20  # a quoted cell may run over lines, but csv reads none longer than an eighth of this
_MOST_PROCESSES = 4
_QUOTED = re.compile(rb'(?:\A|[;\n])"[^"]*(?:""[^"]*)*("?)')


def processes() -> int:
    """How many the machine has room for."""
    return min(_MOST_PROCESSES, len(os.sched_getaffinity(0)))


@dataclass(frozen=True)
class _Shape:
    """How the file is read."""

    file: Path
    encoding: str
    places: dict[str, int]
    width: int
    names: dict[str, str]


@dataclass
class _Read:
    """What a piece held. ``rows`` counts all its records; ``at`` the row of each sound person, all rows counted from
    the piece's own first; ``broken`` the row at which it can not be read, 0 for none.
    """

    batch: Batch
    faults: Faults
    at: list[int]
    rows: int
    broken: int


class _Piece:
    """A piece of the file as a ``Source`` of its own."""

    base = CsvList.base
    as_of: date | None = None

    def __init__(self, shape: _Shape, content: bytes) -> None:
        self.file = shape.file
        self.names = shape.names
        self._shape = shape
        self._content = content
        self.rows_read = 0
        self.broken = 0

    def rows(self) -> Iterator[tuple[int, str, Sequence[str]]]:
        try:
            text = self._content.decode(self._shape.encoding)
        except UnicodeDecodeError as error:
            self.broken = 1 + self._content.count(b"\n", 0, error.start)
            return
        try:
            for row, cells in records_of(io.StringIO(text, newline=""), self._shape.places, self._shape.width):
                self.rows_read = row
                if cells is not None:
                    yield row, "", cells
        except csv.Error:
            self.broken = self.rows_read + 1

    def done(self) -> float:
        return 1.0


_shape: _Shape
_packer: Bodies | None = None


def _begin(shape: _Shape, dictionary: bytes) -> None:
    global _shape, _packer
    _shape, _packer = shape, Bodies(dictionary)


def _read(content: bytes, shape: _Shape | None = None) -> _Read:
    """Everything one piece holds; in a process of the pool, with its bodies packed."""
    piece = _Piece(shape or _shape, content)
    faults = Faults(piece.file)
    collector = Collector()
    at: list[int] = []
    for row, person in sound(piece, faults):
        collector.add(person)
        at.append(row)
    batch = collector.batch()
    if shape is None and _packer is not None:
        batch.packed = list(map(_packer.pack, batch.bodies))
        batch.bodies = []
    return _Read(batch, faults, at, piece.rows_read, piece.broken)


class Pieces:
    """The people of a CSV list as batches (what ``load.build`` takes), the work spread over ``workers`` processes."""

    def __init__(
        self,
        source: CsvList,
        faults: Faults,
        workers: int,
        *,
        finish: Callable[[], None] = lambda: None,
        made_up_only: bool = False,
    ) -> None:
        """``finish`` is called behind the last batch, and what it raises stops the load. ``made_up_only``:
        Refusal(REGISTRY_KEY_NEEDED) at the first person who is not made up.
        """
        self._source = source
        self._faults = faults
        self._workers = workers
        self._finish = finish
        self._made_up_only = made_up_only
        self._shape = _Shape(source.file, source.encoding, source.places, source.width, source.names)
        self._seen: set[int] = set()
        self._row = 1  # of the file: the header is row 1

    def batches(self, dictionary: Callable[[list[str]], bytes]) -> Iterator[tuple[Batch, float]]:
        """Each batch with the share of the file that is behind it. ``dictionary`` makes one of the first texts.

        Refusal(FILE_UNREADABLE) with the row when the file breaks off.
        """
        pieces = self._pieces()
        first, behind = next(pieces, (b"", 1.0))
        read = _read(first, self._shape)
        words = dictionary(read.batch.bodies)
        yield self._joined(read), behind
        with ProcessPoolExecutor(
            self._workers, get_context("spawn"), initializer=_begin, initargs=(self._shape, words)
        ) as pool:
            going: deque[tuple[Future[_Read], float]] = deque()
            try:
                for content, behind in pieces:
                    going.append((pool.submit(_read, content), behind))
                    if len(going) > 2 * self._workers:
                        yield self._next(going)
                while going:
                    yield self._next(going)
                self._finish()
            finally:
                for future, _ in going:
                    future.cancel()

    def _next(self, going: deque[tuple[Future[_Read], float]]) -> tuple[Batch, float]:
        future, behind = going.popleft()
        return self._joined(future.result()), behind

    def _joined(self, read: _Read) -> Batch:
        """The batch with what only the whole file can tell: its rows' places, and who came before."""
        self._faults.take(read.faults, self._row)
        if read.broken:
            raise broken(self._source.file, self._row + read.broken)
        batch = self._once(read)
        self._row += read.rows
        return batch

    def _once(self, read: _Read) -> Batch:
        numbers = read.batch.columns["enp"]
        if self._made_up_only and not all(map(_is_made_up, numbers)):
            raise Refusal(Code.REGISTRY_KEY_NEEDED)
        fresh = set(numbers)
        if len(fresh) == len(numbers) and self._seen.isdisjoint(fresh):
            self._seen |= fresh
            return read.batch
        again: set[int] = set()
        for place, number in enumerate(numbers):
            if number in self._seen:
                again.add(place)
                row = self._row + read.at[place]
                name = self._source.names.get("enp", "enp")
                self._faults.add(Fault(flk.DUPLICATE, name, self._source.base, str(row), row))
            self._seen.add(number)
        return read.batch.without(again)

    def _pieces(self) -> Iterator[tuple[bytes, float]]:
        """The file behind its header in pieces of whole records, each with the share of the file up to its end."""
        try:
            with self._source.file.open("rb") as stream:
                size = max(1, os.fstat(stream.fileno()).st_size)
                _to_record_end(stream, stream.readline())
                while content := stream.read(PIECE):
                    content += _to_record_end(stream, content)
                    yield content, min(1.0, stream.tell() / size)
        except OSError as error:
            reason = error.strerror or ""
            raise Refusal(Code.FILE_UNREADABLE, file=self._source.file.name, reason=reason) from error


def _is_made_up(number: int) -> bool:
    """As ``lists.is_made_up`` of the ЕНП as a number."""
    return number // 100_000 % 10 == 9 or number < 10**14


def _to_record_end(stream: IO[bytes], content: bytes) -> bytes:
    """What of the file still belongs to the last record of ``content``: up to a line's end outside of quotes."""
    rest = b"" if content.endswith(b"\n") else stream.readline()
    while len(rest) < _LONGEST and _within_quotes(content + rest) and (line := stream.readline()):
        rest += line
    return rest


def _within_quotes(content: bytes) -> bool:
    """Whether the last cell begins with a quote that is not closed yet. A quote within a cell opens nothing."""
    closed = b'"'
    if closed in content:
        for cell in _QUOTED.finditer(content):
            closed = cell[1]
    return not closed
