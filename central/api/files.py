"""``/v1/files/…-key``: the key of a recording or an attachment, unwrapped for who may read it and says what for.

The purpose is in the audit log before the key is out. The seal itself says of which kind and organisation the file is
(operator_tui/secrets/address.py), so nobody has another's opened by calling it his own; papers go along with their
appeal (central/papers.py).
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.status_codes import HTTP_200_OK

from central.api.access import message
from central.api.auth import answer
from central.api.errors import AnyRequest
from central.api.service import Service
from central.devices import Device
from central.log import log
from central.papers import labels
from central.recordings import recordings_of
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.rights import Right
from operator_tui.secrets.address import KEY_BYTES, LABELLED_BOX, FileKind
from operator_tui.signin.files import (
    ATTACHMENT_KEY_PATH,
    RECORDING_KEY_PATH,
    RECORDINGS_PATH,
    VOICE_MAIL_KEY_PATH,
    FileKeyAnswer,
    FileKeyRequest,
    RecordingsAnswer,
    RecordingsRequest,
)

_CARD = re.compile(r"[0-9a-z]{1,16}:[0-9]{1,15}")


@post(
    RECORDING_KEY_PATH,
    status_code=HTTP_200_OK,
    opt={"access": Right.RECORDINGS},
    summary="The key of a recording, for a purpose that is logged",
)
async def recording_key(
    request: AnyRequest, service: NamedDependency[Service], who: NamedDependency[Device]
) -> Response[Any]:
    return await _unwrapped(request, service, who, FileKind.RECORDING)


@post(
    ATTACHMENT_KEY_PATH,
    status_code=HTTP_200_OK,
    opt={"access": Right.CARD_WITHOUT_CALL},
    summary="The key of an attachment, for a purpose that is logged",
)
async def attachment_key(
    request: AnyRequest, service: NamedDependency[Service], who: NamedDependency[Device]
) -> Response[Any]:
    return await _unwrapped(request, service, who, FileKind.ATTACHMENT)


@post(
    VOICE_MAIL_KEY_PATH,
    status_code=HTTP_200_OK,
    opt={"access": Right.CARD_FROM_CALL},
    summary="The key of a message left at night, for a purpose that is logged",
)
async def voice_mail_key(
    request: AnyRequest, service: NamedDependency[Service], who: NamedDependency[Device]
) -> Response[Any]:
    return await _unwrapped(request, service, who, FileKind.VOICE_MAIL)


@post(
    RECORDINGS_PATH,
    status_code=HTTP_200_OK,
    opt={"access": Right.RECORDINGS},
    summary="Which recordings belong to an appeal",
)
async def recordings(
    request: AnyRequest, service: NamedDependency[Service], who: NamedDependency[Device]
) -> Response[Any]:
    asked = await message(request, RecordingsRequest)
    found = await service.run(lambda: recordings_of(service.database, asked.card, who.operator.organisation))
    return answer(RecordingsAnswer(found))


async def _unwrapped(request: AnyRequest, service: Service, who: Device, kind: FileKind) -> Response[Any]:
    asked = await message(request, FileKeyRequest)
    if asked.card and not _CARD.fullmatch(asked.card):
        raise Refusal(Code.FIELD_INVALID, field="card")
    try:
        box = bytes.fromhex(asked.sealed)
    except ValueError:
        raise Refusal(Code.FIELD_INVALID, field="sealed") from None
    if len(box) != LABELLED_BOX:
        raise Refusal(Code.FIELD_INVALID, field="sealed")
    name = hashlib.sha256(box).hexdigest()

    def work() -> bytes:
        plain = service.keys.open_fund(box)
        allowed = plain[KEY_BYTES:] in labels(service.database, kind, who.operator.organisation, asked.card, box)
        action = f"{kind.value}.{'opened' if allowed else 'refused'}"
        service.record(who, action, name, {"purpose": asked.purpose.value, "card": asked.card})
        if not allowed:
            raise Refusal(Code.FILE_OTHER)
        return plain[:KEY_BYTES]

    key = await service.run(work)
    log("file opened", device=who.id)
    return answer(FileKeyAnswer(key.hex()))
