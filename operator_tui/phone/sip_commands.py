"""Commands to the SIP stack with its errors as refusals, and its closing words as who ended the call."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

import baresip
from baresip import BaresipError, StaleHandleError, TransferFailed

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.phone.line import EndedBy

_HOLD_RETRY_SECONDS = 3.0
_HOLD_PAUSE_SECONDS = 0.1
_JOINED_SECONDS = 1.5
_JOIN_PAUSE_SECONDS = 0.3
_NOT_JOINED_YET = (400, 500)  # what Asterisk says to a REFER of a channel that is in no bridge
TRANSFERED = "Call transfered"  # the stack's own spelling
# The stack's words for "the other end said BYE or CANCEL", and for "nobody said anything any more".
_SAID_BYE = ("Connection reset by peer", "Connection reset", "Rejected by peer")
_VANISHED = ("timeout", "timed out", "unreachable", "no route", "refused", "rtp stream")


def who_ended(text: str) -> EndedBy:
    """Who ended a call we did not end, by the stack's closing words (``486 Busy Here``, an errno's text)."""
    if text == TRANSFERED:
        return EndedBy.TRANSFER
    if text[:3].isdigit() or any(word in text for word in _SAID_BYE):
        return EndedBy.THERE
    if any(word in text.lower() for word in _VANISHED):
        return EndedBy.NETWORK
    return EndedBy.THERE


async def asked(doing: Awaitable[Any]) -> Any:
    """A command to the stack, its errors as refusals."""
    try:
        return await doing
    except StaleHandleError as error:
        raise Refusal(Code.NO_SUCH_CALL) from error
    except baresip.NoLocalAddressError as error:
        raise Refusal(Code.PBX_AWAY) from error
    except ValueError as error:
        raise Refusal(Code.NUMBER_INVALID) from error
    except BaresipError as error:
        raise Refusal(Code.PHONE_FAILED) from error


async def retried(command: Callable[[], Awaitable[None]]) -> None:
    """Hold and resume wait for a session refresh that is in flight (RFC 3261 14.1: one at a time)."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _HOLD_RETRY_SECONDS
    while True:
        try:
            return await command()
        except StaleHandleError as error:
            raise Refusal(Code.NO_SUCH_CALL) from error
        except BaresipError as error:
            if "in flight" not in str(error) or loop.time() > deadline:
                raise Refusal(Code.CALL_STATE, state="", move="hold") from error
        await asyncio.sleep(_HOLD_PAUSE_SECONDS)


async def soon_after_the_answer(transfer: Callable[[], Awaitable[None]]) -> None:
    """A transfer; tried again for a moment where the PBX has not joined the two ends of a call just answered yet."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _JOINED_SECONDS
    while True:
        try:
            return await transfer()
        except TransferFailed as error:
            if error.status not in _NOT_JOINED_YET or loop.time() > deadline:
                raise
        await asyncio.sleep(_JOIN_PAUSE_SECONDS)


async def quietly(doing: Awaitable[Any]) -> None:
    with contextlib.suppress(BaresipError):
        await doing
