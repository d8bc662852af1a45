"""Cards, operations and people for the tests of the rules."""

from __future__ import annotations

from typing import Any

from operator_tui.appeals.card import Card, Status
from operator_tui.appeals.catalogue import AppealType, Catalogue
from operator_tui.appeals.decide import Actor, apply, decide
from operator_tui.appeals.hlc import next_stamp
from operator_tui.appeals.lifecycle import Act
from operator_tui.appeals.operations import CARD_KINDS, Kind, Operation
from operator_tui.appeals.people import Role

NOW_MS = 1_790_000_000_000
ORGANISATION = "26/tf"
OPERATOR = Actor(1944, Role.OPERATOR_1, ORGANISATION)
COLLEAGUE = Actor(1945, Role.OPERATOR_1, ORGANISATION)
LEVEL_2 = Actor(2001, Role.OPERATOR_2, ORGANISATION)
ADMINISTRATOR = Actor(3001, Role.ADMINISTRATOR, ORGANISATION)


def actor(role: Role, user: int = 1944) -> Actor:
    return Actor(user, role, ORGANISATION)


def stamp(seconds: float = 0) -> str:
    return next_stamp("", NOW_MS + round(seconds * 1000))


def theme_of(catalogue: Catalogue, type_: AppealType = AppealType.CONSULTATION, place: int = 0) -> dict[str, str]:
    theme = catalogue.themes_of(type_)[place]
    return {"type": type_.value, "theme": theme.code}


def operation(
    n: int, kind: Kind, x: dict[str, Any], *, card: str = "", b: dict[str, str] | None = None, at: str = ""
) -> Operation:
    return Operation(n=n, k=kind.value, at=at or stamp(n), c=card, z="Europe/Moscow", b=b or {}, x=x)


class Bench:
    """A server of one card: applies operations of several devices in the order given."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.card: Card | None = None
        self._n = 0

    def do(
        self,
        kind: Kind,
        x: dict[str, Any],
        *,
        who: Actor = OPERATOR,
        b: dict[str, str] | None = None,
        device: str = "aaaaaa",
        at: str = "",
    ) -> str:
        """Decide and apply; the operation's id. A Refusal comes out and changes nothing."""
        self._n += 1
        done = operation(self._n, kind, x, card=self.card.id if self.card else "", b=b, at=at)
        op = f"{device}:{self._n}"
        change = decide(self.card, done, who, self.catalogue)
        if kind in CARD_KINDS:
            self.card = apply(self.card, change, op=op, at=done.at, by=who.user, stream=who.organisation)
        return op

    def new(self, x: dict[str, Any] | None = None, *, who: Actor = OPERATOR) -> Card:
        self.do(Kind.CARD_NEW, {**theme_of(self.catalogue), "text": "вопрос", **(x or {})}, who=who)
        assert self.card is not None
        return self.card

    def set(self, x: dict[str, Any], **more: Any) -> Card:
        assert self.card is not None
        more.setdefault("b", {field: self.card.stamps[field][0] for field in x if field in self.card.stamps})
        self.do(Kind.CARD_SET, x, **more)
        return self.card

    def move(self, act: Act, *, who: Actor = OPERATOR, b: dict[str, str] | None = None, **given: Any) -> Card:
        assert self.card is not None
        guard = {"status": self.card.stamps["status"][0]} if b is None else b
        self.do(Kind.CARD_MOVE, {"act": act.value, **given}, who=who, b=guard)
        return self.card

    def status(self) -> Status:
        assert self.card is not None
        return self.card.status
