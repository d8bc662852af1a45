"""Faults seeded into the product, to see that the simulator finds them: a line of source replaced by a wrong one."""

from __future__ import annotations

import inspect
import types
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from central import apply, backup, exchange, moved, steps
from operator_tui.journal import cards, confirm, files, forked, outbox, snapshot
from operator_tui.sync import taking


@dataclass(frozen=True)
class Mutant:
    """``right`` must stand in the module once and is replaced by ``wrong`` while the mutant is alive."""

    name: str
    module: types.ModuleType
    right: str
    wrong: str

    @contextmanager
    def alive(self) -> Iterator[None]:
        """The product with this fault in it."""
        source = inspect.getsource(self.module)
        if source.count(self.right) != 1:
            raise ValueError(f"{self.name}: its line stands {source.count(self.right)} times in {self.module.__name__}")
        twin = types.ModuleType(self.module.__name__)
        twin.__file__ = self.module.__file__
        code = compile(source.replace(self.right, self.wrong), f"<mutant {self.name}>", "exec", dont_inherit=True)
        exec(code, twin.__dict__)
        before = dict(_functions(self.module, self.module))
        wrong = dict(_functions(twin, self.module))
        kept = {name: function.__code__ for name, function in before.items()}
        try:
            for name, function in before.items():
                if wrong[name].__code__.co_freevars == function.__code__.co_freevars:
                    function.__code__ = wrong[name].__code__
            yield
        finally:
            for name, function in before.items():
                function.__code__ = kept[name]


def _functions(holder: Any, module: types.ModuleType, prefix: str = "") -> Iterator[tuple[str, types.FunctionType]]:
    for name, value in vars(holder).items():
        if isinstance(value, types.FunctionType) and value.__module__ == module.__name__:
            if value.__qualname__ == prefix + name:
                yield prefix + name, value
        elif isinstance(value, type) and value.__module__ == module.__name__:
            yield from _functions(value, module, f"{prefix}{name}.")


MUTANTS = [
    Mutant(
        "old events again", confirm, "if event.q != at.get(event.s, 0) + 1:", "if event.q > at.get(event.s, 0) + 1:"
    ),
    Mutant("copy takes ours for its own", confirm, "if not _says(event, change, outbox.decode(body)):", "if False:"),
    Mutant("nothing is sent again", confirm, "SET state = 'pending', seq = 0", "SET state = state, seq = 0"),
    Mutant("cursors stay", confirm, '"DELETE FROM stream"', '"DELETE FROM stream WHERE 0"'),
    Mutant("refusal not told", confirm, "if outcome.s != outbox.APPLIED:", "if outcome.s == outbox.MERGED:"),
    Mutant("overlay twice", cards, "WHERE card = ? AND confirmed = 0 AND state", "WHERE card = ? AND state"),
    Mutant("fork not seen", apply, "if digest != operation_digest(plain):", "if False:"),
    Mutant("number not used up", apply, '"last_n": b.last_n + len(b.fresh)', '"last_n": b.last_n'),
    Mutant(
        "who came second is not counted",
        apply,
        "for b in batches]\n        update_rows",
        "for b in batches[:1]]\n        update_rows",
    ),
    Mutant("answers of others", exchange, "(places[i] for i in group)", "(places[i] for i in reversed(group))"),
    Mutant(
        "two transactions",
        apply,
        "        _store_cards(connection, cards)\n",
        '        _store_cards(connection, cards)\n        connection.exec_driver_sql("COMMIT")\n'
        '        connection.exec_driver_sql("BEGIN IMMEDIATE")\n',
    ),
    Mutant(
        "old id not asked", steps, "step = _known_before(plain, digest, device, moved) or _decide(", "step = _decide("
    ),
    Mutant("another lineage not noticed", taking, "if head.e == device.epoch and not lacks:", "if not lacks:"),
    Mutant("known under another id not told", moved, "or operation_id(row.device, row.n)", 'or ""'),
    Mutant("same epoch after restore", backup, "values(v=epoch)", "values(v=t.server.c.v)"),
    Mutant(
        "durable without a copy",
        apply,
        "return Pushed(last_n + 1, batch.durable, outcomes,",
        "return Pushed(last_n + 1, last_n, outcomes,",
    ),
    Mutant(
        "two acts, one number",
        outbox,
        '    store.set_meta("next_n", str(n + 1))\n',
        '    store.db.execute("COMMIT")\n    store.db.execute("BEGIN")\n    store.set_meta("next_n", str(n + 1))\n',
    ),
    Mutant("no old id", forked, "was=operation.was or was,", 'was="",'),
    Mutant("a list's change not taken up", confirm, "if changed.pop(_REFERENCE, 0) is None:", "if False:"),
    Mutant("a refused list stays shown", confirm, "    if _REFERENCE in touched:", "    if False:"),
    Mutant("a snapshot's place not kept", snapshot, "[stream, head],", "[stream, 0],"),
    Mutant(
        "files of a restored server", files, "SET state = 'waits' WHERE state = 'there'", "SET state = state WHERE 0"
    ),
]
