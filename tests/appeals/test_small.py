"""Numbers to tell, stamps, deadlines, rights, drafts: the small rules."""

from __future__ import annotations

import random
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operator_tui.appeals.catalogue import AppealType, Catalogue
from operator_tui.appeals.clock import ManualClock, SystemClock
from operator_tui.appeals.deadlines import answer_deadline, days_left, local_date
from operator_tui.appeals.draft import Draft, changes, draft_of, filled, new_draft
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.hlc import clamp_stamp, next_stamp, stamp_ms
from operator_tui.appeals.number import number_to_tell, told_right
from operator_tui.appeals.people import Role
from operator_tui.appeals.rights import RIGHTS, Right, demand, may, may_close_type
from tests.appeals.making import Bench, theme_of

# numbers


@given(st.integers(1, 9999), st.integers(1, 9_999_999))
def test_a_number_to_tell_is_digits_and_whole(device: int, counter: int) -> None:
    number = number_to_tell(device, counter)
    assert told_right(number)
    assert told_right(number.replace("-", " "))
    assert number.replace("-", "").isdigit()


@given(st.integers(1, 9999), st.integers(1, 9_999_999), st.data())
def test_one_wrong_digit_is_heard(device: int, counter: int, data: st.DataObject) -> None:
    digits = number_to_tell(device, counter).replace("-", "")
    place = data.draw(st.integers(0, len(digits) - 1))
    wrong = data.draw(st.sampled_from([digit for digit in "0123456789" if digit != digits[place]]))
    assert not told_right(digits[:place] + wrong + digits[place + 1 :])


@pytest.mark.parametrize("told", ["", "12", "двенадцать", "12-00001"])
def test_half_a_number_is_none(told: str) -> None:
    assert not told_right(told)


def test_numbers_of_two_operations_differ() -> None:
    numbers = {number_to_tell(device, counter) for device in range(1, 40) for counter in range(1, 400)}
    assert len(numbers) == 39 * 399


def test_numbers_differ_as_they_are_dictated() -> None:
    """Without the hyphens: the 100,005th operation of device 1 is not the fifth of device 11."""
    counters = [*range(1, 400), *range(99_900, 100_400), 234_567, 1_000_005, 10_000_005]
    numbers = {number_to_tell(device, n).replace("-", "") for device in range(1, 120) for n in counters}
    assert len(numbers) == 119 * len(counters)


@given(st.integers(1, 99_999), st.integers(1, 99_999_999))
def test_the_digits_say_which_device_and_which_operation(device: int, counter: int) -> None:
    digits = number_to_tell(device, counter).replace("-", "")[:-1]
    wide = len(digits) - len(digits.lstrip("0")) + 5
    assert (int(digits[:-wide]), int(digits[-wide:])) == (device, counter)


# stamps


@given(st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=60))
def test_stamps_grow_even_when_the_clock_runs_back(steps: list[int]) -> None:
    now, stamps = 1_790_000_000_000, [""]
    for step in steps:
        now += step
        stamps.append(next_stamp(stamps[-1], now))
    assert stamps == sorted(set(stamps))
    assert all(len(stamp) == 16 for stamp in stamps[1:])


def test_a_stamp_tells_its_time() -> None:
    assert stamp_ms(next_stamp("", 1_790_000_000_123)) == 1_790_000_000_123
    for wrong in ("", "12", "x" * 16):
        with pytest.raises(ValueError, match=r"."):
            stamp_ms(wrong)


def test_a_stamp_far_ahead_counts_as_received_now() -> None:
    now = 1_790_000_000_000
    near, far = next_stamp("", now + 299_000), next_stamp("", now + 301_000)
    assert clamp_stamp(near, now) == near
    assert stamp_ms(clamp_stamp(far, now)) == now


# deadlines


def test_a_date_is_that_of_the_organisation() -> None:
    evening = 1_790_020_800_000  # 2026-09-21 20:00 UTC
    assert local_date(evening, "Europe/Moscow") == date(2026, 9, 21)
    assert local_date(evening, "Asia/Vladivostok") == date(2026, 9, 22)
    assert local_date(evening, "Europe/Kaliningrad") == date(2026, 9, 21)


@given(st.integers(1_700_000_000_000, 1_900_000_000_000), st.integers(0, 400))
def test_days_are_counted_from_the_local_date(registered: int, later: int) -> None:
    from operator_tui.reference import packaged_catalogue

    theme = next(theme for theme in packaged_catalogue().themes.values() if theme.deadline_days == 30)
    deadline = answer_deadline(theme.deadline_days, registered, "Europe/Moscow")
    assert days_left(date.fromisoformat(deadline), registered, "Europe/Moscow") == 30
    assert days_left(date.fromisoformat(deadline), registered + later * 86_400_000, "Europe/Moscow") == 30 - later


# rights: the second table of functions.md 1.2, in its own order of columns
TABLE = {
    Right.QUEUE_CALLS: "++----",
    Right.CARD_FROM_CALL: "++++++",
    Right.CARD_WITHOUT_CALL: "--++++",
    Right.CLOSE_OWN: "++++++",
    Right.APPROVE: "-----+",
    Right.SURVEYS: "-+++++",
    Right.INFORMING: "---+--",
}
COLUMNS = (Role.OPERATOR_1, Role.INSURER_1, Role.OPERATOR_2, Role.INSURER_2, Role.INSURER_3, Role.ADMINISTRATOR)


@pytest.mark.parametrize("right", TABLE)
def test_rights_are_those_of_the_table(right: Right) -> None:
    assert "".join("+" if may(role, right) else "-" for role in COLUMNS) == TABLE[right]


def test_queue_calls_go_to_level_1() -> None:
    assert RIGHTS[Right.QUEUE_CALLS] == {Role.OPERATOR_1, Role.INSURER_1}


@pytest.mark.parametrize("right", Right)
def test_a_trainee_has_the_rights_of_level_1(right: Right) -> None:
    assert may(Role.TRAINEE, right) == may(Role.OPERATOR_1, right)


def test_a_missing_right_is_named() -> None:
    demand(Role.ADMINISTRATOR, Right.APPROVE)
    with pytest.raises(Refusal) as caught:
        demand(Role.OPERATOR_2, Right.APPROVE)
    assert (caught.value.code, caught.value.params) == (Code.RIGHT_MISSING, {"right": "approve"})


def test_what_level_1_closes() -> None:
    closes = {type_ for type_ in AppealType if may_close_type(Role.OPERATOR_1, type_)}
    assert closes == {AppealType.CONSULTATION, AppealType.THANKS}
    assert all(may_close_type(Role.INSURER_3, type_) for type_ in AppealType)


# drafts


def test_a_draft_sends_what_was_filled() -> None:
    draft = new_draft(call="c1", fields={"phone": "+78652000001", "comment": "", "answers": []})
    assert filled(draft) == {"phone": "+78652000001"}
    assert new_draft().id != new_draft().id


def test_an_edit_sends_what_changed_against_what_was_seen(bench: Bench) -> None:
    draft = draft_of(bench.new({"address": "старый", "answers": ["S-01"]}))
    draft.fields |= {"text": "новый вопрос", "answers": ["S-01", "S-02"]}
    theirs = bench.set({"address": "исправлен другим"})
    assert changes(draft, theirs) == {"text": "новый вопрос", "answers": ["S-02"]}


def test_an_edit_may_empty_a_field(bench: Bench) -> None:
    card = bench.new({"address": "старый"})
    draft = draft_of(card)
    draft.fields["address"] = ""
    assert changes(draft, card) == {"address": ""}


def test_a_second_press_sends_nothing(bench: Bench) -> None:
    draft = draft_of(bench.new({"answers": ["S-01"]}))
    draft.fields |= {"text": "новый", "answers": ["S-01", "S-02"]}
    after = bench.set(changes(draft, bench.card))  # type: ignore[arg-type]  # there is a card: new() made it
    assert changes(draft, after) == {}


def test_a_draft_that_does_not_say_what_it_saw_is_compared_with_the_card(bench: Bench) -> None:
    card = bench.new({"address": "старый"})
    assert changes(Draft(id="d", card=card.id, fields={**card.fields, "address": "новый"}), card) == {
        "address": "новый"
    }


# clocks and refusals


def test_a_manual_clock_moves_only_when_told() -> None:
    clock = ManualClock(1000)
    clock.advance(1.5)
    assert (clock.now_ms(), clock.monotonic()) == (2500, 1.5)


def test_the_system_clock_is_the_machines() -> None:
    clock = SystemClock()
    assert clock.now_ms() > 1_700_000_000_000
    assert clock.monotonic() <= clock.monotonic()


def test_a_refusal_of_a_newer_peer_is_still_a_refusal() -> None:
    assert Refusal.from_wire({"code": "weather", "params": {}}).code is Code.SERVER_REFUSED
    known = Refusal.from_wire(Refusal(Code.FIELD_REQUIRED, field="theme").wire())
    assert (known.code, known.params) == (Code.FIELD_REQUIRED, {"field": "theme"})


def test_random_themes_give_their_own_card(catalogue: Catalogue) -> None:
    for theme in random.Random(1).sample(list(catalogue.themes.values()), 30):
        assert Bench(catalogue).new({"type": theme.type.value, "theme": theme.code}).value("theme") == theme.code
    assert theme_of(catalogue)["type"] == AppealType.CONSULTATION
