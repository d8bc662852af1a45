"""Keeps this desk's copy of the registry at the day of the centre, while searches go on in the old data."""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.desk.keys import REGISTRY_KEY
from operator_tui.desk.state import Light
from operator_tui.i18n import tr
from operator_tui.registry.settings import RegistrySettings

if TYPE_CHECKING:
    from operator_tui.desk.desk import Desk
    from operator_tui.registry.packages import Package

_log = logging.getLogger(__name__)
# A line that is away, another desk of this host that does the same, a disk without room: the next look finds it.
_LATER = frozenset({Code.SERVER_AWAY, Code.REGISTRY_BUSY, Code.REGISTRY_NOT_HERE})


class RegistryUpdates:
    """Looks for packages every ``fetch_minutes`` (0: never), and brings them in by a process of their own."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def follow(self) -> None:
        """As long as the desk lives. What is refused is said once a look; the old data go on serving."""
        minutes = self._desk.settings.get(RegistrySettings).fetch_minutes
        while minutes:
            await self._look()
            await asyncio.sleep(minutes * 60)

    async def _look(self) -> None:
        try:
            await self.once()
        except Refusal as refusal:
            if refusal.code not in _LATER:
                self._desk.refused(refusal)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            # Nobody cancelled us: the HTTP library ended a request from inside (see sync/listening.py).
        except Exception as error:  # following must outlive a mistake of ours, and a disk's
            _log.exception("looking for packages failed")
            self._desk.refused(Refusal(Code.REGISTRY_TRANSFER, reason=type(error).__name__))

    async def once(self) -> int:
        """Bring in what the centre has and this copy lacks; returns how many packages that were."""
        from operator_tui.registry.packages import needed
        from operator_tui.sync.packages import fetch, manifest

        parts = self._desk.parts
        registry = parts.registry
        link = parts.link
        wanted = needed(await manifest(link, parts.token), registry.as_of if registry is not None else None)
        path = parts.registry_path
        for package in wanted:
            file = await fetch(link, parts.token, package, path.parent, self._tell)
            await _in_process(file, package, path, self._desk.keys.key(REGISTRY_KEY))
            file.unlink(missing_ok=True)
        if wanted:
            await self._taken(wanted[-1])
        return len(wanted)

    async def _taken(self, last: Package) -> None:
        parts = self._desk.parts
        if parts.registry is None:
            await parts.open_registry(lambda _: None)
        else:
            await self._desk.insured.look_for_new_data()
        day = ".".join(reversed(last.as_of.split("-")))
        self._desk.light(registry=Light.ON, registry_day=day)

    def _tell(self, here: int, size: int) -> None:
        if self._desk.parts.registry is None:  # nobody can search yet: then it is worth a line
            percent = here * 100 // max(1, size)
            self._desk.notice(tr("Реестр передаётся с сервера: {percent} %").format(percent=percent))


async def _in_process(file: Path, package: Package, path: Path, key: bytes) -> None:
    """Take the package in a process of its own: a load of millions would hold this one's keys up."""
    import msgspec

    from operator_tui.registry.taking import Order

    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", "operator_tui.registry.taking",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    order = Order(str(file), str(path), key.hex(), package)
    try:
        said, _ = await process.communicate(msgspec.json.encode(order))
    except asyncio.CancelledError:
        process.kill()  # the desk ends; a generation that is not finished is no generation
        await process.communicate()
        raise
    if said:
        raise Refusal.from_wire(msgspec.json.decode(said))
    if process.returncode:
        raise Refusal(Code.REGISTRY_TRANSFER, reason=tr("код {code}").format(code=process.returncode))
