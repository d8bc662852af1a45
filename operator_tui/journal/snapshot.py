"""A new or long-absent desk takes the appeals as they stand instead of everything that happened to them.

What arrives is kept here until it is whole. Then a few cards go into each transaction, and until the last of them is
there, events of the stream are not taken: a card of the snapshot is ahead of them. A desk that is killed meanwhile goes
on with the bytes it has and begins the taking again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from operator_tui.appeals.card import Card
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.journal import cards, forked, outbox
from operator_tui.journal.migrations import OPEN
from operator_tui.journal.store import Store

_TAKING, _LINEAGE, _TAG, _MISSING = "snapshot", "snapshot_of", "snapshot_tag", "missing"
# What is not answered for yet, or not in the confirmed card: it keeps its card on the screen.
_OWN = "SELECT card FROM outbox WHERE card != '' AND confirmed = 0 AND state != 'rejected'"


def taking(store: Store) -> str:
    """The stream whose snapshot is being taken, empty for none."""
    return store.meta(_TAKING)


def arrived(store: Store) -> tuple[str, int]:
    """The tag of the snapshot that is on its way, empty for none, and how many bytes of it are here."""
    return store.meta(_TAG), int(store.value("SELECT coalesce(sum(length(content)), 0) FROM snapshot_part"))


def content(store: Store) -> bytes:
    """What is here of it."""
    return b"".join(part for (part,) in store.rows("SELECT content FROM snapshot_part ORDER BY place"))


def keep(store: Store, tag: str, start: int, part: bytes) -> None:
    """Put bytes of a snapshot behind the ``start`` that are here, from 0 in the place of all; inside ``writing`` only.
    Another tag at another place is not ours to go on with: Refusal(SERVER_AWAY), and it is asked for anew."""
    if start == 0:
        drop(store)
        store.set_meta(_TAG, tag)
    if arrived(store) != (tag, start):
        raise Refusal(Code.SERVER_AWAY)
    store.db.execute("INSERT INTO snapshot_part(place, content) VALUES (?, ?)", [start, part])


def drop(store: Store) -> None:
    """Forget what has arrived; inside ``writing`` only."""
    store.db.execute("DELETE FROM snapshot_part")
    store.set_meta(_TAG, "")


def forget(store: Store) -> None:
    """There is no stream any more that one was to be taken of, or cards asked for; inside ``writing`` only."""
    drop(store)
    store.set_meta(_TAKING, "")
    store.set_meta(_MISSING, "[]")


def begin(store: Store, stream: str, epoch: str) -> None:
    """From now on the cards of the stream are only kept for the screen; inside ``writing`` only. Refusal(SERVER_AWAY)
    when ``epoch`` is not the lineage this journal follows."""
    store.set_meta(_TAKING, stream)
    store.set_meta(_LINEAGE, epoch)
    _demand_lineage(store)
    store.db.execute("UPDATE card SET stale = 1")


def _demand_lineage(store: Store) -> None:
    """Refusal(SERVER_AWAY) when the server became another since the snapshot was made: its places mean nothing here."""
    if not taking(store) or store.demand_device().epoch != store.meta(_LINEAGE):
        raise Refusal(Code.SERVER_AWAY)


def put(store: Store, found: Iterable[Card], head: int) -> list[str]:
    """Cards of the snapshot, as they stood after event ``head``; inside ``writing`` only. Their ids. Refusals: those of
    ``begin``."""
    _demand_lineage(store)
    return _put(store, found, head)


def _put(store: Store, found: Iterable[Card], head: int) -> list[str]:
    ids = []
    for card in found:
        store.db.execute(
            "INSERT INTO card(id, stream, body, stale) VALUES (?, ?, ?, 0) "
            "ON CONFLICT(id) DO UPDATE SET stream = excluded.stream, body = excluded.body, stale = 0",
            [card.id, card.stream, cards.encode(card)],
        )
        # What is written here from now on is later than what it is written over, as behind the events themselves.
        outbox.saw_stamp(store, max((stamp for _, stamp in card.stamps.values()), default=""))
        # Whatever of ours the server has taken is in the card now.
        store.db.execute("UPDATE outbox SET confirmed = 1 WHERE card = ? AND seq BETWEEN 1 AND ?", [card.id, head])
        forked.came_as(store, card)
        cards.refresh(store, card.id)
        ids.append(card.id)
    return ids


def end(store: Store, stream: str, head: int) -> list[str]:
    """All of it is there: go on behind ``head``; inside ``writing`` only. Ids of cards that show something else now.

    An appeal that was open here and is not in the snapshot is finished there; it is found by asking the centre. What
    was finished here already stays for the screen. Refusals: those of ``begin``.
    """
    _demand_lineage(store)
    drop(store)
    gone = f"SELECT id FROM shown WHERE {OPEN} AND id IN (SELECT id FROM card WHERE stale = 1) AND id NOT IN ({_OWN})"
    for (id_,) in store.rows(gone):
        store.db.execute("DELETE FROM card WHERE id = ?", [id_])
        store.db.execute("DELETE FROM shown WHERE id = ?", [id_])
    store.db.execute(
        "INSERT INTO stream(id, cursor) VALUES (?, ?) ON CONFLICT(id) DO UPDATE SET cursor = excluded.cursor",
        [stream, head],
    )
    store.set_meta(_TAKING, "")
    # Answered while it was taken: their events are behind us and come no more, the cards have what they did.
    late = f"{_OWN} AND seq BETWEEN 1 AND {int(head)} AND card IN (SELECT id FROM card WHERE stale = 0)"
    changed = sorted({id_ for (id_,) in store.rows(late)})
    for id_ in changed:
        store.db.execute("UPDATE outbox SET confirmed = 1 WHERE card = ? AND seq BETWEEN 1 AND ?", [id_, head])
        cards.refresh(store, id_)
    return changed


def give_up(store: Store) -> None:
    """There is none to be had any more: the stream is read from its beginning; inside ``writing`` only."""
    store.db.execute("DELETE FROM stream WHERE id = ?", [taking(store)])
    drop(store)
    store.set_meta(_TAKING, "")


def missing(store: Store) -> list[str]:
    """Cards that something happened to and that are not here, or only kept for the screen."""
    return msgspec.json.decode(store.meta(_MISSING, "[]"), type=list[str])


def lacks(store: Store, card_id: str) -> None:
    """Note one; inside ``writing`` only."""
    known = missing(store)
    if card_id not in known:
        store.set_meta(_MISSING, msgspec.json.encode([*known, card_id]).decode())


def found(store: Store, asked: Sequence[str], head: int, cards_found: Sequence[Card]) -> list[str]:
    """The centre's answer; inside ``writing`` only. What it does not have is not asked for again."""
    store.set_meta(_MISSING, msgspec.json.encode([one for one in missing(store) if one not in asked]).decode())
    return _put(store, cards_found, head)
