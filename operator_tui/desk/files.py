"""Files of one desk on their way to the server, and how each of a card stands."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec

from operator_tui.appeals.card import Card
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.operations import AT_PBX, Kind
from operator_tui.appeals.papers import Paper
from operator_tui.appeals.promises import attempts_of
from operator_tui.appeals.rights import Right, may
from operator_tui.desk.state import Light, Topic
from operator_tui.journal.files import FileState, Sending
from operator_tui.journal.settings import PaperSettings
from operator_tui.signin.files import Purpose
from operator_tui.sync.settings import FileSettings

if TYPE_CHECKING:
    from operator_tui.desk.desk import Desk
    from operator_tui.journal.journal import Journal
    from operator_tui.phone.playing import Played, Player
    from operator_tui.secrets.address import FileKind
    from operator_tui.signin.files import Stored
    from operator_tui.sync.files import FileLane, LaneState
    from operator_tui.sync.link import Link


SOUND_KINDS = ("voice", "wav", "ogg")


class Way(StrEnum):
    """Where a file of a card is."""

    WAITS = "waits"
    GOES = "goes"
    THERE = "there"
    REFUSED = "refused"
    STAYS = "stays"  # by the settings it is not sent
    HERE = "here"  # attached before files were sent: it is on this desk alone
    AT_PBX = "at_pbx"  # recorded there, and not fetched yet
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
    ms: int = 0

    @property
    def heard(self) -> bool:
        """Whether it is listened to rather than looked at."""
        return self.paper is None or self.paper.kind in SOUND_KINDS


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
        """Papers in the order they came, then the recordings: those of this desk, and for who may listen those the
        server knows of."""
        papers = [msgspec.convert(entry, Paper) for entry in card.value("files") or ()]
        calls = list(calls_of(card))
        names = [paper.sealed for paper in papers if paper.sealed]
        on_way = await self._desk.on_journal(lambda journal: journal.files_of(names, calls))
        by_name = {one.name: one for one in on_way}
        found = [self._of_paper(paper, by_name.get(paper.sealed)) for paper in papers]
        found = [await self._asked(one) if one.way is Way.ELSEWHERE and one.name else one for one in found]
        own = [self._on_its_way(one) for one in on_way if one.kind == "recording"]
        others = await self._of_others(card, {one.name for one in own})
        told = {one.call for one in own + others}
        return found + own + others + await self._at_pbx(calls, told)

    async def _at_pbx(self, calls: list[str], told: set[str]) -> list[CardFile]:
        """Talks of this desk that the PBX has recorded, as far as nobody has told where they are now."""

        there = await self._desk.on_journal(lambda journal: journal.recorded_at_pbx(calls))
        return [CardFile("", Way.AT_PBX, call=call) for call in there if call not in told]

    async def _asked(self, file: CardFile) -> CardFile:
        """How far a paper of another desk is at the server; as it was while that is away."""
        from operator_tui.sync import tus

        if self._desk.state.lights.server is not Light.ON:
            return file
        try:
            parts = self._desk.parts
            stands = await parts.signed_in(lambda token: tus.standing(parts.link, token, file.name))
        except Refusal:
            return file
        at, size = stands or (0, 0)
        way = Way.THERE if size and at == size else Way.ELSEWHERE
        return replace(file, way=way, percent=100 * at // size if size else 0)

    async def _of_others(self, card: Card, known: set[str]) -> list[CardFile]:
        """Recordings of other desks, as the server tells them; none while it is away."""
        desk = self._desk
        if not calls_of(card) or not may(desk.situation(screen="").role, Right.RECORDINGS):
            return []
        from operator_tui.signin.files import RECORDINGS_PATH, RecordingsAnswer, RecordingsRequest
        from operator_tui.sync.protocol import PROTOCOL_VERSION

        body = msgspec.json.encode(RecordingsRequest(PROTOCOL_VERSION, card.id))
        try:
            answer = msgspec.json.decode(await desk.parts.ask(RECORDINGS_PATH, body), type=RecordingsAnswer)
        except (Refusal, msgspec.MsgspecError):
            return []
        return [
            CardFile(
                one.name, _way_at_server(one), 100 if one.here else 0,
                call=one.call, at_ms=one.at_ms, ms=one.ms,
            )
            for one in answer.recordings
            if one.name not in known
        ]  # fmt: skip

    # reading one

    async def read(self, card: Card, file: CardFile, purpose: Purpose) -> bytes:
        """The plain bytes of a file, in memory alone; why it is read is in the server's audit log before they are.

        Refusals: RIGHT_MISSING, FILE_OTHER, FILE_NOT_SENT, FILE_NOT_HERE, FILE_SEAL, SERVER_AWAY.
        """
        if file.paper is not None and (own := await self._desk.papers.own(file.paper)) is not None:
            # Who attached it has its key here; that he looked is told all the same.
            await self._opened_here(card, purpose)
            return own
        sealed = await self._sealed(file)
        return await self._unsealed(card, file, sealed, purpose)

    async def _opened_here(self, card: Card, purpose: Purpose) -> None:
        about = {"what": "paper.open", "purpose": purpose.value, "rows": 1}
        await self._desk.on_journal(lambda journal: journal.record(Kind.EXPORT_MADE, about, card=card.id))

    async def _sealed(self, file: CardFile) -> bytes:
        """Its sealed bytes: from this disk, else from the server, and what they should be."""
        kind = "recording" if file.paper is None else "attachment"
        local = f"{file.paper.sha256}.sealed" if file.paper is not None else file.file
        path = self.folder(kind) / local if local else None
        if path is not None and path.is_file():
            return await asyncio.to_thread(path.read_bytes)
        if not file.name:
            raise Refusal(Code.FILE_NOT_HERE, file=file.paper.name if file.paper else "")
        found = await self._desk.parts.signed_in(lambda token: self._fetched(file.name, token))
        if hashlib.sha256(found).hexdigest() != file.name:
            raise Refusal(Code.FILE_SEAL, file=file.paper.name if file.paper else "")
        return found

    async def _fetched(self, name: str, token: str) -> bytes:
        from operator_tui.sync.tus import FILES_PATH

        found = bytearray()
        try:
            async with self._desk.parts.link.get(f"{FILES_PATH}/{name}", token=token) as (_, chunks):
                async for chunk in chunks:
                    found += chunk
        except Refusal as refusal:
            if refusal.params.get("reason") in ("file_unknown", "files_not_here"):
                raise Refusal(Code.FILE_NOT_SENT) from None
            raise
        return bytes(found)

    async def _unsealed(self, card: Card, file: CardFile, data: bytes, purpose: Purpose) -> bytes:
        from operator_tui.secrets import running, sealed
        from operator_tui.secrets.address import PLAIN_BOX, FileKind, unwrap

        name = file.paper.name if file.paper else ""
        grows = data.startswith((running.MAGIC, running.MAGIC_LABELLED))
        box = running.box_in(data, name) if grows else sealed.box_in(data, name)
        voice = file.paper is not None and file.paper.kind == "voice"
        kind = FileKind.RECORDING if file.paper is None else FileKind.VOICE_MAIL if voice else FileKind.ATTACHMENT
        if len(box) == PLAIN_BOX:  # of a desk without a fund: the demonstration's own
            own = await self._desk.run_journal(self._desk.keys.own_key, kind)
            try:
                key = unwrap(box, own)
            except ValueError:
                raise Refusal(Code.FILE_SEAL, file=name) from None
        else:
            key = await self._key(kind, box, purpose, card.id)
        return await asyncio.to_thread(
            lambda: running.opened_with_key(data, key, name).plain if grows else sealed.opened_with_key(data, key, name)
        )

    async def _key(self, kind: FileKind, box: bytes, purpose: Purpose, card: str) -> bytes:
        from operator_tui.signin.files import KEY_PATHS, FileKeyAnswer, FileKeyRequest
        from operator_tui.sync.protocol import PROTOCOL_VERSION

        body = msgspec.json.encode(FileKeyRequest(PROTOCOL_VERSION, box.hex(), purpose, card))
        answer = await self._desk.parts.ask(KEY_PATHS[kind.value], body)
        return bytes.fromhex(msgspec.json.decode(answer, type=FileKeyAnswer).key)

    # listening and looking

    async def play(self, content: bytes, told: Callable[[Played], None]) -> Player:
        """Let it be heard on the telephone's output, where the telephone is. Refusals: PLAY_IN_CALL, SOUND_UNKNOWN,
        NO_SOUND, PHONE_AWAY."""
        if self._desk.state.call is not None:
            raise Refusal(Code.PLAY_IN_CALL)
        from operator_tui.phone.playing import FarPlayback, Playback
        from operator_tui.phone.settings import PhoneSettings

        settings = self._desk.settings.get(PhoneSettings)
        config = await self._desk.phone.devices.applied(settings.config())
        if settings.elsewhere:
            return await FarPlayback.start(self._desk.phone.engine(), content, config, told)
        return await Playback.start(content, config, told)

    async def show(self, content: bytes, name: str) -> None:
        """Show it by the viewer of the settings, through memory. Refusals: VIEWER_UNSET, VIEWER_FAILED."""
        from operator_tui.desk.viewer import shown

        await shown(content, name, self._desk.settings.get(PaperSettings).viewer)

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


def _way_at_server(one: Stored) -> Way:
    if one.here:
        return Way.THERE
    return Way.AT_PBX if one.name.startswith(AT_PBX) else Way.ELSEWHERE
