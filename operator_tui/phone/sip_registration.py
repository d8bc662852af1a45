"""Keeping the line registered, and saying so truthfully.

The stack notices a dead registrar only when a refresh has timed out (proved: 86 s) and then waits longer and
longer. This watchdog bounds both: no good answer within 0.9 of the interval and timer F (RFC 3261 17.1.2.2: 32 s)
means "lost", and while it is lost a new attempt is made every few seconds.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

import baresip
from baresip import BaresipError, Event, RegistrationError, StackEvent
from baresip.errors import split_status

from operator_tui.appeals.clock import Clock
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.phone.line import LineConfig, RegistrationState
from operator_tui.phone.tasks import ended

_TIMER_F_SECONDS = 32.0
_REFRESH_SHARE = 0.9
_AGAIN_SECONDS = 10.0
_ANSWER_SECONDS = 8.0
_POLL_SECONDS = 1.0
_WRONG_SECRET = (401, 403, 407)
_SERVER_TROUBLE = 500  # a 5xx passes: it is tried again
_PASSES = (408, 480)  # so says a proxy whose PBX does not answer it (RFC 3261 21.4.9, 21.4.18)

Told = Callable[[RegistrationState, Refusal | None], None]


class Registrar:
    """Registers, refreshes (the stack does that), watches, tries again. ``told`` hears each change."""

    def __init__(
        self, runtime: baresip.Runtime, agent: baresip.UserAgent, config: LineConfig, clock: Clock, told: Told
    ) -> None:
        self._runtime = runtime
        self._agent = agent
        self._config = config
        self._clock = clock
        self._told = told
        self._state = RegistrationState.OFF
        self._ok_at = clock.monotonic()
        self._doubted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._runtime.subscribe(self._on_event)
        self._tell(RegistrationState.REGISTERING)
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Nothing to do when it is not running."""
        task, self._task = self._task, None
        if task is None:
            return
        await ended(task)
        self._runtime.unsubscribe(self._on_event)
        with contextlib.suppress(BaresipError):
            await self._agent.unregister(timeout=1.0)

    def doubt(self) -> None:
        """The PBX may be gone, or back and knowing nobody: ask now, not when the refresh is due."""
        self._doubted.set()

    async def _run(self) -> None:
        await self._register()
        while self._state is not RegistrationState.FAILED:
            if self._state is RegistrationState.LOST:
                await asyncio.sleep(_AGAIN_SECONDS)
                await self._register()
            else:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._doubted.wait(), _POLL_SECONDS)
                if self._doubted.is_set():
                    self._doubted.clear()
                    await self._register()
                    continue
                silent = self._clock.monotonic() - self._ok_at
                if silent > _REFRESH_SHARE * self._config.register_seconds + _TIMER_F_SECONDS:
                    self._lost()

    async def _register(self) -> None:
        try:
            await self._agent.register(timeout=_ANSWER_SECONDS)
        except RegistrationError as error:
            self._failed(error.status, error.reason)
        except BaresipError:
            self._lost()

    def _on_event(self, event: StackEvent) -> None:
        if event.ua != self._agent.handle or self._state is RegistrationState.FAILED:
            return
        if event.event is Event.REGISTER_OK:
            self._ok_at = self._clock.monotonic()
            self._tell(RegistrationState.OK)
        elif event.event is Event.REGISTER_FAIL:
            self._failed(*split_status(event.text or ""))

    def _failed(self, status: int | None, reason: str) -> None:
        if status in _WRONG_SECRET:
            self._tell(RegistrationState.FAILED, Refusal(Code.PHONE_PASSWORD, extension=self._config.extension))
        elif status is not None and status < _SERVER_TROUBLE and status not in _PASSES:
            self._tell(
                RegistrationState.FAILED,
                Refusal(Code.PBX_REFUSED, extension=self._config.extension, status=status),
            )
        elif status is None and self._config.transport == "tls" and "rotocol error" in reason:
            self._tell(RegistrationState.LOST, Refusal(Code.PBX_UNTRUSTED))
        else:
            self._lost()

    def _lost(self) -> None:
        self._tell(RegistrationState.LOST, Refusal(Code.PBX_AWAY))

    def _tell(self, state: RegistrationState, refusal: Refusal | None = None) -> None:
        self._state = state
        self._told(state, refusal)
