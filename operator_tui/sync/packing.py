"""Messages as bytes: requests as one zstd frame, answers as NDJSON frames in one zstd stream; both ends import this.

The stream is flushed after every few events, so that a cut line loses at most one frame (design/sync-and-security.md
1.4). A frame of zstd names the dictionary it was packed with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any

import msgspec
import zstandard

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.operations import Event, Outcome
from operator_tui.sync.protocol import FRAME_EVENTS, MAX_ANSWER, MAX_PLAIN, End, Frame, Head, Results

LEVEL = 9  # 0.3 ms a card; level 19 saves 2 % more and costs ten times that
_WINDOW_LOG = 18  # 256 KB: what a stream's reader has to set aside
_HEADER = 18  # bytes of a zstd frame's header at most; an answer is longer
_MAX_WINDOW = MAX_PLAIN  # a frame that wants a larger one is no message of ours


def pack(value: Any, dictionary: zstandard.ZstdCompressionDict | None = None) -> bytes:
    """A request body: JSON in one zstd frame. The frame names the dictionary it was packed with."""
    return zstandard.ZstdCompressor(level=LEVEL, dict_data=dictionary).compress(msgspec.json.encode(value))


def unpack(body: bytes, *, limit: int = MAX_PLAIN, dictionaries: Iterable[zstandard.ZstdCompressionDict] = ()) -> bytes:
    """The JSON of a zstd body. Refusal(BAD_REQUEST) with ``reason`` broken, too_large or dictionary: the last
    asks for the same again without one."""
    try:
        wanted = zstandard.get_frame_parameters(body).dict_id
    except zstandard.ZstdError:
        raise Refusal(Code.BAD_REQUEST, reason="broken") from None
    dictionary = next((each for each in dictionaries if each.dict_id() == wanted), None)
    if wanted and dictionary is None:
        raise Refusal(Code.BAD_REQUEST, reason="dictionary", dictionary=wanted)
    decompressor = zstandard.ZstdDecompressor(dict_data=dictionary, max_window_size=_MAX_WINDOW)
    try:
        with decompressor.stream_reader(body) as reader:
            # The reader sets aside what it is asked for; a header that says less than comes is found out by zstd.
            plain = reader.read(min(limit, plain_size(body)) + 1)
    except (zstandard.ZstdError, MemoryError):
        raise Refusal(Code.BAD_REQUEST, reason="broken") from None
    if len(plain) > limit:
        raise Refusal(Code.BAD_REQUEST, reason="too_large", limit=limit)
    return plain


def plain_size(body: bytes) -> int:
    """How large the header of a zstd body says it is unpacked; more than any limit where it does not say."""
    try:
        size = zstandard.get_frame_parameters(body).content_size
    except zstandard.ZstdError:
        return 0  # it is none, and is found out at once
    return size if size < zstandard.CONTENTSIZE_ERROR else 1 << 62


@cache
def _stream_parameters() -> zstandard.ZstdCompressionParameters:
    return zstandard.ZstdCompressionParameters.from_level(LEVEL, window_log=_WINDOW_LOG, write_dict_id=1)


@cache
def _for_streams(dictionary: zstandard.ZstdCompressionDict) -> zstandard.ZstdCompressionDict:
    """The dictionary taken in once by the parameters of streams: each stream would take it in anew (0.2 ms)."""
    prepared = zstandard.ZstdCompressionDict(dictionary.as_bytes())
    prepared.precompute_compress(compression_params=_stream_parameters())
    return prepared


class FrameWriter:
    """Frames into one zstd stream; every ``flush`` lets the reader have what was written so far."""

    def __init__(self, dictionary: zstandard.ZstdCompressionDict | None = None) -> None:
        prepared = None if dictionary is None else _for_streams(dictionary)
        compressor = zstandard.ZstdCompressor(dict_data=prepared, compression_params=_stream_parameters())
        self._compressor = compressor.compressobj()

    def write(self, frame: Frame) -> bytes:
        """Bytes to send now, often none."""
        return self._compressor.compress(msgspec.json.encode(frame) + b"\n")

    def flush(self) -> bytes:
        """End the block: all frames so far can be read from the bytes so far."""
        return self._compressor.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)

    def finish(self) -> bytes:
        """End the stream."""
        return self._compressor.flush(zstandard.COMPRESSOBJ_FLUSH_FINISH)


def write_answer(
    head: Head,
    outcomes: Iterable[Outcome],
    events: Iterable[Event],
    end: End,
    dictionary: zstandard.ZstdCompressionDict | None = None,
) -> Iterator[bytes]:
    """A whole answer in the order of the protocol, flushed after the head and after every FRAME_EVENTS entries.
    ``dictionary`` is the one the request was packed with: the desk has it."""
    writer = FrameWriter(dictionary)
    yield writer.write(head) + writer.flush()
    for group in _groups(outcomes):
        yield writer.write(Results(group)) + writer.flush()
    for events_group in _groups(events):
        yield b"".join(map(writer.write, events_group)) + writer.flush()
    yield writer.write(end) + writer.finish()


def pack_frames(frames: Iterable[Frame], dictionary: zstandard.ZstdCompressionDict) -> bytes:
    """Frames of one event of a stream, packed by themselves: a stream that is taken up again needs nothing before."""
    lines = b"".join(msgspec.json.encode(frame) + b"\n" for frame in frames)
    return zstandard.ZstdCompressor(level=LEVEL, dict_data=dictionary).compress(lines)


FindDictionary = Callable[[bytes], zstandard.ZstdCompressionDict | None]


class FrameReader:
    """The other end: bytes in as they arrive, whole frames out; an unfinished one waits for its rest."""

    _SLICE = 1024  # bytes fed at once: bounds how much one step can unpack to before the limit is looked at

    def __init__(self, limit: int = MAX_ANSWER, find: FindDictionary = lambda frame: None) -> None:
        """``find`` gives the dictionary of a frame by its header, None for a plain one."""
        self._find = find
        self._begin = b""
        self._decompressor: zstandard.ZstdDecompressionObj | None = None
        self._rest = b""
        self._left = limit

    def feed(self, data: bytes) -> list[Frame]:
        """Refusal(BAD_REQUEST) with ``reason`` broken or too_large for an answer that is not one."""
        if self._decompressor is None:
            data = self._begin = self._begin + data
            if len(data) < _HEADER and zstandard.FRAME_HEADER.startswith(data[:4]):
                return []
            decompressor = zstandard.ZstdDecompressor(dict_data=self._find(data), max_window_size=_MAX_WINDOW)
            self._decompressor = decompressor.decompressobj()
        frames: list[Frame] = []
        for start in range(0, len(data), self._SLICE):
            try:
                plain = self._decompressor.decompress(data[start : start + self._SLICE])
            except (zstandard.ZstdError, EOFError):
                raise Refusal(Code.BAD_REQUEST, reason="broken") from None
            self._left -= len(plain)
            if self._left < 0:
                raise Refusal(Code.BAD_REQUEST, reason="too_large")
            *lines, self._rest = (self._rest + plain).split(b"\n")
            frames += filter(None, map(read_frame, lines))
        return frames


_ABSENT = msgspec.Raw()


class _Marks(msgspec.Struct):
    """What tells the frames apart."""

    e: msgspec.Raw = _ABSENT
    r: msgspec.Raw = _ABSENT
    q: msgspec.Raw = _ABSENT
    end: msgspec.Raw = _ABSENT


def read_frame(line: bytes) -> Frame | None:
    """The frame of one line, None for a kind of a newer server. Refusal(BAD_REQUEST) for a line that is none."""
    try:
        marks = msgspec.json.decode(line, type=_Marks)
        if marks.end is not _ABSENT:
            return msgspec.json.decode(line, type=End)
        if marks.r is not _ABSENT:
            return msgspec.json.decode(line, type=Results)
        if marks.q is not _ABSENT:
            return msgspec.json.decode(line, type=Event)
        return msgspec.json.decode(line, type=Head) if marks.e is not _ABSENT else None
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise Refusal(Code.BAD_REQUEST, reason="broken") from None


def _groups(entries: Iterable[Any]) -> Iterator[list[Any]]:
    group: list[Any] = []
    for entry in entries:
        group.append(entry)
        if len(group) == FRAME_EVENTS:
            yield group
            group = []
    if group:
        yield group
