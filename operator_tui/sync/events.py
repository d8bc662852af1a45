"""The form of ``GET /v1/events``: Server-Sent Events (WHATWG HTML, 9.2) that carry the frames of the protocol.

``event: z`` holds frames as base64 of a zstd frame packed with the dictionary the desk named in ``z``; without one the
frames stand there as NDJSON, for any reader. ``event: presence`` holds a PresenceTold. ``id`` are the cursors, so that
a reader that reconnects by itself goes on where it was. Both ends import this.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping

import msgspec
import zstandard

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.sync.dictionary import dictionaries
from operator_tui.sync.packing import pack_frames, read_frame, unpack
from operator_tui.sync.protocol import Frame, PresenceTold

PACKED, PRESENCE = "z", "presence"
HEARTBEAT = b":\n\n"


def cursors_text(cursors: Mapping[str, int]) -> str:
    """``26/tf:10412,26/ref:77``."""
    return ",".join(f"{stream}:{cursor}" for stream, cursor in cursors.items())


def read_cursors(text: str) -> dict[str, int]:
    """The cursors of a text. Refusal(BAD_REQUEST) for one that holds none."""
    found: dict[str, int] = {}
    for each in filter(None, text.split(",")):
        stream, _, cursor = each.rpartition(":")
        if not stream or not cursor.isdecimal() or len(cursor) > 15:
            raise Refusal(Code.BAD_REQUEST, reason="cursors")
        found[stream] = int(cursor)
    return found


def frames_event(
    frames: Iterable[Frame], cursors: Mapping[str, int], dictionary: zstandard.ZstdCompressionDict | None
) -> bytes:
    """One event of the stream."""
    place = f"id:{cursors_text(cursors)}\n".encode() if cursors else b""
    if dictionary is not None:
        return b"event:z\n" + place + b"data:" + base64.b64encode(pack_frames(frames, dictionary)) + b"\n\n"
    return place + b"".join(b"data:" + msgspec.json.encode(frame) + b"\n" for frame in frames) + b"\n"


def presence_event(told: PresenceTold) -> bytes:
    """A batch of presence."""
    return b"event:presence\ndata:" + msgspec.json.encode(told) + b"\n\n"


def read_frames(event: str, data: str) -> list[Frame]:
    """The frames of an event, none for a kind of a newer server. Refusal(BAD_REQUEST) for what is none."""
    if event == PACKED:
        try:
            raw = unpack(base64.b64decode(data, validate=True), dictionaries=dictionaries().values())
        except binascii.Error:
            raise Refusal(Code.BAD_REQUEST, reason="broken") from None
    elif event == "message":
        raw = data.encode()
    else:
        return []
    return [frame for line in raw.splitlines() if line and (frame := read_frame(line)) is not None]


def read_presence(data: str) -> PresenceTold:
    """The batch of an event. Refusal(BAD_REQUEST) for what is none."""
    try:
        return msgspec.json.decode(data, type=PresenceTold)
    except (msgspec.MsgspecError, ValueError):
        raise Refusal(Code.BAD_REQUEST, reason="broken") from None
