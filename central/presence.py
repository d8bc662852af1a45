"""Who is doing what, for as long as his desk is there. Kept in memory: the open stream is the lease.

Belongs to one event loop. Other server processes tell theirs over the bus (central/bus.py), again every half a minute;
what one of them has not said for a while is gone with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from operator_tui.appeals.presence import State
from operator_tui.sync.protocol import PresenceTold

# A desk whose line broke comes back within this without having been away.
GRACE_S = 20.0
# A desk without a stream (behind a proxy that buffers) says again what it does within this.
UNLEASED_S = 150.0
REMOTE_S = 90.0


class Told(msgspec.Struct, frozen=True, array_like=True):
    """What one desk said of itself, as it goes to other server processes."""

    device: str
    region: str
    number: str
    state: str
    card: str


@dataclass
class _Seat:
    told: Told
    until: float  # monotonic seconds
    local: bool
    order: int


@dataclass
class _Watch:
    numbers: tuple[str, ...] = ()
    card: str = ""
    sent: dict[str, str] = field(default_factory=dict)
    sent_card: list[str] | None = None


class Presences:
    """All desks that this process knows of."""

    def __init__(self) -> None:
        self._seats: dict[str, _Seat] = {}
        self._leased: set[str] = set()
        self._watches: dict[str, _Watch] = {}
        self._count = 0
        # Every desk asks for what is on its screen every few seconds: nobody goes through all seats for it.
        self._by_number: dict[tuple[str, str], dict[str, _Seat]] = {}
        self._by_card: dict[tuple[str, str], dict[str, _Seat]] = {}

    def tell(self, told: Told, now: float, *, local: bool = True) -> bool:
        """A desk said what it does. Whether that is news."""
        before = self._seats.get(told.device)
        here = float("inf") if told.device in self._leased else UNLEASED_S
        life = here if local else REMOTE_S
        self._count += 1
        self._take_out(told.device)
        seat = self._seats[told.device] = _Seat(told, now + life, local, self._count)
        self._by_number.setdefault((told.region, told.number), {})[told.device] = seat
        if told.card:
            self._by_card.setdefault((told.region, told.card), {})[told.device] = seat
        return before is None or before.told != told

    def lease(self, device: str) -> None:
        """Its stream is open."""
        self._leased.add(device)
        if seat := self._seats.get(device):
            seat.until, seat.local = float("inf"), True

    def release(self, device: str, now: float) -> None:
        """Its stream is closed: it is away soon, unless it comes back."""
        self._leased.discard(device)
        self._watches.pop(device, None)
        if (seat := self._seats.get(device)) and seat.local:
            seat.until = now + GRACE_S

    def expire(self, now: float) -> set[str]:
        """Forget desks whose time is over; their regions."""
        gone = [device for device, seat in self._seats.items() if seat.until <= now]
        regions: set[str] = set()
        for device in gone:
            regions.add(self._seats[device].told.region)
            self._take_out(device)
            self._watches.pop(device, None)
        return regions

    def _take_out(self, device: str) -> None:
        seat = self._seats.pop(device, None)
        if seat is None:
            return
        told = seat.told
        for found, key in ((self._by_number, (told.region, told.number)), (self._by_card, (told.region, told.card))):
            if key in found:
                found[key].pop(device, None)
                if not found[key]:
                    del found[key]

    def local(self) -> list[Told]:
        """What other processes are to be told again."""
        return [seat.told for seat in self._seats.values() if seat.local]

    def watch(self, device: str, numbers: Iterable[str], card: str) -> None:
        """The numbers on a desk's screen and the card before it."""
        now = tuple(numbers)
        watch = self._watches.setdefault(device, _Watch())
        if now != watch.numbers:
            watch.sent = {number: state for number, state in watch.sent.items() if number in now}
        if card != watch.card:
            watch.sent_card = None
        watch.numbers, watch.card = now, card

    def batch(self, device: str, region: str) -> PresenceTold | None:
        """What changed for a desk since its last batch, None when nothing did."""
        watch = self._watches.get(device)
        if watch is None:
            return None
        now = {number: self._state(region, number) for number in watch.numbers}
        changed = {number: state for number, state in now.items() if watch.sent.get(number) != state}
        beside = self._beside(device, region, watch.card)
        news = beside if beside != (watch.sent_card or []) else None
        if not changed and news is None:
            return None
        watch.sent, watch.sent_card = now, beside
        return PresenceTold(changed, news)

    def _state(self, region: str, number: str) -> str:
        """What the last of a number's desks said."""
        seats = self._by_number.get((region, number), {}).values()
        return max(seats, key=lambda seat: seat.order).told.state if seats else State.OFFLINE.value

    def _beside(self, device: str, region: str, card: str) -> list[str]:
        if not card:
            return []
        seats = self._by_card.get((region, card), {})
        return sorted({seat.told.number for other, seat in seats.items() if other != device})
