"""Which microphone, headphones and bell this place uses, as chosen at its desk; where nobody chose, the settings do.

The choice is the place's, not a person's: it lies beside the profile's other data and holds names of devices alone.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.i18n import mark, tr
from operator_tui.phone.line import LineConfig
from operator_tui.phone.settings import PhoneSettings

if TYPE_CHECKING:
    from operator_tui.desk.desk import Desk

AS_SET = "\0"  # beside the names of devices, which hold none: nothing is chosen here, the settings say which
WAY_TITLES = {"input": mark("Микрофон"), "output": mark("Наушники"), "ring": mark("Звонок")}


class DeviceDesk:
    """``way`` is ``input``, ``output`` or ``ring``; a device is known by its name, the system's own by an empty one."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._file = desk.profile.data / "devices.json"

    def names(self, way: str) -> tuple[str, ...]:
        """The devices to choose from, as the engine found them. Refusal(WORK_NOT_BEGUN | NO_MICROPHONE | NO_SOUND)
        where there is none."""
        sound = self._desk.state.sound
        found = sound.inputs if way == "input" else sound.outputs
        if found:
            return found
        if not self._desk.phone.works_as:
            raise Refusal(Code.WORK_NOT_BEGUN)
        raise Refusal(Code.NO_MICROPHONE if way == "input" else Code.NO_SOUND)

    def used(self, way: str) -> str:
        """The one that is used now; empty while none is."""
        return str(getattr(self._desk.state.sound, way))

    async def choose(self, way: str, name: str) -> None:
        """Use it from now on, also in the middle of a talk and at every later start; ``AS_SET`` takes the choice back.
        Refusals: DISK_FULL, DISK_FAILED (nothing has changed), PHONE_AWAY."""
        from operator_tui.secrets.files import write_private

        desk = self._desk
        chosen = {**await self._chosen(), f"{way}_device": name}
        if name == AS_SET:
            del chosen[f"{way}_device"]
        await asyncio.to_thread(write_private, self._file, msgspec.json.encode(chosen))
        said = {"": tr("как в системе"), AS_SET: tr("как в настройках")}.get(name, name)
        words = tr("{what}: {name}.").format(what=tr(WAY_TITLES[way]), name=said)
        if desk.phone.works_as:
            config, engine = await self.applied(desk.settings.get(PhoneSettings).config()), desk.phone.engine()
            await engine.set_devices(config.input_device, config.output_device, config.ring_device)
            if refused := engine.snapshot.sound.refusal:
                raise Refusal.from_wire(refused)
        else:
            words += " " + tr("Действует с «Начало работы».")
        desk.notice(words)

    async def applied(self, config: LineConfig) -> LineConfig:
        """The settings with what was chosen here."""
        return msgspec.structs.replace(config, **await self._chosen())

    async def _chosen(self) -> dict[str, str]:
        """``LineConfig``'s fields that were chosen; nothing where the file can not be read: sound goes on as set."""
        known = {f"{way}_device" for way in WAY_TITLES}
        try:
            said = msgspec.json.decode(await asyncio.to_thread(self._file.read_bytes), type=dict[str, str])
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            return {}
        return {key: name for key, name in said.items() if key in known}
