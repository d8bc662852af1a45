"""Words on the screen."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from operator_tui.desk.calls import facts
from operator_tui.journal.happened import Happened
from operator_tui.phone.line import Call, CallState, Direction, EndedBy, Quality
from screens.words import call_text, day, duration, happened_cells, key_name, phone_words


@pytest.mark.parametrize(
    ("key", "name"), [("f5", "F5"), ("ctrl+s", "^S"), ("escape", "Esc"), ("insert", "Ins"), ("enter", "Enter")]
)
def test_keys_are_named_as_on_the_keyboard(key: str, name: str) -> None:
    assert key_name(key) == name


def test_a_number_is_shown_in_groups() -> None:
    assert phone_words("+78652012345") == "+7 8652 01-23-45"
    assert phone_words("2002") == "2002"


@pytest.mark.function("K-5.1.1.2")
def test_a_ringing_call_shows_its_number_first() -> None:
    call = Call(
        id="c",
        direction=Direction.INCOMING,
        number="+78652012345",
        state=CallState.RINGING,
        started_ms=0,
        name="Иванов",
    )
    assert call_text(call, 65_000) == "+7 8652 01-23-45 Иванов  ВХОДЯЩИЙ ВЫЗОВ 1:05"


def test_for_how_long_another_one_waits_is_seen_at_80_columns() -> None:
    front = Call(
        id="c",
        direction=Direction.INCOMING,
        number="+78652012345",
        state=CallState.TALKING,
        started_ms=0,
        answered_ms=0,
        name="Константинопольская А. Б.",
    )
    held = replace(front, id="h", number="+78652012346", state=CallState.HELD, held=True, held_ms=600_000)
    text = call_text(front, 665_000, [held])
    assert "НА УДЕРЖАНИИ 1:05" in text[:70], "F4 Отбой stands behind it"
    assert text.endswith("+7 8652 01-23-46")
    assert "Константинопольская" in call_text(front, 665_000)
    muted = call_text(replace(front, muted=True, recording="on"), 3_665_000, [replace(held, held_ms=0)])
    assert "МИКРОФОН ВЫКЛ. · НА УДЕРЖАНИИ 61:05" in muted[:71], "both talk and wait are longer than ten minutes"
    consult = replace(front, number="2003", name="Крюкова")
    assert "2003 Крюкова" in call_text(consult, 665_000, [held]), "a colleague is known by his name"


def test_how_the_call_is_heard_stands_behind_it_and_a_poor_line_before_the_rest() -> None:
    talk = Call("a", Direction.INCOMING, "+78652012345", CallState.TALKING, 0, answered_ms=0, recording="on")
    held = replace(talk, id="h", state=CallState.HELD, held=True, held_ms=0)

    def shown(mos: float, loss: float, of: str = "a", call: Call = talk) -> str:
        return call_text(call, 65_000, heard=Quality(of, mos, loss, 20.0, 600.0))

    assert shown(4.3, 0.4).endswith("РАЗГОВОР 1:05 · ЗАПИСЬ · слышно хорошо")
    assert shown(3.4, 2.0).endswith("ЗАПИСЬ · слышно терпимо")
    assert shown(3.4, 6.2).endswith("РАЗГОВОР 1:05 · СЛЫШНО ПЛОХО, потери 6 % · ЗАПИСЬ")
    assert "слышно" not in shown(4.3, 0.4, of="b").lower() + shown(4.3, 0.4, of="h", call=held).lower()


def test_a_hidden_number_is_said() -> None:
    call = Call(id="c", direction=Direction.INCOMING, number="", state=CallState.RINGING, started_ms=0)
    assert call_text(call, 0).startswith("номер скрыт")


def test_days_and_durations() -> None:
    assert day("2026-11-21") == "21.11.2026"
    assert day("скоро") == "скоро"
    assert duration(0) == "0:00"
    assert duration(600) == "10:00"


def test_a_second_caller_who_rings_is_never_cut_from_the_line() -> None:
    talk = Call(
        "a", Direction.INCOMING, "+78652012345", CallState.TALKING, 0, name="Константинопольская Е.",
        answered_ms=0, recording="on", muted=True, headers={"X-Queue-Entered": "0"},
    )  # fmt: skip
    second = Call("b", Direction.INCOMING, "+78652054321", CallState.RINGING, 0)
    key = " F2 Ответить"
    shown = call_text(talk, 599_000, [second])
    whole = "+7 8652 01-23-45  РАЗГОВОР 9:59 · +7 8652 05-43-21 ВХОДЯЩИЙ ВЫЗОВ"
    assert shown.startswith(f"{whole} · МИКРОФОН ВЫКЛЮЧЕН")
    assert len(whole) + len(key) <= 80


def told(before: Call | None, after: Call) -> list[str]:
    """What the time line of its appeal says of a change of a call."""
    entries = [Happened(op="", at_ms=0, by=1, kind=kind, values=x) for kind, x in facts(before, after)]
    return [happened_cells(entry, "UTC")[2] for entry in entries]


def test_the_time_line_says_of_each_fact_of_a_call_what_it_was() -> None:
    ringing = Call("a", Direction.INCOMING, "+78652012345", CallState.RINGING, 0)
    talk = replace(ringing, state=CallState.TALKING, answered_ms=12_000)
    ended = replace(talk, state=CallState.ENDED, ended_ms=212_000, ended_by=EndedBy.THERE)
    assert told(None, ringing) == ["Звонок поступил, +7 8652 01-23-45", "Звонок на рабочем месте"]
    assert told(ringing, talk) == ["Разговор начат, ожидание 12 с"]
    assert told(talk, ended) == ["Звонок завершён, разговор 3 мин 20 с, положил трубку собеседник"]
    gone = replace(ringing, state=CallState.ENDED, ended_ms=4_000, ended_by=EndedBy.THERE)
    assert told(ringing, gone) == ["Не дождались ответа, ожидание 4 с"]
    rejected = replace(gone, ended_by=EndedBy.HERE)
    assert told(ringing, rejected) == ["Звонок завершён, без разговора, положил трубку оператор"]
    called = replace(ringing, direction=Direction.OUTGOING, state=CallState.DIALING)
    assert told(None, called) == ["Исходящий звонок, +7 8652 01-23-45"]
    assert told(talk, replace(talk, transferred_to="2003")) == ["Звонок переведён, на 2003"]
