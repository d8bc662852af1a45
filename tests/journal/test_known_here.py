"""What a journal keeps for this desk alone: announcements that were read, talks the PBX has recorded."""

from __future__ import annotations

import pytest

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.operations import Kind, at_pbx
from operator_tui.journal import outbox
from operator_tui.journal.journal import Journal


def test_what_was_read_is_kept_and_the_centre_is_told(journal: Journal) -> None:
    assert journal.news_read() == frozenset()
    journal.read_news("n1@k7q2mx:1")
    journal.read_news("n2@")
    journal.read_news("n1@k7q2mx:9")
    assert journal.news_read() == {"n1@k7q2mx:9", "n2@"}, "of one that was changed the newest"
    told = [operation.x["news"] for operation in journal.outbox(10) if operation.k == Kind.NEWS_READ]
    assert told == ["n1@k7q2mx:1", "n2@", "n1@k7q2mx:9"]


def test_what_the_centre_can_not_be_told_of_is_not_read(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*given: object, **named: object) -> None:
        raise Refusal(Code.DISK_FULL)

    monkeypatch.setattr(outbox, "append", full)
    with pytest.raises(Refusal) as refused:
        journal.read_news("n1@k7q2mx:1")
    assert refused.value.code is Code.DISK_FULL
    assert journal.news_read() == frozenset()


def test_a_talk_of_the_pbx_is_known_and_is_no_file_to_be_sent(journal: Journal) -> None:
    journal.record(Kind.CALL_RECORDED, {"call": "c1", "file": "pbx", "sha256": at_pbx("d1")})
    journal.record(Kind.CALL_RECORDED, {"call": "c2", "file": "c2.otr", "sha256": "f" * 64, "size": 5})
    assert journal.recorded_at_pbx(["c1", "c2", "c3"]) == ["c1"]
    assert [one.call for one in journal.files_of([], ["c1", "c2"])] == ["c2"]
