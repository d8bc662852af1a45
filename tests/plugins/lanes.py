"""Several workers at once (``pytest -n 4``, pytest-xdist): which tests go one after another in one of them.

A file is one unit, so that what it starts for all its tests is started once. What talks in real time makes two lanes:
one of the telephone (PBX, sound card), one of the terminal (whole desks, the wire). Their tests mostly wait, never run
beside another of their lane, and come first, because nothing takes longer. As root the other tests step back for them
(setpriority(2)): on a machine of two cores somebody computing must not make a voice stutter, nor a desk look silent
that only waits for a processor. With a worker more than there are processors one computes while two lanes wait.
"""

from __future__ import annotations

import os

import pytest

# Folders whose tests go one after another, the longest first.
LANES = ("tests/phone/", "tests/wire/")
# What goes in the lane of another folder: else three would wait side by side, and then nobody.
_ALSO = {"tests/whole/": "tests/wire/"}
# Long ones: begun last, one of them would keep a worker busy when all others are done. What computes goes beside the
# lanes that wait; what waits itself comes when all workers compute.
LONG = (
    "tests/sync/test_faults.py",
    "tests/registry/",
    "tests/journal/test_overlay.py",
    "tests/screens/",
    "tests/central/test_failover.py",
    "tests/central/test_redis.py",
    "tests/sync/",
    "tests/signin/",
    "tests/terminal/",
    "tests/central/",
)
# Only for these do others step back, and no further than that they still get on (a fifth).
_STEPS_BACK = 4


def lane(nodeid: str) -> str:
    """The unit a test belongs to."""
    file = nodeid.partition("::")[0]
    folder = next((folder for folder in (*LANES, *_ALSO) if file.startswith(folder)), file)
    return _ALSO.get(folder, folder)


def rank(nodeid: str) -> int:
    """Its place among the units; the smallest begins."""
    places = [place for place, start in enumerate((*LANES, *LONG)) if lane(nodeid).startswith(start)]
    return min(places, default=len(LANES) + len(LONG))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    from xdist.scheduler import LoadScopeScheduling

    class Lanes(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return lane(nodeid)

    config.option.loadscopereorder = False  # the order is that of the collection, see below
    return Lanes(config, log)  # type: ignore[arg-type]  # the log's type is the plugin's own


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: rank(item.nodeid))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    if hasattr(item.config, "workerinput") and os.geteuid() == 0:
        os.setpriority(os.PRIO_PROCESS, 0, 0 if lane(item.nodeid) in LANES else _STEPS_BACK)
