"""«Вернулось»: what the server refused or joined comes back to the screen, and one key settles it."""

from __future__ import annotations

import pytest

from operator_tui.appeals.card import Card
from operator_tui.appeals.operations import Kind
from screens.returned import ReturnedScreen
from tests.screens.elsewhere import COLLEAGUE, Elsewhere
from tests.screens.page import ON_CALL, DeskPage, List, open_desk
from tests.screens.test_desk import QUIET, with_theme


async def saved(desk: DeskPage) -> Card:
    """An appeal in work, open on the work screen."""
    await desk.press("insert")
    await desk.until_screen("work")
    await with_theme(desk)
    await desk.press("ctrl+s")
    await desk.until(lambda: desk.desk.state.card and desk.desk.state.card.saved, "saved")
    assert desk.desk.state.card is not None
    assert desk.desk.state.card.saved is not None
    return desk.desk.state.card.saved


async def two_comments(desk: DeskPage) -> Elsewhere:
    """A colleague and this operator write the comment without seeing one another."""
    card = await saved(desk)
    elsewhere = await Elsewhere.of(desk)
    await elsewhere.does(COLLEAGUE, Kind.CARD_SET, {"comment": "Слова коллеги"}, card.id)
    desk.desk.card.type_field("comment", "Мои слова")
    await desk.press("ctrl+s")
    await desk.until(lambda: "Сохранено" in desk.notice, "saved again")
    await elsewhere.answers()
    await desk.until(lambda: desk.desk.state.returned == 1, "it came back")
    return elsewhere


async def card_of(desk: DeskPage) -> Card:
    (card,) = await desk.desk.active()
    return card


@pytest.mark.parametrize(
    ("key", "comment"), [("1", "Мои слова"), ("2", "Слова коллеги"), ("3", "Слова коллеги\nМои слова")]
)
async def test_two_comments_are_shown_side_by_side_and_settled_by_one_key(key: str, comment: str) -> None:
    async with open_desk(phone=QUIET) as desk:
        elsewhere = await two_comments(desk)
        await desk.until(lambda: "Вернулось: 1" in desk.line("#lights"), "the count in the header")
        await desk.press("ctrl+k")
        await desk.until(lambda: isinstance(desk.app.screen, ReturnedScreen), "the list")
        await desk.until(lambda: "Мои слова" in desk.text() and "Слова коллеги" in desk.text(), "both values")
        await desk.press(key)
        await desk.until(lambda: desk.desk.state.returned == 0, "settled")
        await elsewhere.answers()
        card = await card_of(desk)
        assert card.value("comment") == comment
        assert card.rival == {}
        assert elsewhere.cards[card.id].value("comment") == comment, "the server has it too"


async def test_a_disagreement_of_others_stands_on_the_card_and_is_settled_there() -> None:
    async with open_desk(phone=QUIET) as desk:
        card = await saved(desk)
        elsewhere = await Elsewhere.of(desk)
        await elsewhere.does(COLLEAGUE, Kind.CARD_SET, {"comment": "Второе мнение"}, card.id, unseen=True)
        await desk.desk.card.edit(card.id)
        await desk.until(lambda: "РАСХОЖДЕНИЕ: Комментарий" in desk.line("#card-title"), "the disagreement")
        await desk.press("ctrl+k")
        await desk.until(lambda: "Второе мнение" in desk.text(), "both values")
        await desk.press("3")
        await desk.until_screen("work")
        await desk.until(lambda: "РАСХОЖДЕНИЕ" not in desk.line("#card-title"), "settled")
        assert str((await card_of(desk)).value("comment")).endswith("Второе мнение")


async def test_a_refused_close_comes_back_with_its_reason_and_can_be_given_up() -> None:
    async with open_desk(phone=QUIET) as desk:
        card = await saved(desk)
        elsewhere = await Elsewhere.of(desk)
        await desk.press("f9")
        await desk.until_screen("journal")
        closing = {"act": "forward", "operator": 1945}
        operator = desk.desk.state.operator
        assert operator is not None
        from operator_tui.appeals.decide import Actor

        me_elsewhere = Actor(operator.user, operator.role, operator.organisation)
        await elsewhere.does(me_elsewhere, Kind.CARD_MOVE, closing, card.id)
        await elsewhere.answers()
        await desk.until(lambda: "Вернулось: 1" in desk.line("#journal-title"), "it came back")
        await desk.press("ctrl+k")
        await desk.until(lambda: "успел изменить другой работник" in desk.text(), "the reason")
        await desk.press("1")
        await desk.until(lambda: "ведёт другой работник" in desk.line("#said"), "why mine can not stand")
        assert desk.desk.state.returned == 1, "nothing is lost by a key that could not act"
        await desk.press("2")
        await desk.until(lambda: desk.desk.state.returned == 0, "given up")


async def test_a_refused_new_appeal_becomes_a_draft_again() -> None:
    async with open_desk(phone=QUIET) as desk:
        from operator_tui.appeals.operations import Outcome

        await saved(desk)
        await Elsewhere.of(desk)
        await desk.press("ctrl+f")
        await desk.until_screen("journal")
        await desk.press("insert")
        await desk.until_screen("work")
        await with_theme(desk)
        await desk.surname.type("Петров")
        await desk.press("ctrl+s")
        await desk.until(lambda: "Сохранено" in desk.notice, "saved")
        (made,) = [
            op for op in await desk.desk.on_journal(lambda journal: journal.outbox(100)) if op.k == Kind.CARD_NEW
        ]
        refused = Outcome(made.n, "rejected", w="right_missing")
        await desk.desk.on_journal(lambda journal: journal.settle([refused], durable=0))
        await desk.desk.refresh_journal()
        await desk.desk.card.leave()
        await desk.press("ctrl+k")
        returned = List(desk, "#returned")
        await desk.until(lambda: returned.rows(), "the list")
        await desk.press("1")
        await desk.until(lambda: desk.desk.state.card is not None, "a draft")
        assert desk.desk.state.card is not None
        assert desk.desk.state.card.fields["surname"] == "Петров"
        assert desk.desk.state.card.saved is None


async def test_a_call_can_be_answered_over_the_list() -> None:
    async with open_desk(phone=ON_CALL) as desk:
        await desk.press("f1")
        await desk.ring()
        await desk.press("f2")
        await desk.until_talking()
        await desk.until_screen("work")


async def test_one_key_of_two_screens_does_what_each_says() -> None:
    async with open_desk(phone=QUIET) as desk:
        await saved(desk)
        await desk.press("ctrl+f")
        await desk.until_screen("journal")
        assert not desk.app.screen.query_one("#journal-search").display, "«Журнал», not «Поиск по журналу»"
        await desk.press("ctrl+f")
        await desk.until(lambda: desk.app.screen.query_one("#journal-search").has_focus, "the search")
