"""At the end of every typical answer: whom of level 2 to give the appeal to, by its theme."""

from __future__ import annotations

import pytest

from operator_tui.appeals.people import Role
from operator_tui.colleagues.directory import Colleague, of_group, parse_colleagues
from operator_tui.reference import packaged_colleagues
from screens.directory import DirectoryScreen
from tests.screens.page import List, open_desk
from tests.screens.test_call import answered
from tests.screens.test_desk import QUIET, with_theme
from widgets.answer_view import AnswerView


@pytest.mark.function("K-5.1.5.4", "K-2.9")
async def test_every_answer_ends_with_the_operators_of_level_two_for_its_theme() -> None:
    async with open_desk(phone=QUIET, size=(120, 40)) as desk:
        await desk.press("insert")
        await desk.until_screen("work")
        await with_theme(desk)
        card = desk.desk.state.card
        assert card is not None
        group = desk.desk.catalogue.theme(str(card.fields["theme"])).level2_group
        wanted = [one.extension for one in desk.desk.appeals.colleagues() if group in one.groups]
        assert wanted, "somebody of level 2 is responsible for this theme"
        for _ in desk.desk.scripts.at_hand():
            shown = desk.app.screen.query_one(AnswerView)._shown
            assert shown is not None
            assert [line.split()[0] for line in shown.to] == wanted, "under each answer, in the order of the directory"
            await desk.press("ctrl+down")
        await desk.until(lambda: "2-го уровня: F7" in desk.text(), "and on the screen")
        assert "Крюкова Е. П." in desk.text()


@pytest.mark.function("K-5.1.5.4", "K-5.1.8.1", "K-5.1.8.3")
async def test_the_recommended_stand_first_where_the_caller_is_given_to_somebody() -> None:
    async with open_desk() as desk:
        await answered(desk)
        await with_theme(desk)
        wanted = [one.extension for one in desk.desk.scripts.recommended()]
        await desk.press("f7")
        found = List(desk, "#colleagues")
        await desk.until(lambda: isinstance(desk.app.screen, DirectoryScreen) and found.rows(), "the directory")
        assert found.keys()[: len(wanted)] == wanted
        assert {row.mark for row in found.widget.rows[: len(wanted)]} == {"+"}
        await desk.until(lambda: "рекомендован по тематике" in desk.line("#about"), "why he is first")


def test_only_level_two_and_all_of_it_where_nobodys_groups_are_known() -> None:
    known = parse_colleagues(packaged_colleagues())
    assert {one.role for one in of_group(known, "policy")} <= {Role.OPERATOR_2, Role.INSURER_2}
    plain = (Colleague("1", "А", Role.OPERATOR_2, "ТФОМС"), Colleague("2", "Б", Role.OPERATOR_1, "ТФОМС"))
    assert [one.extension for one in of_group(plain, "policy")] == ["1"]
