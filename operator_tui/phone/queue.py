"""The PBX's queue through Asterisk's manager interface (AMI): who waits, how long, and pausing in it.

The connection belongs to the engine; the library connects again by itself. Without it the desk works on: figures are
not shown, and a paused operator's queue calls are refused by the line instead.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

from operator_tui.appeals.clock import Clock
from operator_tui.appeals.presence import State
from operator_tui.phone.line import ColleaguesChanged, LineConfig, QueueChanged, QueueState
from operator_tui.phone.tasks import ended

_SETTLE_SECONDS = 0.2  # several events of one call make one question
_ANSWER_SECONDS = 5.0
_AGAIN_SECONDS = 2
_COLLEAGUES_SECONDS = 2.0
_DEFAULT_PORT = "5038"
# Asterisk's device states in the one vocabulary of presence (DESIGN rule 16).
_PRESENCE = {
    "NOT_INUSE": State.FREE,
    "RINGING": State.RINGING,
    "INUSE": State.TALKING,
    "BUSY": State.TALKING,
    "ONHOLD": State.TALKING,
    "RINGINUSE": State.TALKING,
}
# What changes the figures. Asterisk names the events of app_queue so.
_EVENTS = ("QueueCallerJoin", "QueueCallerLeave", "QueueCallerAbandon", "QueueMemberStatus", "QueueMemberPause")


class Queue:
    """The queues that ask one operator, as he sees them: those of his languages and themes together. All methods belong
    to the loop's thread."""

    def __init__(
        self, config: LineConfig, secret: str, tell: Callable[[QueueChanged | ColleaguesChanged], None], clock: Clock
    ) -> None:
        self._config = config
        self._secret = secret
        self._tell = tell
        self._clock = clock
        self._manager: Any = None
        self._state = QueueState()
        self._paused = False
        self._asking: asyncio.TimerHandle | None = None
        self._watching: asyncio.Task[None] | None = None
        self._devices: dict[str, str] = {}
        self._told: dict[str, str] = {}
        self._queues = {config.queue}  # that ask him; those of the settings while none does
        self._absent: set[str] = set()  # paused in the queue: in wrap-up or on a break
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Connect, and stay connected. ImportError without the library."""
        from panoramisk import Manager

        host, _, port = self._config.ami_server.partition(":")
        self._manager = Manager(
            loop=asyncio.get_running_loop(),
            host=host,
            port=int(port or _DEFAULT_PORT),
            username=self._config.ami_user,
            secret=self._secret,
            reconnect_timeout=_AGAIN_SECONDS,
            on_login=self._logged_in,
            on_disconnect=self._lost,
        )
        for event in _EVENTS:
            self._manager.register_event(event, self._changed)
        self._manager.connect()

    async def stop(self) -> None:
        """Let go; the library would connect again after a close that is ours."""
        manager, self._manager = self._manager, None
        if self._asking is not None:
            self._asking.cancel()
        if manager is not None:
            manager.connect = lambda *_: None
            manager.close()
        await ended(self._watching, *self._tasks)

    async def pause(self, on: bool) -> bool:
        """Pause or unpause this operator in all his queues. False when the PBX can not be asked now."""
        self._paused = on
        reply = await self._ask({"Action": "QueuePause", "Interface": self._member, "Paused": str(on).lower()})
        return reply is not None and bool(reply.success)

    @property
    def _member(self) -> str:
        return f"PJSIP/{self._config.extension}"

    def _logged_in(self, _: Any) -> None:
        self._spawn(self._begin())

    async def _begin(self) -> None:
        await self.pause(self._paused)
        await self._look()
        if self._watching is None:
            self._watching = asyncio.ensure_future(self._watch_colleagues())

    def _lost(self, *_: Any) -> None:
        self._devices.clear()
        self._tell_colleagues()
        self._show(QueueState())

    async def _watch_colleagues(self) -> None:
        """Ask again and again: the events of it come only together with everybody's calls and numbers."""
        while True:
            answer = await self._ask({"Action": "DeviceStateList"}, as_list=True)
            for entry in answer or ():
                if entry.event == "DeviceStateChange":
                    self._keep(entry)
            self._tell_colleagues()
            if self._state.paused != self._paused or not self._state.name:
                # A PBX that has just started may not have had its queue yet when it was told.
                await self.pause(self._paused)
                await self._look()
            await asyncio.sleep(_COLLEAGUES_SECONDS)

    def _keep(self, entry: Any) -> None:
        kind, _, extension = str(entry.Device).partition("/")
        if kind == "PJSIP" and extension.isdigit():
            self._devices[extension] = str(entry.State)

    def _tell_colleagues(self) -> None:
        states = {extension: self._presence(extension, state) for extension, state in self._devices.items()}
        if states != self._told:
            self._told = states
            self._tell(ColleaguesChanged(states))

    def _presence(self, extension: str, state: str) -> str:
        known = _PRESENCE.get(state, State.OFFLINE)
        return State.BREAK if known is State.FREE and extension in self._absent else known

    def _changed(self, _: Any, event: Any) -> None:
        if event.Queue in self._queues and self._asking is None:
            self._asking = asyncio.get_running_loop().call_later(_SETTLE_SECONDS, self._look_soon)

    def _look_soon(self) -> None:
        self._asking = None
        self._spawn(self._look())

    async def _look(self) -> None:
        answer = await self._ask({"Action": "QueueStatus"}, as_list=True)
        if answer is None:
            return
        members = [entry for entry in answer if entry.event == "QueueMember"]
        own = [entry for entry in members if entry.Location == self._member]
        self._queues = {str(entry.Queue) for entry in own} or {self._config.queue}
        waits = [int(entry.Wait) for entry in answer if entry.event == "QueueEntry" and entry.Queue in self._queues]
        self._absent = {str(entry.Location).removeprefix("PJSIP/") for entry in members if entry.Paused == "1"}
        self._tell_colleagues()
        now = self._clock.now_ms()
        self._show(
            QueueState(
                name=self._config.queue if self._config.queue in self._queues else min(self._queues),
                waiting=len(waits),
                longest_since_ms=now - 1000 * max(waits) if waits else None,
                paused=bool(own) and all(entry.Paused == "1" for entry in own),
            )
        )

    def _show(self, state: QueueState) -> None:
        if state != self._state:
            self._state = state
            self._tell(QueueChanged(state))

    async def _ask(self, action: dict[str, str], *, as_list: bool = False) -> Any:
        """The answer, None when there is none."""
        manager = self._manager
        if manager is None or manager.protocol is None or not manager.authenticated:
            return None
        with contextlib.suppress(TimeoutError, ConnectionError, AttributeError):
            return await asyncio.wait_for(manager.send_action(action, as_list=as_list), _ANSWER_SECONDS)
        return None

    def _spawn(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
