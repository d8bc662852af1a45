"""The server was restored from a copy older than this journal's fork: it knows the former code, not the present one.

What was sent as the former device is returned to it first, up to where another copy of this journal was quicker. Then
that rest and everything of the present device go on under a code given anew. A device that was revoked looks alike from
here; there the lineage is the one we know, and nothing is done.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.operations import Operation, Outcome
from operator_tui.journal.device import DeviceIdentity
from operator_tui.journal.forked import Former
from operator_tui.journal.journal import Journal
from operator_tui.sync.dictionary import dictionary_of
from operator_tui.sync.enrol import fork
from operator_tui.sync.link import Link
from operator_tui.sync.packing import FrameReader, pack
from operator_tui.sync.protocol import (
    MAX_OPERATIONS,
    PROTOCOL_VERSION,
    SYNC_PATH,
    Head,
    Results,
    SyncRequest,
    plain_operation,
)
from operator_tui.sync.taking import Taking


class Returning:
    """Belongs to the sender's event loop."""

    def __init__(self, journal: Journal, link: Link, taking: Taking, *, run: Callable[..., Awaitable[Any]]) -> None:
        self._journal = journal
        self._link = link
        self._taking = taking
        self._run = run

    async def as_known(self, device: DeviceIdentity, refused: Refusal) -> DeviceIdentity:
        """The identity to go on with. ``refused`` comes out when the server knows none that this journal ever had, or
        is the one that knew the present one."""
        formers: list[Former] = await self._run(self._journal.formers)
        for former in formers:
            try:
                head, _ = await self._ask(former, "", [])
            except Refusal as refusal:
                if refusal.code is Code.TOKEN_INVALID:
                    continue
                raise
            if head.e == device.epoch:
                break
            await self._return(former, head)
            fresh = await fork(self._link, former.identity.token)
            await self._taking.become(device, fresh, anew=True)
            return fresh
        raise refused

    async def _return(self, former: Former, head: Head) -> None:
        await self._run(self._journal.lacking, former, head.next)
        while waiting := await self._run(self._journal.waiting_as, former, MAX_OPERATIONS):
            try:
                _, outcomes = await self._ask(former, head.e, waiting)
            except Refusal as refusal:
                n = refusal.params.get("n")
                if refusal.code is not Code.FORK or n not in {operation.n for operation in waiting}:
                    raise
                # Another copy of this journal was quicker in this lineage: they part earlier than they did.
                former = await self._run(self._journal.parted, former, n)
                continue
            if not outcomes:
                raise Refusal(Code.GAP, next=head.next)
            await self._run(self._journal.settle_as, former, outcomes)

    async def _ask(self, former: Former, epoch: str, operations: list[Operation]) -> tuple[Head, list[Outcome]]:
        plain = [plain_operation(operation) for operation in operations]
        asked = SyncRequest(v=PROTOCOL_VERSION, d=former.identity.code, e=epoch, o=plain, quiet=True)
        reader = FrameReader(find=dictionary_of)
        head: Head | None = None
        outcomes: list[Outcome] = []
        async with self._link.post(SYNC_PATH, pack(asked), token=former.identity.token) as chunks:
            async for chunk in chunks:
                for frame in reader.feed(chunk):
                    if isinstance(frame, Head):
                        head = frame
                    elif isinstance(frame, Results):
                        outcomes += frame.r
        if head is None:
            raise Refusal(Code.SERVER_AWAY)
        return head, outcomes
