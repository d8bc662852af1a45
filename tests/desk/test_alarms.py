"""The alarm of an administrator whose clock is ahead is taken back by any other, at every desk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from operator_tui.appeals.alarm import Alarm, Danger
from operator_tui.appeals.clock import ManualClock
from operator_tui.appeals.hlc import next_stamp
from operator_tui.appeals.operations import Event, Kind
from operator_tui.appeals.people import Role
from operator_tui.desk.alarms import AlarmDesk
from operator_tui.journal.journal import Journal
from tests.journal.making import STREAM, enrolled


def told(clock: ManualClock, q: int, x: dict[str, Any]) -> Event:
    stamp = next_stamp("", clock.now_ms())
    return Event(s=STREAM, q=q, k=Kind.ALARM, op=f"aaaaaa:{q}", by=1, at=stamp, x=x)


async def test_an_alarm_from_a_clock_that_is_ahead_is_taken_back(tmp_path: Path) -> None:
    clock = ManualClock()
    (tmp_path / "other").mkdir()
    journal = enrolled(tmp_path, clock=clock, role=Role.ADMINISTRATOR)
    other = enrolled(tmp_path / "other", clock=clock, code="zzzzzz", user=1945, number=13)

    async def on_journal(work: Callable[[Journal], Any]) -> Any:
        return work(journal)

    desk = SimpleNamespace(
        clock=clock, on_journal=on_journal, parts=SimpleNamespace(kick=lambda: None),
        state=SimpleNamespace(alarm=Alarm(), bells=0, operator=None), change=lambda *_, **__: None,
        notice=lambda *_, **__: None,
    )  # fmt: skip
    alarm = told(clock, 1, {"kind": "evacuation", "since_ms": clock.now_ms() + 3_600_000})
    for each in (journal, other):
        each.receive([alarm])
        assert each.alarm().kind is Danger.EVACUATION
    await AlarmDesk(desk).sound(Danger.NONE)  # type: ignore[arg-type]  # made up
    assert not journal.alarm()
    (said,) = journal.outbox(10)
    other.receive([told(clock, 2, said.x)])
    assert not other.alarm(), "at every desk"
    journal.close()
    other.close()
