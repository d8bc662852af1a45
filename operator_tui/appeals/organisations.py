"""Which organisation sees what of an appeal. Pure; both ends import it.

An appeal lives in the stream of one organisation, its home, which alone works on it. Sent to another organisation it
moves there whole, and those it came from keep a stub: date, type and how it stands. What an insurer closes is shown
whole to the fund of the region, whose administrator decides on it (order of the life-cycle, functions.md 1.2).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from operator_tui.appeals.card import Card, Status
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.number import REGISTER
from operator_tui.appeals.people import Role

WHOLE, STUB = "whole", "stub"
_ORGANISATION = re.compile(r"[0-9]{2}/(tf|smo-[0-9]{5})")
_JUDGED = frozenset({Status.IN_REVIEW, Status.CLOSED})
# What a stub keeps of the fields: nothing by which the caller could be known, and no word of his.
_STUB_FIELDS = ("type", "number", REGISTER, "source")


def fund_of(organisation: str) -> str:
    """``26/tf`` of ``26/smo-26001``."""
    return f"{organisation.partition('/')[0]}/tf"


def is_organisation(name: str) -> bool:
    """Whether it is the name of one, and so of the stream of its appeals."""
    return _ORGANISATION.fullmatch(name) is not None


def demand_organisation(name: str) -> None:
    """That it is one, and no other stream, whose events would be told to its people: ``26/tf/work`` is the log of who
    looked at whom. Refusal(FIELD_INVALID)."""
    if not is_organisation(name):
        raise Refusal(Code.FIELD_INVALID, field="organisation")


def looks_after(administrator: str, organisation: str) -> bool:
    """Whether the administrators of one organisation look after the people of the other: their own, and those of the
    fund everybody of the region."""
    return administrator in (organisation, fund_of(organisation))


def demand_reach(card: Card | None, card_id: str, *, organisation: str, role: Role) -> Card:
    """The card, if who asks may act on it: its home, and the administrator of the fund it was shown to whole.

    Refusals: UNKNOWN_CARD, CARD_ELSEWHERE.
    """
    if card is not None and (card.stream == organisation or _judges(card, organisation, role)):
        return card
    if card is not None and organisation in card.shared:
        raise Refusal(Code.CARD_ELSEWHERE, card=card.id)
    raise Refusal(Code.UNKNOWN_CARD, card=card_id)


def _judges(card: Card, organisation: str, role: Role) -> bool:
    return (
        role is Role.ADMINISTRATOR
        and organisation == fund_of(card.stream)
        and card.shared.get(organisation) == WHOLE
        and card.status in _JUDGED
    )


def receiver(card: Card, given: Mapping[str, Any]) -> str:
    """Where an appeal is to be sent: another organisation of the same region. Refusal(FIELD_INVALID)."""
    to = str(given["to"])
    if not _ORGANISATION.fullmatch(to) or to == card.stream or fund_of(to) != fund_of(card.stream):
        raise Refusal(Code.FIELD_INVALID, field="to")
    return to


def shared_after(before: Card | None, after: Card) -> dict[str, str]:
    """Who but its home is told of the card from now on, and how much."""
    shared = dict(after.shared)
    if before is not None and before.stream != after.stream:
        shared[before.stream] = STUB
    fund = fund_of(after.stream)
    if fund != after.stream and after.status in _JUDGED:
        shared[fund] = WHOLE
    shared.pop(after.stream, None)
    return shared


def view(card: Card, stream: str, how: str) -> Card:
    """The card as another organisation, that of ``stream``, is told it."""
    if how == WHOLE:
        return card
    kept = {field: card.fields[field] for field in _STUB_FIELDS if field in card.fields}
    return msgspec.structs.replace(
        card,
        author=0,
        worker=None,
        fields=kept,
        stamps={},
        rival={},
        shared={stream: STUB},
        review="",
    )


def is_stub(card: Card) -> bool:
    """Whether all that is known of it here is date, type and how it stands: another organisation works on it."""
    return card.author == 0 and not card.stamps


def glimpse(card: Card, stream: str) -> Card:
    """The card as an organisation that never had it may see it in a caller's history: date, type, status."""
    seen = view(card, stream, STUB)
    kept = {field: seen.fields[field] for field in ("type",) if field in seen.fields}
    return msgspec.structs.replace(seen, fields=kept, deadline="")


def told(before: Card | None, after: Card, by: str) -> dict[str, Card]:
    """What each organisation is told of a change that ``by`` made. It has the event itself and is told no more,
    unless the card left it. ``after`` carries its ``shared`` already."""
    found = _views(after)
    if before is None or before.stream == after.stream or by != before.stream:
        found.pop(by, None)
    known = _views(before) if before is not None else {}
    return {stream: card for stream, card in sorted(found.items()) if _differs(known.get(stream), card)}


def _views(card: Card) -> dict[str, Card]:
    return {card.stream: card, **{stream: view(card, stream, how) for stream, how in card.shared.items()}}


def _differs(known: Card | None, card: Card) -> bool:
    """A stub goes out again only for what it shows."""
    return known is None or msgspec.structs.replace(known, rev=card.rev) != card
