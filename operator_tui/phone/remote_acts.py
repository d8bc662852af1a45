"""What a desk asks of the engine, one method an act; each raises what the line said (see line.PhoneLine)."""

from __future__ import annotations

from operator_tui.phone import wire
from operator_tui.phone.line import CallId, LineConfig


class RemoteActs:
    """Acts that are asked once and leave nothing behind at the desk's side."""

    async def _ask(self, act: wire.AnyAct) -> str:
        """The engine's answer; its refusals come out."""
        raise NotImplementedError

    async def dial(self, number: str) -> CallId:
        return await self._ask(wire.Dial(number))

    async def answer(self, call: CallId) -> None:
        await self._ask(wire.Answer(call))

    async def reject(self, call: CallId, reason: str = "") -> None:
        await self._ask(wire.Reject(call, reason))

    async def hang_up(self, call: CallId) -> None:
        await self._ask(wire.HangUp(call))

    async def hold(self, call: CallId, on: bool = True) -> None:
        await self._ask(wire.Hold(call, on))

    async def mute(self, call: CallId, on: bool = True) -> None:
        await self._ask(wire.Mute(call, on))

    async def dtmf(self, call: CallId, digits: str) -> None:
        await self._ask(wire.Dtmf(call, digits))

    async def blind_transfer(self, call: CallId, target: str) -> None:
        await self._ask(wire.BlindTransfer(call, target))

    async def attended_transfer(self, call: CallId, consult: CallId) -> None:
        await self._ask(wire.AttendedTransfer(call, consult))

    async def accept_transfer(self, call: CallId) -> CallId:
        return await self._ask(wire.AcceptTransfer(call))

    async def refuse_transfer(self, call: CallId) -> None:
        await self._ask(wire.RefuseTransfer(call))

    async def pause_record(self, call: CallId, on: bool = True) -> None:
        await self._ask(wire.PauseRecord(call, on))

    async def set_devices(self, input: str = "", output: str = "", ring: str = "") -> None:
        await self._ask(wire.SetDevices(input, output, ring))

    async def set_volume(self, percent: int) -> None:
        """How loud the caller is in the operator's ear; SoundChanged says what it is now. Refusal(WORK_NOT_BEGUN)."""
        await self._ask(wire.SetVolume(percent))

    async def check_microphone(self) -> float:
        """Record two seconds and play them back; their peak, 0.0-1.0.

        Refusal(CALL_ACTIVE | NO_MICROPHONE | NO_SOUND).
        """
        return float(await self._ask(wire.CheckMicrophone()))

    async def watch_levels(self, on: bool) -> None:
        await self._ask(wire.WatchLevels(on))

    async def play_part(self, config: LineConfig, part: bytes, *, last: bool, first: bool = False) -> None:
        """The next bytes of a recording the engine is to play. Refusal(PLAY_IN_CALL | SOUND_UNKNOWN | NO_SOUND)."""
        await self._ask(wire.PlayPart(config, part, last, first))

    async def play_command(self, command: str) -> None:
        """To what it plays, as playback.py reads it, or ``stop``."""
        await self._ask(wire.PlayCommand(command))
