"""What is covered on a desk nobody sits at, and what is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operator_tui.signin.cover import COVER, covered


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("ЕНП 9099900000000014 · СМО", "ЕНП ••••••••••••••14 · СМО"),
        ("9099 9000 0000 0014", "•••• •••• •••• ••14"),
        ("СНИЛС 112-233-445 95", "СНИЛС •••-•••-••• 95"),
        ("11223344595", "•••••••••95"),
        ("+7 8652 00-12-34 Линия", "+• •••• ••-••-34 Линия"),
        ("8 (8652) 00-12-34", "• (••••) ••-••-34"),
        ("По номеру +78652001234: Enter", "По номеру +•••••••••34: Enter"),
        ("+77172123456", "+•••••••••56"),
        ("+1 202 555 0123 x", "+• ••• ••• ••23 x"),
        ("89280001122", "•••••••••22"),
    ],
)
def test_identifiers_are_covered_to_their_last_two_digits(text: str, shown: str) -> None:
    assert covered(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "Обращение 13-00042-1 21.11 14:05",
        "1234-00042-1 21.11 14:05 Петрова",
        "12.03.1958",
        "доб. 2001 · 1 500 000,00 руб.",
        "Очередь: 3, ждут 1:20  Не отправлено: 30",
        "22.11.2026 08:15 22.11.2026 09:20",
    ],
)
def test_what_names_nobody_is_not(text: str) -> None:
    assert covered(text) == text


@given(st.text(alphabet="0123456789 +-().АЯ", max_size=60))
def test_nothing_moves_and_nothing_is_uncovered_by_covering_twice(text: str) -> None:
    once = covered(text)
    assert len(once) == len(text)
    assert covered(once) == once
    assert all(after in (before, COVER) for before, after in zip(text, once, strict=True))


@given(st.from_regex(r"\A[0-9]{16}\Z"), st.text(alphabet="абв ,.:", max_size=10))
def test_no_whole_number_of_a_policy_is_left(enp: str, around: str) -> None:
    assert enp[:-2] not in covered(f"{around}{enp}{around}")
