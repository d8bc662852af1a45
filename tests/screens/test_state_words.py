"""Words for what the operator does between calls. Pure."""

from __future__ import annotations

from dataclasses import replace

from operator_tui.appeals.alarm import Alarm, Danger
from operator_tui.appeals.presence import Presence, State
from operator_tui.desk.state import DeskState, Light, Lights
from screens.state_words import behind_call, quiet_line, standing_marks, taken_by_itself

NOW = 1_790_000_000_000
FREE = DeskState(lights=Lights(phone=Light.ON))


def test_the_quiet_line_shows_the_time_of_wrap_up_and_break() -> None:
    assert quiet_line(FREE, NOW, "") == "Линия свободна"
    wrap_up = replace(FREE, presence=Presence(State.WRAP_UP, NOW - 12_000), limit_ms=NOW + 48_000)
    assert quiet_line(wrap_up, NOW, "") == "Постобработка 0:12 из 1:00"
    lunch = replace(FREE, presence=Presence(State.BREAK, NOW - 2_710_000, "lunch"), limit_ms=NOW - 10_000)
    assert quiet_line(lunch, NOW, "обед") == "Перерыв: обед 45:10 из 45:00 ДОЛЬШЕ НА 0:10"
    assert quiet_line(replace(lunch, limit_ms=None), NOW, "") == "Перерыв 45:10"


def test_a_call_that_will_be_taken_says_queue_and_language_on_eighty_columns() -> None:
    words = taken_by_itself("+7 8652 01-23-45", "oms-1", "казахский", 5_001)
    assert words == "+7 8652 01-23-45 ВХОДЯЩИЙ: oms-1, казахский · сам ответит через 6 с"
    assert len(words) + len(" F2 Ответить") <= 81
    assert taken_by_itself("", "oms-1", "", 0) == "номер скрыт ВХОДЯЩИЙ: oms-1 · сам ответит через 0 с"


def test_what_comes_after_the_call_stands_behind_it_once_it_is_chosen() -> None:
    assert behind_call(FREE, "готов") == ""
    assert behind_call(replace(FREE, next_state="lunch"), "перерыв: обед") == " · затем перерыв: обед"


def test_marks_stay_in_the_header_only_while_they_hold() -> None:
    assert standing_marks(FREE, NOW) == ""
    late = replace(FREE, overtime_ms=NOW - 1, alarm=Alarm(Danger.PBX), unfinished=2, reports=3)
    assert standing_marks(late, NOW) == " СВЕРХУРОЧНО ТРЕВОГА Черновиков: 2 Донесений: 3"
    assert standing_marks(replace(FREE, overtime_ms=NOW), NOW) == ""
