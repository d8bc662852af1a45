"""Callers who are on their way to a colleague, so that a desk that ends meanwhile settles it at its next start."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from operator_tui.journal.store import Store  # loads the database: the desk paints without it

_TRANSFERS = "transfers"


class Transfer(msgspec.Struct, frozen=True):
    """The caller ``number`` of ``call`` was sent to the extension ``target`` at ``ms`` (UTC milliseconds); ``card`` is
    his appeal, empty where it is a draft still."""

    card: str
    call: str
    target: str
    number: str
    ms: int


def kept(store: Store) -> list[Transfer]:
    """Those that were not settled."""
    return msgspec.json.decode(store.meta(_TRANSFERS, "[]"), type=list[Transfer])


def keep(store: Store, transfers: Sequence[Transfer]) -> None:
    """These are under way, no others; inside ``writing`` only."""
    store.set_meta(_TRANSFERS, msgspec.json.encode(transfers).decode())
