"""A desk to be killed: saves cards one after another and tells each that is on disk. Started by bench/sync_kills.py.

Prints `ready`, then the id of each card after its COMMIT until its input ends; `even` when nothing is left to send.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from operator_tui.appeals.catalogue import AppealType
from operator_tui.appeals.clock import SystemClock
from operator_tui.appeals.draft import draft_of, new_draft
from operator_tui.journal.device import DeviceIdentity
from operator_tui.journal.journal import Journal
from operator_tui.reference import packaged_catalogue
from operator_tui.sync.enrol import enrol
from operator_tui.sync.link import Link
from operator_tui.sync.sender import Sender
from operator_tui.sync.settings import CentralSettings

KEY = bytes(32)
_PAUSE_S = 0.03


async def _run(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    return await asyncio.to_thread(function, *args, **kwargs)


async def work(file: Path, socket: Path, code: str) -> None:
    """Until its input ends; then nothing new is made and what is left is sent."""
    catalogue = packaged_catalogue()
    theme = catalogue.themes_of(AppealType.CONSULTATION)[0]
    journal = Journal.open(file, KEY, catalogue=catalogue, clock=SystemClock())
    link = Link(CentralSettings(), socket=socket)
    if journal.device is None:
        identity: DeviceIdentity = await enrol(link, code)
        journal.enrol(identity)
    sender = Sender(journal, link, run=_run, clock=SystemClock(), poll_s=0.2)
    sending = asyncio.create_task(sender.run())
    print("ready", flush=True)
    over = threading.Event()

    def wait_for_the_end() -> None:
        sys.stdin.read()
        over.set()

    threading.Thread(target=wait_for_the_end, daemon=True).start()
    count = 0
    while not over.is_set():
        count += 1
        fields = {"type": theme.type.value, "theme": theme.code, "phone": "+7 8652 000001", "text": f"вопрос {count}"}
        card = journal.save(new_draft(fields=fields))
        print(card.id, flush=True)
        if count % 3 == 0:
            draft = draft_of(card)
            draft.fields["comment"] = f"дополнено {count}"
            journal.save(draft)
        sender.kick()
        await asyncio.sleep(_PAUSE_S)
    while journal.unsent():
        sender.kick()
        await asyncio.sleep(0.1)
    await sender.stop()
    await asyncio.wait({sending})
    journal.close()
    print("even", flush=True)


def main() -> None:
    """``JOURNAL SOCKET CODE`` are its arguments."""
    journal, socket, code = sys.argv[1:]
    asyncio.run(work(Path(journal), Path(socket), code))
