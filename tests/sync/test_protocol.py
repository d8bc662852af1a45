"""The messages: what is written is what is read, in whatever pieces it arrives."""

from __future__ import annotations

import msgspec
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.operations import Event, Operation, Outcome
from operator_tui.sync import protocol
from operator_tui.sync.dictionary import current, dictionaries, dictionary_of
from operator_tui.sync.packing import FrameReader, FrameWriter, pack, read_frame, unpack, write_answer
from operator_tui.sync.protocol import (
    End,
    Frame,
    Head,
    Results,
    StreamEnd,
    SyncRequest,
    demand_version,
    operation_digest,
    plain_operation,
)

HEAD = Head(e="9c0e", t=1_790_000_000_123, next=42, durable=38)
END = End({"26/tf": StreamEnd(10420, "ab" * 32)}, more=True)


def _event(q: int) -> Event:
    return Event(s="26/tf", q=q, k="card.set", op=f"k7q2mx:{q}", by=1944, at="0" * 16, c="k7q2mx:29", x={"ж": q})


def _answer(outcomes: int, events: int) -> list[bytes]:
    return list(
        write_answer(
            HEAD,
            [Outcome(n=n, s="applied", q=n) for n in range(outcomes)],
            [_event(q) for q in range(events)],
            END,
        )
    )


@given(st.integers(0, 12), st.integers(0, 12), st.lists(st.integers(1, 60), min_size=1))
def test_an_answer_is_read_in_any_pieces(outcomes: int, events: int, sizes: list[int]) -> None:
    wire = b"".join(_answer(outcomes, events))
    reader, frames, start = FrameReader(), list[Frame](), 0
    for place in range(len(wire)):
        size = sizes[place % len(sizes)]
        frames += reader.feed(wire[start : start + size])
        start += size
        if start >= len(wire):
            break
    assert (frames[0], frames[-1]) == (HEAD, END)
    results = [frame for frame in frames if isinstance(frame, Results)]
    assert [outcome.n for frame in results for outcome in frame.r] == list(range(outcomes))
    assert all(len(frame.r) <= 5 for frame in results)
    assert [frame for frame in frames if isinstance(frame, Event)] == [_event(q) for q in range(events)]


def test_a_cut_costs_five_entries_at_most() -> None:
    blocks = _answer(0, 23)
    for whole in range(1, len(blocks)):
        frames = FrameReader().feed(b"".join(blocks[:whole]) + blocks[whole][:-1])
        assert sum(isinstance(frame, Event) for frame in frames) >= min(23, (whole - 1) * 5)


def test_frames_and_fields_of_a_newer_server_are_skipped() -> None:
    assert read_frame(b'{"presence":[1,2]}') is None
    assert read_frame(b'{"e":"9c","t":1,"next":2,"colour":"blue"}') == Head(e="9c", t=1, next=2)


@pytest.mark.parametrize("line", [b"", b"[]", b"{", b'{"q":"x"}', b'{"end":3}', b"\xff", b"[" * 5000])
def test_a_line_that_is_none_is_refused(line: bytes) -> None:
    with pytest.raises(Refusal) as refused:
        read_frame(line)
    assert refused.value.code is Code.BAD_REQUEST


def test_an_answer_that_is_no_zstd_or_too_large_is_refused() -> None:
    for data, limit, reason in [(b"<html>", 100, "broken"), (zstandard.compress(b"\n" * 4096), 100, "too_large")]:
        with pytest.raises(Refusal) as refused:
            FrameReader(limit).feed(data)
        assert refused.value.params == {"reason": reason}


def test_a_bomb_costs_the_limit_and_no_more() -> None:
    bomb = zstandard.compress(b"\0" * (200 << 20))
    assert len(bomb) < 32_000
    with pytest.raises(Refusal) as refused:
        unpack(bomb)
    assert refused.value.params == {"reason": "too_large", "limit": protocol.MAX_PLAIN}


def test_a_request_goes_with_and_without_a_dictionary() -> None:
    samples = [b'{"theme":"%d","phone":"%d"}' % (number, number * 7) for number in range(2000)]
    dictionary = zstandard.train_dictionary(2048, samples)
    request = SyncRequest(v=1, d="k7q2mx", o=[{"n": 1}])
    for packed in (pack(request), pack(request, dictionary)):
        assert unpack(packed, dictionaries=[dictionary]) == b'{"v":1,"d":"k7q2mx","o":[{"n":1}]}'
    with pytest.raises(Refusal) as refused:
        unpack(pack(request, dictionary))
    assert refused.value.params == {"reason": "dictionary", "dictionary": dictionary.dict_id()}


def test_the_digest_is_of_what_is_said_and_not_of_its_place() -> None:
    plain = plain_operation(Operation(n=1, k="card.set", at="0" * 16, c="a:1", x={"b": 1, "a": [2]}))
    shuffled = dict(reversed(list(plain.items())))
    assert operation_digest(plain) == operation_digest(shuffled)
    assert operation_digest(plain) == operation_digest({**plain, "n": 7, "was": "a:1"})
    for other in ({"c": "a:2"}, {"x": {"b": 1}}, {"at": "1" * 16}, {"k": "x"}, {"new": 1}):
        assert operation_digest(plain) != operation_digest({**plain, **other})


def test_versions() -> None:
    demand_version(protocol.PROTOCOL_VERSION)
    with pytest.raises(Refusal) as refused:
        demand_version(protocol.SYNC_VERSION + 1)
    assert refused.value.code is Code.PROTOCOL_VERSION


def test_a_new_card_is_small_on_the_wire() -> None:
    fields = {
        "type": "Консультация",
        "theme": "К-01.1",
        "phone": "+7 8652 000001",
        "surname": "Абрамова",
        "name": "Елизавета",
        "patronymic": "Константиновна",
        "birth_date": "1957-03-12",
        "text": "Просит разъяснить, как заменить полис при смене фамилии.",
    }
    operation = Operation(n=41, k="card.new", at="0" * 16, z="Europe/Moscow", x=fields)
    request = SyncRequest(v=1, d="k7q2mx", e="9c0e5d1c9c0e5d1c", t=1, c={"26/tf": 9}, o=[plain_operation(operation)])
    assert len(pack(request)) < 500


def test_a_writer_gives_everything_so_far_at_a_flush() -> None:
    writer = FrameWriter()
    data = writer.write(HEAD) + writer.flush()
    assert FrameReader().feed(data) == [HEAD]


def test_the_dictionary_shipped_is_the_current_one_and_makes_a_card_half_as_big() -> None:
    dictionary = current()
    assert dictionary is not None
    x = {"type": "Консультация", "theme": "К-01.1", "surname": "Петрова", "phone": "+7 8652 000001", "text": "вопрос"}
    request = SyncRequest(1, "k7q2mx", o=[plain_operation(Operation(n=1, k="card.new", at="01a0c4506eb80000", x=x))])
    packed = pack(request, dictionary)
    assert dictionary_of(packed) is dictionary
    assert len(packed) < 0.6 * len(pack(request))
    assert msgspec.json.decode(unpack(packed, dictionaries=dictionaries().values()), type=SyncRequest) == request


def test_an_answer_is_read_with_the_dictionary_it_names_and_without_one() -> None:
    head = Head("0" * 16, 1, 2)
    for dictionary in (current(), None):
        raw = b"".join(write_answer(head, [], [], End({}), dictionary))
        reader = FrameReader(find=dictionary_of)
        assert [frame for byte in raw for frame in reader.feed(bytes([byte]))] == [head, End({})]
