"""What each table, index and column of the registry costs in bytes a person."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.figures import Row
from bench.registry_keys import Loaded
from operator_tui.registry.schema import connect

# Bytes of an integer in a row (sqlite.org/fileformat2.html, section 2.1), without the byte that says how many.
_WIDTH = (
    "CASE WHEN {0} IS NULL OR {0} IN (0, 1) THEN 0 WHEN abs({0}) < 128 THEN 1 WHEN abs({0}) < 32768 THEN 2"
    " WHEN abs({0}) < 8388608 THEN 3 WHEN abs({0}) < 2147483648 THEN 4 WHEN abs({0}) < 140737488355328 THEN 6"
    " ELSE 8 END"
)


def cost_rows(loaded: Loaded) -> Iterator[Row]:
    """What each table, index and column costs in bytes a person: which to give up when the whole does not fit.

    SQLCipher's build has no dbstat: each is dropped from a copy, and the pages that come free are counted.
    """
    with tempfile.TemporaryDirectory(prefix="ot-bench-cost-") as scratch:
        copy = Path(scratch, "copy.db")
        shutil.copyfile(loaded.file.resolve(), copy)
        connection = connect(copy, loaded.key, read_only=False)
        run = connection.execute
        (people,) = run("SELECT count(*) FROM p").fetchone()
        (page,) = run("PRAGMA page_size").fetchone()
        columns = [name for _, name, *_ in run("PRAGMA table_info(p)").fetchall() if name != "id"]
        wide = ", ".join(f"total({_WIDTH.format(name)})" for name in columns)
        for name, size in zip(columns, run(f"SELECT {wide} FROM p").fetchone(), strict=True):
            yield Row(f"cost_column_{name}_bytes", size / people, "B/person")
        made = "SELECT type, name FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type, name"  # indexes first
        for kind, name in run(made).fetchall():
            (before,) = run("PRAGMA freelist_count").fetchone()
            run(f"DROP {kind} {name}")
            (after,) = run("PRAGMA freelist_count").fetchone()
            yield Row(f"cost_{kind}_{name}_bytes", (int(after) - int(before)) * int(page) / people, "B/person")
        connection.close()
