"""Keys in their order: the next key is looked at when the one before has done its work.

A bad line delivers several keys in one packet, and a fast operator types ahead. Textual dispatches each key to the
widget that has the focus at that moment, while what the key before did to the focus may still be under way in some
queue: letters then land in the wrong field. Here a key waits (a bounded time) until its predecessor is through.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Coroutine
from typing import Any

from textual.app import App
from textual.events import Event, Key, Paste
from textual.message_pump import MessagePump
from textual.widgets import Input, TextArea

# No key waits longer than this, whatever its predecessor does; a search that takes its time goes on meanwhile.
PATIENCE_S = 1.0


class KeysInOrder(App[int]):
    """An application that takes one key, or one paste, at a time. ``acts_done`` awaits what a key has set going."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # handed on as they came
        self._waiting_keys: deque[Key | Paste] = deque()
        self._key_under_way = False
        self._let_in: Key | Paste | None = None
        self._typed_into: MessagePump | None = None  # where letters went, or what edits them, still on their way
        self._releases: set[asyncio.Task[None]] = set()

    async def acts_done(self) -> None:
        """Wait for what the last key has set going; the application knows what that is."""

    async def on_event(self, event: Event) -> None:
        """Dispatch an event; a key waits for its turn."""
        if not isinstance(event, Key | Paste) or event.is_forwarded:
            await super().on_event(event)
            return
        if event is self._let_in:
            self._let_in = None
        elif self._key_under_way:
            self._waiting_keys.append(event)
            return
        elif self._typed_into is not None and not _is_text(event):
            self._key_under_way = True
            self._waiting_keys.append(event)
            self._let_next_in_after(self._settled())
            return
        self._key_under_way = True
        focused = self.focused
        target = self.screen if focused is None else focused
        await super().on_event(event)
        self._let_next_in_after(self._through(event, target))

    def _let_next_in_after(self, work: Coroutine[Any, Any, None]) -> None:
        release = asyncio.get_running_loop().create_task(self._release(work))
        self._releases.add(release)
        release.add_done_callback(self._releases.discard)

    async def _release(self, work: Coroutine[Any, Any, None]) -> None:
        """Let the next key in when this is done: a letter at once, a command when the letters before it are kept."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                await work
                if self._waiting_keys and not _is_text(self._waiting_keys[0]):
                    await self._settled()
        except TimeoutError:
            pass
        finally:
            if self._waiting_keys:
                # It goes to the end of the application's queue; the turn stays taken, or a younger key that stands in
                # that queue already would overtake it.
                self._let_in = self._waiting_keys.popleft()
                self.post_message(self._let_in)
            else:
                self._key_under_way = False

    async def _through(self, key: Key | Paste, target: MessagePump) -> None:
        """Until a key is through its widget, its ancestors, and what it has set going."""
        if _is_text(key):
            self._typed_into = target
            await _passed(target)  # a letter goes into its field and no further
            return
        if key.is_forwarded and isinstance(target, Input | TextArea):
            self._typed_into = target  # it may have edited what stands there: what follows is about that as well
        # Once for the key on its way up to its binding, once for the message that the binding's action has sent.
        for _ in range(2):
            await _walked_up(target)
        await self.acts_done()

    async def _settled(self) -> None:
        """Until what was typed has come from its field to whoever keeps it: a command is about all of it.

        F9 would save a comment without its last letter, and Ins would put that letter into the next card. A field tells
        its form and the form its screen, so behind the letter itself the way is walked twice.
        """
        target, self._typed_into = self._typed_into, None
        if target is None:
            return
        await _passed_all(target)
        for _ in range(2):
            await _walked_up(target)


def _is_text(event: Key | Paste) -> bool:
    return isinstance(event, Paste) or event.is_printable


async def _passed(pump: MessagePump) -> None:
    """Until the pump has handled one message more; behind that, more may stand in its queue."""
    if pump.is_running:
        handled = asyncio.Event()
        pump.call_next(handled.set)
        await handled.wait()


async def _passed_all(pump: MessagePump) -> None:
    """Until the pump has handled all that stands in its queue now; one that is about to end is not waited for."""
    handled = asyncio.Event()
    if pump.is_running and pump.call_later(handled.set):
        await handled.wait()


async def _walked_up(pump: MessagePump) -> None:
    """Until what stands in its queue now, and bubbles, has come to the application and been handled there."""
    node: MessagePump | None = pump
    while node is not None:
        await _passed_all(node)
        node = node._parent
