"""A folder that hangs holds up nobody for longer than is said."""

from __future__ import annotations

import asyncio
import threading

import pytest

from operator_tui.desk.patient import Patient


async def test_what_hangs_is_left_alone_and_nothing_else_is_begun_until_it_is_back() -> None:
    patient, hangs, begun = Patient(0.2), threading.Event(), list[str]()

    def hang() -> None:
        begun.append("first")
        hangs.wait()

    with pytest.raises(TimeoutError):
        await patient.run(hang)
    with pytest.raises(TimeoutError):
        await patient.run(lambda: begun.append("second"))
    assert begun == ["first"]
    hangs.set()
    async with asyncio.timeout(30), patient._turn:
        pass
    assert await patient.run(lambda: "found") == "found"


async def test_two_who_ask_at_once_are_both_answered_and_a_failure_is_told() -> None:
    patient = Patient(30)
    assert await asyncio.gather(patient.run(lambda: 1), patient.run(lambda: 2)) == [1, 2]

    def fail() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await patient.run(fail)
    assert await patient.run(lambda: None) is None
