"""The second copy of what is unsent: what is wrong is said, and one thing that is wrong hides no other."""

from __future__ import annotations

import errno
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from operator_tui.appeals.begun import Begun, FormOf, Typed
from operator_tui.appeals.clock import ManualClock
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.hlc import next_stamp
from operator_tui.desk.second_copy import LONG_DAYS, unsent, wrong
from operator_tui.signin.farewell import Unsent
from tests.journal.making import appeal, enrolled


def test_what_was_typed_and_not_saved_goes_along(tmp_path: Path) -> None:
    journal = enrolled(tmp_path)
    draft = appeal(surname="Тестова")
    journal.put_draft(draft)
    begun = Begun(FormOf("promise", draft.id), 1944, "Обещание", {"ask": Typed("Кого спросить", "Анну")}, 1)
    journal.keep_begun([begun], [], 1944)
    card, form = unsent(journal).drafts
    assert (card["id"], form["lines"]["ask"]["text"]) == (draft.id, "Анну")
    journal.close()


@pytest.mark.parametrize("away", [Refusal(Code.DISK_FAILED, path="/mnt", reason=""), OSError(errno.EIO, "no answer")])
async def test_a_disk_that_is_away_does_not_hide_that_the_work_waits_long(away: Exception) -> None:
    clock = ManualClock()
    found = Unsent([{"at": next_stamp("", clock.now_ms())}])

    async def waits(*_: Any) -> Unsent:
        return found

    async def copy(*_: Any) -> None:
        raise away

    clock.advance(LONG_DAYS * 86_400)
    desk = SimpleNamespace(parts=SimpleNamespace(journal=object()), run_journal=waits, clock=clock)
    told = await wrong(desk, SimpleNamespace(copy_unsent=copy), Path("/mnt"))  # type: ignore[arg-type]  # made up
    assert [one.code for one in told] == [Code.DISK_FAILED, Code.UNSENT_LONG]
