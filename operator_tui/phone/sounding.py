"""The engine's sound: opened in time or done without, rung, looked after, checked. It never blocks the loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.phone.line import (
    Call,
    CallState,
    Direction,
    Levels,
    LineConfig,
    PhoneEvent,
    Sound,
    SoundChanged,
    SoundState,
)
from operator_tui.phone.log import EngineLog
from operator_tui.phone.sound import SoundCard, broken, no_sound

MakeCard = Callable[[LineConfig], SoundCard]
_CARD_SECONDS = 8.0
_CLOSE_SECONDS = 3.0
_LOOK_SECONDS = 12.0  # a look that finds out in another process may take ten
MIN_VOLUME, MAX_VOLUME = 25, 400


class Sounding:
    """Belongs to the loop's thread; the card's own calls, which may block, run on others."""

    def __init__(self, make: MakeCard, tell: Callable[[PhoneEvent], None], log: EngineLog) -> None:
        self._make = make
        self._tell = tell
        self._log = log
        self._card: SoundCard | None = None
        self._looking: asyncio.Task[None] | None = None
        self._checking = False
        self._warm = False
        self._warming: asyncio.Task[None] | None = None

    async def open(self, config: LineConfig) -> SoundCard:
        """The card, or none when it does not open in time: a sound server that hangs must not hold up work."""
        opening = asyncio.ensure_future(asyncio.to_thread(self._make, config))
        done, _ = await asyncio.wait({opening}, timeout=_CARD_SECONDS)
        if done:
            self._card = opening.result()
        else:
            self._log.say("sound_hangs")
            self._card = no_sound()
        self._tell(SoundChanged(self._card.sound))
        return self._card

    async def close(self) -> None:
        """Nothing to do when it is not open. A sound server that hangs is left to itself."""
        card, self._card = self._card, None
        pending = [task for task in (self._looking, self._warming) if task is not None]

        async def closed() -> None:
            await asyncio.gather(*pending, return_exceptions=True)
            if card is not None:
                await asyncio.to_thread(card.close)

        closing = asyncio.ensure_future(closed())
        _, late = await asyncio.wait({closing}, timeout=_CLOSE_SECONDS)
        if late:
            self._log.say("sound_hangs")
            closing.cancel()
        elif error := closing.exception():
            self._log.failed("close_failed", error)

    def ring(self, on: bool) -> None:
        """Start or stop ringing."""
        if self._card is not None:
            self._card.ring(on)

    def warm(self, on: bool) -> None:
        """Open the devices ahead: somebody calls or is called, and the answer must not wait for them."""
        self._warm = on
        if self._card is not None and self._warming is None:
            self._warming = asyncio.create_task(self._warmed(self._card))

    async def _warmed(self, card: SoundCard) -> None:
        done: bool | None = None
        try:
            while done is not self._warm and self._card is card:
                done = self._warm
                await asyncio.to_thread(card.warm, done)
        except Exception as error:  # the talk opens them itself
            self._log.failed("warm_failed", error)
        finally:
            self._warming = None

    def tell_levels(self) -> None:
        """For the meter on the screen."""
        if self._card is not None:
            self._tell(Levels(*self._card.levels()))

    def look(self) -> None:
        """Begin to look after the devices, unless that is still going on."""
        if self._card is not None and self._looking is None and not self._checking:
            self._looking = asyncio.create_task(self._look(self._card))

    async def set_devices(self, input: str, output: str, ring: str) -> None:
        """Others, also in the middle of a talk. Refusal(WORK_NOT_BEGUN)."""
        sound = await asyncio.to_thread(self._opened().set_devices, input, output, ring)
        self._tell(SoundChanged(sound))

    def set_volume(self, percent: int) -> None:
        """Of what the operator hears, at once. Refusal(WORK_NOT_BEGUN)."""
        self._tell(SoundChanged(self._opened().set_volume(max(MIN_VOLUME, min(MAX_VOLUME, percent)))))

    async def check(self) -> str:
        """Two seconds of the microphone, played back; their peak as text, 0.00-1.00. Refusals as SoundCard.check."""
        card = self._opened()
        self._checking = True
        try:
            return f"{await asyncio.to_thread(card.check):.2f}"
        finally:
            self._checking = False

    def _opened(self) -> SoundCard:
        if self._card is None:
            raise Refusal(Code.WORK_NOT_BEGUN)
        return self._card

    async def _look(self, card: SoundCard) -> None:
        before: Sound = card.sound
        try:
            look = asyncio.ensure_future(asyncio.to_thread(card.look))
            done, _ = await asyncio.wait({look}, timeout=_LOOK_SECONDS)
            if not done and self._card is card:
                # The sound server takes and gives nothing: nobody hears anything until it is back.
                self._log.say("sound_hangs")
                before = broken(before, SoundState.NO_SOUND)
                self._tell(SoundChanged(before))
            sound = await look
            if sound != before and self._card is card:
                self._log.say("devices_changed", sound=sound.state.value)
                self._tell(SoundChanged(sound))
        except Exception as error:  # the talk goes on with what it has
            self._log.failed("look_failed", error)
        finally:
            self._looking = None


def should_ring(calls: tuple[Call, ...]) -> bool:
    """Whether the ring device sounds: somebody waits, and nobody is being talked to."""
    waiting = any(call.direction is Direction.INCOMING and call.state is CallState.RINGING for call in calls)
    return waiting and not any(call.state is CallState.TALKING for call in calls)
