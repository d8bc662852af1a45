"""The journal as the exchange with the centre sees it: what waits, what came, another lineage, a copy, a snapshot."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from operator_tui.appeals.card import Card
from operator_tui.appeals.operations import Event, Operation, Outcome
from operator_tui.journal import confirm, forked, healing, outbox, snapshot
from operator_tui.journal.device import DeviceIdentity
from operator_tui.journal.forked import Former
from operator_tui.journal.part import Part


class Exchanging(Part):
    """What sync sends, takes and follows."""

    def outbox(self, limit: int) -> list[Operation]:
        """The oldest operations the server has not answered for, in order."""
        with self._store.reading():
            return outbox.pending(self._store, limit)

    def unsent(self) -> int:
        """How many operations wait."""
        with self._store.reading():
            return outbox.unsent(self._store)

    @property
    def appended(self) -> int:
        """How many operations were written since it was opened; grows with each, and tells nothing else."""
        return self._store.appended

    def cursors(self) -> dict[str, int]:
        """Each stream followed and the place it has been read up to; the organisation's own from the start."""
        with self._store.reading():
            return confirm.cursors(self._store)

    def settle(self, outcomes: Sequence[Outcome], *, durable: int) -> None:
        """The server's answers to our operations; late or doubled ones change nothing.

        ``durable`` is the highest number the server keeps safely: such operations go after seven days, no other.
        """
        with self._store.writing():
            confirm.settle(self._store, outcomes, durable)

    def receive(self, events: Iterable[Event]) -> list[str]:
        """Events of streams; those that are not the next of their stream are ignored. Ids of the cards that changed."""
        with self._store.writing():
            return confirm.receive(self._store, events)

    def rewind(self, next_n: int, epoch: str) -> None:
        """The server is another lineage: read it from the start, send operations from ``next_n`` on again."""
        with self._store.writing():
            confirm.rewind(self._store, next_n, epoch)

    def lists_lost(self) -> None:
        """The centre has no change of the reference lists, as far as this desk follows it: they are the release's own
        and what waits here, unless a change has arrived meanwhile."""
        with self._store.writing():
            confirm.lists_lost(self._store)

    def sums(self, since: int) -> tuple[str, int, dict[int, str]]:
        """The organisation's stream, the last event of it, and the sums of its cards by day (appeals.sums)."""
        with self._store.reading():
            return healing.sums(self._store, since)

    def take_day(self, stream: str, day: int, head: int, found: Sequence[Card]) -> list[str] | None:
        """The cards that the server has of a day, in the place of ours. Ids of the cards that changed; None when this
        journal is not at ``head``."""
        with self._store.writing():
            return healing.take_day(self._store, stream, day, head, found)

    def checked_ms(self, now_ms: int | None = None) -> int:
        """When it was last compared with the server (UTC ms), 0 never; with ``now_ms`` it has been just now."""
        if now_ms is not None:
            with self._store.writing():
                self._store.set_meta("checked", str(now_ms))
        with self._store.reading():
            return int(self._store.meta("checked", "0"))

    def fork(self, identity: DeviceIdentity) -> None:
        """This journal was copied and the server has other operations under our numbers: go on as ``identity``; what
        waits is sent under its code, with the id it had."""
        with self._store.writing():
            if identity.epoch != self._store.demand_device().epoch:
                # The server was restored between its refusal and the new code: its stream is another one.
                confirm.rewind(self._store, outbox.upcoming(self._store)[1], identity.epoch)
            forked.go_on_as(self._store, identity)

    def formers(self) -> list[Former]:
        """The identities this journal had before it was found to be a copy, the last one first."""
        with self._store.reading():
            return forked.formers(self._store)

    def lacking(self, former: Former, next_n: int) -> None:
        """The server lacks what was sent as ``former`` from ``next_n`` on: it waits again."""
        with self._store.writing():
            forked.lacking(self._store, former, next_n)

    def parted(self, former: Former, n: int) -> Former:
        """Another copy of this journal came first with an ``n`` of its own: what is left of the former identity."""
        with self._store.writing():
            return forked.parted(self._store, former, n)

    def waiting_as(self, former: Former, limit: int) -> list[Operation]:
        """What waits under a former code, in order."""
        with self._store.reading():
            return forked.waiting_as(self._store, former, limit)

    def settle_as(self, former: Former, outcomes: Sequence[Outcome]) -> None:
        """Answers to what was sent as ``former``."""
        with self._store.writing():
            confirm.settle(self._store, outcomes, 0, former.identity.code)

    def start_over(self, identity: DeviceIdentity) -> None:
        """The server was restored and does not know the present device: everything of it is sent as ``identity``."""
        with self._store.writing():
            confirm.rewind(self._store, 1, identity.epoch)
            forked.go_on_as(self._store, identity, known=False)

    @property
    def taking_snapshot(self) -> str:
        """The stream whose snapshot is being taken, empty for none."""
        with self._store.reading():
            return snapshot.taking(self._store)

    def snapshot_arrived(self) -> tuple[str, int]:
        """The tag of the snapshot that is on its way, empty for none, and how many bytes of it are here."""
        with self._store.reading():
            return snapshot.arrived(self._store)

    def snapshot_content(self) -> bytes:
        """What is here of it."""
        with self._store.reading():
            return snapshot.content(self._store)

    def keep_snapshot(self, tag: str, start: int, part: bytes) -> None:
        """Bytes that arrived: behind the ``start`` that are here, from 0 in the place of all. Refusal(SERVER_AWAY) when
        others are here."""
        with self._store.writing():
            snapshot.keep(self._store, tag, start, part)

    def drop_snapshot(self) -> None:
        """What arrived is not what it should be."""
        with self._store.writing():
            snapshot.drop(self._store)

    def begin_snapshot(self, stream: str, epoch: str) -> None:
        """From now on no event of the stream is taken, until ``end_snapshot`` or ``give_up_snapshot``.
        Refusal(SERVER_AWAY), also from the next two, when the server is another lineage than ``epoch``."""
        with self._store.writing():
            snapshot.begin(self._store, stream, epoch)

    def put_snapshot(self, found: Sequence[Card], head: int) -> list[str]:
        """Cards as they stand after event ``head``; their ids."""
        with self._store.writing():
            return snapshot.put(self._store, found, head)

    def end_snapshot(self, stream: str, head: int) -> list[str]:
        """All of it is there: events behind ``head`` are taken again. Ids of cards that show something else now."""
        with self._store.writing():
            return snapshot.end(self._store, stream, head)

    def give_up_snapshot(self) -> None:
        """There is none to be had: the stream is read from its beginning."""
        with self._store.writing():
            if snapshot.taking(self._store):
                snapshot.give_up(self._store)
            snapshot.drop(self._store)

    def missing_cards(self) -> list[str]:
        """Cards that something happened to and that are not here."""
        with self._store.reading():
            return snapshot.missing(self._store)

    def take_missing(self, asked: Sequence[str], head: int, found: Sequence[Card]) -> list[str] | None:
        """The centre's answer to that. Ids of the cards that changed; None when this journal is not at ``head``."""
        with self._store.writing():
            stream = self._store.demand_device().operator.organisation
            if confirm.cursors(self._store).get(stream, 0) != head:
                return None
            return snapshot.found(self._store, asked, head, found)
