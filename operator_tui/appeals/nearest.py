"""When something is due for an appeal: the nearest end of its terms, or the time promised where that is earlier.

One instant, of which the sign at a row, the days it says and the order of the lists are all made.
"""

from __future__ import annotations

from operator_tui.appeals.card import Card
from operator_tui.appeals.catalogue import Catalogue
from operator_tui.appeals.deadlines import day_end_ms, days_left, local_date
from operator_tui.appeals.promises import promise_of
from operator_tui.appeals.terms import ends_of


def nearest_ms(card: Card, catalogue: Catalogue, zone: str) -> int | None:
    """UTC milliseconds; None for an appeal that is not open, and for one for which nothing is due.

    A term lasts to the end of its last local date; what was promised, to its minute.
    """
    theme = catalogue.themes.get(str(card.value("theme")))
    ends = ends_of(card, theme.level2_group if theme else "", zone, catalogue.terms)
    found = [day_end_ms(until, zone) for until in ends.values()]
    promise = promise_of(card)
    if promise is not None and promise.due_ms:
        found.append(promise.due_ms)
    return min(found, default=None)


def nearest_days(card: Card, catalogue: Catalogue, now_ms: int, zone: str) -> int | None:
    """Days from the local date of now to that instant, negative when it is past; None where nothing is due."""
    due_ms = nearest_ms(card, catalogue, zone)
    return None if due_ms is None else days_left(local_date(due_ms, zone), now_ms, zone)
