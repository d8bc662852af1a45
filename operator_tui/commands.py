"""The one registry of commands and keys. Each room registers its own; this file only collects.

Bindings, the footer, F1 help and docs/keys.md are made from it. A command that cannot be used now says why:
its ``available`` looks at a ``Situation`` (plain facts, no widgets) and returns a Refusal or None.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from importlib import import_module

from operator_tui.appeals.errors import Refusal
from operator_tui.appeals.people import Role
from operator_tui.appeals.rights import Right, demand

# Rooms that have commands: importing the module registers them.
_ROOMS = (
    "operator_tui.phone.commands",
    "operator_tui.registry.commands",
    "operator_tui.answers.commands",
    "operator_tui.journal.commands",
    "operator_tui.signin.commands",
    "screens.commands",
)

# Keys no command may take (design/desk.md): the terminal cannot tell them from others, or Textual loses them.
FORBIDDEN_KEYS = frozenset(
    {"ctrl+h", "ctrl+i", "ctrl+j", "ctrl+m", "shift+f3", "ctrl+f3"} | {f"alt+{digit}" for digit in range(10)}
)


@dataclass(frozen=True)
class Situation:
    """What is true at the desk now, as far as commands care. Made by the desk, read by ``available``."""

    role: Role = Role.OPERATOR_1
    screen: str = "journal"  # journal | work
    presence: str = "offline"  # appeals.presence.State
    phone: str = "off"  # off | lost | free | ringing | dialing | talking | held
    card: bool = False  # a card is open on the work screen
    card_saved: bool = False  # that card is in the journal, not only a draft
    card_editable: bool = True
    person: bool = False  # a person of the registry is bound to the card
    theme: bool = False
    row: bool = False  # a row is chosen in the journal
    waiting: bool = False  # a second call rings during the first
    other: bool = False  # a second call is on the line, answered
    talked: bool = False  # a talk goes on, or has ended just now
    colleague: bool = False  # one of the two is a colleague who was asked: they may be joined
    number: bool = False  # the card at hand has a telephone number
    returned: bool = False  # an operation came back, or two values stand side by side on the open card


@dataclass(frozen=True)
class Command:
    """One act of the operator.

    ``id`` is ``room.verb``; ``title`` is the word on the screen (the customer's); ``help`` one sentence;
    ``scope`` is ``desk`` (everywhere) or the screen it belongs to; ``footer`` puts it on the footer line, where
    ``rank`` says which come first when room is short and ``short`` is a shorter word for the title; ``short_now`` is
    that word where it changes with the situation; ``right`` is what the role must have, by the one table of rights.
    """

    id: str
    title: str
    help: str
    keys: tuple[str, ...] = ()
    scope: str = "desk"
    footer: bool = False
    rank: int = 100
    short: str = ""
    right: Right | None = None
    available: Callable[[Situation], Refusal | None] = field(default=lambda situation: None, repr=False)
    short_now: Callable[[Situation], str] | None = field(default=None, repr=False)

    def word(self, situation: Situation) -> str:
        """Its word on the footer: what the key does now, where that changes."""
        return self.short_now(situation) if self.short_now is not None else self.short or self.title

    def refusal(self, situation: Situation) -> Refusal | None:
        """Why it can not be run now: the role first, then what is at hand. None when it can."""
        if self.right is not None:
            try:
                demand(situation.role, self.right)
            except Refusal as refusal:
                return refusal
        return self.available(situation)


_registry: dict[str, Command] = {}
_collected = False


def register(*commands: Command) -> None:
    """Add commands. A second command of the same id, or a forbidden key, is a programming error (ValueError)."""
    for command in commands:
        if command.id in _registry:
            raise ValueError(f"command {command.id} is registered twice")
        if forbidden := FORBIDDEN_KEYS.intersection(command.keys):
            raise ValueError(f"command {command.id} wants {', '.join(sorted(forbidden))}")
        _registry[command.id] = command


def collect() -> dict[str, Command]:
    """All commands by id, footer rank first. Rooms are imported at the first call."""
    global _collected
    if not _collected:
        for room in _ROOMS:
            import_module(room)
        _collected = True
    return dict(sorted(_registry.items(), key=lambda item: (item[1].rank, item[0])))


def meant_in(command: Command, scope: str) -> Command | None:
    """Another command that has one of the keys in that scope."""
    return next(
        (
            other
            for other in collect().values()
            if other.id != command.id and other.scope == scope and set(other.keys) & set(command.keys)
        ),
        None,
    )


def clashes(commands: Iterable[Command]) -> list[tuple[str, str, str]]:
    """``(key, id, id)`` for every key that two commands take in the same place."""
    found: list[tuple[str, str, str]] = []
    seen: dict[tuple[str, str], str] = {}
    listed = list(commands)
    scopes = {command.scope for command in listed}
    for command in listed:
        places = scopes if command.scope == "desk" else {command.scope}
        for key in command.keys:
            for place in places:
                other = seen.setdefault((key, place), command.id)
                if other != command.id and (key, other, command.id) not in found:
                    found.append((key, other, command.id))
    return found
