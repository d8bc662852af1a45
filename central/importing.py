"""Talks recorded at the PBX come into the server's store: each sealed for the fund, bound to its call.

A desk says of such a talk only the SIP Call-ID (``call.recorded``, appeals.operations.at_pbx); the PBX has written the
same beside the sound. Whatever is killed between two steps, a talk comes once: its sealed file stays in the spool until
the store and the database have it, and thirty days more as a second copy.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from enum import Enum
from io import BufferedReader
from pathlib import Path

import sqlalchemy as sa

from central.files import Files
from central.keys import FUND, public_keys
from central.log import log
from central.moving import demand_still
from central.recordings import read_on
from central.spool import TAKEN, alone
from central.store import tables as t
from central.store.database import Database
from central.talks import Stereo, Talk, forget, put_away, talks
from operator_tui.appeals.clock import Clock
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.operations import Kind, at_pbx, stream_for
from operator_tui.secrets.address import FileKind, fund_address
from operator_tui.secrets.sealed import seal_file

_CHUNK = 1 << 20
_SEALED_KEPT_MS = 30 * 86_400_000


class _Fate(Enum):
    """What becomes of a talk in one run."""

    TAKEN = "taken"
    WAITS = "waits"
    GONE = "gone"
    UNREADABLE = "unreadable"


class Importer:
    """One spool folder and one region; one process at a time."""

    def __init__(self, database: Database, spool: Path, region: str, clock: Clock) -> None:
        """Refusal(SERVER_KEYS_AWAY) before the server's first start."""
        self._fund = bytes.fromhex(public_keys(database).get(FUND, ""))
        if not self._fund:
            raise Refusal(Code.SERVER_KEYS_AWAY, path="")
        self._database = database
        self._spool = spool
        self._region = region
        self._clock = clock
        # What could not be read in the last ``take``: the PBX's key of the talk, and what the system says of it.
        self.unreadable: dict[str, str] = {}

    def take(self) -> tuple[int, int]:
        """Bring all that is complete; how many came, and how many no desk has said anything of yet: those stay, and so
        do those that can not be read (``unreadable``). Refusals: FILE_UNREADABLE (the spool), FILE_STORE_FULL."""
        self.unreadable = {}
        with alone(self._spool):
            self._read_on()
            come = [self._each(talk, self._take) for talk in self._listed()]
            for talk in self._listed(TAKEN):
                self._each(talk, self._heal)
        taken, waiting = come.count(_Fate.TAKEN), come.count(_Fate.WAITS)
        log("talks of the PBX", taken=taken)
        return taken, waiting

    def _each(self, talk: Talk, work: Callable[[Talk], _Fate]) -> _Fate:
        """One talk whose files the disk does not give holds up no other."""
        try:
            return work(talk)
        except OSError as error:
            self._note(talk.told, error)
            return _Fate.UNREADABLE

    def _note(self, told: Path, error: OSError) -> None:
        self.unreadable[told.stem] = error.strerror or type(error).__name__
        log("talk unreadable")

    def _take(self, talk: Talk) -> _Fate:
        if talk.going_away:
            put_away(talk)
            return _Fate.GONE
        if talk.silent and not talk.sealed.exists():
            forget(talk)
            return _Fate.GONE
        if not self._bring(talk):
            return _Fate.WAITS
        put_away(talk)
        return _Fate.TAKEN

    def _bring(self, talk: Talk) -> bool:
        row = self._row(at_pbx(talk.dialog))
        if row is None:
            # Killed between the database and putting it away: it is bound already.
            return talk.sealed.exists() and self._row(_digest(talk.sealed)) is not None
        if not talk.sealed.exists():
            organisation = str(row.stream).removesuffix("/work")
            address = fund_address(self._fund, FileKind.RECORDING, organisation)
            with Stereo(talk) as sound, BufferedReader(sound) as source:
                seal_file(source, talk.sealed, address)
        self._bind(row, talk, self._stored(talk.sealed))
        return True

    def _bind(self, row: sa.Row[tuple[str, ...]], talk: Talk, name: str) -> None:
        known = t.recording
        changes = {"name": name, "size": talk.sealed.stat().st_size, "ms": talk.ms or row.ms}
        which = sa.and_(known.c.region == row.region, known.c.op == row.op)

        def work(connection: sa.Connection) -> None:
            demand_still(connection, [self._region])
            connection.execute(sa.update(known).where(which).values(**changes))

        self._database.write(work)

    def _row(self, name: str) -> sa.Row[tuple[str, ...]] | None:
        asked = sa.select(t.recording).where(t.recording.c.region == self._region, t.recording.c.name == name)
        with self._database.read() as connection:
            return connection.execute(asked).first()

    def _read_on(self) -> None:
        """What the desks of the region's organisations have said, up to now."""
        whose = sa.select(t.operator.c.organisation).distinct()
        with self._database.read() as connection:
            known = [str(one) for one in connection.execute(whose).scalars()]
        for organisation in known:
            if organisation.partition("/")[0] == self._region:
                read_on(self._database, stream_for(Kind.CALL_RECORDED, organisation))

    def _stored(self, sealed: Path) -> str:
        name = _digest(sealed)
        files, size = Files(self._region), sealed.stat().st_size
        at = files.begin(name, size).offset
        with sealed.open("rb") as file:
            while at < size:
                file.seek(at)
                at = files.append(name, at, file.read(_CHUNK)).offset
        return name

    def _heal(self, talk: Talk) -> _Fate:
        """A database restored from an older copy says again that a talk lies at the PBX: it does, in TAKEN. What is
        older than thirty days is no longer there."""
        if not talk.sealed.exists():
            return _Fate.GONE
        row = self._row(at_pbx(talk.dialog))
        if row is not None:
            self._bind(row, talk, self._stored(talk.sealed))
        elif self._clock.now_ms() - 1000 * talk.sealed.stat().st_mtime > _SEALED_KEPT_MS:
            self._stored(talk.sealed)
            forget(talk)
        return _Fate.GONE

    def _listed(self, within: str = "") -> list[Talk]:
        folder = self._spool / within if within else self._spool
        try:
            found = talks(folder, unreadable=self._note)
        except FileNotFoundError:
            if within:
                return []
            raise Refusal(Code.FILE_UNREADABLE, file=str(folder), reason="") from None
        except OSError as error:
            raise Refusal(Code.FILE_UNREADABLE, file=str(folder), reason=error.strerror or "") from None
        return [replace(talk, folder=folder) for talk in found]


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
