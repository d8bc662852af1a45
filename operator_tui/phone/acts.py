"""The desk's acts as calls of the line."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.phone import wire
from operator_tui.phone.line import PhoneLine


async def performed(line: PhoneLine, act: wire.AnyAct) -> str:
    """Carry out an act on the line; the text is its result (a new call's id, or nothing)."""
    doing: Coroutine[Any, Any, str | None]
    match act:
        case wire.Answer(call=call):
            doing = line.answer(call)
        case wire.Reject(call=call, reason=reason):
            doing = line.reject(call, reason)
        case wire.HangUp(call=call):
            doing = line.hang_up(call)
        case wire.Hold(call=call, on=on):
            doing = line.hold(call, on)
        case wire.Mute(call=call, on=on):
            doing = line.mute(call, on)
        case wire.Dial(number=number):
            doing = line.dial(number)
        case wire.Dtmf(call=call, digits=digits):
            doing = line.dtmf(call, digits)
        case wire.BlindTransfer(call=call, target=target):
            doing = line.blind_transfer(call, target)
        case wire.AttendedTransfer(call=call, consult=consult):
            doing = line.attended_transfer(call, consult)
        case wire.AcceptTransfer(call=call):
            doing = line.accept_transfer(call)
        case wire.RefuseTransfer(call=call):
            doing = line.refuse_transfer(call)
        case wire.PauseRecord(call=call, on=on):
            doing = line.pause_record(call, on)
        case _:
            raise Refusal(Code.UNSUPPORTED)
    return await doing or ""
