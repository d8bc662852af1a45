"""The sound behind the telephone: the talk, the ring, the devices, the check before work."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

import msgspec

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.phone.line import AudioPort, LineConfig, Sound, SoundState
from operator_tui.phone.ports import NullPort, WavPort


class SoundCard(Protocol):
    """What the engine asks of the sound. All but ``ring`` and ``levels`` may block for a moment."""

    sound: Sound
    port: AudioPort

    def ring(self, on: bool) -> None:
        """Start or stop ringing; returns at once and never fails (text and bell ring besides)."""
        ...

    def warm(self, on: bool) -> None:
        """Have the devices open for a talk that may come, or let them go."""
        ...

    def levels(self) -> tuple[float, float]:
        """Peaks of microphone and speaker since the last asking, 0.0-1.0."""
        ...

    def set_devices(self, input: str, output: str, ring: str) -> Sound: ...

    def set_volume(self, percent: int) -> Sound:
        """How loud the talk is in the ear, from the next frame on."""
        ...

    def look(self) -> Sound:
        """Look after the devices: one that was pulled out is replaced, one that came back is taken again."""
        ...

    def check(self) -> float:
        """Listen to the microphone for two seconds and play that back; the loudest of it, 0.0-1.0.

        Refusal(CALL_ACTIVE) in a talk, NO_MICROPHONE or NO_SOUND.
        """
        ...

    def close(self) -> None: ...


def open_card(config: LineConfig) -> SoundCard:
    """The card of the settings. Never fails: what is missing stands in its ``sound``."""
    if config.sound == "null":
        return NullCard(Sound())
    if config.sound == "wav":
        return NullCard(Sound(), WavPort(Path(config.input_device), Path(config.output_device)))
    # PortAudio tries every host API; without this JACK would start a server of its own.
    os.environ.setdefault("JACK_NO_START_SERVER", "1")
    # A sound server that wakes us for each fragment costs a fifth more and gains nothing at frames of 20 ms.
    os.environ.setdefault("PULSE_LATENCY_MSEC", "40")
    from operator_tui.phone.portaudio import PyAudioCard

    try:
        return PyAudioCard(config)
    except (ImportError, OSError):
        return no_sound()


def no_sound() -> SoundCard:
    """What stands in for a card that cannot be had."""
    return NullCard(broken(Sound(), SoundState.NO_SOUND))


def broken(sound: Sound, state: SoundState) -> Sound:
    """The sound with what is wrong, and the sentence's code for it."""
    code = Code.NO_SOUND if state is SoundState.NO_SOUND else Code.NO_MICROPHONE
    return msgspec.structs.replace(sound, state=state, refusal=Refusal(code).wire())


class NullCard:
    """No sound: the phone rings by text, bell and title."""

    def __init__(self, sound: Sound, port: AudioPort | None = None) -> None:
        self.sound = sound
        self.port: AudioPort = port or NullPort()

    def ring(self, on: bool) -> None:
        pass

    def warm(self, on: bool) -> None:
        pass

    def levels(self) -> tuple[float, float]:
        return 0.0, 0.0

    def set_devices(self, input: str, output: str, ring: str) -> Sound:
        return self.sound

    def set_volume(self, percent: int) -> Sound:
        self.sound = msgspec.structs.replace(self.sound, volume=percent)
        return self.sound

    def look(self) -> Sound:
        return self.sound

    def check(self) -> float:
        raise Refusal(Code.NO_MICROPHONE)

    def close(self) -> None:
        self.port.stop()
