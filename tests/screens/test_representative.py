"""Caller and insured are two people: «прикрепить» binds one, «Применить» fills the other, «Открепить» undoes."""

from __future__ import annotations

import pytest

from operator_tui.appeals.lifecycle import Act
from operator_tui.registry.people import Person
from screens.timeline import TimelineScreen
from tests.screens.page import DeskPage, open_desk
from tests.screens.test_call import answered
from tests.screens.test_desk import QUIET, with_theme
from tests.screens.test_promises import deed, form

LEVEL_3 = "9"  # of the packaged directory: Рябинина, insurer's representative of level 3


async def two_people(desk: DeskPage) -> tuple[Person, Person]:
    """An insured person and somebody else of another surname."""
    found = await desk.desk.run_registry(desk.desk.parts.registry.search, "и")  # type: ignore[union-attr]  # open
    first, *others = [hit.person for hit in found.hits]
    return first, next(one for one in others if one.surname != first.surname)


async def look_up(desk: DeskPage, person: Person) -> None:
    """The cursor on that person in the open list."""
    await desk.press("f5")
    await desk.type(f"{person.surname} {person.name} {person.birth_date[:4]}")
    await desk.until(lambda: person.enp in desk.hits.keys(), "the person")  # noqa: SIM118  # a list of rows
    await desk.press(*["down"] * desk.hits.keys().index(person.enp))


async def of_a_representative(desk: DeskPage) -> None:
    await desk.press("insert")
    await desk.until_screen("work")
    await deed(desk, "согласия")
    await form(desk)
    await desk.type("сын")
    await desk.press("f9")
    await desk.until(lambda: "внесены в карту" in desk.notice, "a representative calls")


@pytest.mark.function("K-5.1.3.8", "K-5.1.6.1", "K-1.8")
async def test_the_insured_is_attached_and_the_caller_filled_in_apart() -> None:
    async with open_desk(phone=QUIET) as desk:
        insured, caller = await two_people(desk)
        await of_a_representative(desk)
        await desk.surname.type("Ошибкин")
        await look_up(desk, insured)
        await desk.press("enter")
        await desk.until(lambda: "Прикреплён застрахованный" in desk.notice, "said whose card it is")
        assert desk.surname.value == "Ошибкин", "the caller is somebody else"
        assert f"За {insured.full_name}" in desk.line("#policy")
        await look_up(desk, caller)
        await desk.press("ctrl+t")
        await desk.until(lambda: desk.surname.value == caller.surname, "filled in")
        await desk.until(lambda: "Заменено введённое вами: фамилия «Ошибкин»" in desk.notice, "not unseen")
        card = desk.desk.state.card
        assert card is not None
        assert (card.fields["enp"], card.fields["insured_name"]) == (insured.enp, insured.full_name)


@pytest.mark.function("K-5.1.6.1")
async def test_a_wrong_person_is_taken_off_and_the_history_keeps_both() -> None:
    async with open_desk(phone=QUIET) as desk:
        wrong, right = await two_people(desk)
        await desk.press("insert")
        await desk.until_screen("work")
        await with_theme(desk)
        await look_up(desk, wrong)
        await desk.press("enter")
        await desk.until(lambda: desk.surname.value == wrong.surname, "bound")
        await desk.press("ctrl+s")
        await desk.until(lambda: "Сохранено" in desk.notice, "saved")
        await desk.press("alt+f")
        await desk.until(lambda: desk.surname.value == "", "taken off")
        await look_up(desk, right)
        await desk.press("enter")
        await desk.until(lambda: desk.surname.value == right.surname, "the right one")
        await desk.press("ctrl+s")
        await desk.until(lambda: desk.desk.state.card and desk.desk.state.card.saved and
                         desk.desk.state.card.saved.value("enp") == right.enp, "saved")  # fmt: skip
        await desk.press("alt+q")
        await desk.until(lambda: isinstance(desk.app.screen, TimelineScreen), "the history")
        timeline: TimelineScreen = desk.app.screen  # type: ignore[assignment]  # just asked
        told = " ".join(cells[2] for cells in timeline._entries)
        assert f"откреплён {wrong.full_name}, ЕНП {wrong.enp}" in told
        assert f"ЕНП: {right.enp}" in told


@pytest.mark.function("K-1.7a")
async def test_level_three_is_given_an_appeal_only_with_the_insured_persons_consent() -> None:
    async with open_desk() as desk:
        await answered(desk)
        await with_theme(desk)
        desk.desk.card.choose_result("R04")
        desk.desk.card.choose_operator(LEVEL_3)
        await desk.press("f9")
        await desk.until(lambda: "Нет действующего согласия" in desk.notice, "why not")
        assert desk.desk.state.card is not None
        assert desk.desk.state.card.saved is None, "nothing was handed over"
        await desk.press("f7")
        await desk.type("2009")
        await desk.press("enter")
        await desk.until(lambda: "Нет действующего согласия" in desk.notice, "nor the caller with it")
        assert desk.call_state() is not None
        await deed(desk, "согласия")
        await form(desk)
        await desk.press(*["down"] * 6)
        await desk.type("устное")
        await desk.press("down")
        await desk.type("01.02.2026")
        await desk.press("f9")
        await desk.until(lambda: "внесены в карту" in desk.notice, "the consent")
        # an accompaniment has an insured person only: nobody speaks for him here
        await desk.press("f9")
        await desk.until(lambda: "«Отсроченный ответ»" in desk.notice, "handed over")
        (card,) = await desk.desk.active()
        assert card.worker == int(LEVEL_3)
        assert Act.CLOSE.value in {entry.act for entry in await desk.desk.on_journal(lambda j: j.timeline(card.id))}
