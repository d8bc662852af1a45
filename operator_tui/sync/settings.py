"""The ``[central]`` section of the settings: where the central server is and how it is trusted."""

from __future__ import annotations

from datetime import time

import msgspec

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.settings import section

_DAY_S = 86_400.0


@section("central")
class CentralSettings(msgspec.Struct, frozen=True):
    """How the desk reaches its server.

    ``url`` ``https://…``; empty: an embedded server of the desk's own. ``http://`` is taken for this machine alone
    (a certified channel that ends here). ``ca_file`` certificates to trust instead of the system's, PEM; ``pin``
    SHA-256 of the server's own certificate (hex), trusted and no other. ``proxy`` ``http://host:port``.
    ``poll_s`` seconds between two looks for other desks' events. ``enrolment`` the one-time code of the first start.
    """

    url: str = ""
    ca_file: str = ""
    pin: str = ""
    proxy: str = ""
    poll_s: float = 2.0
    enrolment: str = ""


@section("files")
class FileSettings(msgspec.Struct, frozen=True):
    """How files go to the server. ``papers`` and ``recordings``: ``always``, ``idle`` (while no call is on the line),
    ``night`` or ``stay`` (not at all: they stay here, or at the PBX); ``night`` is ``HH:MM-HH:MM`` of the office;
    ``keep_days`` a recording's copy stays here after the server has it."""

    papers: str = "idle"
    recordings: str = "idle"
    night: str = "20:00-07:00"
    keep_days: int = 7

    def may_go(self, kind: str, *, idle: bool, at: time) -> bool:
        """Whether a file of that kind (journal.files) may go now; ``at`` is the office's time of day.
        Refusal(SETTING_WRONG)."""
        when = self.recordings if kind == "recording" else self.papers
        match when:
            case "always":
                return True
            case "idle":
                return idle
            case "night":
                first, last = self._night()
                return idle and (first <= at < last if first <= last else at >= first or at < last)
            case "stay":
                return False
        key = "files.recordings" if kind == "recording" else "files.papers"
        raise Refusal(Code.SETTING_WRONG, place="settings", key=key, expected="always, idle, night, stay")

    def opens_in_s(self, kind: str, at: time) -> float | None:
        """Seconds from ``at``, the office's time of day, until a line that stays idle may carry a file of that kind: 0
        for now, None for never. Refusal(SETTING_WRONG)."""
        if self.may_go(kind, idle=True, at=at):
            return 0.0
        if (self.recordings if kind == "recording" else self.papers) == "stay":
            return None
        first, last = self._night()
        return None if first == last else (_second_of(first) - _second_of(at)) % _DAY_S

    def _night(self) -> tuple[time, time]:
        try:
            first, last = (time.fromisoformat(part.strip()) for part in self.night.split("-"))
        except ValueError:
            raise Refusal(Code.SETTING_WRONG, place="settings", key="files.night", expected="20:00-07:00") from None
        return first, last


def _second_of(at: time) -> float:
    return at.hour * 3600 + at.minute * 60 + at.second + at.microsecond / 1e6
