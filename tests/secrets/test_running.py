"""Files sealed while they grow: what is there is readable, what is changed is noticed."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.secrets.running import RunningFile, open_running, public_key

KEY = bytes(range(32))
PIECES = [b"one" * 1000, b"two" * 2000, b"three"]


def written(path: Path, *, close: bool = True) -> str:
    file = RunningFile(path, public_key(KEY))
    for piece in PIECES:
        file.write(piece)
    if close:
        return file.close()
    file.abandon()
    return ""


def test_a_whole_file_comes_back_and_its_digest_is_the_files(tmp_path: Path) -> None:
    digest = written(tmp_path / "a")
    opened = open_running(tmp_path / "a", KEY)
    assert (opened.plain, opened.whole) == (b"".join(PIECES), True)
    assert digest == hashlib.sha256((tmp_path / "a").read_bytes()).hexdigest()
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600
    assert b"oneone" not in (tmp_path / "a").read_bytes()


def test_an_unended_file_is_readable_and_known_as_cut(tmp_path: Path) -> None:
    written(tmp_path / "a", close=False)
    opened = open_running(tmp_path / "a", KEY)
    assert (opened.plain, opened.whole) == (b"".join(PIECES), False)


@settings(max_examples=60)
@given(st.data())
def test_a_file_cut_anywhere_is_never_whole(data: st.DataObject) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a"
        written(path)
        content = path.read_bytes()
        cut = data.draw(st.integers(0, len(content) - 1))
        path.write_bytes(content[:cut])
        try:
            opened = open_running(path, KEY)
        except Refusal:
            assert cut < 200, "only a file without a whole head is nobody's"
        else:
            assert not opened.whole
            assert b"".join(PIECES).startswith(opened.plain)


def test_a_changed_byte_and_another_key_are_noticed(tmp_path: Path) -> None:
    written(tmp_path / "a")
    content = bytearray((tmp_path / "a").read_bytes())
    with pytest.raises(Refusal) as refused:
        open_running(tmp_path / "a", bytes(32))
    assert refused.value.code is Code.FILE_SEAL
    content[len(content) // 2] ^= 1
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(Refusal) as refused:
        open_running(tmp_path / "a", KEY)
    assert refused.value.code is Code.FILE_SEAL
