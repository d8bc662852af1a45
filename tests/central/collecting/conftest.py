"""A region with work in it, and a collector that is enrolled there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from central.collected import Collection
from central.collecting import enrol
from central.devices import collector_code
from operator_tui.appeals.people import Role
from tests.central.auth.decisions import OPERATIONS
from tests.central.collecting.wire import FAR, INSURER, line
from tests.central.conftest import KEY
from tests.central.desks import Desk, Office


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "collected"


@pytest.fixture
def region(office: Office) -> tuple[Desk, Desk]:
    """Two organisations of the region and one of another, with work of theirs."""
    here = office.desk("Петрова"), office.desk("Смирнов", Role.INSURER_2, INSURER)
    for desk in (*here, office.desk("Далёкая", organisation=FAR)):
        desk.send(desk.operation("call.answered", OPERATIONS["call.answered"].x), desk.new_card(text="как было"))
        desk.send(desk.new_card(text="и ещё"))
    boss = office.desk("Судья", Role.ADMINISTRATOR)
    assert boss.send(boss.operation("reference.set", OPERATIONS["reference.set"].x)).states == ["applied"]
    return here


@pytest.fixture
async def collection(office: Office, region: tuple[Desk, Desk], folder: Path) -> AsyncIterator[Collection]:
    """One that is enrolled and has nothing yet."""
    with Collection.opened(folder, KEY, office.clock) as opened:
        await enrol(line(office), opened, collector_code(office.database, "26", office.clock.now_ms()))
        yield opened
