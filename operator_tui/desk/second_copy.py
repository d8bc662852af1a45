"""What waits to be sent: a sealed copy on another disk while it does, and a word when it waits too long.

Against a disk that dies before the server was there (design 1.5, rule 6). The copy is what a revoked place leaves
(signin/farewell.py): nobody but the server reads it, and it takes each operation once, however often it comes.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.hlc import stamp_ms
from operator_tui.journal.settings import JournalSettings

if TYPE_CHECKING:
    from operator_tui.appeals.clock import Clock
    from operator_tui.desk.desk import Desk
    from operator_tui.journal.journal import Journal
    from operator_tui.signin.farewell import Unsent
    from operator_tui.signin.signin import SignIn

EVERY_S = 900.0
LONG_DAYS = 14
_DAY_MS = 86_400_000


def unsent(journal: Journal) -> Unsent:
    """Operations that the server has not answered for, drafts and begun forms. On the journal's thread."""
    from operator_tui.signin.ending import unsent_in

    return unsent_in(journal)


def waits_long(found: Unsent, clock: Clock) -> Refusal | None:
    """UNSENT_LONG when the oldest operation is older than two weeks; nothing is dropped for that."""
    if not found.operations:
        return None
    days = (clock.now_ms() - stamp_ms(found.operations[0]["at"])) // _DAY_MS
    return Refusal(Code.UNSENT_LONG, days=days) if days >= LONG_DAYS else None


async def follow(desk: Desk, signin: SignIn | None) -> None:
    """Look every quarter of an hour, for as long as the desk lives; what is wrong is said once."""
    folder = _folder(desk)
    said: set[Code] = set()
    while True:
        for refusal in await wrong(desk, signin, folder):
            if refusal.code not in said:
                said.add(refusal.code)
                desk.refused(refusal)
        await asyncio.sleep(EVERY_S)


def _folder(desk: Desk) -> Path | None:
    said = desk.settings.get(JournalSettings).second_copy
    return Path(said).expanduser() if said else None


async def wrong(desk: Desk, signin: SignIn | None, folder: Path | None) -> list[Refusal]:
    """Make the copy, and tell what is wrong: the disk's refusal, UNSENT_LONG; a disk that is away hides no other."""
    journal, told = desk.parts.journal, list[Refusal]()
    if journal is None:
        return told
    found: Unsent = await desk.run_journal(unsent, journal)
    if folder is not None and signin is not None:
        try:
            await signin.copy_unsent(folder, found)
        except Refusal as refusal:
            told.append(refusal)
        except OSError as error:  # a disk of another machine that answers no more
            told.append(Refusal(Code.DISK_FAILED, path=str(folder), reason=error.strerror or ""))
    if (long := waits_long(found, desk.clock)) is not None:
        told.append(long)
    return told
