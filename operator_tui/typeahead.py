"""Keys in their order: the next key is looked at when the one before has done its work.

A bad line delivers several keys in one packet, and a fast operator types ahead. Textual dispatches each key to the
widget that has the focus at that moment, while what the key before did to the focus may still be under way in some
queue: letters then land in the wrong field. Here a key waits (a bounded time) until its predecessor is through.
"""

from __future__ import annotations

import asyncio
from collections import deque

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
        self._key_under_way = True
        target = self.focused
        await super().on_event(event)
        release = asyncio.get_running_loop().create_task(self._release(event, target))
        self._releases.add(release)
        release.add_done_callback(self._releases.discard)

    async def _release(self, key: Key | Paste, target: MessagePump | None) -> None:
        """Let the next key in when this one is through its widget, its ancestors, and what it has set going."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._through(key, target)
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
        if target is not None and (isinstance(key, Paste) or key.is_printable):
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
