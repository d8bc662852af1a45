"""Files of one desk on their way to the server, and how each of a card stands."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec

from operator_tui.appeals.card import Card
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.papers import Paper
from operator_tui.appeals.promises import attempts_of
from operator_tui.desk.state import Light, Topic
from operator_tui.journal.files import FileState, Sending
from operator_tui.sync.settings import FileSettings

if TYPE_CHECKING:
    from operator_tui.desk.desk import Desk
    from operator_tui.journal.journal import Journal
    from operator_tui.sync.files import FileLane, LaneState
    from operator_tui.sync.link import Link


class Way(StrEnum):
    """Where a file of a card is."""

    WAITS = "waits"
    GOES = "goes"
    THERE = "there"
    REFUSED = "refused"
    STAYS = "stays"  # by the settings it is not sent
    HERE = "here"  # attached before files were sent: it is on this desk alone
    ELSEWHERE = "elsewhere"  # attached or recorded at another desk: its way is not known here


@dataclass(frozen=True)
class CardFile:
    """A paper or a recording of a card: ``name`` is its digest at the server, empty for none; ``percent`` how much of
    it is there; ``refusal`` why it does not go; ``paper`` None for a recording, ``call`` its call, ``at_ms`` when."""

    name: str
    way: Way
    percent: int = 0
    refusal: Refusal | None = None
    paper: Paper | None = None
    call: str = ""
    file: str = ""
    at_ms: int = 0


class FileDesk:
    """The lane of files on one desk; made when there is a server to talk to."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._lane: FileLane | None = None
        self._said: Code | None = None

    # the lane

    async def follow(self, journal: Journal, link: Link) -> None:
        """Send for as long as the desk lives."""
        from operator_tui.sync.files import FileLane

        parts = self._desk.parts
        self._lane = FileLane(
            journal, link, run=self._desk.run_journal, signed_in=parts.signed_in, folder=self.folder, free=self._free,
            clock=self._desk.clock, keep_days=self._settings.keep_days, on_state=self._told,
        )  # fmt: skip
        await self._lane.run()

    def kick(self) -> None:
        """The line is back, or there is something new to send."""
        if self._lane is not None:
            self._lane.kick()

    async def stop(self) -> None:
        """What has not gone goes on at the next start."""
        if self._lane is not None:
            await self._lane.stop()

    def folder(self, kind: str) -> Path:
        """Where sealed files of a kind lie on this desk."""
        return self._desk.profile.recordings if kind == "recording" else self._desk.parts.files_folder()

    @property
    def _settings(self) -> FileSettings:
        return self._desk.settings.get(FileSettings)

    def _free(self, kind: str) -> bool:
        desk = self._desk
        now = datetime.fromtimestamp(desk.clock.now_ms() / 1000, UTC).astimezone(ZoneInfo(desk.promises.zone))
        idle = desk.state.call is None and desk.state.lights.server in (Light.ON, Light.STARTING)
        return self._settings.may_go(kind, idle=idle, at=now.time())

    def _told(self, state: LaneState) -> None:
        desk = self._desk
        desk.light(files=state.unsent)
        desk.change(Topic.LIGHTS, sending=state.now)
        refusal = state.refusal if state.refusal and state.refusal.code is not Code.SERVER_AWAY else None
        # Said once, not at every try.
        if refusal is not None and refusal.code != self._said:
            desk.refused(refusal)
        if refusal is not None or state.now is not None:
            self._said = refusal.code if refusal else None

    # the files of a card

    async def of(self, card: Card) -> list[CardFile]:
        """Papers in the order they came, then the recordings that this desk knows of."""
        papers = [msgspec.convert(entry, Paper) for entry in card.value("files") or ()]
        calls = list(calls_of(card))
        names = [paper.sealed for paper in papers if paper.sealed]
        on_way = await self._desk.on_journal(lambda journal: journal.files_of(names, calls))
        by_name = {one.name: one for one in on_way}
        found = [self._of_paper(paper, by_name.get(paper.sealed)) for paper in papers]
        return found + [self._on_its_way(one) for one in on_way if one.kind == "recording"]

    def _of_paper(self, paper: Paper, on_way: Sending | None) -> CardFile:
        if on_way is not None:
            return replace(self._on_its_way(on_way), paper=paper)
        here = (self.folder("attachment") / f"{paper.sha256}.sealed").is_file()
        way = Way.HERE if here and not paper.sealed else Way.ELSEWHERE
        return CardFile(paper.sealed, way, paper=paper)

    def _on_its_way(self, one: Sending) -> CardFile:
        way = Way(one.state.value)
        if one.state is FileState.WAITS:
            stays = (self._settings.recordings if one.kind == "recording" else self._settings.papers) == "stay"
            sending = self._desk.state.sending
            goes = sending is not None and sending.name == one.name
            way = Way.GOES if goes else Way.STAYS if stays else Way.WAITS
        return CardFile(one.name, way, one.percent, one.refusal, call=one.call, file=one.file, at_ms=one.at_ms)


def calls_of(card: Card) -> tuple[str, ...]:
    """The calls of an appeal: the one it came by, and those by which the citizen was called back."""
    calls = [str(card.value("call")), *(attempt.call for attempt in attempts_of(card))]
    return tuple(dict.fromkeys(call for call in calls if call))
