"""Turns an administrator's one-time code into the identity of this journal."""

from __future__ import annotations

import msgspec

from operator_tui.journal.device import DeviceIdentity
from operator_tui.sync.introduction import by_code, introduced
from operator_tui.sync.link import Link
from operator_tui.sync.protocol import FORK_PATH, PROTOCOL_VERSION, EnrolAnswer, ForkRequest


async def enrol(link: Link, code: str) -> DeviceIdentity:
    """The identity for a code. Refusals: ENROLMENT_CODE, and those of the link.

    A code works once: should the answer be lost on the way, the administrator gives another.
    """
    return _identity(await by_code(link, code))


async def fork(link: Link, token: str) -> DeviceIdentity:
    """A new identity of the same operator, for a journal that was copied. Refusals: those of the link.

    Should the answer be lost, one code is used up and the next is asked for.
    """
    body = msgspec.json.encode(ForkRequest(v=PROTOCOL_VERSION))
    return _identity(await introduced(link, FORK_PATH, body, token))


def _identity(answer: EnrolAnswer) -> DeviceIdentity:
    return DeviceIdentity(
        code=answer.device,
        number=answer.number,
        token=answer.token,
        epoch=answer.epoch,
        operator=answer.operator,
    )
