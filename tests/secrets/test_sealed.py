"""Files sealed for the fund: who wrote them cannot open them, what was changed or cut is noticed."""

from __future__ import annotations

import io
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nacl.public import PrivateKey

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.secrets.sealed import CHUNK, open_sealed, seal_file

FUND = PrivateKey(bytes(range(32)))
SIZES = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK]


def sealed(folder: Path, content: bytes) -> Path:
    target = folder / "recording.otf"
    seal_file(io.BytesIO(content), target, bytes(FUND.public_key))
    return target


def opened(file: Path, key: PrivateKey = FUND) -> bytes:
    return b"".join(open_sealed(file, bytes(key)))


@pytest.mark.parametrize("size", SIZES)
def test_what_goes_in_comes_out(tmp_path: Path, size: int) -> None:
    content = bytes(place * 7 % 251 for place in range(size))
    file = sealed(tmp_path, content)
    assert opened(file) == content
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["recording.otf"]


def test_the_same_twice_is_never_the_same(tmp_path: Path) -> None:
    one = sealed(tmp_path, b"talk" * 1000).read_bytes()
    other = sealed(tmp_path, b"talk" * 1000).read_bytes()
    assert one != other
    assert b"talktalk" not in one


def test_another_key_opens_nothing(tmp_path: Path) -> None:
    file = sealed(tmp_path, b"talk")
    with pytest.raises(Refusal) as refused:
        opened(file, PrivateKey.generate())
    assert (refused.value.code, refused.value.params) == (Code.FILE_SEAL, {"file": "recording.otf"})


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 2 * CHUNK), bit=st.integers(0, 7))
def test_any_changed_bit_is_noticed(tmp_path: Path, place: int, bit: int) -> None:
    file = sealed(tmp_path, b"x" * (2 * CHUNK))
    raw = bytearray(file.read_bytes())
    raw[place] ^= 1 << bit
    file.write_bytes(raw)
    with pytest.raises(Refusal) as refused:
        opened(file)
    assert refused.value.code is Code.FILE_SEAL


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(1, 2 * CHUNK))
def test_a_file_cut_short_is_noticed(tmp_path: Path, cut: int) -> None:
    file = sealed(tmp_path, b"x" * (2 * CHUNK))
    raw = file.read_bytes()
    file.write_bytes(raw[:-cut])
    with pytest.raises(Refusal) as refused:
        opened(file)
    assert refused.value.code is Code.FILE_SEAL


def test_what_is_put_behind_or_in_another_order_is_noticed(tmp_path: Path) -> None:
    file = sealed(tmp_path, b"x" * (3 * CHUNK))
    raw = file.read_bytes()
    box = CHUNK + 17
    head = len(raw) - 3 * box
    chunks = [raw[head + place * box : head + (place + 1) * box] for place in range(3)]
    for forged in (raw + chunks[0], raw[:head] + chunks[1] + chunks[0] + chunks[2], raw + b"x"):
        file.write_bytes(forged)
        with pytest.raises(Refusal) as refused:
            opened(file)
        assert refused.value.code is Code.FILE_SEAL


def test_a_disk_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise OSError(5, "Input/output error")

    file = sealed(tmp_path, b"before")
    with pytest.raises(OSError, match="Input"):
        seal_file(Broken(), file, bytes(FUND.public_key))
    assert opened(file) == b"before"
    assert [path.name for path in tmp_path.iterdir()] == ["recording.otf"]
