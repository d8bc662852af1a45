"""Every kind of operation there is goes into a stream; one that is added later joins by itself."""

from __future__ import annotations

from typing import Any

from central.store import tables as t
from operator_tui.appeals.operations import CARD_KINDS, REFERENCE_KINDS, REQUIRED_KEYS, SHARED_KINDS, Kind
from tests.central.desks import Office

_SAID: dict[str, Any] = {"by": "caller", "file": "k7q2mx-41.opus", "sha256": "0" * 64, "reason": "данные карты"}
FACTS = [kind for kind in Kind if kind not in CARD_KINDS | SHARED_KINDS | REFERENCE_KINDS]


def test_everything_that_happens_is_taken_and_kept(office: Office) -> None:
    desk = office.desk("Петрова")
    said = [
        {"ms": 1_790_000_000_000 + place, **{key: _SAID.get(key, f"7{place}") for key in REQUIRED_KEYS.get(kind, ())}}
        for place, kind in enumerate(FACTS)
    ]
    answer = desk.send(*(desk.operation(kind.value, x) for kind, x in zip(FACTS, said, strict=True)))
    assert answer.states == ["applied"] * len(FACTS)
    kept = office.rows(t.event, stream="26/tf/work")
    assert [row.kind for row in kept] == [kind.value for kind in FACTS]
    assert [outcome.q for outcome in answer.outcomes] == list(range(1, len(FACTS) + 1))


def test_without_what_it_needs_it_comes_back_and_the_next_goes_on(office: Office) -> None:
    desk = office.desk("Петрова")
    needy = [kind for kind in FACTS if REQUIRED_KEYS.get(kind)]
    answer = desk.send(*(desk.operation(kind.value) for kind in needy), desk.operation("shift.begun"))
    assert [outcome.w for outcome in answer.outcomes] == ["field_required"] * len(needy) + [""]
