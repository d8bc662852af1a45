"""Two copies of a journal that was never sent: what both have is taken once, the second is told under which id."""

from __future__ import annotations

from operator_tui.appeals.operations import Operation
from tests.central.desks import Desk, Office


def moved(desk: Desk, was: str, operation: Operation, **more: object) -> Operation:
    return desk.operation(operation.k, operation.x, was=was, at=operation.at, **more)  # type: ignore[arg-type]  # fields


def test_the_second_copy_is_told_where_its_card_stands(office: Office, desk: Desk) -> None:
    first, second = office.desk("Петрова Анна Сергеевна"), office.desk("Петрова Анна Сергеевна")
    card = desk.new_card()
    change = desk.operation("card.set", {"comment": "перезвонить"}, card="none:1")
    one = moved(first, "copied:1", card), moved(first, "copied:2", change, card=f"{first.code}:1")
    assert first.send(*one).states == ["applied", "applied"]
    two = moved(second, "copied:1", card), moved(second, "copied:2", change, card=f"{second.code}:1")
    answer = second.send(*two)
    assert [outcome.op for outcome in answer.outcomes] == [f"{first.code}:1", f"{first.code}:2"]
    assert office.card(f"{first.code}:1")["fields"]["comment"] == "перезвонить"
    again = second.send(*two)
    assert again.outcomes == answer.outcomes, "and the same when it is asked again"
    later = second.operation(
        "card.set", {"comment": "дозвонились"}, card=f"{second.code}:1", b={"comment": f"{second.code}:2"}
    )
    assert second.send(later).states == ["applied"]
    assert office.card(f"{first.code}:1")["fields"]["comment"] == "дозвонились"
