"""What was typed into a form and not sent yet: which form and of what, and what of it that form gets back. Pure.

A form is a window with lines of its own, not the card: a promise, a reason, a new person, a row of a list.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec


class FormOf(msgspec.Struct, frozen=True):
    """Which form it is, and of what: ``about`` is the id of an appeal, of an unsaved card's draft, a login, a list;
    ``more`` tells apart what one of them has several of (a row, a file). Text kept under one is never another's."""

    form: str
    about: str = ""
    more: str = ""


class Typed(msgspec.Struct, frozen=True):
    """One line that was typed into: its label, the text, and what the program had put there before."""

    label: str
    text: str
    before: str = ""


class Begun(msgspec.Struct, frozen=True):
    """A begun form of one operator. ``at_ms`` (UTC ms): when it was typed into last; ``sent_ms``: when it was accepted,
    as long as nobody knows what has become of that, else 0."""

    of: FormOf
    user: int
    title: str
    lines: dict[str, Typed]
    at_ms: int = 0
    sent_ms: int = 0


@dataclass(frozen=True)
class FormLine:
    """A line as it stands in the form now. ``before`` is what the program put there; a ``secret`` one is never kept;
    ``passing`` is what is made up for the moment (a time, a file's name): that it is another now is no news."""

    name: str
    label: str
    before: str = ""
    secret: bool = False
    passing: bool = False


@dataclass(frozen=True)
class Laid:
    """What a form gets back: ``values`` by name; ``changed``, by label, what the program puts there now where it had
    put something else when it was typed over; ``gone``, by name, what has no line in this form any more."""

    values: dict[str, str] = field(default_factory=dict)
    changed: dict[str, str] = field(default_factory=dict)
    gone: dict[str, Typed] = field(default_factory=dict)


def typed_over(lines: Sequence[FormLine], values: Mapping[str, str]) -> dict[str, Typed]:
    """The lines that hold something else than the program put there. Never a secret one."""
    return {
        line.name: Typed(line.label, values[line.name], line.before)
        for line in lines
        if not line.secret and values.get(line.name, line.before) != line.before
    }


def laid(begun: Begun, lines: Sequence[FormLine]) -> Laid:
    """What of it this form takes. A line that has become secret since takes nothing, and says nothing."""
    known = {line.name: line for line in lines}
    back = Laid(gone={name: one for name, one in begun.lines.items() if name not in known})
    for name, one in begun.lines.items():
        line = known.get(name)
        if line is None or line.secret:
            continue
        back.values[name] = one.text
        if not line.passing and line.before not in (one.before, one.text):
            back.changed[line.label] = line.before
    return back
