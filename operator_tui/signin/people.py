"""What an administrator's desk and the server say about people; both ends import this file."""

from __future__ import annotations

import msgspec

from operator_tui.appeals.people import Operator

PEOPLE_PATH = "/v1/people/list"
ADD_PATH = "/v1/people/add"
CHANGE_PATH = "/v1/people/change"
CODE_PATH = "/v1/people/code"

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
    """A new person; ``operator.user`` is not looked at."""

    v: int
    login: str
    operator: Operator
    groups: list[str] = []


class ChangeRequest(msgspec.Struct, frozen=True):
    """What is to be otherwise: fields of the operator by name; None stays."""

    v: int
    login: str
    values: dict[str, str] = {}
    groups: list[str] | None = None
    blocked: bool | None = None


class CodeRequest(msgspec.Struct, frozen=True):
    """A code for a person: ENROLMENT, RESET or VOICE."""

    v: int
    login: str
    kind: str


class CodeAnswer(msgspec.Struct, frozen=True):
    """The code to tell him; by voice one for each of his workstations, by device."""

    codes: dict[str, str]
