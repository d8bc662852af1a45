"""Talks about an appeal, asked at the centre: the messages of ``POST /v1/talks``.

A desk knows the talks it had itself. The centre has what every desk tells of its calls; it is told to the organisation
that works on the appeal, of its own desks alone.
"""

from __future__ import annotations

import msgspec

TALKS_PATH = "/v1/talks"
VERSION = 1


class Asked(msgspec.Struct, frozen=True):
    """Which appeal's."""

    v: int
    card: str


class Talk(msgspec.Struct, frozen=True, omit_defaults=True):
    """One talk: its ``call``; ``at_ms`` when it began (UTC ms); ``by`` the user who had it; ``ms`` how long it was, 0
    where nobody knows; ``out`` when the citizen was called; ``ended`` by whom (CALL_ENDED), empty where nobody knows;
    ``recorded`` whether there is a recording, wherever it lies."""

    call: str
    at_ms: int
    by: int
    ms: int = 0
    out: bool = False
    ended: str = ""
    recorded: bool = False


class Answer(msgspec.Struct, frozen=True):
    """In the order they began."""

    talks: list[Talk]
