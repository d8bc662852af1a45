"""Turns an administrator's one-time code into the identity of this journal."""

from __future__ import annotations

import msgspec

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.journal.device import DeviceIdentity
from operator_tui.sync.link import Link
from operator_tui.sync.protocol import ENROL_PATH, PROTOCOL_VERSION, EnrolAnswer, EnrolRequest

_MAX_ANSWER = 65_536


async def enrol(link: Link, code: str) -> DeviceIdentity:
    """The identity for a code. Refusals: ENROLMENT_CODE, and those of the link.

    A code works once: should the answer be lost on the way, the administrator gives another.
    """
    body = msgspec.json.encode(EnrolRequest(v=PROTOCOL_VERSION, code=code))
    raw = b""
    async with link.post(ENROL_PATH, body, packed=False) as chunks:
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
