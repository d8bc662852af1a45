"""What a desk wants of an engine that is away for a moment holds when it is back."""

from __future__ import annotations

import pytest

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.phone.remote import RemotePhone
from operator_tui.profiles import open_profile


async def test_a_break_that_began_while_the_engine_was_away_is_kept_for_the_next_one() -> None:
    phone = RemotePhone(open_profile("demo"), start_engine=False)
    with pytest.raises(Refusal) as away:
        await phone.set_ready(False)
    assert away.value.code is Code.PHONE_AWAY
    assert not phone._ready
