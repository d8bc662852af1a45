"""The end of a revoked place, as far as the desk does it, and the way of its last words to the server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from operator_tui.signin.ask import ask
from operator_tui.signin.farewell import Unsent, keep, packed, waiting
from operator_tui.signin.messages import SEALED_WORK_PATH, Done
from operator_tui.signin.seat import Place, Seat
from operator_tui.sync.protocol import plain_operation

if TYPE_CHECKING:
    from operator_tui.journal.journal import Journal
    from operator_tui.sync.link import Link

_ALL = 1 << 31  # operations: more than a journal holds


async def end(seat: Seat, folder: Path, export: Callable[[], Awaitable[Unsent]] | None) -> str:
    """What is unsent is sealed for the server and on disk in ``folder``, then the keys are destroyed (design 3).

    The device's code; empty when nothing was destroyed: somebody else was told the same a moment ago, or there is
    nothing to seal the work with, or nobody to ask for it.
    """
    if not seat.is_open:
        return ""
    place = await asyncio.to_thread(lambda: seat.place)
    if not place.recovery or export is None:
        return ""
    unsent = await export()
    await asyncio.to_thread(keep, folder, place.device, packed(unsent), bytes.fromhex(place.recovery), seat.sign)
    await asyncio.to_thread(seat.destroy)
    return place.device


def unsent_in(journal: Journal) -> Unsent:
    """Operations that the server has not answered for, drafts and begun forms. On the journal's thread."""
    waiting = [plain_operation(operation) for operation in journal.outbox(_ALL)]
    texts = (*journal.drafts(), *journal.begun())
    return Unsent(waiting, [msgspec.to_builtins(text) for text in texts])


async def seal(place: Place, folder: Path, unsent: Unsent, sign: Callable[[bytes], str]) -> None:
    """What a revoked place has not sent, sealed for the server and on disk in ``folder``, ready for ``deliver``. Its
    keys live on: they are destroyed by who has them open (``end``). Refusals: those of the disk."""
    if place.recovery and (unsent.operations or unsent.drafts):
        await asyncio.to_thread(keep, folder, place.device, packed(unsent), bytes.fromhex(place.recovery), sign)


async def copy(seat: Seat, folder: Path, unsent: Unsent) -> None:
    """The same sealed pieces in another folder while the place lives, against a disk that dies; those of before that
    are not needed any more are taken away. Refusals: those of the disk.

    When its place is revoked they go to the server from the folder of any workstation (``deliver``).
    """

    def work() -> None:
        place = seat.place
        if not place.recovery:
            return
        pieces = packed(unsent) if unsent.operations or unsent.drafts else []
        kept = keep(folder, place.device, pieces, bytes.fromhex(place.recovery), seat.sign)
        for old in set(folder.glob(f"{place.device}-*.sealed")) - set(kept):
            old.unlink(missing_ok=True)

    if seat.is_open:
        await asyncio.to_thread(work)


async def deliver(connect: Callable[[], Awaitable[Link]], folder: Path) -> int:
    """Send what ended places of this machine had left unsent; how much is still here."""
    for file, message in await asyncio.to_thread(waiting, folder):
        await ask(await connect(), SEALED_WORK_PATH, message, Done)
        await asyncio.to_thread(file.unlink)
    return len(await asyncio.to_thread(waiting, folder))
