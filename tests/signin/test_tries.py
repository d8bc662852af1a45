"""Wrong passwords at a place are counted on disk; after five of them one waits, longer each time."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operator_tui.appeals.clock import ManualClock
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.profiles import Profile
from operator_tui.sentences import sentence
from operator_tui.signin.tries import FIRST_PAUSE_S, FREE, LONGEST_PAUSE_S, Tries, pause_s
from tests.signin.conftest import PASSWORD, Office, Sit
from tests.signin.test_signin import NOWHERE, refusal


async def one(tries: Tries, code: Code | None = None) -> Code | None:
    """A try that ends so; what it was answered."""
    try:
        async with tries.one():
            _end(code)
    except Refusal as refused:
        return refused.code
    return None


def _end(code: Code | None) -> None:
    if code is not None:
        raise Refusal(code)


@given(st.integers(0, 10_000))
def test_a_pause_never_gets_shorter_nor_endless(wrong: int) -> None:
    assert 0 <= pause_s(wrong) <= pause_s(wrong + 1) <= LONGEST_PAUSE_S
    assert (pause_s(wrong) == 0) is (wrong < FREE)


async def test_after_five_wrong_ones_one_waits_and_the_next_wait_is_longer(tmp_path: Path) -> None:
    clock = ManualClock()
    for _ in range(FREE):
        # Each by a desk started anew.
        assert await one(Tries(tmp_path / "t", clock), Code.SIGN_IN_WRONG) is Code.SIGN_IN_WRONG
    tries = Tries(tmp_path / "t", clock)
    assert tries.left == 0
    assert await one(tries) is Code.UNLOCK_LATER, "even the right one waits"
    clock.advance(FIRST_PAUSE_S)
    assert await one(tries, Code.SIGN_IN_WRONG) is Code.SIGN_IN_WRONG
    clock.advance(FIRST_PAUSE_S)
    assert await one(tries) is Code.UNLOCK_LATER
    clock.advance(FIRST_PAUSE_S)
    assert await one(tries) is None
    assert tries.left == FREE, "a right one forgets the wrong ones"
    assert (tmp_path / "t.lock").stat().st_mode & 0o077 == 0


async def test_a_try_that_was_given_up_counts_for_nothing(tmp_path: Path) -> None:
    tries, looking = Tries(tmp_path / "t", ManualClock()), asyncio.Event()

    async def slow() -> None:
        async with tries.one():
            looking.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(slow())
    await looking.wait()
    assert tries.left == FREE - 1
    task.cancel()
    await asyncio.wait({task})
    assert (task.cancelled(), tries.left) == (True, FREE)


async def test_a_desk_killed_while_it_looks_has_counted(tmp_path: Path) -> None:
    tries = Tries(tmp_path / "t", ManualClock())
    for _ in range(FREE):
        with pytest.raises(SystemExit):
            async with tries.one():
                raise SystemExit
    assert await one(tries) is Code.UNLOCK_LATER


async def test_a_server_that_is_away_is_no_wrong_password(tmp_path: Path) -> None:
    tries = Tries(tmp_path / "t", ManualClock())
    await one(tries, Code.SIGN_IN_WRONG)
    for _ in range(FREE):
        assert await one(tries, Code.OFFLINE_TOO_LONG) is Code.OFFLINE_TOO_LONG
    assert tries.left == FREE - 1


async def test_a_clock_turned_back_and_a_spoiled_file_lock_nobody_out(tmp_path: Path) -> None:
    clock = ManualClock()
    tries = Tries(tmp_path / "t", clock)
    for _ in range(FREE + 3):
        await one(tries, Code.SIGN_IN_WRONG)
    clock.advance(-2 * LONGEST_PAUSE_S)
    assert await one(tries) is None
    (tmp_path / "t").write_bytes(b"\xff nothing of ours")
    (tmp_path / "t").chmod(0o600)
    assert await one(tries) is None


@pytest.mark.function("FJ-R7")
async def test_the_lock_and_the_first_screen_count_together(
    office: Office, sit: Sit, clock: ManualClock, profile: Profile
) -> None:
    seat = sit()
    await seat.enrol(office.hire("petrova"), PASSWORD)
    for _ in range(3):
        assert not await seat.unlock("не тот")
    assert seat.tries_left == 2
    for _ in range(2):
        assert (await refusal(sit(NOWHERE).sign_in("petrova", "не тот"))).code is Code.SIGN_IN_WRONG
    waits = await refusal(seat.unlock(PASSWORD))
    assert (waits.code, waits.params) == (Code.UNLOCK_LATER, {"seconds": FIRST_PAUSE_S})
    assert "Повторите через 30 с." in sentence(waits)
    assert (await refusal(sit().sign_in("petrova", PASSWORD))).code is Code.UNLOCK_LATER
    clock.advance(FIRST_PAUSE_S)
    assert await seat.unlock(PASSWORD)
    assert seat.tries_left == FREE
    for _ in range(FREE):
        assert not await seat.unlock("не тот")
    await sit().reset(_reset_code(office), "новый пароль 2")
    assert seat.tries_left == FREE, "the tries were with the forgotten one"


def _reset_code(office: Office) -> str:
    from central.auth import accounts

    return accounts.reset_code(office.database, "petrova", office.now())
