"""Signing in through the provider that the server names: what is said to the server, and what to show meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.signin.ask import ask
from operator_tui.signin.messages import (
    CHALLENGE_PATH,
    OIDC_BEGIN_PATH,
    OIDC_POLL_PATH,
    ChallengeAnswer,
    ChallengeRequest,
    Granted,
    OidcBegin,
    OidcBegun,
    OidcPoll,
    challenge_text,
    oidc_text,
)
from operator_tui.signin.qr import qr_rows
from operator_tui.signin.seat import Seat
from operator_tui.sync.protocol import PROTOCOL_VERSION

if TYPE_CHECKING:
    from operator_tui.sync.link import Link


@dataclass(frozen=True)
class DeviceFlow:
    """What to show who signs in through the provider: ``code`` to type at ``address``, or ``picture`` (rows of letters)
    of ``whole_address`` for his telephone; good for ``expires_s``."""

    code: str
    address: str
    whole_address: str
    picture: tuple[str, ...]
    expires_s: int


async def begin(link: Link, seat: Seat) -> OidcBegun:
    """A flow for the owner of this seat. Refusals: OIDC_OFF, OIDC_AWAY, those of the device and of the link."""
    device = (await asyncio.to_thread(lambda: seat.place)).device
    challenge = await ask(link, CHALLENGE_PATH, ChallengeRequest(PROTOCOL_VERSION, device), ChallengeAnswer)
    signature = await asyncio.to_thread(seat.sign, challenge_text(challenge.nonce, device, ""))
    return await ask(link, OIDC_BEGIN_PATH, OidcBegin(PROTOCOL_VERSION, device, challenge.nonce, signature), OidcBegun)


async def shown(begun: OidcBegun) -> DeviceFlow:
    """With its picture."""
    rows = await asyncio.to_thread(qr_rows, begun.whole_address)
    return DeviceFlow(begun.user_code, begun.address, begun.whole_address, tuple(rows), begun.expires_s)


async def wait_for_yes(connect: Callable[[], Awaitable[Link]], seat: Seat, begun: OidcBegun) -> Granted:
    """The session, once he has said yes at the provider's page. Any other answer comes out as its refusal."""
    device = (await asyncio.to_thread(lambda: seat.place)).device
    signature = await asyncio.to_thread(seat.sign, oidc_text(begun.handle, device))
    asked = OidcPoll(PROTOCOL_VERSION, device, begun.handle, signature)
    pause = begun.interval_s
    while True:
        await asyncio.sleep(pause)
        try:
            return await ask(await connect(), OIDC_POLL_PATH, asked, Granted)
        except Refusal as refusal:
            # A line that broke in between is no answer: he may have said yes meanwhile.
            if refusal.code not in (Code.OIDC_PENDING, Code.SERVER_AWAY):
                raise
            pause = max(pause, float(refusal.params.get("seconds", pause)))
