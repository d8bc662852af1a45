"""From the INVITE to the people of its number on the screen: a whole desk of profile demo, its line simulated.

In a process of its own, with folders of its own. How many people the registry has matters little here: who has a number
is found in a fraction of a millisecond at three million (``ring_p99_ms``).
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.figures import Row, percentile

_CALLS = 60
_PEOPLE = 30_000


def painted_row(calls: int = _CALLS) -> Row:
    """The 99th of a hundred rings whose number somebody has."""
    with tempfile.TemporaryDirectory(prefix="ot-bench-ring-") as home:
        folders = {f"XDG_{kind}_HOME": str(Path(home, kind)) for kind in ("CONFIG", "DATA", "STATE", "CACHE")}
        runtime = Path(home, "run")
        runtime.mkdir(mode=0o700)
        environment = {**os.environ, **folders, "HOME": home, "XDG_RUNTIME_DIR": str(runtime)}
        command = [sys.executable, "-m", "bench.registry_painted", str(calls)]
        told = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE).stdout
    return Row("ring_painted_p99_ms", percentile(json.loads(told), 0.99), "ms", 100)


async def _rings(calls: int) -> list[int]:
    from operator_tui.desk.state import Topic
    from tests.screens.page import open_desk

    painted: dict[str, int] = {}
    line = {"simulated_first_seconds": 0.3, "simulated_next_seconds": 0.3}
    async with open_desk(phone=line, registry={"demo_people": _PEOPLE}) as page:
        desk = page.desk

        def told(topic: Topic) -> None:
            call = desk.state.call
            if topic is Topic.NOTICE and call is not None and desk.state.notice.text.startswith("По номеру"):
                # Behind the refresh, so that what is measured is on the screen.
                page.app.call_after_refresh(lambda: painted.setdefault(call.id, desk.clock.now_ms() - call.started_ms))

        desk.listen(told)
        for done in range(calls):
            await page.until(lambda: desk.state.call is not None, "a ring")
            ringing = desk.state.call.id if desk.state.call else ""
            await page.until(lambda done=done: len(painted) > done, "who may be calling")  # type: ignore[misc]
            await desk.phone.reject(ringing, "")
            await page.until(lambda: desk.state.call is None, "the end of it")
    return list(painted.values())


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_rings(int(sys.argv[1])))))
