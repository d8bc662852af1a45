"""Presence in memory: the stream is the lease, batches say what changed, what other processes said grows old."""

from __future__ import annotations

from typing import Any

from central.presence import GRACE_S, REMOTE_S, UNLEASED_S, Presences, Told
from operator_tui.sync.protocol import PresenceTold


def told(device: str, state: str, *, number: str = "2001", card: str = "", region: str = "26") -> Told:
    return Told(device, region, number, state, card)


def test_a_batch_says_what_changed_since_the_last() -> None:
    presences = Presences()
    presences.lease("a")
    assert presences.batch("b", "26") is None
    presences.watch("b", ["2001", "2002"], "")
    assert presences.batch("b", "26") == PresenceTold({"2001": "offline", "2002": "offline"})
    assert presences.tell(told("a", "ringing"), 0)
    assert presences.tell(told("a", "talking"), 1)
    assert not presences.tell(told("a", "talking"), 2)
    assert presences.batch("b", "26") == PresenceTold({"2001": "talking"})
    assert presences.batch("b", "26") is None


def test_a_number_of_another_region_is_not_told() -> None:
    presences = Presences()
    presences.tell(told("a", "talking", region="77"), 0)
    presences.watch("b", ["2001"], "")
    assert presences.batch("b", "26") == PresenceTold({"2001": "offline"})


def test_a_desk_that_lost_its_stream_is_away_after_a_while_and_not_before() -> None:
    presences = Presences()
    presences.lease("a")
    presences.tell(told("a", "talking"), 0)
    assert presences.expire(1e9) == set()
    presences.release("a", 100)
    assert presences.expire(100 + GRACE_S - 1) == set()
    presences.lease("a")
    assert presences.expire(1e9) == set()
    presences.release("a", 200)
    presences.watch("b", ["2001"], "")
    assert presences.expire(200 + GRACE_S) == {"26"}
    assert presences.batch("b", "26") == PresenceTold({"2001": "offline"})


def test_what_has_no_stream_says_it_again_or_is_forgotten() -> None:
    presences = Presences()
    presences.tell(told("a", "free"), 0)
    assert presences.expire(UNLEASED_S - 1) == set()
    assert presences.expire(UNLEASED_S) == {"26"}


def test_a_server_process_that_died_takes_its_desks_with_it() -> None:
    presences = Presences()
    presences.tell(told("a", "free"), 0, local=False)
    assert presences.local() == []
    assert presences.expire(REMOTE_S) == {"26"}


def test_who_else_has_the_card_open() -> None:
    presences = Presences()
    presences.watch("b", [], "x:1")
    presences.tell(told("b", "free", number="2002", card="x:1"), 0)
    assert presences.batch("b", "26") is None
    presences.tell(told("a", "free", card="x:1"), 0)
    presences.tell(told("c", "free", number="2003", card="x:2"), 0)
    assert presences.batch("b", "26") == PresenceTold({}, ["2001"])
    presences.tell(told("a", "free"), 0)
    assert presences.batch("b", "26") == PresenceTold({}, [])


def test_the_desk_used_last_counts() -> None:
    presences = Presences()
    presences.tell(told("a", "free"), 0)
    presences.tell(told("c", "talking"), 0)
    presences.watch("b", ["2001"], "")
    assert presences.batch("b", "26") == PresenceTold({"2001": "talking"})


def test_what_is_on_a_screen_is_found_without_going_through_all_seats() -> None:
    """A thousand desks ask every few seconds, on the event loop."""

    class Counted(dict[str, Any]):
        def values(self) -> Any:
            raise AssertionError("went through all seats")

        items = __iter__ = values

    presences = Presences()
    for number in range(50):
        presences.tell(told(f"d{number}", "free", number=str(number), card="k:1" if number < 2 else ""), 0)
    presences.watch("d0", ["1", "2", "99"], "k:1")
    presences._seats = Counted(presences._seats)
    assert presences.batch("d0", "26") == PresenceTold({"1": "free", "2": "free", "99": "offline"}, ["1"])


def test_nothing_is_kept_of_who_is_gone() -> None:
    presences = Presences()
    presences.tell(told("a", "free", card="k:1"), 0)
    presences.tell(told("a", "talking", number="2002", card="k:2"), 0)
    presences.watch("a", ["2001"], "k:2")
    presences.watch("b", ["2001", "2002"], "k:1")
    assert presences.batch("b", "26") == PresenceTold({"2001": "offline", "2002": "talking"})
    presences.expire(UNLEASED_S)
    assert not any((presences._seats, presences._by_number, presences._by_card))
    assert "a" not in presences._watches
