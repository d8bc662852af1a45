"""Who may call what: every handler says so in ``opt``, and this is where it is looked at.

``access`` is OPEN, SIGNED_IN or a Right. A handler that says nothing is not served at all (central/app.py).
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler

from central.api.errors import AnyRequest
from central.api.service import Service
from central.auth.sessions import authenticated
from central.devices import Device
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.rights import Right, demand
from operator_tui.sync.protocol import demand_version

OPEN = "open"
SIGNED_IN = "signed_in"
_MAX_BYTES = 16_384

Message = TypeVar("Message")


class _Version(msgspec.Struct):
    v: int


def access_of(handler: HTTPRouteHandler) -> str:
    """What a handler demands. ValueError when it does not say."""
    access = handler.opt.get("access")
    if access not in (OPEN, SIGNED_IN) and not isinstance(access, Right):
        raise ValueError(f"{handler} does not say who may call it")
    return str(access)


def bearer(request: AnyRequest) -> str:
    """The token of ``Authorization: Bearer …``. Refusal(TOKEN_INVALID) without one."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Refusal(Code.TOKEN_INVALID)
    return token.strip()


async def caller(request: AnyRequest, service: NamedDependency[Service]) -> Device:
    """Who calls. Refusals: those of ``authenticated``, READ_ONLY for a collector (``POST /v1/sync``, which asks by
    itself who it is, is all that answers one), and RIGHT_MISSING by what the handler demands."""
    token = bearer(request)
    device = await service.run(lambda: authenticated(service.database, token, service.clock.now_ms()))
    if device.reads_only:
        raise Refusal(Code.READ_ONLY)
    wanted: Any = request.route_handler.opt.get("access")
    if isinstance(wanted, Right):
        demand(device.operator.role, wanted)
    return device


async def message(request: AnyRequest, type_: type[Message], *, limit: int = _MAX_BYTES) -> Message:
    """The body as that message. Refusals: BAD_REQUEST, PROTOCOL_VERSION."""
    body = await request.body()
    if len(body) > limit:
        raise Refusal(Code.BAD_REQUEST, reason="too_large", limit=limit)
    try:
        demand_version(msgspec.json.decode(body, type=_Version).v)
        return msgspec.json.decode(body, type=type_)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise Refusal(Code.BAD_REQUEST, reason="json") from None
