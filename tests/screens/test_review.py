"""The administrator's queue on the real desk: approve, return, extend, group, sample, void, reopen, reassign."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from operator_tui.appeals.card import Status
from operator_tui.appeals.people import Role
from operator_tui.desk.state import Light
from screens.ask import AskScreen
from screens.review import SampleScreen
from tests.screens.elsewhere import COLLEAGUE, Elsewhere, become
from tests.screens.page import DeskPage, List, open_desk
from tests.screens.test_desk import QUIET
from tests.screens.test_returned import saved


async def administrator(desk: DeskPage) -> Elsewhere:
    await desk.until(lambda: desk.desk.state.lights.server is Light.ON, "the server")
    return await become(desk, Role.ADMINISTRATOR)


async def in_review(desk: DeskPage, count: int) -> List:
    await desk.press("alt+u")
    await desk.until_screen("review")
    queue = List(desk, "#review")
    await desk.until(lambda: len(queue.rows()) == count, "the queue")
    return queue


@pytest.mark.function("K-6.0.4", "K-1.2")
async def test_a_result_is_approved_by_one_key_and_another_returned_with_a_remark() -> None:
    async with open_desk(phone=QUIET) as desk:
        elsewhere = await administrator(desk)
        known = replace(COLLEAGUE, user=3)
        first, second = [await elsewhere.closed(known, "R02") for _ in range(2)]
        queue = await in_review(desk, 2)
        assert {row[1] for row in queue.rows()} == {"Крюкова Е. П."}, "who closed it is a person"
        assert "На рассмотрении: 2" in desk.line("#review-title")
        await desk.until(lambda: "Результат обращения: Ответ дан" in desk.text(), "the appeal in full")
        chosen = queue.keys()[0]
        await desk.press("f5")
        await desk.until(lambda: "утверждено и закрыто" in desk.notice, "approved")
        await desk.until(lambda: len(queue.rows()) == 1, "one left")
        await desk.press("f6")
        await desk.until(lambda: isinstance(desk.app.screen, AskScreen), "the remark")
        await desk.type("Уточните меры")
        await desk.press("enter")
        await desk.until(lambda: "возвращено с замечанием" in desk.notice, "returned")
        await elsewhere.answers()
        other = second if chosen == first else first
        assert elsewhere.cards[chosen].status is Status.CLOSED
        assert elsewhere.cards[other].status is Status.IN_WORK
        assert elsewhere.cards[other].worker == known.user
        assert elsewhere.cards[other].value("remark") == "Уточните меры"


@pytest.mark.function("K-6.1.8")
async def test_an_extension_is_approved_or_refused() -> None:
    async with open_desk(phone=QUIET) as desk:
        elsewhere = await administrator(desk)
        later = (datetime.now(UTC).date() + timedelta(days=60)).isoformat()
        card = await elsewhere.closed(COLLEAGUE, "R05", new_date=later)
        queue = await in_review(desk, 1)
        await desk.until(lambda: "Просят продлить срок" in desk.text(), "what is asked for")
        await desk.press("f5")
        await desk.until(lambda: "продлён до" in desk.notice, "approved")
        await desk.until(lambda: not queue.rows(), "an empty queue")
        await elsewhere.answers()
        assert (elsewhere.cards[card].status, elsewhere.cards[card].deadline) == (Status.IN_WORK, later)


async def test_a_group_is_approved_after_a_look_at_a_sample_but_not_what_one_closed_oneself() -> None:
    async with open_desk(phone=QUIET) as desk:
        elsewhere = await administrator(desk)
        for _ in range(3):
            await elsewhere.closed(COLLEAGUE, "R02")
        other = await elsewhere.closed(COLLEAGUE, "R01")
        await saved(desk)
        await desk.press("f9")
        await desk.until_screen("journal")
        own = next(card.id for card in await desk.desk.active() if card.value("closed_by") != COLLEAGUE.user)
        queue = await in_review(desk, 5)
        await desk.press("ctrl+g")
        await desk.until(lambda: isinstance(desk.app.screen, AskScreen), "the groups")
        await desk.type("R02")
        await desk.press("enter")
        await desk.until(lambda: len(queue.rows()) == 4, "the group")
        assert "отбор: Результат: R02" in desk.line("#review-title")
        await desk.press("f9")
        await desk.until(lambda: isinstance(desk.app.screen, SampleScreen), "the sample")
        assert "Утвердить весь отбор: 4" in desk.text()
        late = await elsewhere.closed(COLLEAGUE, "R02")
        await desk.press("f5")
        await desk.until(lambda: "Утверждено: 3" in desk.notice, "approved")
        assert "Осталось в очереди: 1" in desk.notice
        assert set(queue.keys()) == {own, late}, "nothing is approved that came after the look"
        await desk.press("escape")
        await desk.until(lambda: set(queue.keys()) == {own, late, other}, "the whole queue")
        outcomes = await elsewhere.answers()
        assert all(outcome.s == "applied" for outcome in outcomes), "each decision an operation the server takes"


async def test_an_administrator_reassigns_voids_and_opens_again() -> None:
    async with open_desk(phone=QUIET) as desk:
        elsewhere = await administrator(desk)
        card = await elsewhere.closed(COLLEAGUE, "R02")
        await in_review(desk, 1)
        await desk.press("f5")
        await desk.until(lambda: "утверждено" in desk.notice, "closed")
        await desk.desk.card.edit(card)
        desk.app.switch_mode("work")
        await desk.until_screen("work")
        await desk.press("alt+o")
        await desk.until(lambda: "«В работе»" in desk.notice, "open again")
        await desk.press("alt+y")
        await desk.until(lambda: isinstance(desk.app.screen, AskScreen) and List(desk, "#found").rows(), "the workers")
        await desk.type("2001")
        await desk.press("enter")
        await desk.until(lambda: "Передать другому" in desk.notice, "reassigned")
        await desk.press("alt+x")
        await desk.type("Двойник")
        await desk.press("enter")
        await desk.until(lambda: "«Аннулировано»" in desk.notice, "void")
        await elsewhere.answers()
        after = elsewhere.cards[card]
        assert (after.status, after.worker, after.value("reason")) == (Status.VOID, 2001, "Двойник")


async def test_the_closer_takes_his_close_back_and_level_one_has_no_queue() -> None:
    async with open_desk(phone=QUIET) as desk:
        await saved(desk)
        await desk.press("f9")
        await desk.until_screen("journal")
        await desk.until(lambda: desk.journal.rows(), "the appeal")
        await desk.press("alt+z")
        await desk.until(lambda: "«В работе»" in desk.notice, "taken back")
        await desk.press("alt+u")
        await desk.until(lambda: "Для вашей роли" in desk.notice, "the reason")
        await desk.desk.refresh_journal()
        await desk.pilot.pause()
        assert "Для вашей роли" in desk.notice, "what comes from elsewhere is not the next key"
