"""What an administrator's desk and the server say about people; both ends import this file."""

from __future__ import annotations

import msgspec

from operator_tui.appeals.people import Operator

PEOPLE_PATH = "/v1/people/list"
ADD_PATH = "/v1/people/add"
CHANGE_PATH = "/v1/people/change"
CODE_PATH = "/v1/people/code"
SEATS_PATH = "/v1/people/seats"
REVOKE_PATH = "/v1/people/revoke"

ENROLMENT, RESET, VOICE = "enrolment", "reset", "voice"


class Person(msgspec.Struct, frozen=True):
    """One account as an administrator sees it."""

    login: str
    operator: Operator
    groups: list[str]
    blocked: bool
    has_password: bool


class PeopleRequest(msgspec.Struct, frozen=True):
    """Everybody of the administrator's region."""

    v: int


class PeopleAnswer(msgspec.Struct, frozen=True):
    """By name."""

    people: list[Person]


class AddRequest(msgspec.Struct, frozen=True):
    """A new person; ``operator.user`` is not looked at. ``sip`` is the secret of his extension."""

    v: int
    login: str
    operator: Operator
    groups: list[str] = []
    sip: str = ""


class ChangeRequest(msgspec.Struct, frozen=True):
    """What is to be otherwise: fields of the operator by name; None stays."""

    v: int
    login: str
    values: dict[str, str] = {}
    groups: list[str] | None = None
    blocked: bool | None = None
    sip: str | None = None


class CodeRequest(msgspec.Struct, frozen=True):
    """A code for a person: ENROLMENT, RESET or VOICE."""

    v: int
    login: str
    kind: str


class CodeAnswer(msgspec.Struct, frozen=True):
    """The code to tell him; by voice one for each of his workstations, by device."""

    codes: dict[str, str]


class SeatOfPerson(msgspec.Struct, frozen=True):
    """One workstation of a person. ``seen_ms`` its last word (UTC ms, 0: none yet); ``unsent`` what it then had not
    sent, None when it has not said so since its work began; ``open`` whether a session goes on there."""

    device: str
    number: int
    seen_ms: int
    unsent: int | None
    open: bool
    revoked: bool


class SeatsRequest(msgspec.Struct, frozen=True):
    """The workstations of a person."""

    v: int
    login: str


class SeatsAnswer(msgspec.Struct, frozen=True):
    """By number."""

    seats: list[SeatOfPerson]


class RevokeRequest(msgspec.Struct, frozen=True):
    """That workstation is no more: its sessions end, and it destroys its keys at its next word."""

    v: int
    device: str
