"""A line that gets worse is said before it breaks, once, and again only after it was good."""

from __future__ import annotations

from operator_tui.phone.line import Quality
from tests.screens.page import open_desk
from tests.screens.test_call import answered


async def test_a_poor_line_is_told_once_until_it_is_good_again() -> None:
    async with open_desk() as desk:
        await answered(desk)
        call = desk.desk.state.call
        assert call is not None

        async def hear(loss: float, mos: float = 4.0) -> str:
            desk.desk.notice("")
            await desk.desk.phone.following.take(Quality(call.id, mos, loss, 20.0, 40.0))
            return desk.desk.state.notice.text

        assert await hear(0.5) == ""
        assert "Связь ухудшается: теряется 6 %" in await hear(6.2)
        assert await hear(7.0) == "", "said already"
        assert await hear(0.0) == ""
        assert "Связь ухудшается" in await hear(1.0, mos=2.8)
