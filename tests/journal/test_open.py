"""Opening: key, lock, damage, migrations, what is on the disk."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from sqlite_utils.migrations import Migrations

from operator_tui.appeals.clock import ManualClock
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.journal import migrations, store
from operator_tui.journal.cards import columns
from operator_tui.journal.journal import Journal
from operator_tui.secrets.cipher import open_encrypted
from tests.journal.making import KEY, appeal, enrolled, identity, open_journal


def refused(folder: Path, key: bytes = KEY) -> Refusal:
    with pytest.raises(Refusal) as caught:
        open_journal(folder, key=key)
    return caught.value


def digest(folder: Path) -> dict[str, str]:
    """What the journal's own files hold; -shm and the lock are scratch."""
    names = ("journal.db", "journal.db-wal", "journal.db.mark")
    return {
        name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names if (folder / name).exists()
    }


def killed(folder: Path) -> None:
    """A journal with a saved card whose process died without closing it."""
    code = (
        "import os, sys; from pathlib import Path\n"
        "from tests.journal.making import appeal, enrolled\n"
        "enrolled(Path(sys.argv[1])).save(appeal(text='записано'))\n"
        "os.kill(os.getpid(), 9)\n"
    )
    died = subprocess.run([sys.executable, "-c", code, str(folder)], cwd=Path(__file__).parents[2], check=False)
    assert died.returncode == -9


def test_it_is_set_as_the_design_says(journal: Journal, tmp_path: Path) -> None:
    with journal._store.reading() as db:
        settings = {
            name: db.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous", "secure_delete", "temp_store", "recursive_triggers")
        }
    assert settings == {
        "journal_mode": "wal",
        "synchronous": 2,
        "secure_delete": 1,
        "temp_store": 2,
        "recursive_triggers": 1,
    }
    for file in tmp_path.glob("journal.db*"):
        assert stat.S_IMODE(file.stat().st_mode) & 0o077 == 0, file.name


def test_nothing_on_the_disk_can_be_read_without_the_key(tmp_path: Path) -> None:
    journal = enrolled(tmp_path)
    marked = "Зюзинаполиктестова"
    journal.save(appeal(surname=marked, phone="+78652099991", text="содержание"))
    journal.put_draft(appeal(surname=marked, phone="+78652099991"))
    bytes_on_disk = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    journal.close()
    bytes_on_disk += b"".join(file.read_bytes() for file in tmp_path.iterdir())
    for secret in (marked, "78652099991", "содержание", "token", "SQLite format"):
        assert secret.encode() not in bytes_on_disk


def test_a_second_desk_is_refused_by_its_pid(journal: Journal, tmp_path: Path) -> None:
    caught = refused(tmp_path)
    assert (caught.code, caught.params) == (Code.JOURNAL_BUSY, {"pid": str(os.getpid())})
    journal.close()
    open_journal(tmp_path).close()


def test_the_lock_of_a_dead_process_holds_nobody_up(tmp_path: Path) -> None:
    killed(tmp_path)
    journal = open_journal(tmp_path)
    assert [card.value("text") for card in journal.active()] == ["записано"]
    journal.close()


@pytest.mark.parametrize("dead", [False, True])
def test_a_wrong_key_opens_nothing_and_changes_nothing(
    tmp_path: Path, dead: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    if dead:
        killed(tmp_path)  # what it wrote stands in the write-ahead log alone
    else:
        enrolled(tmp_path).close()
    before = digest(tmp_path)
    caught = refused(tmp_path, bytes(32))
    assert (caught.code, caught.params) == (Code.JOURNAL_KEY_WRONG, {"path": str(tmp_path / "journal.db")})
    assert digest(tmp_path) == before
    assert capfd.readouterr().err == ""
    open_journal(tmp_path).close()


def test_a_key_has_32_bytes(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="32"):
        open_journal(tmp_path, key=b"short")


@pytest.mark.parametrize("how", ["first page", "cut short", "not ours"])
def test_a_damaged_file_is_named_and_left_alone(tmp_path: Path, how: str) -> None:
    enrolled(tmp_path).close()
    file = tmp_path / "journal.db"
    content = bytearray(file.read_bytes())
    if how == "first page":
        content[100:200] = bytes(100)
    elif how == "cut short":
        content = content[: len(content) - 1000]
        content[50:60] = bytes(10)
    else:
        content = bytearray(b"\0" * 5000)
    file.write_bytes(content)
    before = digest(tmp_path)
    assert refused(tmp_path).code is Code.JOURNAL_DAMAGED
    assert digest(tmp_path) == before


def damaged(folder: Path) -> None:
    """A closed journal with a spoilt place in most pages."""
    journal = enrolled(folder)
    for _ in range(30):
        journal.save(appeal(text="я" * 500))
    journal.close()
    file = folder / "journal.db"
    content = bytearray(file.read_bytes())
    for page in range(3, len(content) // 4096):
        content[page * 4096 + 10 : page * 4096 + 40] = bytes(30)
    file.write_bytes(content)


def test_damage_inside_is_found_after_a_kill(tmp_path: Path) -> None:
    damaged(tmp_path)
    (tmp_path / "journal.db.lock").write_text("99999")  # the last holder did not release it
    assert refused(tmp_path).code is Code.JOURNAL_DAMAGED


def test_damage_met_later_is_a_sentence_too(tmp_path: Path) -> None:
    damaged(tmp_path)

    def use() -> None:
        with contextlib.closing(open_journal(tmp_path)) as opened:
            opened.active()

    with pytest.raises(Refusal) as caught:
        use()
    assert caught.value.code is Code.JOURNAL_DAMAGED


def test_a_newer_journal_is_refused(tmp_path: Path) -> None:
    enrolled(tmp_path).close()
    db = open_encrypted(tmp_path / "journal.db", KEY)
    db.table("_sqlite_migrations").insert({"migration_set": "journal", "name": "of_next_year", "applied_at": "later"})
    db.close()
    before = digest(tmp_path)
    assert refused(tmp_path).code is Code.JOURNAL_NEWER
    assert digest(tmp_path) == before


@pytest.fixture
def next_release(monkeypatch: pytest.MonkeyPatch) -> Migrations:
    """This program as it will be with one more migration."""
    steps = Migrations("journal")
    steps(name="first")(migrations.first)
    steps(name="newest_first")(migrations.newest_first)
    steps(name="who_and_what")(migrations.who_and_what)
    steps(name="review_by_term")(migrations.review_by_term)
    steps(name="promised_and_owed")(migrations.promised_and_owed)
    steps(name="sent_elsewhere")(migrations.sent_elsewhere)
    steps(name="reference_data")(migrations.reference_data)
    steps(name="files_on_their_way")(migrations.files_on_their_way)
    steps(name="nearest_first")(migrations.nearest_first)
    monkeypatch.setattr(store, "STEPS", steps)
    return steps


def test_an_existing_journal_is_copied_before_it_is_migrated(tmp_path: Path, next_release: Migrations) -> None:
    journal = enrolled(tmp_path)
    saved = journal.save(appeal(surname="Тестова"))
    journal.close()
    next_release(name="next")(lambda db: db.execute("ALTER TABLE draft ADD COLUMN colour TEXT") and None)
    journal = open_journal(tmp_path)
    assert journal.card(saved.id) == saved
    assert [card.id for card in journal.search("тестова")] == [saved.id]
    journal.close()
    copies = list(tmp_path.glob("journal.db.before-*"))
    assert len(copies) == 1
    assert stat.S_IMODE(copies[0].stat().st_mode) == 0o600
    copy = open_encrypted(copies[0], KEY, read_only=True)
    assert copy.execute("SELECT id FROM shown").fetchall() == [(saved.id,)]
    assert "colour" not in copy.table("draft").columns_dict
    copy.close()
    assert not copies[0].read_bytes().startswith(b"SQLite format")
    # the full-text index of the copy finds what that of the journal found: rows keep their numbers
    copies[0].rename(tmp_path / "journal.db")
    (tmp_path / "journal.db.mark").unlink()
    journal = open_journal(tmp_path)
    assert [card.id for card in journal.search("тестова")] == [saved.id]
    journal.close()


def test_a_migration_that_fails_leaves_the_journal_as_it_was(tmp_path: Path, next_release: Migrations) -> None:
    enrolled(tmp_path).close()

    @next_release(name="next")
    def breaks(db: object) -> None:
        db.execute("ALTER TABLE draft ADD COLUMN colour TEXT")  # type: ignore[attr-defined]  # it is a Database
        raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError):
        open_journal(tmp_path)
    db = open_encrypted(tmp_path / "journal.db", KEY)
    assert "colour" not in db.table("draft").columns_dict
    db.close()


def test_a_journal_of_the_first_days_is_brought_up_to_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    early = Migrations("journal")
    early(name="first")(migrations.first)
    later = ("worker", "review", "theme", "result", "closer", "promise_due", "team", "owed", "elsewhere", "nearest")
    with monkeypatch.context() as then:
        then.setattr(store, "STEPS", early)
        then.setattr("operator_tui.journal.reference.load", lambda store: None)
        then.setattr("operator_tui.journal.nearing.keep_up", lambda store: None)
        then.setattr(
            "operator_tui.journal.cards.columns",
            lambda store, card: {name: value for name, value in columns(store, card).items() if name not in later},
        )
        journal = enrolled(tmp_path)
        saved = journal.save(appeal(surname="Тестова"))
        journal.close()
    journal = open_journal(tmp_path)
    assert [card.id for card in journal.active()] == [saved.id]
    assert journal.workers() == {1944: 1}
    journal.close()
    assert [file.name for file in tmp_path.glob("*before*")] == ["journal.db.before-2"]


def test_no_copy_is_made_of_a_new_journal(tmp_path: Path) -> None:
    enrolled(tmp_path).close()
    open_journal(tmp_path).close()
    assert list(tmp_path.glob("*before*")) == []


def test_it_is_the_same_after_it_was_closed(tmp_path: Path) -> None:
    journal = enrolled(tmp_path, clock=ManualClock())
    card = journal.save(appeal(surname="Тестова"))
    draft = appeal(text="недописано")
    journal.put_draft(draft)
    journal.close()
    journal.close()
    journal = open_journal(tmp_path)
    assert journal.device == identity()
    assert journal.active() == [card]
    assert journal.drafts() == [draft]
    assert journal.save(appeal()).id == "k7q2mx:2"
    journal.close()


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(Refusal) as caught:
        open_journal(tmp_path / "nowhere")
    assert caught.value.code is Code.DISK_FAILED
