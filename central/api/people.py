"""``/v1/people/…``: what an administrator does with people. He sees and changes those of his own region."""

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
from central.streams import region_of
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.rights import Right
from operator_tui.signin.messages import Done
from operator_tui.signin.people import (
    ADD_PATH,
    CHANGE_PATH,
    CODE_PATH,
    ENROLMENT,
    PEOPLE_PATH,
    RESET,
    REVOKE_PATH,
    SEATS_PATH,
    VOICE,
    AddRequest,
    ChangeRequest,
    CodeAnswer,
    CodeRequest,
    PeopleAnswer,
    PeopleRequest,
    Person,
    RevokeRequest,
    SeatsAnswer,
    SeatsRequest,
)

_OPT = {"access": Right.PEOPLE}


@post(PEOPLE_PATH, status_code=HTTP_200_OK, opt=_OPT, summary="Everybody of the region")
async def people(request: AnyRequest, service: NamedDependency[Service], who: NamedDependency[Device]) -> Response[Any]:
    await message(request, PeopleRequest)
    return answer(PeopleAnswer(await service.run(lambda: _visible(service, who))))


@post(ADD_PATH, status_code=HTTP_200_OK, opt=_OPT, summary="A new person")
async def add(request: AnyRequest, service: NamedDependency[Service], who: NamedDependency[Device]) -> Response[Any]:
    asked = await message(request, AddRequest)
    _demand_region(who, asked.operator.organisation)
    now_ms, by = service.clock.now_ms(), who.operator.user

    def work() -> Person:
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


@post(CHANGE_PATH, status_code=HTTP_200_OK, opt=_OPT, summary="Change or block a person")
async def change(request: AnyRequest, service: NamedDependency[Service], who: NamedDependency[Device]) -> Response[Any]:
    asked = await message(request, ChangeRequest)
    if "organisation" in asked.values:
        _demand_region(who, asked.values["organisation"])
    now_ms, by = service.clock.now_ms(), who.operator.user

    def work() -> Person:
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


@post(CODE_PATH, status_code=HTTP_200_OK, opt=_OPT, summary="A code to tell a person")
async def code(request: AnyRequest, service: NamedDependency[Service], who: NamedDependency[Device]) -> Response[Any]:
    asked = await message(request, CodeRequest)
    now_ms, by = service.clock.now_ms(), who.operator.user

    def work() -> dict[str, str]:
        _demand_visible(service, who, asked.login)
        match asked.kind:
            case "enrolment":
                return {ENROLMENT: accounts.enrolment_code(service.database, asked.login, now_ms, by=by)}
            case "reset":
                return {RESET: accounts.reset_code(service.database, asked.login, now_ms, by=by)}
            case "voice":
                return accounts.codes_by_voice(service.database, asked.login, now_ms, by=by)
        raise Refusal(Code.BAD_REQUEST, reason="kind", spoken=[ENROLMENT, RESET, VOICE])

    return answer(CodeAnswer(await service.run(work)))


@post(SEATS_PATH, status_code=HTTP_200_OK, opt=_OPT, summary="The workstations of a person")
async def seats_of(
    request: AnyRequest, service: NamedDependency[Service], who: NamedDependency[Device]
) -> Response[Any]:
    asked = await message(request, SeatsRequest)

    def work() -> SeatsAnswer:
        person = _demand_visible(service, who, asked.login)
        return SeatsAnswer(seats.seats_of(service.database, person.operator.user))

    return answer(await service.run(work))


@post(REVOKE_PATH, status_code=HTTP_200_OK, opt=_OPT, summary="The end of a workstation")
async def revoke(request: AnyRequest, service: NamedDependency[Service], who: NamedDependency[Device]) -> Response[Any]:
    asked = await message(request, RevokeRequest)
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


def _visible(service: Service, who: Device) -> list[Person]:
    mine = region_of(who.operator.organisation)
    return [person for person in accounts.people(service.database) if region_of(person.operator.organisation) == mine]


def _demand_visible(service: Service, who: Device, login: str) -> Person:
    wanted = accounts.login_of(login)
    found = next((person for person in _visible(service, who) if person.login == wanted), None)
    if found is None:
        raise Refusal(Code.ACCOUNT_UNKNOWN)
    return found


def _demand_region(who: Device, organisation: str) -> None:
    if region_of(organisation) != region_of(who.operator.organisation):
        raise Refusal(Code.RIGHT_MISSING, right=Right.PEOPLE.value)
