"""``/v1/auth/oidc/…``: signing in through the provider."""

from __future__ import annotations

from typing import Any

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.status_codes import HTTP_200_OK

from central.api.access import OPEN, message
from central.api.auth import answer
from central.api.errors import AnyRequest
from central.api.service import Service
from central.auth import flows
from central.auth.vouching import Provider
from central.log import log
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.signin.messages import OIDC_BEGIN_PATH, OIDC_POLL_PATH, OidcBegin, OidcPoll


@post(OIDC_BEGIN_PATH, status_code=HTTP_200_OK, opt={"access": OPEN}, summary="A code for the provider's page")
async def begin(request: AnyRequest, service: NamedDependency[Service]) -> Response[Any]:
    asked = await message(request, OidcBegin)
    provider = _provider(service)
    return answer(await service.run(lambda: flows.begin(service.database, provider, asked, service.clock.now_ms())))


@post(OIDC_POLL_PATH, status_code=HTTP_200_OK, opt={"access": OPEN}, summary="A session, once the person said yes")
async def poll(request: AnyRequest, service: NamedDependency[Service]) -> Response[Any]:
    asked = await message(request, OidcPoll)
    provider = _provider(service)
    granted = await service.run(lambda: flows.poll(service.database, provider, asked, service.clock.now_ms()))
    log("signed in", device=asked.d)
    return answer(granted)


def _provider(service: Service) -> Provider:
    if service.provider is None:
        raise Refusal(Code.OIDC_OFF)
    return service.provider
