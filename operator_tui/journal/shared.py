"""What every desk of the organisation is told beside the cards: who is away, the alarm, reports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from operator_tui.appeals.alarm import Alarm, Report, Told, parse_alarm, parse_report, with_report
from operator_tui.appeals.errors import Refusal
from operator_tui.appeals.operations import Kind
from operator_tui.journal import views
from operator_tui.journal.finding import phone_key
from operator_tui.journal.store import Store

_ALARM, _REPORTS = "alarm", "reports"


def note(store: Store, kind: str, x: Mapping[str, Any], by: int) -> None:
    """Take it into account; inside ``writing`` only. What this release does not understand changes nothing."""
    try:
        if kind == Kind.PERSON_AWAY:
            views.note_away(store, x)
        elif kind == Kind.ALARM:
            said = parse_alarm(x)
            if said.since_ms >= alarm(store).since_ms:  # an older one that comes late
                store.set_meta(_ALARM, msgspec.json.encode(said).decode())
        elif kind == Kind.REPORTED:
            known = with_report(_reports(store), parse_report(x, by))
            store.set_meta(_REPORTS, msgspec.json.encode(known).decode())
    except Refusal:
        return


def forget(store: Store) -> None:
    """Nothing of it concerns this desk any more; inside ``writing`` only."""
    store.set_meta(_ALARM, "{}")
    store.set_meta(_REPORTS, "[]")
    views.forget_away(store)


def alarm(store: Store) -> Alarm:
    """The one that holds now."""
    return msgspec.json.decode(store.meta(_ALARM, "{}"), type=Alarm)


def reports(store: Store) -> list[Report]:
    """The newest first; a call whose card came meanwhile is no longer one without."""
    return [one for one in reversed(_reports(store)) if not (one.kind is Told.NO_CARD and _has_card(store, one))]


def _reports(store: Store) -> list[Report]:
    return msgspec.json.decode(store.meta(_REPORTS, "[]"), type=list[Report])


def _has_card(store: Store, report: Report) -> bool:
    """Looked for among the cards of that number: there is an index of those."""
    rows = store.rows(
        "SELECT 1 FROM shown WHERE phone = ? AND body ->> '$.fields.call' = ? LIMIT 1",
        phone_key(report.number),
        report.call,
    )
    return bool(list(rows))
