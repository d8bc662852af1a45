"""A desk that writes until it is killed. Reads a journal's folder per line and forks a writer for each.

The writer tells on stdout what has returned: ``pid N``, ``saved ID TEXT``, ``edited ID TEXT``, ``closed ID``,
``draft ID TEXT``; when it is dead the parent says ``dead``. Forking spares thirty starts of an interpreter.
"""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path

from operator_tui.appeals.clock import SystemClock
from operator_tui.appeals.draft import Draft, draft_of
from operator_tui.appeals.lifecycle import Act
from operator_tui.journal.journal import Journal
from tests.journal.making import appeal, identity, open_journal


def say(*words: str) -> None:
    os.write(1, (" ".join(words) + "\n").encode())


def write_for_ever(journal: Journal) -> None:
    chance = random.Random(os.getpid())
    saved: list[str] = []
    count = 0
    while True:
        count += 1
        text = f"t{os.getpid()}x{count}"
        match chance.choice(["new", "new", "draft", "edit", "close"]):
            case "edit" if saved:
                card = journal.card(saved[-1])
                assert card is not None
                draft = draft_of(card)
                draft.fields["address"] = text
                say("edited", journal.save(draft).id, text)
            case "close" if saved:
                say("closed", journal.move(saved.pop(), Act.CLOSE, {"result": "R02", "comment": text}).id)
            case "draft":
                journal.put_draft(Draft(id=text, fields={"text": text}))
                say("draft", text)
            case _:
                draft = appeal(text=text, surname="Тестова")
                journal.put_draft(draft)
                saved.append(journal.save(draft).id)
                say("saved", saved[-1], text)


def main() -> None:
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            journal = open_journal(Path(line.strip()), clock=SystemClock())
            if journal.device is None:
                journal.enrol(identity())
            say("pid", str(os.getpid()))
            write_for_ever(journal)
        os.waitpid(pid, 0)
        say("dead")


if __name__ == "__main__":
    main()
