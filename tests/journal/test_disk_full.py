"""A full disk: one sentence, nothing half written, and work goes on when there is room again."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from operator_tui.appeals.clock import SystemClock
from operator_tui.appeals.draft import draft_of
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.lifecycle import Act
from operator_tui.appeals.operations import Kind
from operator_tui.journal.journal import Journal
from operator_tui.sentences import sentence
from tests.journal.making import appeal, enrolled, open_journal

LONG = "содержание обращения " * 400


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of two megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m,mode=0700", "tmpfs", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(journal: Journal) -> tuple[list[str], Refusal]:
    """Save until it is refused; the ids acknowledged and the refusal."""
    saved: list[str] = []
    for count in range(10_000):
        draft = appeal(text=f"{LONG}{count}", surname="Тестова")
        try:
            journal.put_draft(draft)
            saved.append(journal.save(draft).id)
        except Refusal as refusal:
            return saved, refusal
    raise AssertionError("the disk never filled")


def still_whole(journal: Journal, saved: list[str]) -> None:
    assert [card.id for card in journal.active(limit=10_000)] == saved[::-1]
    assert [f"k7q2mx:{operation.n}" for operation in journal.outbox(10_000)] == saved
    assert len(journal.search("тестова", limit=10_000)) == len(saved)


def every_write(journal: Journal, card_id: str) -> list[Callable[[], object]]:
    card = journal.card(card_id)
    assert card is not None
    changed = draft_of(card)
    changed.fields["text"] = LONG * 3
    return [
        lambda: journal.save(appeal(text=LONG)),
        lambda: journal.save(changed),
        lambda: journal.save_and_close(appeal(text=LONG), {"result": "R02", "comment": LONG * 3}),
        lambda: journal.move(card_id, Act.CLOSE, {"result": "R02", "comment": LONG * 3}),
        lambda: journal.put_draft(appeal(text=LONG * 9)),
        lambda: journal.record(Kind.ANSWER_USED, {"script": LONG * 3}),
    ]


@pytest.mark.needs("root")
def test_a_disk_that_is_really_full(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(700_000))
    journal = enrolled(small_disk, clock=SystemClock())
    saved, refusal = fill(journal)
    assert saved
    assert refusal.code is Code.DISK_FULL
    assert "не осталось места" in sentence(refusal)
    still_whole(journal, saved)
    # SQLite may find room again inside its own log; the next refusal must be as harmless as the first.
    for _ in range(3):
        more, refusal = fill(journal)
        saved += more
        assert refusal.code is Code.DISK_FULL
        still_whole(journal, saved)
    drafts = {draft.id for draft in journal.drafts()}
    ballast.unlink()
    kept = appeal(text="место освободили", surname="Тестова")
    journal.put_draft(kept)
    saved.append(journal.save(kept).id)
    still_whole(journal, saved)
    assert {draft.id for draft in journal.drafts()} == drafts
    journal.close()
    journal = open_journal(small_disk)
    still_whole(journal, saved)
    journal.close()


@pytest.mark.needs("root")
def test_a_journal_opened_on_a_full_disk_says_so_or_reads(small_disk: Path) -> None:
    journal = enrolled(small_disk, clock=SystemClock())
    saved = [journal.save(appeal(surname="Тестова")).id]
    journal.close()
    with pytest.raises(OSError, match="No space"):
        (small_disk / "ballast").write_bytes(bytes(4_000_000))
    try:
        journal = open_journal(small_disk)
    except Refusal as refusal:
        assert refusal.code is Code.DISK_FULL  # noqa: PT017 - either of two right answers
    else:
        still_whole(journal, saved)
        journal.close()
    (small_disk / "ballast").unlink()
    journal = open_journal(small_disk)
    still_whole(journal, saved)
    journal.close()


def test_a_file_that_may_not_grow(tmp_path: Path) -> None:
    """SQLite's own limit gives the same error from the same place, without the right to mount."""
    journal = enrolled(tmp_path, clock=SystemClock())
    with journal._store.reading() as db:
        pages = db.execute("PRAGMA page_count").fetchone()[0]
        db.execute(f"PRAGMA max_page_count={pages + 80}")
    saved, refusal = fill(journal)
    assert saved
    assert refusal.code is Code.DISK_FULL
    still_whole(journal, saved)
    for write in every_write(journal, saved[0]):
        with pytest.raises(Refusal) as caught:
            write()
        assert caught.value.code is Code.DISK_FULL
    still_whole(journal, saved)
    with journal._store.reading() as db:
        db.execute("PRAGMA max_page_count=1000000")
    saved.append(journal.save(appeal(text="место есть", surname="Тестова")).id)
    still_whole(journal, saved)
    journal.close()
