"""What an administrator does with people, and everybody with his own password, through the one who is signed in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.people import Operator
from operator_tui.signin.people import (
    ADD_PATH,
    CHANGE_PATH,
    CODE_PATH,
    PEOPLE_PATH,
    AddRequest,
    ChangeRequest,
    CodeAnswer,
    CodeRequest,
    PeopleAnswer,
    PeopleRequest,
    Person,
)
from operator_tui.sync.protocol import PROTOCOL_VERSION

if TYPE_CHECKING:
    from operator_tui.desk.desk import Desk
    from operator_tui.signin.signin import SignIn


class PeopleDesk:
    """The people of the administrator's region. Nothing of it is kept here; a code is in the answer alone.

    Every method's refusals: NOBODY_SIGNS_IN, SIGN_IN_NEEDED, RIGHT_MISSING and those of the link.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    @property
    def _signin(self) -> SignIn:
        signin = self._desk.parts.signin
        if signin is None:
            raise Refusal(Code.NOBODY_SIGNS_IN)
        return signin

    async def everybody(self) -> list[Person]:
        """By name."""
        answer: PeopleAnswer = await self._signin.ask(PEOPLE_PATH, PeopleRequest(PROTOCOL_VERSION), PeopleAnswer)
        return answer.people

    async def add(self, login: str, operator: Operator, groups: list[str]) -> Person:
        """A new person. Refusals: LOGIN_TAKEN, FIELD_INVALID."""
        asked = AddRequest(PROTOCOL_VERSION, login, operator, groups)
        person: Person = await self._signin.ask(ADD_PATH, asked, Person)
        return person

    async def change(
        self,
        login: str,
        values: dict[str, str] | None = None,
        groups: list[str] | None = None,
        *,
        blocked: bool | None = None,
    ) -> Person:
        """What is to be otherwise; None stays. Refusals: ACCOUNT_UNKNOWN, LAST_ADMINISTRATOR, FIELD_INVALID."""
        asked = ChangeRequest(PROTOCOL_VERSION, login, values or {}, groups, blocked)
        person: Person = await self._signin.ask(CHANGE_PATH, asked, Person)
        return person

    async def codes(self, login: str, kind: str) -> dict[str, str]:
        """The code to tell him, by kind or, by voice, by workstation. Refusal(ACCOUNT_UNKNOWN)."""
        answer: CodeAnswer = await self._signin.ask(CODE_PATH, CodeRequest(PROTOCOL_VERSION, login, kind), CodeAnswer)
        return answer.codes

    async def change_password(self, old: str, new: str) -> None:
        """One's own. Refusals: SIGN_IN_WRONG, PASSWORD_WEAK."""
        await self._signin.change_password(old, new)
