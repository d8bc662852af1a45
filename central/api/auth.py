"""``/v1/auth/…``: signing in, staying in, going out, and the way back after a forgotten password."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Response, post
from litestar.di import NamedDependency
from litestar.status_codes import HTTP_200_OK

from central.api.access import OPEN, SIGNED_IN, message
from central.api.errors import AnyRequest
from central.api.service import Service
from central.auth import accounts, devices, seats, sessions
from central.auth.signatures import make_challenge
from central.devices import Device
from central.log import log
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.signin.messages import (
    CHALLENGE_PATH,
    ESCROW_PATH,
    JOIN_PATH,
    MAX_SEALED_WORK,
    OWN_SEATS_PATH,
    PASSWORD_PATH,
    REFRESH_PATH,
    RESET_PATH,
    SEALED_WORK_PATH,
    SIGN_IN_PATH,
    SIGN_OUT_PATH,
    ChallengeAnswer,
    ChallengeRequest,
    Done,
    EscrowRequest,
    JoinRequest,
    OwnSeatsRequest,
    PasswordRequest,
    RefreshRequest,
    ResetRequest,
    SealedWorkRequest,
    SignInRequest,
    SignOutRequest,
)
from operator_tui.signin.people import SeatsAnswer
from operator_tui.sync.protocol import JSON_TYPE

_DEVICE_LETTERS = 16


@post(CHALLENGE_PATH, status_code=HTTP_200_OK, opt={"access": OPEN}, summary="Something for a device to sign")
async def challenge(request: AnyRequest, service: NamedDependency[Service]) -> Response[Any]:
    asked = await message(request, ChallengeRequest)
    if not 0 < len(asked.d) <= _DEVICE_LETTERS:
        raise Refusal(Code.BAD_REQUEST, reason="device")
    nonce = await service.run(lambda: make_challenge(service.database, asked.d, service.clock.now_ms()))
    return answer(ChallengeAnswer(nonce))


@post(SIGN_IN_PATH, status_code=HTTP_200_OK, opt={"access": OPEN}, summary="Password and signature for a session")
async def sign_in(request: AnyRequest, service: NamedDependency[Service]) -> Response[Any]:
    asked = await message(request, SignInRequest)
    granted = await service.run(lambda: sessions.sign_in(service.database, asked, service.clock.now_ms()))
    log("signed in", device=asked.d)
    return answer(granted)


@post(REFRESH_PATH, status_code=HTTP_200_OK, opt={"access": OPEN}, summary="The next pair of tokens")
async def refresh(request: AnyRequest, service: NamedDependency[Service]) -> Response[Any]:
    asked = await message(request, RefreshRequest)
    return answer(await service.run(lambda: sessions.refresh(service.database, asked, service.clock.now_ms())))


@post(SIGN_OUT_PATH, status_code=HTTP_200_OK, opt={"access": SIGNED_IN}, summary="The session ends")
async def sign_out(
    request: AnyRequest, service: NamedDependency[Service], who: NamedDependency[Device]
) -> Response[Any]:
    asked = await message(request, SignOutRequest)
    await service.run(lambda: sessions.sign_out(service.database, who.id, service.clock.now_ms(), asked.u))
    return answer(Done())


@post(JOIN_PATH, status_code=HTTP_200_OK, opt={"access": OPEN}, summary="A known person at a known workstation")
async def join(request: AnyRequest, service: NamedDependency[Service]) -> Response[Any]:
    asked = await message(request, JoinRequest)
    joined = await service.run(lambda: devices.join(service.database, asked, service.clock.now_ms()))
    log("joined", device=joined.device)
    return answer(joined)


@post(OWN_SEATS_PATH, status_code=HTTP_200_OK, opt={"access": SIGNED_IN}, summary="The caller's own workstations")
async def own_seats(
    request: AnyRequest, service: NamedDependency[Service], who: NamedDependency[Device]
) -> Response[Any]:
    await message(request, OwnSeatsRequest)
    return answer(SeatsAnswer(await service.run(lambda: seats.seats_of(service.database, who.operator.user))))


@post(PASSWORD_PATH, status_code=HTTP_200_OK, opt={"access": SIGNED_IN}, summary="Another password")
async def password(
    request: AnyRequest, service: NamedDependency[Service], who: NamedDependency[Device]
) -> Response[Any]:
    asked = await message(request, PasswordRequest)
    number = who.operator.user
    await service.run(
        lambda: accounts.change_password(
            service.database, number, asked.old, asked.new, service.clock.now_ms(), at=who.id
        )
    )
    return answer(Done())


@post(ESCROW_PATH, status_code=HTTP_200_OK, opt={"access": SIGNED_IN}, summary="The sealed journal key to keep")
async def escrow(request: AnyRequest, service: NamedDependency[Service], who: NamedDependency[Device]) -> Response[Any]:
    asked = await message(request, EscrowRequest)
    await service.run(lambda: devices.keep_journal_key(service.database, service.keys, who.id, asked.sealed))
    return answer(Done())


@post(RESET_PATH, status_code=HTTP_200_OK, opt={"access": OPEN}, summary="A code for a new password")
async def reset(request: AnyRequest, service: NamedDependency[Service]) -> Response[Any]:
    asked = await message(request, ResetRequest)
    done = await service.run(lambda: devices.reset(service.database, service.keys, asked, service.clock.now_ms()))
    log("password reset", device=asked.d)
    return answer(done)


@post(SEALED_WORK_PATH, status_code=HTTP_200_OK, opt={"access": OPEN}, summary="What a revoked device had not sent")
async def sealed_work(request: AnyRequest, service: NamedDependency[Service]) -> Response[Any]:
    asked = await message(request, SealedWorkRequest, limit=MAX_SEALED_WORK)
    await service.run(lambda: devices.keep_sealed_work(service.database, asked, service.clock.now_ms()))
    log("sealed work", device=asked.d)
    return answer(Done())


def answer(content: Any) -> Response[Any]:
    """A message as it goes out. Nothing between may keep it."""
    return Response(msgspec.json.encode(content), media_type=JSON_TYPE, headers={"Cache-Control": "no-store"})
