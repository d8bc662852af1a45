"""Saved means on disk: a desk that is killed while it writes has lost nothing it had acknowledged (DESIGN rule 1)."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

from operator_tui.appeals.card import Status
from operator_tui.appeals.operations import Kind, operation_id
from tests.journal.making import open_journal

ROUNDS = 40


def test_a_kill_at_any_moment_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    chance = random.Random(20260921)
    acknowledged = 0
    writer = subprocess.Popen(
        [sys.executable, "-m", "tests.journal.writer"],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    )
    try:
        for number in range(ROUNDS):
            folder = tmp_path / str(number // 4)  # four kills in a row on the same journal
            folder.mkdir(exist_ok=True)
            acknowledged += one_round(writer, folder, chance.randrange(4), chance.uniform(0.0, 0.06))
    finally:
        writer.kill()
        writer.wait()
        for pipe in (writer.stdin, writer.stdout):
            if pipe is not None:
                pipe.close()
    assert acknowledged > ROUNDS  # else nothing was tried


def one_round(writer: subprocess.Popen[str], folder: Path, after_words: int, after_s: float) -> int:
    """Start a writer, kill it that long after so many words (a slow disk says few), and look for all it had said."""
    assert writer.stdin is not None
    assert writer.stdout is not None
    writer.stdin.write(f"{folder}\n")
    writer.stdin.flush()
    pid = int(writer.stdout.readline().split()[1])
    killer = threading.Timer(after_s, os.kill, (pid, signal.SIGKILL))
    said: list[list[str]] = []
    while True:
        if len(said) == after_words:
            killer.start()
        if (words := writer.stdout.readline().split()) == ["dead"]:
            break
        assert words, "the writer died of something else"
        said.append(words)
    killer.join()
    look_for(folder, said)
    return len(said)


def look_for(folder: Path, said: list[list[str]]) -> None:
    journal = open_journal(folder)
    try:
        operations = journal.outbox(100_000)
        assert [operation.n for operation in operations] == list(range(1, len(operations) + 1))
        made = {operation_id("k7q2mx", each.n) for each in operations if each.k == Kind.CARD_NEW}
        shown = {card.id for status in Status for card in journal.active(limit=100_000, status=status)}
        assert made == shown
        drafts = {draft.id: draft for draft in journal.drafts()}
        closed = {words[1] for words in said if words[0] == "closed"}
        edited = {words[1]: words[2] for words in said if words[0] == "edited"}
        for what, one, *text in said:
            if what == "draft":
                assert drafts[one].fields["text"] == one
                continue
            card = journal.card(one)
            assert card is not None
            assert one in made
            if what == "saved":
                assert card.value("text") == text[0]
                assert one in [found.id for found in journal.search(text[0], limit=1000)]
        for one, text in edited.items():
            card = journal.card(one)
            assert card is not None
            # One more edit may have been committed in the moment before the kill, unacknowledged.
            assert card.value("address").startswith("t")
            assert int(card.value("address").rpartition("x")[2]) >= int(text.rpartition("x")[2])
        for one in closed:
            card = journal.card(one)
            assert card is not None
            assert card.status is Status.IN_REVIEW
        # A form that was saved is no draft any more: never both, whatever the moment.
        texts = {card.value("text") for status in Status for card in journal.active(limit=100_000, status=status)}
        assert not texts & {draft.fields.get("text") for draft in drafts.values() if "type" in draft.fields}
    finally:
        journal.close()
