"""What a server says to whoever introduces himself: a desk, a forked one, a federal collector. It knows no journal."""

from __future__ import annotations

import msgspec

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.sync.link import Link
from operator_tui.sync.protocol import ENROL_PATH, PROTOCOL_VERSION, EnrolAnswer, EnrolRequest

_MAX_ANSWER = 65_536


async def by_code(link: Link, code: str) -> EnrolAnswer:
    """A new device for a code, which works once. Refusals: ENROLMENT_CODE, and those of the link."""
    return await introduced(link, ENROL_PATH, msgspec.json.encode(EnrolRequest(v=PROTOCOL_VERSION, code=code)))


async def introduced(link: Link, path: str, body: bytes, token: str = "") -> EnrolAnswer:
    """The device that the server has made. Refusals: SERVER_REFUSED (no such answer), those of the link."""
    raw = b""
    async with link.post(path, body, token=token, packed=False) as chunks:
        async for chunk in chunks:
            raw += chunk
            if len(raw) > _MAX_ANSWER:
                raise Refusal(Code.SERVER_REFUSED, reason="too_large")
    try:
        return msgspec.json.decode(raw, type=EnrolAnswer)
    except (msgspec.MsgspecError, ValueError):
        raise Refusal(Code.SERVER_REFUSED, reason="json") from None
