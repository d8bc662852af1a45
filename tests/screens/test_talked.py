"""The time line of an appeal has the talks of other desks too, and those this one has forgotten."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.talks import Answer, Talk
from operator_tui.journal.happened import TALK
from operator_tui.journal.journal import Journal
from screens.call_words import call_fact
from screens.timeline import TimelineScreen
from tests.screens.page import DeskPage, open_desk
from tests.screens.test_call import answered
from tests.screens.test_desk import with_theme


async def closed(desk: DeskPage) -> str:
    """A call with its appeal, all of it at the centre."""
    await answered(desk)
    await with_theme(desk)
    await desk.press("f9")
    await desk.until(lambda: "Сохранено" in desk.notice, "closed")
    await desk.press("f4")
    await desk.until_screen("journal")
    await desk.until(lambda: desk.desk.state.lights.server.value == "on", "the server")

    async def unsent() -> int:
        return await desk.desk.on_journal(lambda journal: journal.unsent())

    while await unsent():
        await desk.pilot.pause(0.02)
    (card,) = await desk.desk.active()
    return card.id


def forget_calls(journal: Journal) -> None:
    """As after a week, and as on every other desk."""
    with journal._store.writing() as db:
        db.execute("DELETE FROM outbox WHERE kind LIKE 'call.%'")


def told(desk: DeskPage) -> list[str]:
    screen = desk.app.screen
    return [cells[2] for cells in screen._entries] if isinstance(screen, TimelineScreen) else []


async def test_a_talk_this_desk_knows_nothing_of_stands_in_the_time_line() -> None:
    async with open_desk() as desk:
        await closed(desk)
        await desk.press("alt+q")
        await desk.until(lambda: any("Звонок завершён" in one for one in told(desk)), "its own facts")
        await desk.until_quiet()
        assert not any("по входящему" in one for one in told(desk)), "no talk is told twice"
        await desk.press("escape")
        await desk.desk.on_journal(forget_calls)
        await desk.press("alt+q")
        await desk.until(lambda: any("Разговор по входящему звонку" in one for one in told(desk)), "the centre's word")
        (talk,) = [one for one in told(desk) if "входящему" in one]
        assert talk.endswith("положил трубку оператор, без записи")
        assert len(desk.app.screen.query_one("#timeline").rows) == len(told(desk))  # type: ignore[attr-defined]  # Rows


@pytest.mark.parametrize("answer", [Refusal(Code.SERVER_AWAY), b"not found", b"{}"])
async def test_a_centre_that_does_not_tell_leaves_what_is_known(answer: Refusal | bytes) -> None:
    async with open_desk() as desk:
        card_id = await closed(desk)
        await desk.desk.on_journal(forget_calls)

        async def ask(path: str, body: bytes) -> bytes:
            if isinstance(answer, Refusal):
                raise answer
            return answer

        desk.desk.parts.ask = ask  # type: ignore[method-assign]  # the centre of another release, or away
        card, known = await desk.desk.appeals.timeline(card_id)
        assert known
        assert await desk.desk.appeals.talks(card, known) == []


async def test_of_an_appeal_of_another_organisation_nobody_asks() -> None:
    async with open_desk() as desk:
        card_id = await closed(desk)
        asked: list[str] = []

        async def ask(path: str, body: bytes) -> bytes:
            asked.append(path)
            return msgspec.json.encode(Answer([Talk("c", 1, 1)]))

        desk.desk.parts.ask = ask  # type: ignore[method-assign]  # what is asked is looked at
        card, _ = await desk.desk.appeals.timeline(card_id)
        assert await desk.desk.appeals.talks(msgspec.structs.replace(card, stream="26/smo-26001"), []) == []
        assert not asked
        (talk,) = await desk.desk.appeals.talks(card, [])
        assert (talk.kind, talk.at_ms, talk.by) == (TALK, 1, 1)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"ms": 200_000, "ended": "caller", "recorded": True},
         "Разговор по входящему звонку, 3 мин 20 с, положил трубку собеседник, есть запись"),
        ({"ms": 0, "out": True}, "Разговор по исходящему звонку, без записи"),
        ({"ms": 5_000, "ended": "of a newer release"}, "Разговор по входящему звонку, 5 с, без записи"),
    ],
)  # fmt: skip
def test_a_talk_is_one_line(values: dict[str, Any], words: str) -> None:
    assert call_fact(TALK, values) == words
