"""Files on their way to the server: every operation that names one puts it here, in the same transaction.

A row is a sealed file under the SHA-256 of its sealed bytes: what the server calls it. Nothing here is ever dropped
before the server has it; what it refused stays with the reason.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import msgspec

from operator_tui.appeals.errors import Refusal
from operator_tui.appeals.operations import AT_PBX, Kind

if TYPE_CHECKING:
    from operator_tui.journal.store import Store  # loads the database: the desk paints without it

RECORDING, ATTACHMENT = "recording", "attachment"


class FileState(StrEnum):
    """Where a file is on its way."""

    WAITS = "waits"
    THERE = "there"  # the server has all of it and has found its digest right
    REFUSED = "refused"


class Sending(msgspec.Struct, frozen=True):
    """One file. ``name`` is its digest (hex), ``file`` its name in the folder of its ``kind``, empty once the local
    copy was let go; ``sent`` of ``size`` bytes are there (0: not looked yet); ``refusal`` why it does not go."""

    name: str
    kind: str
    file: str
    card: str
    call: str
    size: int
    sent: int
    state: FileState
    refusal: Refusal | None
    at_ms: int

    @property
    def percent(self) -> int:
        """How much of it has gone."""
        return 100 if self.state is FileState.THERE else 100 * self.sent // self.size if self.size else 0


_COLUMNS = "name, kind, file, card, call, size, sent, state, reason, at_ms"


def note(store: Store, kind: str, x: Mapping[str, Any], card: str, now_ms: int) -> None:
    """Put the files that an operation names into the queue; inside ``writing`` only."""
    if kind == Kind.CALL_RECORDED and x.get("sha256") and not x["sha256"].startswith(AT_PBX):
        _put(store, x["sha256"], RECORDING, str(x.get("file", "")), "", str(x["call"]), x.get("size", 0), now_ms)
    for paper in x.get("files") or () if kind in (Kind.CARD_NEW, Kind.CARD_SET) else ():
        if isinstance(paper, Mapping) and paper.get("sealed"):
            _put(store, paper["sealed"], ATTACHMENT, f"{paper['sha256']}.sealed", card, "", 0, now_ms)


def found(store: Store, name: str, file: str, call: str, size: int) -> None:
    """A recording that lies here and nobody has queued (of a colleague whose journal is gone); inside ``writing``."""
    _put(store, name, RECORDING, file, "", call, size, store.clock.now_ms())


def waiting(store: Store) -> list[Sending]:
    """What is to be sent: papers before recordings, the oldest first."""
    return _rows(store, "state = 'waits' ORDER BY kind = 'recording', at_ms, name")


def of(store: Store, names: Collection[str], calls: Collection[str]) -> list[Sending]:
    """The files of those names, and the recordings of those calls."""
    places = [", ".join("?" * len(one)) for one in (names, calls)]
    return _rows(store, f"name IN ({places[0]}) OR call IN ({places[1]}) ORDER BY at_ms, name", *names, *calls)


def unsent(store: Store) -> int:
    """How many wait."""
    return int(store.value("SELECT count(*) FROM file WHERE state = 'waits'"))


def went(store: Store, name: str, sent: int, size: int) -> None:
    """So much of it is there; inside ``writing`` only."""
    store.db.execute("UPDATE file SET sent = ?, size = ?, reason = '' WHERE name = ?", [sent, size, name])


def there(store: Store, name: str) -> None:
    """The server has it whole; inside ``writing`` only."""
    now_ms = store.clock.now_ms()
    store.db.execute(
        "UPDATE file SET state = 'there', sent = size, reason = '', there_ms = ? WHERE name = ?", [now_ms, name]
    )


def put_off(store: Store, name: str, refusal: Refusal, *, for_good: bool) -> None:
    """It does not go now, or never; inside ``writing`` only."""
    reason = msgspec.json.encode(refusal.wire()).decode()
    state = FileState.REFUSED if for_good else FileState.WAITS
    store.db.execute("UPDATE file SET state = ?, reason = ? WHERE name = ?", [state.value, reason, name])


def spare(store: Store, before_ms: int) -> list[Sending]:
    """Recordings whose local copy nobody needs: the server has had them since before that instant."""
    return _rows(store, "state = 'there' AND kind = 'recording' AND file != '' AND there_ms < ?", before_ms)


def let_go(store: Store, name: str) -> None:
    """The local copy is gone; inside ``writing`` only."""
    store.db.execute("UPDATE file SET file = '' WHERE name = ?", [name])


def ask_again(store: Store) -> None:
    """The server was restored: whatever still lies here may be lacking there; inside ``writing`` only."""
    store.db.execute("UPDATE file SET state = 'waits' WHERE state = 'there' AND file != ''")


def known(store: Store) -> set[str]:
    """The names in their folders of all recordings in the queue."""
    return {file for (file,) in store.rows("SELECT file FROM file WHERE kind = 'recording'")}


def _put(store: Store, name: str, kind: str, file: str, card: str, call: str, size: int, now_ms: int) -> None:
    # One that was found before its operation came gets the operation's call; the same paper on two cards goes once.
    store.db.execute(
        "INSERT INTO file(name, kind, file, card, call, size, at_ms) VALUES (?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT(name) DO NOTHING",
        [name, kind, file, card, call, size, now_ms],
    )


def _rows(store: Store, where: str, *values: object) -> list[Sending]:
    rows = store.rows(f"SELECT {_COLUMNS} FROM file WHERE {where}", *values)
    return [
        Sending(name, kind, file, card, call, size, sent, FileState(state), _refusal(reason), at_ms)
        for name, kind, file, card, call, size, sent, state, reason, at_ms in rows
    ]


def _refusal(text: str) -> Refusal | None:
    return Refusal.from_wire(msgspec.json.decode(text)) if text else None
