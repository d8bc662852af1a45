"""What is read from a journal: appeals by page and by word, counts, what was promised, what happened to an appeal."""

from __future__ import annotations

import random

from operator_tui.appeals.alarm import Alarm, Report
from operator_tui.appeals.card import Card, Status
from operator_tui.appeals.promises import Away
from operator_tui.journal import cards, shared, sifting, views
from operator_tui.journal.happened import Happened
from operator_tui.journal.part import Part
from operator_tui.journal.sieve import Heap, Sieve


class Reading(Part):
    """What an operator is shown."""

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

    def sample(self, sieve: Sieve, size: int) -> tuple[list[Card], frozenset[str]]:
        """Some of the appeals that a sieve lets through, chosen by chance, and the ids of all of them."""
        with self._store.reading():
            wanted = sifting.ids(self._store, sieve)
            chosen = random.sample(wanted, min(size, len(wanted)))
            shown = [card for card_id in chosen if (card := cards.shown(self._store, card_id)) is not None]
            return shown, frozenset(wanted)

    def sieves(self) -> dict[str, Sieve]:
        """The sieves the operator has kept by name."""
        with self._store.reading():
            return sifting.kept(self._store)

    def keep_sieve(self, name: str, sieve: Sieve | None) -> None:
        """Keep a sieve under a name; None forgets it."""
        with self._store.writing():
            sifting.keep(self._store, name, sieve)

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
