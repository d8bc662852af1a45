"""What has to be through before a pressed key counts as done, without a look at the clock."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest
from textual.app import App, ComposeResult
from textual.widgets import Input, Static

from tests.plugins import settled

LINKS = 200


class Worker(App[None]):
    """Each key sets a chain going: message behind message, or a thread."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.let_go = threading.Event()

    def compose(self) -> ComposeResult:
        yield Static("", id="told")
        yield Input(id="typed")

    def on_mount(self) -> None:
        self.query_one(Static).can_focus = True
        self.query_one(Static).focus()

    def key_c(self) -> None:
        self._link(LINKS)

    def _link(self, left: int) -> None:
        if left:
            self.call_later(self._link, left - 1)
        else:
            self.query_one(Static).update("through")
            self.call_after_refresh(self.seen.append, "painted")

    async def key_t(self) -> None:
        self.run_worker(self._in_a_thread(self._compute))

    async def key_b(self) -> None:
        self.run_worker(self._in_a_thread(self.let_go.wait))

    async def _in_a_thread(self, work: object) -> None:
        assert callable(work)
        await asyncio.to_thread(work)
        self.seen.append("thread")

    @staticmethod
    def _compute() -> None:
        end = time.thread_time() + 0.05
        while time.thread_time() < end:
            pass


def screen(app: App[None]) -> str:
    return "\n".join("".join(part.text for part in strip) for strip in app.screen._compositor.render_strips())


async def test_all_that_a_key_has_set_going_is_done_and_painted(monkeypatch: pytest.MonkeyPatch) -> None:
    app = Worker()
    slept: list[float] = []
    sleep = asyncio.sleep

    async def told(seconds: float) -> None:
        slept.append(seconds)
        await sleep(seconds)

    async with app.run_test() as pilot:
        await pilot.pause()
        monkeypatch.setattr(settled.asyncio, "sleep", told)
        await pilot.press("c")
        assert app.seen == ["painted"]
        assert "through" in screen(app)
        await pilot.press("tab", *"слово")
        assert app.query_one(Input).value == "слово"
        assert "слово" in screen(app)
    assert set(slept) == {0}, "the loop is asked, no clock is run out"


async def test_a_thread_that_computes_is_waited_for() -> None:
    app = Worker()
    async with app.run_test() as pilot:
        await pilot.press("t")
        assert app.seen == ["thread"]


async def test_a_thread_that_waits_for_somebody_holds_nobody() -> None:
    app = Worker()
    async with app.run_test() as pilot:
        await pilot.press("b", "c")
        assert app.seen == ["painted"]
        app.let_go.set()
        await pilot.press("tab")
        assert app.seen == ["painted", "thread"]


async def test_another_mode_and_another_size_are_painted() -> None:
    app = Worker()
    async with app.run_test(size=(80, 24)) as pilot:
        app.delay_update()
        app.query_one(Static).update("held back for a moment")
        await pilot.pause()
        assert "held back" in screen(app)
        await pilot.resize_terminal(40, 12)
        assert app.screen.size == (40, 12)
