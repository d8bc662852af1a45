"""The journal: everything the operator did and everything he is shown, in one encrypted file on his desk.

Saved means on disk: every method that writes returns after COMMIT with synchronous=FULL (DESIGN rule 1). Methods
may be called from any thread; each holds the journal for a few milliseconds.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from operator_tui.appeals.alarm import Alarm, Report
from operator_tui.appeals.card import Card, Status
from operator_tui.appeals.catalogue import Catalogue
from operator_tui.appeals.clock import Clock
from operator_tui.appeals.decide import decide
from operator_tui.appeals.draft import Draft
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.lifecycle import Act
from operator_tui.appeals.operations import CARD_KINDS, SHARED_KINDS, Event, Kind, Operation, Outcome
from operator_tui.appeals.promises import Away
from operator_tui.appeals.reference import Version
from operator_tui.appeals.returned import Choice, Returned
from operator_tui.journal import (
    cards,
    confirm,
    drafts,
    files,
    forked,
    healing,
    outbox,
    reference,
    settling,
    shared,
    sifting,
    snapshot,
    views,
)
from operator_tui.journal.confirm import Attention
from operator_tui.journal.device import DeviceIdentity
from operator_tui.journal.files import Sending
from operator_tui.journal.forked import Former
from operator_tui.journal.happened import Happened
from operator_tui.journal.sieve import Heap, Sieve
from operator_tui.journal.store import Store

_DAY_MS = 86_400_000
_AT_ONCE = 50

__all__ = ["Attention", "Happened", "Heap", "Journal", "Sieve"]


class Journal:
    """One operator's journal. Opened once; a second desk is refused by name."""

    def __init__(self, store: Store) -> None:
        self._store = store
        with store.reading():
            reference.load(store)

    @classmethod
    def open(cls, path: Path, key: bytes, *, catalogue: Catalogue, clock: Clock) -> Journal:
        """Open, or make, the journal of that file with its raw key of 32 bytes.

        Refusals: JOURNAL_BUSY (pid), JOURNAL_KEY_WRONG and JOURNAL_DAMAGED (path; the file is untouched),
        JOURNAL_NEWER, DISK_FULL, DISK_FAILED. An existing journal is copied (``VACUUM INTO``, the copy is encrypted
        too) before it is migrated.
        """
        return cls(Store.open(path, key, catalogue=catalogue, clock=clock))

    def close(self) -> None:
        """Let go of the file and of its lock. A second call does nothing."""
        self._store.close()

    # who we are

    @property
    def device(self) -> DeviceIdentity | None:
        """Who this journal is to the server; None before enrolment."""
        with self._store.reading():
            return self._store.device()

    def enrol(self, identity: DeviceIdentity) -> None:
        """Take an identity, or a fresh token or operator of the same one.

        Under another device's code what waits goes on as after a fork: known by the id it had.
        """
        with self._store.writing():
            known = self._store.device()
            if known is not None and known.code != identity.code:
                if identity.epoch != known.epoch:
                    confirm.rewind(self._store, outbox.upcoming(self._store)[1], identity.epoch)
                forked.go_on_as(self._store, identity, known=False)
            self._store.set_meta("device", msgspec.json.encode(identity).decode())

    # operations

    def record(self, kind: Kind, x: dict[str, Any], *, card: str = "") -> Operation:
        """Write what happened (call.*, shift.*, answer.used …). Kinds that change a card have their own methods."""
        if kind in CARD_KINDS:
            raise ValueError(f"{kind} changes a card: use save or move")
        with self._store.writing():
            if kind in SHARED_KINDS:
                # The same look that the server takes: what it would refuse is not written.
                decide(None, Operation(n=0, k=kind.value, at="0" * 16, x=x), self._store.actor(), self._store.catalogue)
                shared.note(self._store, kind.value, x, self._store.actor().user)
            return outbox.append(self._store, kind, x, card=card)

    def recorded(self, call: str, *, began_ms: int | None = None) -> set[Kind]:
        """Which facts of a call stand here, so that a desk started anew doubles none: of the last day, or of all the
        time since a day before the call began (UTC ms, by whoever's clock)."""
        with self._store.reading():
            since_ms = (self._store.clock.now_ms() if began_ms is None else began_ms) - _DAY_MS
            return outbox.recorded(self._store, call, since_ms=since_ms)

    def recorded_at_pbx(self, calls: Sequence[str]) -> list[str]:
        """Which of these calls of this desk the PBX has recorded."""
        with self._store.reading():
            return outbox.recorded_at_pbx(self._store, calls)

    def news_read(self) -> frozenset[str]:
        """Marks of the announcements that were read at this desk."""
        with self._store.reading():
            return outbox.news_read(self._store)

    def read_news(self, mark: str) -> None:
        """«Прочитано»: the centre is told, and it waits for nobody here any more."""
        with self._store.writing():
            outbox.read_news(self._store, mark)
        self.record(Kind.NEWS_READ, {"news": mark})

    def shift_began(self) -> int | None:
        """When the shift began that goes on here (UTC ms); None where none does."""
        with self._store.reading():
            return outbox.shift_began(self._store)

    def calls_without_card(self) -> list[tuple[str, str, int]]:
        """Callers answered here in the last day without a card or a draft: call, number, when (UTC ms)."""
        with self._store.reading():
            return outbox.calls_without_card(self._store, since_ms=self._store.clock.now_ms() - _DAY_MS)

    def save(self, draft: Draft) -> Card:
        """«Сохранить»: a new card, or the changes of an existing one; the draft ends in the same transaction.

        Only fields that changed are sent; nothing changed, nothing written. A draft that already became a card
        becomes no second one: what differs is saved as a change. Refusals (the draft stays): FIELD_REQUIRED,
        FIELD_INVALID, LOCKED, STALE, UNKNOWN_CARD, UNKNOWN_THEME, RIGHT_MISSING, NOT_ENROLLED, DISK_FULL.
        """
        with self._store.writing():
            return cards.save(self._store, draft)

    def move(self, card_id: str, act: Act, given: Mapping[str, Any]) -> Card:
        """An act of the life-cycle («Закрыть обращение», «Перевести», …). Its refusals come out, nothing is written."""
        with self._store.writing():
            return cards.move(self._store, card_id, act, given)

    def save_and_close(self, draft: Draft, given: Mapping[str, Any]) -> Card:
        """Save and close in one transaction: both operations, or none and the draft stays."""
        with self._store.writing():
            card = cards.save(self._store, draft)
            return cards.move(self._store, card.id, Act.CLOSE, given)

    def save_promised(self, draft: Draft, promise: Mapping[str, Any]) -> Card:
        """A new card that is an «Отсроченный ответ» at once: ``promise`` has promise_due (UTC ms) and what is known of
        promise_phone, promise_ask, promise_hours, group. Type and theme may be missing, a number may not.

        A draft that became a card already is saved and deferred. Refusals: those of save and move, PROMISE_PAST.
        """
        with self._store.writing():
            if draft.card or drafts.became(self._store, draft.id):
                card = cards.save(self._store, draft)
                return cards.move(self._store, card.id, Act.DEFER, promise)
            return cards.save_promised(self._store, draft, promise)

    def save_and_defer(self, draft: Draft, given: Mapping[str, Any]) -> Card:
        """Save, and promise for another: an «Отсроченный ответ» of ``operator`` or ``group``, in one transaction."""
        with self._store.writing():
            card = cards.save(self._store, draft)
            return cards.move(self._store, card.id, Act.DEFER, given)

    # drafts

    def put_draft(self, draft: Draft) -> None:
        """Write the form as it stands now; sets its ``updated_ms``. One that was saved already makes no second card."""
        with self._store.writing():
            cards.keep_draft(self._store, draft)

    def drafts(self) -> list[Draft]:
        """All unsaved forms, the last typed one first."""
        with self._store.reading():
            return drafts.listed(self._store)

    def draft_for_call(self, call: str) -> Draft | None:
        """The unsaved form of that call."""
        with self._store.reading():
            return drafts.for_call(self._store, call)

    def drop_draft(self, draft_id: str) -> None:
        """Throw an unsaved form away, because the operator said so."""
        with self._store.writing():
            drafts.drop(self._store, draft_id)

    # views

    def card(self, card_id: str) -> Card | None:
        """The card as it is shown: confirmed, with our own unconfirmed acts folded in."""
        with self._store.reading():
            return cards.shown(self._store, card_id)

    def active(self, limit: int = 200, offset: int = 0, status: Status | None = None) -> list[Card]:
        """Appeals in work, deferred or in review (or of the status asked for, any status), newest first."""
        with self._store.reading():
            return views.active(self._store, limit=limit, offset=offset, status=status)

    def page(self, sieve: Sieve, limit: int = 200, offset: int = 0) -> list[Card]:
        """Appeals that a sieve lets through, a page at a time, in its order."""
        with self._store.reading():
            return sifting.page(self._store, sieve, limit=limit, offset=offset)

    def count(self, sieve: Sieve) -> int:
        """How many appeals a sieve lets through."""
        with self._store.reading():
            return sifting.count(self._store, sieve)

    def heaps(self, sieve: Sieve, by: str) -> list[Heap]:
        """The appeals counted by ``result``, ``theme`` or ``closer``, the largest heap first."""
        with self._store.reading():
            return sifting.heaps(self._store, sieve, by)

    def sample(self, sieve: Sieve, size: int) -> list[Card]:
        """Some of the appeals that a sieve lets through, chosen by chance."""
        with self._store.reading():
            wanted = sifting.ids(self._store, sieve)
            chosen = random.sample(wanted, min(size, len(wanted)))
            return [card for card_id in chosen if (card := cards.shown(self._store, card_id)) is not None]

    def sieves(self) -> dict[str, Sieve]:
        """The sieves the operator has kept by name."""
        with self._store.reading():
            return sifting.kept(self._store)

    def keep_sieve(self, name: str, sieve: Sieve | None) -> None:
        """Keep a sieve under a name; None forgets it."""
        with self._store.writing():
            sifting.keep(self._store, name, sieve)

    def move_all(
        self, sieve: Sieve, act: Act, given: Mapping[str, Any], demand: Callable[[Card], None] = lambda card: None
    ) -> tuple[list[str], dict[str, Refusal]]:
        """One act on every appeal that a sieve lets through, each an operation of its own; ``demand`` may refuse one.

        Returns the ids that moved and, for the others, why they did not.
        """
        moved: list[str] = []
        refused: dict[str, Refusal] = {}
        with self._store.reading():
            wanted = sifting.ids(self._store, sieve)
        for first in range(0, len(wanted), _AT_ONCE):
            # A few in each transaction: another thread's save waits for one of them, not for four thousand.
            with self._store.writing():
                for card_id in wanted[first : first + _AT_ONCE]:
                    try:
                        cards.demand_movable(self._store, card_id, act, given)
                        demand(cards.demand(self._store, card_id))
                        cards.move(self._store, card_id, act, given)
                    except Refusal as refusal:
                        if refusal.code in (Code.DISK_FULL, Code.DISK_FAILED):
                            raise
                        refused[card_id] = refusal
                    else:
                        moved.append(card_id)
        return moved, refused

    def promised(self, limit: int = 500) -> list[Card]:
        """Appeals whose answer was promised, the nearest time first."""
        with self._store.reading():
            return views.promised(self._store, limit=limit)

    def away(self) -> list[Away]:
        """Who is away, until when, and who stands in for him."""
        with self._store.reading():
            return views.away(self._store)

    def alarm(self) -> Alarm:
        """The administrator's alarm that holds now."""
        with self._store.reading():
            return shared.alarm(self._store)

    def reports(self) -> list[Report]:
        """What the desks have told the administrator, the newest first."""
        with self._store.reading():
            return shared.reports(self._store)

    def counts(self) -> dict[Status, int]:
        """How many appeals stand in each status."""
        with self._store.reading():
            return views.counts(self._store)

    def workers(self) -> dict[int, int]:
        """Who is or was at work on appeals: the user's number and how many open ones he has now."""
        with self._store.reading():
            return views.workers(self._store)

    def history(self, *, phone: str = "", enp: str = "", limit: int = 20) -> list[Card]:
        """Earlier appeals of a person or from a telephone (+7 or 8 makes no difference): open first, then newest."""
        with self._store.reading():
            return views.history(self._store, phone=phone, enp=enp, limit=limit)

    def begins(self) -> int:
        """When the oldest appeal of this journal was registered (UTC ms); 0 when there is none."""
        with self._store.reading():
            return views.begins(self._store)

    def search(self, text: str, limit: int = 50) -> list[Card]:
        """Appeals by number, names, telephone, comment, content; each word is a beginning, ё is е; newest first."""
        with self._store.reading():
            return views.search(self._store, text, limit=limit)

    def timeline(self, card_id: str) -> list[Happened]:
        """What happened to a card, in the server's order, then what it has not answered or has refused."""
        with self._store.reading():
            return views.timeline(self._store, card_id)

    # the side of sync

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

    # files on their way to the server

    def files_waiting(self) -> list[Sending]:
        """What is to be sent: papers before recordings, the oldest first."""
        with self._store.reading():
            return files.waiting(self._store)

    def files_of(self, names: Sequence[str], calls: Sequence[str]) -> list[Sending]:
        """How the files of those digests, and the recordings of those calls, are on their way."""
        with self._store.reading():
            return files.of(self._store, names, calls)

    def unsent_files(self) -> int:
        """How many wait."""
        with self._store.reading():
            return files.unsent(self._store)

    def file_went(self, name: str, sent: int, size: int) -> None:
        """So much of it is at the server."""
        with self._store.writing():
            files.went(self._store, name, sent, size)

    def file_there(self, name: str) -> None:
        """The server has it whole."""
        with self._store.writing():
            files.there(self._store, name)

    def file_put_off(self, name: str, refusal: Refusal, *, for_good: bool = False) -> None:
        """It does not go now, or never, and why."""
        with self._store.writing():
            files.put_off(self._store, name, refusal, for_good=for_good)

    def file_found(self, name: str, file: str, call: str, size: int) -> None:
        """Queue a recording that lies here and no operation of this journal names."""
        with self._store.writing():
            files.found(self._store, name, file, call, size)

    def recordings_known(self) -> set[str]:
        """The names in their folder of all recordings in the queue."""
        with self._store.reading():
            return files.known(self._store)

    def spare_files(self, before_ms: int) -> list[Sending]:
        """Recordings the server has had since before that instant, whose local copy is still here."""
        with self._store.reading():
            return files.spare(self._store, before_ms)

    def file_let_go(self, name: str) -> None:
        """Its local copy is gone."""
        with self._store.writing():
            files.let_go(self._store, name)

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

    # catching up

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

    # reference data

    @property
    def catalogue(self) -> Catalogue:
        """The reference data of the newest version known here; another value when it changes."""
        return self._store.catalogue

    def change_reference(self, name: str, rows: Mapping[str, Mapping[str, str]]) -> None:
        """Write rows of a list; each change is a version. Refusals: FIELD_REQUIRED, FIELD_INVALID, REFERENCE_STALE,
        REFERENCE_NEEDED, REFERENCE_OF_FUND, RIGHT_MISSING."""
        self._change_reference(lambda: reference.change(self._store, name, rows))

    def reference_back(self, name: str, number: int) -> None:
        """Make a list again what it was after a version, as a new version. Refusals: those above, REFERENCE_SAME."""
        self._change_reference(lambda: reference.go_back(self._store, name, number))

    def _change_reference(self, work: Callable[[], object]) -> None:
        try:
            with self._store.writing():
                work()
        except BaseException:
            with self._store.reading():
                reference.load(self._store)  # a part that was refused undid those before it
            raise

    def reference_versions(self, name: str) -> list[Version]:
        """The changes of a list, the oldest first."""
        with self._store.reading():
            return reference.versions(self._store, name)

    def attention(self) -> list[Attention]:
        """Operations that were refused or joined with another's text, until the operator has dealt with them."""
        with self._store.reading():
            return confirm.attention(self._store)

    def dismiss(self, op: str) -> None:
        """The operator has dealt with it."""
        with self._store.writing():
            confirm.dismiss(self._store, op)

    def returned(self) -> list[Returned]:
        """``attention`` with both values of each field, as the operator is shown it, oldest first."""
        with self._store.reading():
            return settling.returned(self._store)

    def waiting(self) -> int:
        """How many operations came back and wait for the operator."""
        with self._store.reading():
            return settling.waiting(self._store)

    def settle_returned(self, op: str, choice: Choice) -> Card | None:
        """Write what the operator decided and end the question, or none of both.

        None for an appeal that was refused whole. Refusals: BAD_REQUEST, and those of ``save`` and ``move``.
        """
        with self._store.writing():
            return settling.settle(self._store, op, choice)

    def settle_rivals(self, card_id: str, choice: Choice) -> Card:
        """Settle «расхождение»: the values that stand beside one another on a card. Refusals: those of ``save``."""
        with self._store.writing():
            return settling.settle_rivals(self._store, card_id, choice)
