"""Workers side by side: what must not run beside itself does not, and nobody takes another worker's ports."""

from __future__ import annotations

import pytest

from tests.peers import ports
from tests.plugins.lanes import LANES, lane, rank


def test_what_talks_in_real_time_goes_one_by_one_and_begins() -> None:
    assert lane("tests/phone/test_pbx.py::test_a[pcma]") == lane("tests/phone/test_media.py::test_b") == LANES[0]
    assert lane("tests/whole/test_one_call.py::test_c") == lane("tests/wire/test_slow.py::test_d") == LANES[1]
    others = ["tests/appeals/test_small.py::d", "tests/sync/test_faults.py::e", "tests/whole/test_seats.py::f"]
    assert sorted(others, key=rank) == [others[2], others[1], others[0]]


def test_a_file_stays_in_one_worker() -> None:
    assert lane("tests/registry/test_bench.py::test_a") == lane("tests/registry/test_bench.py::test_b[x::y]")
    assert lane("tests/registry/test_bench.py::test_a") != lane("tests/registry/test_load.py::test_a")


def test_no_two_workers_have_a_port_in_common(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_XDIST_WORKER_COUNT", "4")
    # The other workers are using theirs: nothing is bound there, and this worker's own count is put back.
    monkeypatch.setattr(ports, "_bindable", lambda port: True)
    monkeypatch.setattr(ports, "_next", 0)
    taken: set[int] = set()
    for number in range(4):
        monkeypatch.setenv("PYTEST_XDIST_WORKER", f"gw{number}")
        lowest, highest = ports._range()
        own = set(range(lowest, highest))
        assert len(own) > 2000
        assert not own & taken
        taken |= own
        assert {ports.free_block(20) for _ in range(20)} <= own
