"""Keys in their order: the next key is looked at when the one before has done its work.

A bad line delivers several keys in one packet, and a fast operator types ahead. Textual dispatches each key to the
widget that has the focus at that moment, while what the key before did to the focus may still be under way in some
queue: letters then land in the wrong field. Here a key waits (a bounded time) until its predecessor is through.
"""

from __future__ import annotations

import asyncio
from collections import deque

from textual.app import App
from textual.events import Event, Key
from textual.message_pump import MessagePump

# No key waits longer than this, whatever its predecessor does; a search that takes its time goes on meanwhile.
PATIENCE_S = 0.4


class KeysInOrder(App[int]):
    """An application that takes one key at a time. ``acts_done`` awaits what a key has set going."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # handed on as they came
        self._waiting_keys: deque[Key] = deque()
        self._key_under_way = False
        self._releases: set[asyncio.Task[None]] = set()

    async def acts_done(self) -> None:
        """Wait for what the last key has set going; the application knows what that is."""

    async def on_event(self, event: Event) -> None:
        """Dispatch an event; a key waits for its turn."""
        if not isinstance(event, Key) or event.is_forwarded:
            await super().on_event(event)
            return
        if self._key_under_way:
            self._waiting_keys.append(event)
            return
        self._key_under_way = True
        target = self.focused
        await super().on_event(event)
        release = asyncio.get_running_loop().create_task(self._release(event, target))
        self._releases.add(release)
        release.add_done_callback(self._releases.discard)

    async def _release(self, key: Key, target: MessagePump | None) -> None:
        """Let the next key in when this one is through its widget, its ancestors, and what it has set going."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._through(key, target)
        except TimeoutError:
            pass
        finally:
            self._key_under_way = False
            if self._waiting_keys:
                self.post_message(self._waiting_keys.popleft())

    async def _through(self, key: Key, target: MessagePump | None) -> None:
        if target is not None and key.is_printable:
            await _passed(target)  # a letter goes into its field and no further
            return
        # Once for the key on its way up to its binding, once for the message that the binding's action has sent.
        for _ in range(2):
            node: MessagePump | None = target
            while node is not None:
                await _passed(node)
                node = node._parent
        await self.acts_done()


async def _passed(pump: MessagePump) -> None:
    """Until the pump has handled what stands in its queue now."""
    if not pump.is_running:
        return
    handled = asyncio.Event()
    pump.call_next(handled.set)
    await handled.wait()
