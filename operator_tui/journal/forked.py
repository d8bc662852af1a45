"""A copied journal goes on under a device code of its own: what waits is sent again, known by the id it had.

Two journals that count under one code give different operations the same id. The server notices and refuses; the
journal it refuses takes a new code. What both copies have was settled under the old one before; what still waits was
made after they parted. Its old ids belong to the other copy, so whatever of ours refers to one of them is made to
refer to the new id (design 1.5, rule 1).
"""

from __future__ import annotations

from typing import Any

import msgspec

from operator_tui.appeals.card import Card, Status
from operator_tui.appeals.draft import Draft
from operator_tui.appeals.number import REGISTER
from operator_tui.appeals.operations import REFERENCE_KINDS, Operation, operation_id
from operator_tui.appeals.organisations import is_stub
from operator_tui.journal import begun, cards, nearing, outbox
from operator_tui.journal.device import DeviceIdentity
from operator_tui.journal.store import Store

# The index of shown begins with the status.
_EVERY_STATUS = ", ".join(f"'{status.value}'" for status in Status)
_NO_NUMBER = 1 << 62  # above every number an operation has
_FORMERS, _UNKNOWN = "formers", "formers_unknown"


class Former(msgspec.Struct, frozen=True):
    """An identity this journal had; what is under its code from ``since`` to before ``to`` was sent as that one.

    A copy of the server's base held those up to ``durable`` when it was left.
    """

    identity: DeviceIdentity
    to: int
    since: int = 1
    durable: int = 0


def formers(store: Store) -> list[Former]:
    """The identities it had, the last one first."""
    return _formers(store, _FORMERS)


def _formers(store: Store, key: str) -> list[Former]:
    return msgspec.json.decode(store.meta(key, "[]"), type=list[Former])


def _set_formers(store: Store, key: str, found: list[Former]) -> None:
    store.set_meta(key, msgspec.json.encode(found).decode())


def lacking(store: Store, former: Former, next_n: int) -> None:
    """The server lacks what we sent as ``former`` from ``next_n`` on: it waits again; inside ``writing`` only.

    What no copy of its base held waits again too: another copy of this journal may have sent its own under those
    numbers already, and only the server can tell. Identities we had after that one it does not know at all: what is
    under them goes before what is under the present one, when that is given a new code.
    """
    known = formers(store)
    at = [each.identity.code for each in known].index(former.identity.code)
    left = msgspec.structs.replace(known[at], durable=min(known[at].durable, next_n - 1))
    _set_formers(store, _FORMERS, [left, *known[at + 1 :]])
    # Those that were unknown before are younger than whatever was still known then.
    _set_formers(store, _UNKNOWN, [*_formers(store, _UNKNOWN), *known[:at]])
    store.db.execute(
        "UPDATE outbox SET state = 'pending', seq = 0, result = NULL WHERE device = ? AND n >= ? AND n < ?",
        [left.identity.code, left.durable + 1, left.to],
    )
    outbox.judge_anew(store)


def parted(store: Store, former: Former, n: int) -> Former:
    """The server has another copy's operation under ``n`` of ``former``, after ``lacking``: in this lineage the copies
    part there already. Ours from there on go before what is under the identities after it; inside ``writing`` only.
    What is left of the former one."""
    first, *others = formers(store)
    if first.identity.code != former.identity.code or not first.since <= n < first.to:
        raise ValueError(f"{n} is not of {former.identity.code}")
    left = msgspec.structs.replace(first, to=n)
    _set_formers(store, _FORMERS, [left, *others])
    _set_formers(store, _UNKNOWN, [*_formers(store, _UNKNOWN), msgspec.structs.replace(first, since=n)])
    return left


def waiting_as(store: Store, former: Former, limit: int) -> list[Operation]:
    """What waits under a former code, in order."""
    rows = store.rows(
        "SELECT body FROM outbox WHERE device = ? AND n < ? AND state = 'pending' ORDER BY n LIMIT ?",
        former.identity.code,
        former.to,
        limit,
    )
    return [outbox.decode(body) for (body,) in rows]


def go_on_as(store: Store, identity: DeviceIdentity, *, known: bool = True) -> None:
    """Take the identity and put the waiting operations into its queue; inside ``writing`` only. ``known``: the server
    knows the present one, which is kept as a former."""
    present = store.demand_device()
    waiting = _rows(store, "device = ? AND state = 'pending'", present.code)
    if known:
        at = waiting[0][1] if waiting else int(store.meta("next_n", "1"))
        left = Former(present, at, durable=int(store.meta("durable", "0")))
        _set_formers(store, _FORMERS, [left, *formers(store)])
    else:
        for each in _formers(store, _UNKNOWN):  # the last one first
            waiting = _rows(store, "device = ? AND n >= ? AND n < ?", each.identity.code, each.since, each.to) + waiting
        _set_formers(store, _UNKNOWN, [])
    moved = {operation_id(*row[:2]): operation_id(identity.code, n) for n, row in enumerate(waiting, 1)}
    touched: set[str] = set()
    # An operation refers to ours before it; the same id from there on is the other copy's, as is one that of ours is
    # about something else.
    earlier: dict[str, dict[str, str]] = {}
    for n, (code, old_n, card, kind, body, at_ms, confirmed) in enumerate(waiting, 1):
        store.db.execute("DELETE FROM outbox WHERE device = ? AND n = ?", [code, old_n])
        own = operation_id(code, old_n)
        store.db.execute("DELETE FROM attention WHERE op = ? AND done = 0", [own])  # nobody has judged it here yet
        ours = earlier.setdefault(_subject(kind, card), {})
        operation = _moved(outbox.decode(body), n, own, ours)
        ours[own] = moved[own]
        about = ours.get(card, card)
        store.db.execute(
            "INSERT INTO outbox(device, n, card, kind, body, at_ms, confirmed) VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                *(identity.code, n, about, kind),
                *(msgspec.json.encode(operation).decode(), at_ms, confirmed if about == card else 0),
            ],
        )
        touched |= {card, about}
    store.set_meta("device", msgspec.json.encode(identity).decode())
    nearing.keep_up(store)
    store.set_meta("next_n", str(len(waiting) + 1))
    store.set_meta("durable", "0")
    _move_forms(store, earlier)
    for card in touched - {""}:
        if card in earlier.get(card, {}):
            # Ours, kept for the screen after a change of epoch; the other copy's comes from the stream.
            store.db.execute("DELETE FROM card WHERE id = ? AND stale = 1", [card])
        cards.refresh(store, card)


def _rows(store: Store, which: str, *given: Any) -> list[tuple[Any, ...]]:
    return store.rows(
        f"SELECT device, n, card, kind, body, at_ms, confirmed FROM outbox WHERE {which} ORDER BY n", *given
    )


def known_as(store: Store, code: str, n: int, op: str) -> set[str]:
    """The server had our operation ``n`` of the device ``code`` from another copy of this journal, as ``op``: what of
    ours refers to it means that one. Inside ``writing`` only; the cards to be shown anew.
    """
    own = operation_id(code, n)
    ids = {own: op}
    ((own_kind, own_card),) = store.rows("SELECT kind, card FROM outbox WHERE device = ? AND n = ?", code, n)
    subject = _subject(own_kind, own_card)
    waiting = store.rows("SELECT device, n, kind, card, body FROM outbox WHERE state = 'pending'")
    for device, other, kind, card, body in waiting:
        if _subject(kind, card) != subject:
            continue
        operation = outbox.decode(body)
        meant = _moved(operation, other, operation.was, ids)
        if meant != operation:
            store.db.execute(
                "UPDATE outbox SET body = ? WHERE device = ? AND n = ?",
                [msgspec.json.encode(meant).decode(), device, other],
            )
    # Its event comes under the other id: what stands there already holds it.
    store.db.execute("UPDATE outbox SET confirmed = 1 WHERE device = ? AND n = ?", [code, n])
    _move_forms(store, {subject: ids})
    if subject != own:
        return set()
    store.db.execute("UPDATE outbox SET card = ? WHERE card = ?", [op, own])
    store.db.execute("UPDATE attention SET card = ? WHERE card = ?", [op, own])
    store.db.execute("DELETE FROM card WHERE id = ?", [own])
    return {own, op}


def came_as(store: Store, card: Card, was: str = "") -> None:
    """A card of a lost lineage, kept for the screen, was returned by another copy of its journal, or by the journal it
    was made in after a copy had done so in the lineage that is lost.

    It has the id of ``card`` now: the old one gives way, what waits here for it means the new one. The old one is the
    id it was made with (``was``, where the server says it), or one that a copy had given it in the lineage that is
    lost. Inside ``writing`` only.
    """
    kept = store.rows(
        f"SELECT card.id, card.body FROM card JOIN shown ON shown.id = card.id "
        f"WHERE shown.status IN ({_EVERY_STATUS}) AND shown.created = ? AND card.stale = 1",
        card.created,
    )
    if was:  # a stamp far ahead of the server's clock is another in each lineage
        kept += store.rows("SELECT id, body FROM card WHERE id = ? AND stale = 1", was)
    for id_, body in dict(kept).items():
        if id_ != card.id and _of_one_making(cards.decode(body), card):
            _give_way(store, id_, card.id)


def _of_one_making(kept: Card, card: Card) -> bool:
    """Whether one operation made both. Copies of a journal may give two the same number and the same stamp: what the
    operations wrote and nobody has changed since tells them apart. Of a stub only the number is told."""
    if kept.value("number") != card.value("number"):
        return False
    if is_stub(kept) or is_stub(card):
        return True
    made = [{field for field, (op, _) in each.stamps.items() if op == each.id} for each in (kept, card)]
    written = (made[0] | made[1]) - {REGISTER}
    if kept.author != card.author or not written <= kept.stamps.keys() & card.stamps.keys():
        return False
    return all(kept.value(field) == card.value(field) for field in made[0] & made[1] & written)


def _give_way(store: Store, old: str, new: str) -> None:
    """The card kept as ``old`` is the one that came as ``new``.

    An appeal of ours that waits under that number is another one, or the answer says under which id it stands: it
    stays, with what refers to it. Anything else of ours that has the number is no appeal and holds nothing up.
    """
    device, n = outbox.split_id(old)
    made = store.value(
        "SELECT 1 FROM outbox WHERE device = ? AND n = ? AND state = 'pending' AND kind = 'card.new'", device, n
    )
    ids = {old: new}
    # From ours on the id means ours, before it the copy's.
    theirs = "card = ? AND (device != ? OR n < ?)"
    about = (old, device, n if made else _NO_NUMBER)
    for other, number, plain in store.rows(
        f"SELECT device, n, body FROM outbox WHERE {theirs} AND state = 'pending'", *about
    ):
        operation = outbox.decode(plain)
        store.db.execute(
            "UPDATE outbox SET body = ? WHERE device = ? AND n = ?",
            [msgspec.json.encode(_moved(operation, number, operation.was, ids)).decode(), other, number],
        )
    store.db.execute(f"UPDATE outbox SET card = ? WHERE {theirs}", [new, *about])
    store.db.execute(
        "UPDATE attention SET card = ? WHERE card = ? "
        "AND op NOT IN (SELECT device || ':' || n FROM outbox WHERE card = attention.card)",
        [new, old],
    )
    store.db.execute("DELETE FROM card WHERE id = ?", [old])
    if not made:
        _move_forms(store, {old: ids})
    cards.refresh(store, old)


def _moved(operation: Operation, n: int, was: str, moved: dict[str, str]) -> Operation:
    return msgspec.structs.replace(
        operation,
        n=n,
        was=operation.was or was,
        c=moved.get(operation.c, operation.c),
        b={field: moved.get(op, op) for field, op in operation.b.items()},
    )


def _subject(kind: str, card: str) -> str:
    """What an operation is about: operations refer to others of the same. Empty for what none refers to."""
    return card or ("reference" if kind in REFERENCE_KINDS else "")


def _move_forms(store: Store, moved: dict[str, dict[str, str]]) -> None:
    """Unsaved forms of our cards, and which card a form became; ``moved`` by the card as it was known."""
    for old, ids in moved.items():
        if old in ids:
            store.db.execute("UPDATE saved SET card = ? WHERE card = ?", [ids[old], old])
            begun.known_as(store, old, ids[old])
    for draft_id, body in store.rows("SELECT id, body FROM draft"):
        draft = msgspec.json.decode(body, type=Draft)
        ids = moved.get(draft.card, {})
        draft.card = ids.get(draft.card, draft.card)
        draft.base = {field: ids.get(op, op) for field, op in draft.base.items()}
        store.db.execute("UPDATE draft SET body = ? WHERE id = ?", [msgspec.json.encode(draft).decode(), draft_id])
