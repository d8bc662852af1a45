"""The desk as a tester drives it: page objects over Textual's Pilot, on the real desk with all its real parts.

``async with open_desk() as desk`` starts the application headless in the profile demo: its journal, registry,
telephone engine (simulated line) and embedded server are the product's own, in folders of this test alone. What a very
first start makes (the people, the server's tables) is made once a run and copied.
"""

from __future__ import annotations

import asyncio
import functools
import os
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from operator_tui.app import DeskApp, make_app
from operator_tui.appeals.presence import State
from operator_tui.desk.desk import Desk
from operator_tui.desk.keys import REGISTRY_KEY
from operator_tui.desk.state import Light
from operator_tui.phone.line import CallState, Levels
from operator_tui.profiles import open_profile
from operator_tui.registry import generations
from operator_tui.registry.load import make_demo_registry
from operator_tui.registry.settings import RegistrySettings
from operator_tui.secrets import profile_secrets
from operator_tui.settings import load
from screens.base import DeskScreen
from tests.peers.tables import lay_tables
from widgets.notice import NoticeLine
from widgets.rows import Rows

PATIENCE_S = 100.0
# Nobody calls before the test says so (DeskPage.ring).
ON_CALL = {"simulated_first_seconds": 600.0, "simulated_next_seconds": 1.0}


class Part:
    """A place of the screen that is typed into or looked at."""

    def __init__(self, page: DeskPage, selector: str) -> None:
        self._page = page
        self._selector = selector

    @property
    def widget(self) -> Any:
        return self._page.app.screen.query_one(self._selector)

    @property
    def focused(self) -> bool:
        return bool(self.widget.has_focus)

    async def type(self, text: str) -> None:
        """Go there and type, key by key."""
        self.widget.focus()
        await self._page.type(text)

    @property
    def value(self) -> str:
        return str(getattr(self.widget, "value", None) or getattr(self.widget, "text", ""))


class List(Part):
    """A list of rows."""

    def rows(self) -> list[tuple[str, ...]]:
        widget: Rows = self.widget
        return [row.cells for row in widget.rows]

    def keys(self) -> list[str]:
        widget: Rows = self.widget
        return [row.key for row in widget.rows]


class DeskPage:
    """The whole desk: keys in, words out."""

    def __init__(self, app: DeskApp, pilot: Pilot[int | None]) -> None:
        self.app = app
        self.pilot = pilot
        self.presses = 0
        self.search = Part(self, "#search")
        self.hits = List(self, "#hits")
        self.theme = Part(self, "#input-theme")
        self.themes = List(self, "#themes")
        self.surname = Part(self, "#input-surname")
        self.phone_field = Part(self, "#input-phone")
        self.comment = Part(self, "#comment")
        self.answer = Part(self, "#answer-title")
        self.history = List(self, "#history")
        self.journal = List(self, "#journal")

    @property
    def desk(self) -> Desk:
        return self.app.desk

    @property
    def notice(self) -> str:
        """What the notice says; nothing while a list or a form lies over it."""
        found = self.app.screen.query(NoticeLine)
        return str(found.first().text) if found else ""

    @property
    def phone(self) -> str:
        return self.line("#phone")

    def line(self, selector: str) -> str:
        widget: Any = self.app.screen.query_one(selector)  # a Line, or one that wraps
        return str(widget.text)

    async def press(self, *keys: str) -> None:
        """Press keys by name, and let the screen settle: each has done its work, or its patience has ended."""
        self.presses += len(keys)
        await self.app._press_keys(keys)
        deadline = asyncio.get_running_loop().time() + PATIENCE_S
        while self.app._key_under_way and self.app.is_running and not self.app._exit:
            assert asyncio.get_running_loop().time() < deadline, f"{keys} are not through\n{self.text()}"
            await asyncio.sleep(0.005)
        await self.pilot.pause()

    async def type(self, text: str) -> None:
        """Type letters; a blank is the space bar."""
        await self.press(*("space" if letter == " " else letter for letter in text))

    async def until(self, condition: Callable[[], object], what: str = "") -> None:
        """Wait until something is so; what the screen shows stands in the failure."""
        deadline = asyncio.get_running_loop().time() + PATIENCE_S
        while not condition():
            if asyncio.get_running_loop().time() > deadline:
                raise AssertionError(f"never came: {what or condition}\n{self.text()}")
            await asyncio.sleep(0.01)
        await self.pilot.pause()

    async def until_screen(self, name: str) -> None:
        await self.until(
            lambda: isinstance(self.app.screen, DeskScreen) and self.app.screen.name_in_commands == name, name
        )

    async def ring(self) -> None:
        """Somebody calls now; a desk that was opened with ``phone=ON_CALL``."""
        await self.until(lambda: self.desk.state.presence.state is State.FREE, "free")
        await self.desk.phone.engine().set_ready(True)
        await self.until_ringing()

    async def nobody_else(self) -> None:
        """Whoever is on the line is the last who calls, also when the desk is ready again."""
        engine = self.desk.phone.engine()
        await engine.set_ready(False)

        async def unheard(on: bool) -> None:
            pass

        engine.set_ready = unheard  # type: ignore[method-assign]  # the simulated line calls whoever is ready

    async def deaf(self) -> None:
        """From now on only the test tells what the engine says; all that it has said is on the screen."""
        engine = self.desk.phone.engine()
        engine._receive = lambda event: None  # type: ignore[method-assign]  # nothing it says arrives
        engine._events.put_nowait(Levels(0.25, 0.75))
        await self.until(lambda: self.desk.state.levels == (0.25, 0.75), "all that was told before")

    async def until_ringing(self) -> None:
        await self.until(lambda: self.call_state() is CallState.RINGING, "a ringing call")

    async def until_talking(self) -> None:
        await self.until(lambda: self.call_state() is CallState.TALKING, "a talk")

    async def until_quiet(self) -> None:
        await self.until(lambda: self.desk.state.call is None, "a quiet line")

    def call_state(self) -> CallState | None:
        call = self.desk.state.call
        return call.state if call else None

    def text(self) -> str:
        """The screen as text, line by line."""
        return "\n".join(
            "".join(segment.text for segment in strip) for strip in self.app.screen._compositor.render_strips()
        )


@functools.cache
def _made_once(people: int) -> tuple[bytes, bytes]:
    """The demonstration's registry: its key and its file, as a first start makes them (tests/whole starts that way)."""
    key = os.urandom(32)
    with tempfile.TemporaryDirectory(prefix="ot-registry-") as folder:
        made = Path(folder) / "registry.db"
        make_demo_registry(made, key, people)
        return key, made.read_bytes()


def _lay_registry(desk: Desk) -> None:
    """The same people in every desk, without making them for a tenth of a second at each start."""
    path = desk.parts.registry_path
    if path != desk.profile.registry_file or path.exists():
        return
    key, content = _made_once(desk.settings.get(RegistrySettings).demo_people)
    profile_secrets(desk.profile).set(REGISTRY_KEY, key)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    generation = generations.fresh(path)
    generation.touch(mode=0o600)
    generation.write_bytes(content)
    path.symlink_to(generation.name)


@asynccontextmanager
async def open_desk(
    *, size: tuple[int, int] = (80, 24), ready: bool = True, **options: dict[str, Any]
) -> AsyncIterator[DeskPage]:
    """The desk of profile demo, headless. ``options`` are settings: ``phone={"simulated_first_seconds": 0.2}``."""
    profile = open_profile("demo")
    profile.make_folders()
    defaults: dict[str, dict[str, Any]] = {
        "registry": {"demo_people": 400},
        "phone": {"sound": "null", "simulated_first_seconds": 0.3, "simulated_next_seconds": 600.0},
    }
    for section, values in options.items():
        defaults[section] = {**defaults.get(section, {}), **values}
    desk = Desk(profile, load(profile, options=defaults))
    _lay_registry(desk)
    lay_tables(profile)
    app = make_app(desk)
    async with app.run_test(size=size) as pilot:
        page = DeskPage(app, pilot)
        try:
            if ready:
                await page.until(lambda: app.desk.state.ready, "the desk is ready")
                await page.until(lambda: app.desk.state.lights.registry is Light.ON, "the registry is open")
            yield page
        finally:
            if not app._ending:
                app._ending = True
                await app.desk.stop(leave=True)
