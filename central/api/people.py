"""``/v1/people/…``: what an administrator does with people. He sees and changes those of his own organisation, the
fund's everybody of the region (operator_tui/appeals/organisations.py: looks_after)."""

from __future__ import annotations

from typing import Any

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.status_codes import HTTP_200_OK

from central.api.access import message
from central.api.auth import answer
from central.api.errors import AnyRequest
from central.api.service import Service
from central.auth import accounts, seats
from central.devices import Device
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.organisations import looks_after
from operator_tui.appeals.rights import Right
from operator_tui.signin import people as said
from operator_tui.signin.messages import Done

_OPT = {"access": Right.PEOPLE}


@post(said.PEOPLE_PATH, status_code=HTTP_200_OK, opt=_OPT, summary="Everybody one looks after")
async def people(request: AnyRequest, service: NamedDependency[Service], who: NamedDependency[Device]) -> Response[Any]:
    await message(request, said.PeopleRequest)
    return answer(said.PeopleAnswer(await service.run(lambda: _visible(service, who))))


@post(said.ADD_PATH, status_code=HTTP_200_OK, opt=_OPT, summary="A new person")
async def add(request: AnyRequest, service: NamedDependency[Service], who: NamedDependency[Device]) -> Response[Any]:
    asked = await message(request, said.AddRequest)
    _demand_looks_after(who, asked.operator.organisation)
    now_ms, by = service.clock.now_ms(), who.operator.user

    def work() -> said.Person:
        return accounts.add(
            service.database,
            asked.login,
            asked.operator,
            now_ms,
            groups=asked.groups,
            sip_secret=asked.sip,
            by=by,
        )

    return answer(await service.run(work))


@post(said.CHANGE_PATH, status_code=HTTP_200_OK, opt=_OPT, summary="Change or block a person")
async def change(request: AnyRequest, service: NamedDependency[Service], who: NamedDependency[Device]) -> Response[Any]:
    asked = await message(request, said.ChangeRequest)
    if "organisation" in asked.values:
        _demand_looks_after(who, asked.values["organisation"])
    now_ms, by = service.clock.now_ms(), who.operator.user

    def work() -> said.Person:
        _demand_visible(service, who, asked.login)
        return accounts.change(
            service.database,
            asked.login,
            now_ms,
            values=asked.values,
            groups=asked.groups,
            blocked=asked.blocked,
            sip_secret=asked.sip,
            by=by,
        )

    return answer(await service.run(work))


@post(said.CODE_PATH, status_code=HTTP_200_OK, opt=_OPT, summary="A code to tell a person")
async def code(request: AnyRequest, service: NamedDependency[Service], who: NamedDependency[Device]) -> Response[Any]:
    asked = await message(request, said.CodeRequest)
    now_ms, by = service.clock.now_ms(), who.operator.user

    def work() -> dict[str, str]:
        _demand_visible(service, who, asked.login)
        match asked.kind:
            case "enrolment":
                return {said.ENROLMENT: accounts.enrolment_code(service.database, asked.login, now_ms, by=by)}
            case "reset":
                return {said.RESET: accounts.reset_code(service.database, asked.login, now_ms, by=by)}
            case "voice":
                return accounts.codes_by_voice(service.database, asked.login, now_ms, by=by)
        raise Refusal(Code.BAD_REQUEST, reason="kind", spoken=[said.ENROLMENT, said.RESET, said.VOICE])

    return answer(said.CodeAnswer(await service.run(work)))


@post(said.SEATS_PATH, status_code=HTTP_200_OK, opt=_OPT, summary="The workstations of a person")
async def seats_of(
    request: AnyRequest, service: NamedDependency[Service], who: NamedDependency[Device]
) -> Response[Any]:
    asked = await message(request, said.SeatsRequest)

    def work() -> said.SeatsAnswer:
        person = _demand_visible(service, who, asked.login)
        return said.SeatsAnswer(seats.seats_of(service.database, person.operator.user))

    return answer(await service.run(work))


@post(said.REVOKE_PATH, status_code=HTTP_200_OK, opt=_OPT, summary="The end of a workstation")
async def revoke(request: AnyRequest, service: NamedDependency[Service], who: NamedDependency[Device]) -> Response[Any]:
    asked = await message(request, said.RevokeRequest)
    now_ms = service.clock.now_ms()

    def work() -> Done:
        if asked.device == who.id:
            raise Refusal(Code.OWN_SEAT)
        owner = seats.owner_of(service.database, asked.device)
        if all(person.operator.user != owner for person in _visible(service, who)):
            raise Refusal(Code.ACCOUNT_UNKNOWN)
        seats.revoke(service.database, asked.device, now_ms, by=who.operator.user)
        return Done()

    return answer(await service.run(work))


def _visible(service: Service, who: Device) -> list[said.Person]:
    mine = who.operator.organisation
    return [person for person in accounts.people(service.database) if looks_after(mine, person.operator.organisation)]


def _demand_visible(service: Service, who: Device, login: str) -> said.Person:
    wanted = accounts.login_of(login)
    found = next((person for person in _visible(service, who) if person.login == wanted), None)
    if found is None:
        raise Refusal(Code.ACCOUNT_UNKNOWN)
    return found


def _demand_looks_after(who: Device, organisation: str) -> None:
    if not looks_after(who.operator.organisation, organisation):
        raise Refusal(Code.RIGHT_MISSING, right=Right.PEOPLE.value)
