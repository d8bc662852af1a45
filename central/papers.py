"""Whose sealed files an organisation is given the keys of: its own, and the papers of an appeal that it has whole.

A seal says which organisation the file was made in. An appeal that is sent on takes its papers along, and what an
insurer closes is judged by the fund with its papers before it; recordings of talks stay with who had the talk.
"""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from central.files import Files
from central.store import tables as t
from central.store.database import Database
from central.streams import region_of
from operator_tui.appeals.card import Card
from operator_tui.appeals.errors import Refusal
from operator_tui.appeals.organisations import WHOLE
from operator_tui.secrets.address import FileKind, label
from operator_tui.secrets.sealed import box_of


def labels(database: Database, kind: FileKind, organisation: str, card_id: str, box: bytes) -> frozenset[bytes]:
    """What the seal of ``box`` may say so that the organisation is given its key: the organisation itself, and, when it
    is that of a paper of the appeal and the appeal is the organisation's or shown to it whole, any that had it."""
    organisations = {organisation}
    if kind is not FileKind.RECORDING and card_id:
        card = _whole(database, card_id, organisation)
        if card is not None and _is_of(card, box, region_of(organisation)):
            organisations |= {card.stream, *card.shared}
    return frozenset(label(kind, each) for each in organisations)


def _whole(database: Database, card_id: str, organisation: str) -> Card | None:
    here = sa.select(t.card.c.body).where(t.card.c.id == card_id, t.card.c.region == region_of(organisation))
    with database.read() as connection:
        body = connection.execute(here).scalar_one_or_none()
    if body is None:
        return None
    card = msgspec.convert(body, Card)
    return card if card.stream == organisation or card.shared.get(organisation) == WHOLE else None


def _is_of(card: Card, box: bytes, region: str) -> bool:
    """Whether a file of the card begins with that box: the card's id alone would open whatever the organisation had."""
    return any(_box(region, str(paper.get("sealed", ""))) == box for paper in card.value("files") or ())


def _box(region: str, name: str) -> bytes | None:
    """None for a file that is not here."""
    try:
        return box_of(Files(region).open(name)[0])
    except (Refusal, OSError):
        return None
