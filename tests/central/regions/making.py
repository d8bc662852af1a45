"""What the tests of a region's move have in common."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from central import regions
from central.verify import Verified, verify_on
from tests.central.desks import Desk, Office


def with_recording(office: Office) -> Desk:
    desk = office.desk("Первая")
    said = {"call": "c1", "file": "c1.otr", "sha256": "0" * 64, "size": 5}
    assert desk.send(desk.new_card(), desk.operation("call.recorded", said)).states == ["applied"] * 2
    return desk


def during(monkeypatch: pytest.MonkeyPatch, work: Callable[[], None]) -> None:
    """Do something while a region is being copied."""

    def meanwhile(arriving: sa.Connection) -> Verified:
        work()
        return verify_on(arriving)

    monkeypatch.setattr(regions, "verify_on", meanwhile)
