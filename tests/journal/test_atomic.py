"""All or nothing: an error at any statement of any write leaves every table as it was."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from operator_tui.appeals.draft import draft_of
from operator_tui.appeals.lifecycle import Act
from operator_tui.appeals.operations import Kind
from operator_tui.journal.journal import Journal
from tests.journal.making import STREAM, Server, appeal, identity

TABLES = ("meta", "stream", "card", "event", "outbox", "shown", "shown_fts", "attention", "draft", "saved")


class Broken(Exception):
    """The statement that was to fail."""


def dump(journal: Journal) -> dict[str, Any]:
    with journal._store.reading() as db:
        return {table: db.execute(f"SELECT * FROM {table}").fetchall() for table in TABLES}


def writes(journal: Journal, server: Server) -> dict[str, Callable[[], object]]:
    """Every method that writes, ready to do something, on a journal that has some of everything."""
    device = journal.device
    assert device is not None
    saved = journal.save(appeal(text="первое", answers=["S-01"]))
    server.answer(journal)
    pending = journal.save(appeal(text="второе"))
    edit = draft_of(saved)
    edit.fields["text"] = "исправлено"
    draft = appeal(text="черновик")
    journal.put_draft(draft)
    journal.put_draft(edit)
    closing = {"result": "R02", "comment": "Дан ответ"}
    outcomes = server.push(device, journal.outbox(10))
    events = server.events_after({STREAM: 1})
    return {
        "save": lambda: journal.save(draft),
        "save an edit": lambda: journal.save(edit),
        "save_and_close": lambda: journal.save_and_close(draft, closing),
        "move": lambda: journal.move(pending.id, Act.CLOSE, closing),
        "record": lambda: journal.record(Kind.ANSWER_USED, {"script": "S-01"}),
        "put_draft": lambda: journal.put_draft(appeal(text="другой")),
        "drop_draft": lambda: journal.drop_draft(draft.id),
        "settle": lambda: journal.settle(outcomes, durable=2),
        "receive": lambda: journal.receive(events),
        "rewind": lambda: journal.rewind(1, "epoch-2"),
        "enrol": lambda: journal.enrol(identity(number=99)),
    }


@pytest.mark.parametrize(
    "name",
    [
        "save",
        "save an edit",
        "save_and_close",
        "move",
        "record",
        "put_draft",
        "drop_draft",
        "settle",
        "receive",
        "rewind",
        "enrol",
    ],
)
def test_an_error_at_any_statement_undoes_the_whole_write(
    journal: Journal, server: Server, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    write = writes(journal, server)[name]
    before = dump(journal)
    execute = journal._store.db.execute
    for failing in range(1, 200):
        done = 0

        def breaking(sql: str, *values: Any, at: int = failing) -> Any:
            nonlocal done
            done += 1
            if done == at:
                raise Broken(sql)
            return execute(sql, *values)

        with monkeypatch.context() as broken:
            broken.setattr(journal._store.db, "execute", breaking)
            try:
                write()
            except Broken:
                pass
            else:
                break
        assert dump(journal) == before, f"statement {failing}"
    else:
        raise AssertionError("it never got through")
    assert failing > 2 or name == "drop_draft"
    assert dump(journal) != before
