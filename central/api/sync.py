"""``POST /v1/sync``: push and pull, the only way data goes (design/sync-and-security.md 1.4)."""

from __future__ import annotations

from functools import partial
from typing import Any

import msgspec
from litestar import Response, post
from litestar.di import NamedDependency
from litestar.status_codes import HTTP_200_OK

from central.api.access import SIGNED_IN, bearer
from central.api.errors import AnyRequest
from central.api.service import Service
from central.exchange import Answer, Asked, asked, grown
from central.hub import first_of
from central.log import log
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.sync.dictionary import dictionary_of
from operator_tui.sync.packing import plain_size, write_answer
from operator_tui.sync.protocol import ENCODING, FRAMES_TYPE, MAX_WAIT_S, SYNC_PATH, End, SyncRequest

# A waiting request looks at the database this often even if nobody rings: another server process may have written.
_LOOK_S = 2.0
# Bytes on the wire and unpacked that are read in the event loop.
_SMALL, _SMALL_PLAIN = 8_192, 65_536


@post(
    SYNC_PATH,
    status_code=HTTP_200_OK,
    opt={"access": SIGNED_IN},
    summary="Operations of a device in, outcomes and events out",
)
async def sync(request: AnyRequest, service: NamedDependency[Service]) -> Response[Any]:
    token, packed = bearer(request), is_packed(request)
    body = await request.body()
    sent, answer = await _exchange(service, token, body, packed=packed)
    answer = await _wait(service, token, sent, answer)
    if sent.o:
        refused = sum(outcome.s == "rejected" for outcome in answer.outcomes)
        log("pushed", device=answer.device, taken=len(answer.outcomes), refused=refused, sent=len(answer.events))
    dictionary = dictionary_of(body) if packed else None
    end = news_of(sent, answer)
    content = b"".join(write_answer(answer.head, answer.outcomes, answer.events, end, dictionary))
    return Response(content, media_type=FRAMES_TYPE, headers={"Content-Encoding": ENCODING})


def news_of(sent: SyncRequest, answer: Answer) -> End:
    """Where the desk's streams stand. Of the reference data nothing is told while there is nothing new: a hash does
    not compress, and they change once a week."""
    ends = answer.end.end
    told = {name: end for name, end in ends.items() if not (name.endswith("/ref") and end.head == sent.c.get(name, 0))}
    return msgspec.structs.replace(answer.end, end=told)


def is_packed(request: AnyRequest) -> bool:
    """Whether the body is zstd; plain JSON is taken too. Refusal(BAD_REQUEST) for another encoding."""
    encoding = request.headers.get("content-encoding", "identity").lower()
    if encoding not in (ENCODING, "identity"):
        raise Refusal(Code.BAD_REQUEST, reason="encoding", spoken=[ENCODING])
    return encoding == ENCODING


async def _exchange(service: Service, token: str, body: bytes, *, packed: bool) -> tuple[SyncRequest, Answer]:
    return await service.gathering.exchange(await _asked(service, token, body, packed=packed))


async def _asked(service: Service, token: str, body: bytes, *, packed: bool) -> Asked:
    """A thread is asked to read what may be large; most requests are read sooner than one is woken."""
    read = partial(asked, token, body, packed=packed)
    return (
        read() if len(body) <= _SMALL and (not packed or plain_size(body) <= _SMALL_PLAIN) else await service.run(read)
    )


async def _wait(service: Service, token: str, held: SyncRequest, answer: Answer) -> Answer:
    """Long poll: hold an answer that would tell nothing, until there is something or the time is up."""
    end = service.clock.monotonic() + min(held.wait, MAX_WAIT_S)
    again = Asked(token, msgspec.structs.replace(held, o=[], wait=0.0))
    while not (held.o or answer.events or service.hub.closed) and answer.end.end:
        left = end - service.clock.monotonic()
        if left <= 0:
            break
        bells = [service.hub.bell(stream) for stream in answer.end.end]
        if not await service.run(partial(grown, service.database, answer.end)):
            await first_of(bells, min(left, _LOOK_S))
            continue
        _, answer = await service.gathering.exchange(again)
    return answer
