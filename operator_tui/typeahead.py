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

# No key waits longer than this, whatever its predecessor does; a search that takes its time goes on meanwhile.
PATIENCE_S = 1.0


class KeysInOrder(App[int]):
    """An application that takes one key, or one paste, at a time. ``acts_done`` awaits what a key has set going."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # handed on as they came
        self._waiting_keys: deque[Key | Paste] = deque()
        self._key_under_way = False
        self._let_in: Key | Paste | None = None
        self._typed_into: MessagePump | None = None  # where letters went that may still be on their way
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
        target = self.focused
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

    async def _through(self, key: Key | Paste, target: MessagePump | None) -> None:
        """Until a key is through its widget, its ancestors, and what it has set going."""
        if target is not None and _is_text(key):
            self._typed_into = target
            await _passed(target)  # a letter goes into its field and no further
            return
        # Once for the key on its way up to its binding, once for the message that the binding's action has sent.
        for _ in range(2):
            node: MessagePump | None = target
            while node is not None:
                await _passed(node)
                node = node._parent
        await self.acts_done()

    async def _settled(self) -> None:
        """Until what was typed has come from its field to whoever keeps it: a command is about all of it.

        F9 would save a comment without its last letter, and Ins would put that letter into the next card. A field tells
        its form and the form its screen, so the way is walked twice, each time behind what waits there.
        """
        target, self._typed_into = self._typed_into, None
        for _ in range(2):
            node = target
            while node is not None:
                if node.is_running:
                    handled = asyncio.Event()
                    node.call_later(handled.set)
                    await handled.wait()
                node = node._parent


def _is_text(event: Key | Paste) -> bool:
    return isinstance(event, Paste) or event.is_printable


async def _passed(pump: MessagePump) -> None:
    """Until the pump has handled what stands in its queue now."""
    if not pump.is_running:
        return
    handled = asyncio.Event()
    pump.call_next(handled.set)
    await handled.wait()
