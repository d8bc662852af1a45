"""«Добавить» in a talk: a second appeal of the same call, of the same person, with the same recording."""

from __future__ import annotations

from tests.screens.page import open_desk
from tests.screens.test_call import answered


async def test_a_second_appeal_of_one_call_keeps_the_person_and_the_call() -> None:
    async with open_desk() as desk:
        await answered(desk)
        await desk.until(lambda: (card := desk.desk.state.card) and card.candidates, "the people of his number")
        await desk.press("enter")
        await desk.until(lambda: (card := desk.desk.state.card) and card.person, "bound")
        first = desk.desk.state.card
        assert first is not None
        await desk.press("ctrl+n")
        await desk.until(lambda: (card := desk.desk.state.card) and card.draft != first.draft, "the second")
        second = desk.desk.state.card
        assert second is not None
        assert second.person == first.person
        assert (second.call, second.fields["enp"]) == (first.call, first.fields["enp"])
        assert second.fields["call"] == first.fields["call"], "by which the recording belongs to both"
        await desk.until(lambda: desk.surname.value == first.fields["surname"], "the form shows him")
