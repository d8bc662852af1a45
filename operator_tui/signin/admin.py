"""What an administrator does with people from his desk: each method one question to the server.

Refusals of all of them: RIGHT_MISSING, those of the session (SIGN_IN_NEEDED, ACCOUNT_BLOCKED) and of the link.
"""

from __future__ import annotations

from operator_tui.appeals.people import Operator
from operator_tui.signin import people as said
from operator_tui.signin.messages import Done
from operator_tui.signin.signin import SignIn
from operator_tui.sync.protocol import PROTOCOL_VERSION


class People:
    """The people the administrator looks after (appeals/organisations.py: looks_after)."""

    def __init__(self, signin: SignIn) -> None:
        self._signin = signin

    async def everybody(self) -> list[said.Person]:
        """By name."""
        answer: said.PeopleAnswer = await self._signin.ask(
            said.PEOPLE_PATH, said.PeopleRequest(PROTOCOL_VERSION), said.PeopleAnswer
        )
        return answer.people

    async def add(
        self, login: str, operator: Operator, *, groups: list[str] | None = None, sip: str = ""
    ) -> said.Person:
        """A new person without a password: he chooses it with his enrolment code. ``operator.user`` is not looked at.
        Refusals: LOGIN_TAKEN, FIELD_INVALID."""
        asked = said.AddRequest(PROTOCOL_VERSION, login, operator, groups or [], sip)
        added: said.Person = await self._signin.ask(said.ADD_PATH, asked, said.Person)
        return added

    async def change(
        self,
        login: str,
        *,
        values: dict[str, str] | None = None,
        groups: list[str] | None = None,
        sip: str | None = None,
    ) -> said.Person:
        """``values`` by name of the Operator's field (name, role, extension, organisation, zone); None stays.
        Refusals: ACCOUNT_UNKNOWN, LAST_ADMINISTRATOR, LOGIN_TAKEN, FIELD_INVALID."""
        asked = said.ChangeRequest(PROTOCOL_VERSION, login, values or {}, groups, None, sip)
        changed: said.Person = await self._signin.ask(said.CHANGE_PATH, asked, said.Person)
        return changed

    async def block(self, login: str, *, blocked: bool = True) -> said.Person:
        """His sessions end at once; what he has not sent stays where it is. Refusals: as ``change``."""
        asked = said.ChangeRequest(PROTOCOL_VERSION, login, blocked=blocked)
        changed: said.Person = await self._signin.ask(said.CHANGE_PATH, asked, said.Person)
        return changed

    async def enrolment_code(self, login: str) -> str:
        """``k7q2-mxb3-fz0a``: one more workstation, once, within 15 minutes. Refusal(ACCOUNT_UNKNOWN)."""
        return (await self._codes(login, said.ENROLMENT))[said.ENROLMENT]

    async def reset_code(self, login: str) -> str:
        """The same for a forgotten password. Refusal(ACCOUNT_UNKNOWN)."""
        return (await self._codes(login, said.RESET))[said.RESET]

    async def voice_codes(self, login: str) -> dict[str, str]:
        """``0000 0000`` for each of his workstations, by the device's code: in without the server for eight hours.
        Refusal(ACCOUNT_UNKNOWN)."""
        return await self._codes(login, said.VOICE)

    async def seats(self, login: str) -> list[said.SeatOfPerson]:
        """His workstations, by number. Refusal(ACCOUNT_UNKNOWN)."""
        answer: said.SeatsAnswer = await self._signin.ask(
            said.SEATS_PATH, said.SeatsRequest(PROTOCOL_VERSION, login), said.SeatsAnswer
        )
        return answer.seats

    async def revoke(self, device: str) -> None:
        """That workstation is no more: at its next word it seals what it has not sent and destroys its keys.
        Refusals: ACCOUNT_UNKNOWN for a device of nobody here, OWN_SEAT for the one this is asked from."""
        await self._signin.ask(said.REVOKE_PATH, said.RevokeRequest(PROTOCOL_VERSION, device), Done)

    async def _codes(self, login: str, kind: str) -> dict[str, str]:
        answer: said.CodeAnswer = await self._signin.ask(
            said.CODE_PATH, said.CodeRequest(PROTOCOL_VERSION, login, kind), said.CodeAnswer
        )
        return answer.codes
