"""The other end asks the telephone to call somewhere else (REFER): it is said, and nobody is called."""

from __future__ import annotations

from operator_tui.phone.line import TransferAsked
from tests.screens.page import open_desk
from tests.screens.test_call import answered


async def test_a_call_somewhere_else_is_the_operators_to_make() -> None:
    async with open_desk() as desk:
        await answered(desk)
        call = desk.desk.state.call
        assert call is not None
        await desk.desk.phone.following.take(TransferAsked(call.id, "sip:+79990000000@127.0.0.1;transport=udp"))
        await desk.until(lambda: "Собеседник просит позвонить на +79990000000" in desk.notice, "who asks for what")
        assert [one.id for one in desk.desk.state.calls] == [call.id]
        await desk.desk.phone.following.take(TransferAsked("over", "2003"))
        await desk.until(lambda: "позвонить на 2003" in desk.notice, "also of a call that is over meanwhile")
