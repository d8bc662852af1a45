"""What the desk knows of its parts: plain values for the screen to paint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from operator_tui.appeals.alarm import Alarm
from operator_tui.appeals.card import Card, Status
from operator_tui.appeals.organisations import is_stub
from operator_tui.appeals.people import Operator
from operator_tui.appeals.presence import Presence
from operator_tui.journal.files import Sending
from operator_tui.phone.line import Call, CallState, Quality, QueueState, Registration, Sound
from operator_tui.registry.people import Person
from operator_tui.signin.people import SeatOfPerson


class Light(StrEnum):
    """How a part of the desk is. Painted as a word and a sign, never as a colour alone (DESIGN rule 7)."""

    STARTING = "starting"
    ON = "on"
    AWAY = "away"  # not there now, comes back by itself
    TROUBLE = "trouble"  # somebody has to do something
    OFF = "off"  # switched off on purpose


class Topic(StrEnum):
    """What has changed; the screen repaints what shows it."""

    LIGHTS = "lights"
    PHONE = "phone"
    CARD = "card"
    TYPED = "typed"  # the operator wrote into the card: the form already shows it
    JOURNAL = "journal"
    NOTICE = "notice"
    REFERENCE = "reference"  # the lists everybody works by


@dataclass(frozen=True)
class Lights:
    """The parts at a glance. ``unsent`` operations wait in the outbox, ``files`` beside them; ``registry_day`` is the
    data's local date."""

    phone: Light = Light.STARTING
    server: Light = Light.STARTING
    registry: Light = Light.STARTING
    registry_day: str = ""
    unsent: int = 0
    files: int = 0

    @property
    def waiting(self) -> int:
        """All that has not gone to the server."""
        return self.unsent + self.files


@dataclass(frozen=True)
class Notice:
    """One line for the operator. ``urgent`` when something has to be done; ``about`` the draft of the card whose person
    is read back in it: it goes with that card, and with its call."""

    text: str = ""
    urgent: bool = False
    about: str = ""


@dataclass(frozen=True)
class CardAtHand:
    """The card on the work screen.

    ``fields`` is what stands in the form; ``typed`` the fields the operator wrote himself; ``saved`` the card in the
    journal once there is one; ``candidates`` people found by the caller's number; ``history`` earlier appeals;
    ``edition`` counts what the program wrote into the fields: a form may overwrite the field one is typing in only
    when it has grown. ``finished`` once it was closed or promised here and nothing was written since. ``base`` and
    ``seen`` are what the operator saw when he opened a card of the journal: which operation wrote each field, and its
    value. ``former`` is the draft it had before it was saved.
    """

    draft: str
    call: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)
    typed: frozenset[str] = frozenset()
    saved: Card | None = None
    person: Person | None = None
    candidates: tuple[Person, ...] = ()
    history: tuple[Card, ...] = ()
    of_centre: frozenset[str] = frozenset()  # of these, the appeals that this desk does not hold
    history_since: str = ""  # the local date (ISO) this desk's own history begins, while the centre can not be asked
    script: str = ""
    edition: int = 0
    finished: bool = False
    base: Mapping[str, str] = field(default_factory=dict)
    seen: Mapping[str, Any] = field(default_factory=dict)
    former: str = ""

    def is_of(self, other: CardAtHand) -> bool:
        """Whether both are one card. Saving gives it another draft: then it is known by its id, or by its call."""
        return self.same_as(other) or bool(other.call and self.call == other.call)

    def same_as(self, other: CardAtHand) -> bool:
        """As ``is_of``, but two appeals of one call are two."""
        saved = self.saved is not None and other.saved is not None and self.saved.id == other.saved.id
        return other.draft in (self.draft, self.former) or saved

    @property
    def known_as(self) -> str:
        """The id of the appeal once there is one, until then the draft's."""
        return self.saved.id if self.saved is not None else self.draft

    @property
    def represented(self) -> bool:
        """Whether the caller speaks for somebody else: then the insured and he are two people."""
        return bool(self.fields.get("representative") or self.fields.get("insured_name"))

    @property
    def editable(self) -> bool:
        if self.saved is None:
            return True
        return self.saved.status in (Status.IN_WORK, Status.DEFERRED) and not is_stub(self.saved)


@dataclass(frozen=True)
class DeskState:
    """Everything a screen may paint, as one value."""

    operator: Operator | None = None
    presence: Presence = field(default_factory=Presence)
    lights: Lights = field(default_factory=Lights)
    limit_ms: int | None = None  # when this state has lasted as long as it may (UTC ms)
    overtime_ms: int | None = None  # from when on (UTC ms) the shift is overtime
    next_state: str = ""  # what comes after the call: a kind of break, the end of work; empty: free again
    ends: int = 0  # grows when the end of work that was chosen in a talk has come by itself
    answers_ms: int | None = None  # when the ringing call is taken by itself (UTC ms)
    alarm: Alarm = field(default_factory=Alarm)
    reports: int = 0  # what colleagues have told the administrator and he has not looked at
    registration: Registration = field(default_factory=Registration)
    sound: Sound = field(default_factory=Sound)
    colleagues: Mapping[str, str] = field(default_factory=dict)  # presence.State by extension, where it is known
    levels: tuple[float, float] = (0.0, 0.0)  # microphone and speaker, 0.0-1.0, while they are looked at
    queue: QueueState = field(default_factory=QueueState)
    call: Call | None = None  # the one in front: who is talked to, else who rings, else who is held
    calls: tuple[Call, ...] = ()  # all that live
    heard: Quality | None = None  # how the last call that reported it is heard
    card: CardAtHand | None = None
    counts: Mapping[Status, int] = field(default_factory=dict)
    sending: Sending | None = None  # the file that goes to the server now
    fresh: frozenset[str] = frozenset()  # appeals given to the operator that he has not opened yet
    unfinished: int = 0  # cards that are drafts still, beside the one at hand
    returned: int = 0  # operations that came back and wait for the operator
    elsewhere: tuple[SeatOfPerson, ...] = ()  # his other workstations where something is open or unsent
    bells: int = 0  # grows when something wants the operator's ear
    notice: Notice = field(default_factory=Notice)
    ready: bool = False
    revoked: bool = False  # this place is at its end: its keys are destroyed, what was unsent is sealed

    def phone_word(self) -> str:
        """The telephone in one word, as ``commands.Situation.phone`` wants it."""
        if self.call is not None:
            dialled = self.call.state is CallState.RINGING and not self.call.rings_here  # it rings there
            return "dialing" if dialled else _CALL_WORDS[self.call.state]
        return {Light.ON: "free", Light.OFF: "off"}.get(self.lights.phone, "lost")

    @property
    def others(self) -> tuple[Call, ...]:
        """The calls behind the one in front."""
        return tuple(call for call in self.calls if self.call is None or call.id != self.call.id)


_CALL_WORDS = {
    CallState.DIALING: "dialing",
    CallState.RINGING: "ringing",
    CallState.EARLY: "dialing",
    CallState.TALKING: "talking",
    CallState.HELD: "held",
    CallState.REMOTE_HELD: "talking",
    CallState.ENDED: "free",
}
