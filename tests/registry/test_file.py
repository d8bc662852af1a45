"""The registry's file, and whatever may be typed at it: nothing breaks it, and without the key nothing is readable."""

from __future__ import annotations

from pathlib import Path

import pytest

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.registry.index import Registry
from operator_tui.registry.people import MOST_SHOWN
from tests.registry.conftest import KEY


@pytest.mark.parametrize(
    "typed",
    ["x" * 10_000, "'; DROP TABLE p; --", "%", "_", "\x00", "ы" * 200, "а " * 90, "1" * 199, "🙂", "-", "[", "а-",
     "++7", "0", "00000000000000000", "9" * 30, "'" * 5, "\ud800"],
)  # fmt: skip
def test_no_typed_text_breaks_the_search(registry: Registry, typed: str) -> None:
    found = registry.search(typed)
    assert len(found.hits) <= MOST_SHOWN
    assert registry.search("ежикова").hits


def test_too_long_a_query_says_so(registry: Registry) -> None:
    assert registry.search("иванов" + " " * 10_000).note == "Запрос слишком длинный: учтены первые 200 знаков."
    nobody = registry.search("щъ" * 5_000)
    assert nobody.cut
    assert not nobody.hits
    assert "первые 200 знаков" in nobody.note


def test_a_wrong_key_is_refused_and_the_file_stays(registry_file: Path, capfd: pytest.CaptureFixture[str]) -> None:
    before = registry_file.read_bytes()
    for key in (bytes(32), b"short", b""):
        with pytest.raises(Refusal) as refused:
            Registry.open(registry_file, key)
        assert refused.value.code == Code.REGISTRY_KEY_WRONG
    assert registry_file.read_bytes() == before
    assert capfd.readouterr().err == ""


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal) as refused:
        Registry.open(tmp_path / "none.db", KEY)
    assert refused.value.code == Code.REGISTRY_MISSING
    assert not (tmp_path / "none.db").exists()


def test_another_database_is_no_registry(tmp_path: Path) -> None:
    import sqlcipher3

    path = tmp_path / "other.db"
    connection = sqlcipher3.connect(str(path))
    connection.execute(f"PRAGMA key = \"x'{KEY.hex()}'\"")
    connection.execute("CREATE TABLE t(x)")
    connection.close()
    with pytest.raises(Refusal) as refused:
        Registry.open(path, KEY)
    assert refused.value.code == Code.FILE_UNREADABLE


def test_the_registry_can_not_be_written(registry: Registry) -> None:
    import sqlcipher3

    with pytest.raises(sqlcipher3.OperationalError):
        registry._connection.execute("DELETE FROM p")


def test_names_are_not_readable_on_disk(registry_file: Path) -> None:
    raw = registry_file.read_bytes()
    assert "Гаджимурадов".encode() not in raw
    assert not raw.startswith(b"SQLite format 3")
