"""What the server says goes into the journal: one transaction for the outcomes, one for the events.

Two answers may arrive side by side, and one of them may be from before the server became another: each is taken only
while the journal is still the one that asked (docs/decisions/0025-sync-under-faults.md).
"""

from __future__ import annotations

import asyncio
import statistics
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from operator_tui.appeals.clock import Clock
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.operations import SHARED_KINDS, Event, Operation, Outcome, reference_stream
from operator_tui.journal.device import DeviceIdentity
from operator_tui.journal.journal import Journal
from operator_tui.sync.protocol import End, Frame, Head, Results

_OFFSETS = 9  # clock differences the median is taken of


@dataclass
class Answer:
    """What one answer, or one open stream, has brought so far. ``held``: the server's clock is of another time;
    ``asked``: the cursors it was asked for with, None where it does not say where every stream stands."""

    asked: Mapping[str, int] | None = None
    head: Head | None = None
    held: bool = False
    settled: int = 0
    events: int = 0
    rewound: bool = False
    end: End | None = None


class Taking:
    """Belongs to one event loop."""

    def __init__(
        self,
        journal: Journal,
        *,
        run: Callable[..., Awaitable[Any]],
        clock: Clock,
        on_cards: Callable[[Sequence[str]], None],
        on_reference: Callable[[], None] = lambda: None,
    ) -> None:
        self._journal = journal
        self._run = run
        self._clock = clock
        self._on_cards = on_cards
        self._on_reference = on_reference
        self._durable = 0
        self._offsets: deque[int] = deque(maxlen=_OFFSETS)
        self._alone = asyncio.Lock()

    @property
    def offset_ms(self) -> int:
        """How far the server's clock is ahead of ours."""
        return round(statistics.median(self._offsets)) if self._offsets else 0

    async def take(
        self,
        device: DeviceIdentity,
        batch: Sequence[dict[str, Any]],
        frames: Sequence[Frame],
        answer: Answer,
        sent_ms: int,
    ) -> None:
        """Put what has arrived into the journal, if it is still the one that asked. Refusal(SERVER_AWAY) if not."""
        if not frames:
            return
        async with self._alone:
            now: DeviceIdentity | None = await self._run(lambda: self._journal.device)
            if now is None or (now.code, now.epoch) != (device.code, device.epoch):
                if not answer.rewound:
                    raise Refusal(Code.SERVER_AWAY)  # the server or this device became another meanwhile: ask again
                return
            known = self._journal.catalogue
            await self._store(device, batch, frames, answer, sent_ms)
            if self._journal.catalogue is not known:
                self._on_reference()

    async def become(self, device: DeviceIdentity, fresh: DeviceIdentity, *, anew: bool = False) -> None:
        """Go on as ``fresh`` where ``device`` was; ``anew``: the server has nothing of ``device``. Refusal(SERVER_AWAY)
        when it is not ``device`` any more."""
        async with self._alone:
            now: DeviceIdentity | None = await self._run(lambda: self._journal.device)
            if now != device:
                raise Refusal(Code.SERVER_AWAY)  # the server became another meanwhile, the copies may be even there
            await self._run(self._journal.start_over if anew else self._journal.fork, fresh)
            self._durable = 0

    async def _store(
        self,
        device: DeviceIdentity,
        batch: Sequence[dict[str, Any]],
        frames: Sequence[Frame],
        answer: Answer,
        sent_ms: int,
    ) -> None:
        outcomes: list[Outcome] = []
        events: list[Event] = []
        for frame in frames:
            match frame:
                case Head():
                    answer.head = frame
                    if not answer.held:
                        self._offsets.append(frame.t - (sent_ms + self._clock.now_ms()) // 2)
                    answer.rewound = await self._follow_lineage(device, batch, frame)
                case Results():
                    outcomes += frame.r
                case Event():
                    events.append(frame)
                case End():
                    answer.end = frame
        if answer.head is not None and not answer.rewound and _lacks_events(answer):
            await self._rewind(answer.head)
            answer.rewound = True
        if answer.rewound or answer.head is None:
            return
        if outcomes or answer.head.durable > self._durable:
            await self._run(self._journal.settle, outcomes, durable=answer.head.durable)
            self._durable = answer.head.durable
            answer.settled += len(outcomes)
        answer.events += len(events)
        if self._lists_lost(device, answer):
            await self._run(self._journal.lists_lost)
        if not events:
            return
        changed = await self._run(self._journal.receive, events)
        if changed or any(event.k in SHARED_KINDS for event in events):
            self._on_cards(changed)

    def _lists_lost(self, device: DeviceIdentity, answer: Answer) -> bool:
        """Whether a server restored from a copy has lost the changes of the lists that are known here. Where it has
        some, the first of them brings that about; where it has none, nothing at all comes (central/api/sync.py)."""
        organisation, known = device.operator.organisation, self._journal.catalogue.reference.changes
        stream = reference_stream(organisation)
        if not known or answer.asked is None or answer.end is None or organisation not in answer.end.end:
            return False
        told = answer.end.end.get(stream)
        return not answer.asked.get(stream, 0) and (told is None or told.head == 0)

    async def _follow_lineage(self, device: DeviceIdentity, batch: Sequence[dict[str, Any]], head: Head) -> bool:
        """Another lineage of the server's database, or one that lacks what it had: start again from what it has.
        Refusal(GAP) when the journal has no longer what the server asks for."""
        lacks = bool(batch) and head.next < batch[0]["n"]
        if head.e == device.epoch and not lacks:
            return False
        await self._rewind(head)
        if lacks:
            oldest: list[Operation] = await self._run(self._journal.outbox, 1)
            if not oldest or oldest[0].n > head.next:
                raise Refusal(Code.GAP, next=head.next)
        return True

    async def _rewind(self, head: Head) -> None:
        await self._run(self._journal.rewind, head.next, head.e)
        self._durable = 0


def _lacks_events(answer: Answer) -> bool:
    """Whether a stream ends before what this desk had read of it when it asked: the server was put back from a copy and
    given no new epoch. An answer says so only of what it was asked with: answers overtake one another."""
    if answer.asked is None or answer.end is None:
        return False
    ends = answer.end.end
    return any(stream in ends and ends[stream].head < place for stream, place in answer.asked.items())
