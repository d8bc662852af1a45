"""Which sound devices there are now, found in a process of its own: PortAudio knows none that came after its start, and
starting it again would cut the talk."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Callable

import msgspec

from operator_tui.phone.line import LineConfig, Sound, SoundState
from operator_tui.phone.sound import broken

_LIST_SECONDS = 10.0

Finder = Callable[[LineConfig], Sound | None]


def found_elsewhere(config: LineConfig) -> Sound | None:
    """The sound as a new process finds it; None when it finds nothing out in time."""
    with contextlib.suppress(OSError, subprocess.SubprocessError, msgspec.DecodeError):
        asked = subprocess.run(
            [sys.executable, "-P", "-m", "operator_tui.phone.finding"],
            input=msgspec.json.encode(config), capture_output=True, timeout=_LIST_SECONDS, check=False,
        )  # fmt: skip
        return msgspec.json.decode(asked.stdout, type=Sound)
    return None


def main() -> None:
    """Settings of a line on stdin, what sound there is on stdout: the other end of ``found_elsewhere``."""
    from operator_tui.phone.portaudio import PyAudioCard

    config = msgspec.json.decode(sys.stdin.buffer.read(), type=LineConfig)
    try:
        sound = PyAudioCard(config).sound
    except (ImportError, OSError):
        sound = broken(Sound(), SoundState.NO_SOUND)
    sys.stdout.buffer.write(msgspec.json.encode(sound))


if __name__ == "__main__":
    main()
