"""Turns an administrator's one-time code into the identity of this journal."""

from __future__ import annotations

import msgspec

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.journal.device import DeviceIdentity
from operator_tui.sync.link import Link
from operator_tui.sync.protocol import ENROL_PATH, FORK_PATH, PROTOCOL_VERSION, EnrolAnswer, EnrolRequest, ForkRequest

_MAX_ANSWER = 65_536


async def enrol(link: Link, code: str) -> DeviceIdentity:
    """The identity for a code. Refusals: ENROLMENT_CODE, and those of the link.

    A code works once: should the answer be lost on the way, the administrator gives another.
    """
    return await _identity(link, ENROL_PATH, msgspec.json.encode(EnrolRequest(v=PROTOCOL_VERSION, code=code)), "")


async def fork(link: Link, token: str) -> DeviceIdentity:
    """A new identity of the same operator, for a journal that was copied. Refusals: those of the link.

    Should the answer be lost, one code is used up and the next is asked for.
    """
    return await _identity(link, FORK_PATH, msgspec.json.encode(ForkRequest(v=PROTOCOL_VERSION)), token)


async def _identity(link: Link, path: str, body: bytes, token: str) -> DeviceIdentity:
    raw = b""
    async with link.post(path, body, token=token, packed=False) as chunks:
        async for chunk in chunks:
            raw += chunk
            if len(raw) > _MAX_ANSWER:
                raise Refusal(Code.SERVER_REFUSED, reason="too_large")
    try:
        answer = msgspec.json.decode(raw, type=EnrolAnswer)
    except (msgspec.MsgspecError, ValueError):
        raise Refusal(Code.SERVER_REFUSED, reason="json") from None
    return DeviceIdentity(
        code=answer.device,
        number=answer.number,
        token=answer.token,
        epoch=answer.epoch,
        operator=answer.operator,
    )
