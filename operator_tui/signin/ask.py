"""One question to the server's sign-in addresses and its answer."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.sync.link import Link

_MAX_ANSWER = 1 << 20
Answer = TypeVar("Answer")


async def ask(link: Link, path: str, message: Any, type_: type[Answer], token: str = "") -> Answer:
    """Refusals: those of the link, and SERVER_REFUSED for an answer that is none."""
    raw = b""
    async with link.post(path, msgspec.json.encode(message), token=token, packed=False) as chunks:
        async for chunk in chunks:
            raw += chunk
            if len(raw) > _MAX_ANSWER:
                raise Refusal(Code.SERVER_REFUSED, reason="too_large")
    try:
        return msgspec.json.decode(raw, type=type_)
    except (msgspec.MsgspecError, ValueError):
        raise Refusal(Code.SERVER_REFUSED, reason="json") from None
