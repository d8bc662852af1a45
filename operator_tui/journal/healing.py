"""The journal compared with the server: cards that are not what the server has of a day give way to those it has."""

from __future__ import annotations

from collections.abc import Sequence

from operator_tui.appeals.card import Card
from operator_tui.appeals.sums import day_of, day_sums, first_stamp
from operator_tui.journal import cards, confirm, forked
from operator_tui.journal.store import Store


def sums(store: Store, since: int) -> tuple[str, int, dict[int, str]]:
    """The organisation's stream, the last event of it, and the sums of its cards from a day on."""
    stream = store.demand_device().operator.organisation
    rows = store.rows(
        "SELECT id, body ->> '$.rev', body ->> '$.status', body ->> '$.worker', body ->> '$.created' FROM card "
        "WHERE stale = 0 AND body ->> '$.stream' = ? AND body ->> '$.created' >= ?",
        stream,
        first_stamp(since),
    )
    return stream, confirm.cursors(store).get(stream, 0), day_sums(rows)


def take_day(store: Store, stream: str, day: int, head: int, found: Sequence[Card]) -> list[str] | None:
    """Put the server's cards of a day in the place of ours; inside ``writing`` only. None when we are not at ``head``.

    What this desk has not sent stays: it is folded over whatever the card is.
    """
    if confirm.cursors(store).get(stream, 0) != head:
        return None
    ours = {
        id_: (cards.decode(body), stale)
        for id_, body, stale, created in store.rows(
            "SELECT id, body, stale, body ->> '$.created' FROM card WHERE body ->> '$.stream' = ?", stream
        )
        if day_of(str(created)) == day
    }
    theirs = {card.id: card for card in found}
    # One that is only kept for the screen is in no sum of ours, however right it is.
    known = {id_: (card, 0) for id_, card in theirs.items()}
    changed = [id_ for id_ in ours.keys() | known.keys() if ours.get(id_) != known.get(id_)]
    for id_ in sorted(changed, key=lambda id_: id_ not in theirs):
        if id_ in theirs:
            store.db.execute(
                "INSERT INTO card(id, stream, body, stale) VALUES (?, ?, ?, 0) "
                "ON CONFLICT(id) DO UPDATE SET body = excluded.body, stale = 0",
                [id_, stream, cards.encode(theirs[id_])],
            )
            # Whatever of ours the server has taken is in the card now.
            store.db.execute("UPDATE outbox SET confirmed = 1 WHERE card = ? AND seq BETWEEN 1 AND ?", [id_, head])
            forked.came_as(store, theirs[id_])
        else:
            store.db.execute("DELETE FROM card WHERE id = ?", [id_])
        cards.refresh(store, id_)
    return sorted(changed)
