"""The journal: everything the operator did and everything he is shown, in one encrypted file on his desk.

Saved means on disk: every method that writes returns after COMMIT with synchronous=FULL (DESIGN rule 1). Methods
may be called from any thread; each holds the journal for a few milliseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from operator_tui.appeals.begun import Begun, FormOf
from operator_tui.appeals.card import Card
from operator_tui.appeals.catalogue import Catalogue
from operator_tui.appeals.clock import Clock
from operator_tui.appeals.decide import decide
from operator_tui.appeals.draft import Draft
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.lifecycle import Act
from operator_tui.appeals.operations import CARD_KINDS, SHARED_KINDS, Kind, Operation
from operator_tui.journal import (
    begun,
    cards,
    confirm,
    drafts,
    forked,
    left,
    nearing,
    outbox,
    reference,
    shared,
    sifting,
    transfers,
)
from operator_tui.journal.coming_back import ComingBack
from operator_tui.journal.confirm import Attention
from operator_tui.journal.device import DeviceIdentity
from operator_tui.journal.exchanging import Exchanging
from operator_tui.journal.file_queue import FileQueue
from operator_tui.journal.happened import Happened
from operator_tui.journal.lists import Lists
from operator_tui.journal.reading import Reading
from operator_tui.journal.sieve import Heap, Sieve
from operator_tui.journal.store import Store
from operator_tui.journal.transfers import Transfer

_DAY_MS = 86_400_000
_AT_ONCE = 50

__all__ = ["Attention", "Happened", "Heap", "Journal", "Sieve"]


class Journal(Reading, ComingBack, Exchanging, FileQueue, Lists):
    """One operator's journal. Opened once; a second desk is refused by name.

    Here stands what the operator writes; what he is shown, what comes back to him, what sync sends and takes, files on
    their way and the lists he works by are parts of it.
    """

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        with store.writing():
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

        Under another device's code what waits goes on as after a fork: known by the id it had. Of an operator who went
        to another organisation the former one's appeals are forgotten, but for what he has not sent.
        """
        with self._store.writing():
            known = self._store.device()
            if known is not None and known.code != identity.code:
                if identity.epoch != known.epoch:
                    confirm.rewind(self._store, outbox.upcoming(self._store)[1], identity.epoch)
                forked.go_on_as(self._store, identity, known=False)
            if known is not None and known.operator.organisation != identity.operator.organisation:
                left.leave(self._store, known.operator.organisation, identity.operator.organisation)
            self._store.set_meta("device", msgspec.json.encode(identity).decode())
            nearing.keep_up(self._store)

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
            outbox.append(self._store, Kind.NEWS_READ, {"news": mark})
            outbox.read_news(self._store, mark)

    def shift_began(self) -> int | None:
        """When the shift began that goes on here (UTC ms); None where none does."""
        with self._store.reading():
            return outbox.shift_began(self._store)

    def calls_without_card(self) -> list[tuple[str, str, int]]:
        """Callers answered here in the last day without a card or a draft: call, number, when (UTC ms)."""
        with self._store.reading():
            return outbox.calls_without_card(self._store, since_ms=self._store.clock.now_ms() - _DAY_MS)

    def last_calls(self, limit: int) -> list[list[tuple[Kind, dict[str, Any]]]]:
        """What is known of the calls of this desk that ended last, the newest first: each one's facts, in their order.
        They stand here for a week after the server has them."""
        with self._store.reading():
            return outbox.last_calls(self._store, limit)

    def transfers(self) -> list[Transfer]:
        """Transfers that were under way when a desk ended, or are."""
        with self._store.reading():
            return transfers.kept(self._store)

    def keep_transfers(self, under_way: Sequence[Transfer]) -> None:
        """These are under way now, no others."""
        with self._store.writing():
            transfers.keep(self._store, under_way)

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

    # begun forms

    def begun(self, user: int | None = None) -> list[Begun]:
        """What that operator, or anybody, has typed into forms and not sent, the last typed one last; of a card that
        was saved meanwhile under its id."""
        with self._store.reading():
            return begun.listed(self._store, user)

    def keep_begun(self, kept: Sequence[Begun], gone: Sequence[FormOf], user: int) -> None:
        """Write these begun forms as they stand; those that are ``gone`` were sent, or thrown away by that operator."""
        with self._store.writing():
            for of in gone:
                begun.drop(self._store, of, user)
            for one in kept:
                begun.put(self._store, one)

    # many at once

    def move_all(
        self,
        sieve: Sieve,
        act: Act,
        given: Mapping[str, Any],
        demand: Callable[[Card], None] = lambda card: None,
        among: Collection[str] | None = None,
    ) -> tuple[list[str], dict[str, Refusal]]:
        """One act on every appeal that a sieve lets through, each an operation of its own; ``demand`` may refuse one.

        ``among`` holds it to those that somebody saw in the heap, whatever has come to the sieve since.

        Returns the ids that moved and, for the others, why they did not.
        """
        moved: list[str] = []
        refused: dict[str, Refusal] = {}
        with self._store.reading():
            wanted = [one for one in sifting.ids(self._store, sieve) if among is None or one in among]
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
