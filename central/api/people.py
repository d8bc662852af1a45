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
from central.auth import accounts
from central.devices import Device
from central.streams import region_of
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.rights import Right
from operator_tui.signin.people import (
    ADD_PATH,
    CHANGE_PATH,
    CODE_PATH,
    ENROLMENT,
    PEOPLE_PATH,
    RESET,
    VOICE,
    AddRequest,
    ChangeRequest,
    CodeAnswer,
    CodeRequest,
    PeopleAnswer,
    PeopleRequest,
    Person,
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
        return accounts.add(service.database, asked.login, asked.operator, now_ms, groups=asked.groups, by=by)

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
                return {ENROLMENT: accounts.enrolment_code(service.database, asked.login, now_ms)}
            case "reset":
                return {RESET: accounts.reset_code(service.database, asked.login, now_ms, by=by)}
            case "voice":
                return accounts.codes_by_voice(service.database, asked.login, now_ms, by=by)
        raise Refusal(Code.BAD_REQUEST, reason="kind", spoken=[ENROLMENT, RESET, VOICE])

    return answer(CodeAnswer(await service.run(work)))


def _visible(service: Service, who: Device) -> list[Person]:
    mine = region_of(who.operator.organisation)
    return [person for person in accounts.people(service.database) if region_of(person.operator.organisation) == mine]


def _demand_visible(service: Service, who: Device, login: str) -> None:
    wanted = accounts.login_of(login)
    if all(person.login != wanted for person in _visible(service, who)):
        raise Refusal(Code.ACCOUNT_UNKNOWN)


def _demand_region(who: Device, organisation: str) -> None:
    if region_of(organisation) != region_of(who.operator.organisation):
        raise Refusal(Code.RIGHT_MISSING, right=Right.PEOPLE.value)
