"""What the journal costs with 100,000 open appeals: opened, scrolled key by key and page by page, and a card saved.

`python -m bench.journal [appeals]`: prints `name value unit target peer verdict`, with tabs. The journal is the real
desk's, in a pseudo-terminal, over its encrypted file. Its peer is the widget one would take from Textual for it, a
DataTable that holds the same rows (bench/journal_peer.py), in the same terminal on Textual's own driver; the peer of a
save is one row written to a plain SQLite file with synchronous=FULL in the same folder: what the disk itself takes.
"""

from __future__ import annotations

import os
import sqlite3
import statistics
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from bench.terminal import Row, told
from operator_tui.appeals.clock import SystemClock
from operator_tui.appeals.draft import new_draft
from operator_tui.desk.keys import JOURNAL_KEY
from operator_tui.journal.journal import Journal
from operator_tui.profiles import DEMO, open_profile
from operator_tui.reference import packaged_catalogue
from operator_tui.secrets import profile_secrets
from tests.peers.pty import PtyDesk
from tests.wire.scenes import DESK, own_home, started

APPEALS = 100_000
KEYS = 400
PAGES = 50
OPENINGS = 15
SAVES = 1_000
SETTLED_S = 0.05  # so long nothing may come before a key counts as done
_READY = ("Телефон: на связи", "Сервер: на связи", "Реестр: на ")
_FILLED = replace(DESK, name="filled", ready=_READY)


def one_appeal(home: Mapping[str, str]) -> None:
    """A desk with one appeal, saved by keys."""
    with started(DESK, home=home) as desk:
        desk.press("insert")
        desk.wait_text("карта: добавлено вручную")
        desk.press("f6")
        desk.type("потер")
        desk.wait_text("Полис потерян")
        desk.press("enter")
        desk.wait_text("S-03")
        desk.press("ctrl+s")
        desk.wait_text("Сохранено")
        desk.press("ctrl+q")
        desk.wait_exit()


@contextmanager
def journal_of(home: Mapping[str, str]) -> Iterator[Journal]:
    """The journal of a desk that is not running."""
    before = dict(os.environ)
    os.environ.update(home)
    try:
        profile = open_profile(DEMO)
        key = profile_secrets(profile).key(JOURNAL_KEY, create=False)
        journal = Journal.open(profile.journal_file, key, catalogue=packaged_catalogue(), clock=SystemClock())
        try:
            yield journal
        finally:
            journal.close()
    finally:
        os.environ.clear()
        os.environ.update(before)


def fill(journal: Journal, count: int) -> None:
    """As many appeals as the targets speak of, each with its own number and instant, all in work."""
    store = journal._store
    with store.writing():
        columns = [row[1] for row in store.db.execute("PRAGMA table_info(shown)")]
        names = ", ".join(name for name in columns if name not in ("row", "id", "created", "body", "find_number"))
        made = "printf('%016x', n.i)"
        number = "printf('99-%06d-0', n.i)"
        body = f"json_set(body, '$.id', 'x:' || n.i, '$.created', {made}, '$.fields.number', {number})"
        store.db.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
            f"INSERT INTO shown(id, created, body, find_number, {names}) "
            f"SELECT 'x:' || n.i, {made}, {body}, {number}, {names} FROM n, shown",
            [count],
        )


def pressed(desk: PtyDesk, key: str) -> float:
    """Milliseconds from a key to the last output of what it did."""
    mark, begun = desk.mark(), time.monotonic()
    desk.press(key)
    desk.wait(lambda _screen: desk.received > mark, what=f"anything after {key}")
    desk.wait_quiet(SETTLED_S)
    return 1_000 * (desk.last_output - begun)


def openings(desk: PtyDesk, away: str, back: str, there: str, here: str) -> list[float]:
    """The journal opened from another screen again and again: by the key ``back``, until it says ``here``."""
    times = []
    for _ in range(OPENINGS):
        desk.press(away)
        desk.wait_text(there)
        desk.wait_quiet()
        times.append(pressed(desk, back))
        desk.wait_text(here)
    return times


def scrolled(desk: PtyDesk) -> tuple[list[float], list[float]]:
    """Down row by row, then page by page."""
    return [pressed(desk, "down") for _ in range(KEYS)], [pressed(desk, "pagedown") for _ in range(PAGES)]


def p99(times: list[float]) -> float:
    return round(statistics.quantiles(times, n=100)[-1], 1)


def median(times: list[float]) -> float:
    return round(statistics.median(times), 1)


def saves(journal: Journal) -> list[float]:
    """Milliseconds of each save of a new card, on disk when it returns."""
    theme = next(iter(packaged_catalogue().themes.values()))
    times = []
    for place in range(SAVES):
        fields = {"type": theme.type.value, "theme": theme.code, "surname": f"Пробный{place}", "text": "слово " * 60}
        draft = new_draft(call=f"c{place}", fields=fields)
        begun = time.perf_counter()
        journal.save(draft)
        times.append(1_000 * (time.perf_counter() - begun))
    return times


def plain_saves(folder: Path) -> list[float]:
    """The same number of rows of the same weight in a plain SQLite file."""
    db = sqlite3.connect(folder / "plain.db", isolation_level=None)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    db.execute("CREATE TABLE card (id INTEGER PRIMARY KEY, body TEXT)")
    times = []
    for _ in range(SAVES):
        begun = time.perf_counter()
        db.execute("INSERT INTO card(body) VALUES (?)", ["слово " * 200])
        times.append(1_000 * (time.perf_counter() - begun))
    db.close()
    return times


Scrolled = tuple[list[float], list[float], list[float]]


def of_the_desk(desk: PtyDesk, count: int) -> Scrolled:
    """Opened, scrolled by key and by page: the real journal."""
    full = f"В работе: {count + 1}"
    desk.wait_text(full)
    desk.wait_quiet()
    opened = openings(desk, "insert", "ctrl+f", "карта: добавлено вручную", full)
    return opened, *scrolled(desk)


def of_the_peer(count: int) -> Scrolled:
    """The same of the DataTable."""
    environment, first = {"BENCH_JOURNAL_ROWS": str(count)}, f"99-{count:06d}-0"
    with PtyDesk((sys.executable, "-m", "bench.journal_peer"), env=environment, cwd=Path(__file__).parents[1]) as desk:
        desk.wait_text(first, timeout=120)
        desk.wait_quiet()
        opened = openings(desk, "f2", "f2", "КАРТА", first)
        return opened, *scrolled(desk)


def rows(count: int) -> Iterator[Row]:
    """All figures, with so many appeals."""
    their_opened, their_keys, their_pages = of_the_peer(count)
    with own_home() as home:
        one_appeal(home)
        with journal_of(home) as journal:
            fill(journal, count)
        with started(_FILLED, home=home) as desk:
            opened, keys, pages = of_the_desk(desk, count)
        with journal_of(home) as journal:
            saved = saves(journal)
        plain = plain_saves(Path(home["HOME"]))
    yield Row("journal_open_p50_ms", median(opened), "ms", 150, median(their_opened))
    yield Row("journal_key_p50_ms", median(keys), "ms", 20, median(their_keys))
    yield Row("journal_key_p99_ms", p99(keys), "ms", 20, p99(their_keys))
    yield Row("journal_page_p99_ms", p99(pages), "ms", 50, p99(their_pages))
    yield Row("card_save_p50_ms", median(saved), "ms", 10, median(plain))
    yield Row("card_save_p99_ms", p99(saved), "ms", 10, p99(plain))


def main(arguments: list[str]) -> int:
    """Print all rows; 1 when a target is short. Another number of appeals may be given, to try it."""
    return told(rows(int(arguments[0]) if arguments else APPEALS))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
