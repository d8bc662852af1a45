"""What a list of appeals lets through, and in which order."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from operator_tui.appeals.card import Status


class Order(StrEnum):
    """How rows follow one another."""

    NEWEST = "newest"
    DUE = "due"  # what is due first (appeals/nearest.py)


class Sieve(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is let through; an empty value lets everything through.

    ``statuses`` empty means every open one; ``worker`` 0 with ``unclaimed`` means nobody's; ``due`` is the last
    local date (ISO) by which something is due for what is let through; ``group`` a level-2 group's code, ``groups``
    any of several; ``owed`` appeals of any status whose citizen has still to be told something; ``since`` and ``until``
    the first and the last instant (UTC ms) of registration; ``any_status`` finished ones too; ``sent`` those of any
    status that another organisation works on; ``text`` words as in the search.
    """

    statuses: tuple[Status, ...] = ()
    worker: int | None = None
    unclaimed: bool = False
    review: str = ""
    theme: str = ""
    result: str = ""
    closer: int | None = None
    due: str = ""
    group: str = ""
    groups: tuple[str, ...] = ()
    owed: bool = False
    since: int = 0
    until: int = 0
    any_status: bool = False
    sent: bool = False
    text: str = ""
    order: Order = Order.NEWEST


class Heap(msgspec.Struct, frozen=True):
    """Appeals in review that share a result, or a theme, or the one who closed them: ``value`` with its count."""

    value: str
    count: int
