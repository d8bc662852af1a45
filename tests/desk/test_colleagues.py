"""Presence on the desk: what is told, what is shown, and that somebody else has the card open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from operator_tui.appeals.clock import ManualClock
from operator_tui.appeals.presence import Presence, State
from operator_tui.desk.colleagues import Colleagues
from operator_tui.desk.state import DeskState, Topic
from operator_tui.sync.presence import PresenceTeller
from operator_tui.sync.protocol import PresenceRequest, PresenceTold


class Seat:
    """As much of a desk as this room looks at."""

    def __init__(self) -> None:
        self.state = DeskState(colleagues={"2003": "ringing"})
        self.said: list[str] = []
        self.listeners: list[Callable[[Topic], None]] = []

    def listen(self, listener: Callable[[Topic], None]) -> None:
        self.listeners.append(listener)

    def notice(self, text: str) -> None:
        self.said.append(text)

    def change(self, topic: Topic, **values: Any) -> None:
        self.state = replace(self.state, **values)
        for listener in self.listeners:
            listener(topic)


async def _nowhere(asked: PresenceRequest) -> None:
    return None


def made() -> tuple[Seat, Colleagues, PresenceTeller]:
    seat = Seat()
    colleagues = Colleagues(seat)  # type: ignore[arg-type]  # made up
    teller = PresenceTeller(_nowhere, clock=ManualClock(), on_change=colleagues.heard)
    return seat, colleagues, teller


def test_without_a_server_the_pbx_is_asked() -> None:
    _, colleagues, _ = made()
    colleagues.watch(["2003"])
    assert colleagues.state("2003") == "ringing"
    assert colleagues.state("2004") is None


def test_the_servers_word_goes_first_for_what_is_on_the_screen() -> None:
    _, colleagues, teller = made()
    colleagues.attach(teller)
    colleagues.watch(["2003"])
    teller.told(PresenceTold({"2003": "break", "2009": "free"}))
    assert colleagues.state("2003") == "break"
    assert colleagues.state("2009") is None, "not on the screen"
    teller.closed()
    assert colleagues.state("2003") == "ringing", "old words are not kept"


def test_who_sits_at_no_desk_may_have_a_telephone_all_the_same() -> None:
    _, colleagues, teller = made()
    colleagues.attach(teller)
    colleagues.watch(["2003", "2004"])
    teller.told(PresenceTold({"2003": "offline", "2004": "offline"}))
    assert colleagues.state("2003") == "ringing"
    assert colleagues.state("2004") == "offline", "the PBX says nothing of him"


def test_state_and_open_card_are_told() -> None:
    seat, colleagues, teller = made()
    colleagues.attach(teller)
    colleagues.attach(teller)
    assert len(seat.listeners) == 1
    seat.change(Topic.PHONE, presence=Presence(State.TALKING))
    assert (teller._now.s, teller._now.card) == ("talking", "")
    seat.change(Topic.CARD, card=SimpleNamespace(saved=SimpleNamespace(id="k7q2mx:1")))
    assert teller._now.card == "k7q2mx:1"
    seat.change(Topic.CARD, card=None)
    assert teller._now.card == ""


def test_who_else_has_the_card_open_is_said_once() -> None:
    seat, colleagues, teller = made()
    colleagues.attach(teller)
    teller.told(PresenceTold({}, ["2003"]))
    teller.told(PresenceTold({"2003": "talking"}))
    assert len(seat.said) == 1
    assert "2003" in seat.said[0]
    teller.told(PresenceTold({}, []))
    teller.told(PresenceTold({}, ["2003"]))
    assert len(seat.said) == 2
