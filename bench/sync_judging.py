"""What is wrong at the end of a schedule: all that was promised is looked for; cards, lists and files are compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from bench.sync_centre import Server
from bench.sync_world import Desk, mark_of
from central.store import tables as t
from central.verify import verify
from operator_tui.appeals.card import Card
from operator_tui.appeals.reference import Reference
from operator_tui.appeals.reference_forms import LISTS

KINDS = ("lost", "doubled", "diverged", "stalled")


@dataclass(frozen=True)
class Found:
    """What is wrong at the end of a schedule; ``operations`` were made in it."""

    operations: int
    wrong: Counter[str]


def judge(server: Server, desks: Sequence[Desk], *, calm: bool) -> Found:
    """Nothing lost, nothing doubled, all alike; ``calm``: everything became even by itself."""
    wrong: Counter[str] = Counter()
    if not calm:
        wrong["stalled"] += 1
    for desk in desks:
        desk.note()
    issued = set().union(*(desk.issued for desk in desks))
    taken: dict[str, bytes] = {}
    refused: set[str] = set()
    for row in server.rows(t.op_log):
        op = f"{row.device}:{row.n}"
        taken[op] = mark_of(msgspec.json.decode(row.body))
        if msgspec.json.decode(row.result)["s"] == "rejected":
            refused.add(op)
    wrong["lost"] += len(issued - set(taken.values()))
    written = Counter(taken.get(row.op, b"?") for row in server.rows(t.event))
    wrong["doubled"] += sum(count - 1 for count in written.values())
    wrong["lost"] += len({mark for op, mark in taken.items() if op not in refused} - set(written))
    wrong["diverged"] += len(verify(server.database).faults)
    reference = server.reference()
    cards = {row.id: msgspec.convert(row.body, Card) for row in server.rows(t.card)}
    for desk in desks:
        wrong["diverged"] += sum(desk.journal.card(id_) != card for id_, card in cards.items())
        shown = desk.look("SELECT id FROM shown")
        wrong["diverged"] += sum(id_ not in cards for (id_,) in shown)
        wrong["lost"] += len(_unasked(desk))
        wrong["diverged"] += not _same(desk.journal.catalogue.reference, reference)
        wrong["lost"] += sum(not server.has_file(name) for name in desk.recorded - _let_go(desk, server))
    return Found(len(issued), +wrong)


def _same(ours: Reference, theirs: Reference) -> bool:
    """The same version, with the same rows by the same hands."""
    lists = [
        {key: (row, one.writer(name, key)) for key, row in one.all(name).items()}
        for one in (ours, theirs)
        for name in LISTS
    ]
    return ours.version == theirs.version and lists[: len(LISTS)] == lists[len(LISTS) :]


def _let_go(desk: Desk, server: Server) -> set[str]:
    """Recordings whose copy here was given up a week after the server had them: older copies of it are its own care."""
    return {name for (name,) in desk.look("SELECT name FROM file WHERE file = ''")} & server.had_files


def _unasked(desk: Desk) -> list[str]:
    """Operations that were refused and the operator was not told."""
    rows = desk.look(
        "SELECT device || ':' || n FROM outbox WHERE state = 'rejected' "
        "AND NOT EXISTS (SELECT 1 FROM attention WHERE op = outbox.device || ':' || outbox.n)"
    )
    return [op for (op,) in rows]
