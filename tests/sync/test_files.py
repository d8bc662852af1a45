"""The lane of files: a journal, real bytes, a server process that is killed in the middle and comes back."""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import time
from pathlib import Path
from typing import Any, TypeVar

import pytest

from operator_tui.appeals.catalogue import AppealType
from operator_tui.appeals.clock import SystemClock
from operator_tui.appeals.draft import new_draft
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.operations import Kind
from operator_tui.appeals.people import Role
from operator_tui.journal.attachments import Attachments
from operator_tui.journal.files import FileState
from operator_tui.journal.journal import Journal
from operator_tui.profiles import Profile
from operator_tui.reference import packaged_catalogue
from operator_tui.sync import files, tus
from operator_tui.sync.enrol import enrol
from operator_tui.sync.files import FileLane, LaneState
from operator_tui.sync.link import Link
from operator_tui.sync.settings import CentralSettings, FileSettings
from tests.peers.central import CentralServer
from tests.sync.conftest import run, until

Result = TypeVar("Result")
THEME = packaged_catalogue().themes_of(AppealType.CONSULTATION)[0]
FIELDS = {"type": THEME.type.value, "theme": THEME.code, "phone": "+7 8652 000001"}
SOUND = random.Random(7).randbytes(5_000_001)
NAME = hashlib.sha256(SOUND).hexdigest()


class Place:
    """One workstation: its journal, its folders, what its lane has told."""

    def __init__(self, journal: Journal, profile: Profile) -> None:
        self.journal = journal
        self.profile = profile
        self.link = Link(CentralSettings(), socket=profile.central_socket)
        self.told: list[LaneState] = []
        self.free = True

    async def signed_in(self, work: Callable[[str], Awaitable[Result]]) -> Result:
        device = self.journal.device
        assert device is not None
        return await work(device.token)

    def folder(self, kind: str) -> Path:
        made = self.profile.data / kind
        made.mkdir(exist_ok=True)
        return made

    def lane(self, **more: Any) -> FileLane:
        given: dict[str, Any] = {"free": lambda kind: self.free, "on_state": self.told.append, "later_s": 0.2, **more}
        return FileLane(
            self.journal, self.link, run=run, signed_in=self.signed_in, folder=self.folder, clock=SystemClock(), **given
        )

    @asynccontextmanager
    async def sending(self, **more: Any) -> AsyncIterator[FileLane]:
        lane = self.lane(**more)
        task = asyncio.create_task(lane.run())
        try:
            yield lane
        finally:
            await lane.stop()
            assert task.cancelled()

    def recorded(self, call: str = "c1", content: bytes = SOUND) -> None:
        """The engine told of a recording: the file is there, the journal takes the fact."""
        (self.folder("recording") / f"{call}.otr").write_bytes(content)
        about = {
            "call": call,
            "file": f"{call}.otr",
            "sha256": hashlib.sha256(content).hexdigest(),
            "size": len(content),
        }
        self.journal.record(Kind.CALL_RECORDED, about)

    def operations_gone(self) -> None:
        """As the sender does it: the outbox is even."""
        from operator_tui.appeals.operations import Outcome

        waiting = self.journal.outbox(1000)
        self.journal.settle([Outcome(operation.n, "applied", q=n) for n, operation in enumerate(waiting, 1)], durable=0)

    def sent(self) -> int:
        """How far the file that goes has got."""
        now = self.told[-1].now if self.told else None
        return now.sent if now else 0

    def is_there(self, call: str = "c1") -> bool:
        (one,) = self.journal.files_of([], [call])
        return one.state is FileState.THERE

    def at_server(self) -> dict[str, bytes]:
        """What lies in the server's folder, by name."""
        return {file.name: file.read_bytes() for file in (self.profile.data / "central-files" / "26").glob("*")}


@pytest.fixture
async def place(
    profile: Profile, server: CentralServer, open_journal: Callable[[str], Journal]
) -> AsyncIterator[Place]:
    journal = open_journal("one")
    made = Place(journal, profile)
    journal.enrol(await enrol(made.link, server.enrolment_code("Петрова Анна", Role.OPERATOR_2)))
    yield made
    await made.link.close()


async def test_a_recording_goes_in_parts_and_is_gone_on_with_after_a_killed_server_and_a_killed_desk(
    place: Place, server: CentralServer, open_journal: Callable[[str], Journal]
) -> None:
    place.recorded()
    place.operations_gone()
    async with place.sending() as lane:
        await until(lambda: place.sent() > 500_000)
        server.kill()
        await until(lambda: lane.state.refusal is not None)
        assert lane.state.refusal is not None
        assert lane.state.refusal.code is Code.SERVER_AWAY
        assert lane.state.unsent == 1
    (half,) = place.journal.files_of([], ["c1"])
    assert 500_000 < half.sent < half.size == len(SOUND)
    assert 0 < half.percent < 100
    place.journal.close()  # the desk is gone too, and comes back
    server.start()
    place.journal = open_journal("one")
    place.told.clear()
    async with place.sending():
        await until(place.is_there)
    begun = [state.now.sent for state in place.told if state.now]
    assert begun[0] >= half.sent, "not a byte of what was there has gone again"
    assert begun == sorted(begun)
    assert place.at_server() == {NAME: SOUND}
    assert place.journal.unsent_files() == 0


async def test_a_paper_goes_once_its_card_is_saved_and_before_recordings(place: Place) -> None:
    place.recorded()
    store = Attachments(place.folder("attachment"), bytes(range(32)))
    paper = store.keep(b"%PDF-1.7\n" + SOUND[:200_000], "a.pdf", number="1", day="2026-09-20")
    assert place.journal.unsent_files() == 1, "nobody has said that the paper belongs to an appeal"
    import msgspec

    card = place.journal.save(new_draft(fields={**FIELDS, "files": [msgspec.to_builtins(paper)]}))
    assert [one.kind for one in place.journal.files_waiting()] == ["attachment", "recording"]
    assert place.journal.files_waiting()[0].card == card.id
    place.operations_gone()
    async with place.sending():
        await until(lambda: place.journal.unsent_files() == 0)
    sealed = (place.folder("attachment") / f"{paper.sha256}.sealed").read_bytes()
    assert place.at_server() == {NAME: SOUND, paper.sealed: sealed}
    order = list(dict.fromkeys(state.now.kind for state in place.told if state.now))
    assert order == ["attachment", "recording"]


async def test_no_part_goes_while_a_card_waits_or_the_line_is_wanted(place: Place) -> None:
    place.recorded()
    lane = place.lane()
    await lane.round()
    assert place.at_server().get(f"{NAME}.part", b"") == b"", "the operation of the recording itself waits"
    place.operations_gone()
    place.free = False
    await lane.round()
    assert place.at_server().get(f"{NAME}.part", b"") == b"", "a call is on the line"
    place.free = True
    parts = 0

    def card_comes(kind: str) -> bool:
        nonlocal parts
        parts += 1
        if parts == 4:
            place.journal.save(new_draft(fields=FIELDS))
        return True

    lane = place.lane(free=card_comes)
    await lane.round()
    (stopped,) = place.journal.files_of([], ["c1"])
    assert 0 < stopped.sent < stopped.size, "the card came in the middle: the file stands aside"
    place.operations_gone()
    await place.lane().round()
    assert place.is_there()


async def test_a_server_without_room_is_a_sentence_and_asked_again_later(
    place: Place, server: CentralServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.recorded()
    place.operations_gone()
    folder = place.profile.data / "central-files"
    # The server's disk is full: no room, and said before anything of the file is there.
    server.stop()
    monkeypatch.setenv("OPERATOR_TUI_FILES_RESERVE", str(1 << 62))
    server.start()
    async with place.sending() as lane:
        await until(lambda: lane.state.refusal is not None)
        assert lane.state.refusal is not None
        assert lane.state.refusal.code is Code.FILE_STORE_FULL
        (one,) = place.journal.files_of([], ["c1"])
        assert (one.state, one.refusal and one.refusal.code) == (FileState.WAITS, Code.FILE_STORE_FULL)
        assert not list(folder.rglob("*.part"))
        server.stop()
        monkeypatch.delenv("OPERATOR_TUI_FILES_RESERVE")
        server.start()
        lane.kick()
        await until(place.is_there)
    assert place.at_server() == {NAME: SOUND}


async def test_what_changed_here_is_not_sent_and_what_is_gone_is_said(place: Place) -> None:
    place.recorded("c1")
    place.recorded("c2", SOUND[:1000])
    place.operations_gone()
    (place.folder("recording") / "c1.otr").write_bytes(b"other")
    (place.folder("recording") / "c2.otr").unlink()
    await place.lane().round()
    found = {one.call: one for one in place.journal.files_of([], ["c1", "c2"])}
    assert {call: (one.state, one.refusal and one.refusal.code) for call, one in found.items()} == {
        "c1": (FileState.REFUSED, Code.FILE_CHANGED),
        "c2": (FileState.REFUSED, Code.FILE_GONE),
    }
    assert place.at_server() == {}


async def test_what_is_gone_here_and_lies_there_is_there(place: Place) -> None:
    place.recorded("c1")
    place.operations_gone()
    await place.lane().round()
    place.journal.rewind(1, "another")  # whatever lies here may be lacking there
    place.operations_gone()
    (place.folder("recording") / "c1.otr").unlink()
    assert not place.is_there("c1")
    await place.lane().round()
    assert place.is_there("c1"), "the server is asked before it is given up"


async def test_a_server_that_fails_at_one_file_gets_the_others(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.recorded("c1")
    place.recorded("c2", SOUND[:1000])
    place.operations_gone()
    begin = tus.begin

    async def failing(link: Link, token: str, name: str, length: int) -> int:
        if name == NAME:
            raise Refusal(Code.SERVER_REFUSED, reason="failed")
        return await begin(link, token, name, length)

    monkeypatch.setattr(tus, "begin", failing)
    await place.lane().round()
    (one,) = place.journal.files_of([], ["c1"])
    assert (place.is_there("c2"), one.state) == (True, FileState.WAITS)
    monkeypatch.undo()
    await place.lane().round()
    assert place.is_there("c1")


async def test_a_file_is_looked_at_once_for_all_its_parts(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.recorded()
    place.operations_gone()
    looks, digest = [], files._digest

    def counted(path: Path) -> tuple[str, int]:
        looks.append(path.name)
        return digest(path)

    monkeypatch.setattr(files, "_digest", counted)
    turns = iter([True, True, True, False] * 100)
    lane = place.lane(free=lambda kind: next(turns))
    while not place.is_there():
        await lane.round()
    assert looks == ["c1.otr"]


async def test_a_file_the_disk_does_not_give_holds_up_no_other(place: Place) -> None:
    small = SOUND[:1000]
    folder = place.folder("recording")
    place.recorded("c1")
    place.recorded("c2", small)
    place.operations_gone()
    (folder / "c1.otr").unlink()
    for broken in ("c1.otr", "c0.otr"):  # one the journal knows, and one it does not
        (folder / broken).mkdir()
    await place.lane().round()
    assert place.is_there("c2")
    (one,) = place.journal.files_of([], ["c1"])
    assert (one.state, one.refusal and one.refusal.code) == (FileState.WAITS, Code.FILE_UNREADABLE)
    (folder / "c1.otr").rmdir()
    (folder / "c1.otr").write_bytes(SOUND)
    (folder / "c2.otr").unlink()
    (folder / "c2.otr").mkdir()  # its copy cannot be let go
    await place.lane(keep_days=-1).round()
    assert place.is_there("c1")


async def test_a_file_that_becomes_shorter_on_the_way_is_said_to_have_changed(place: Place) -> None:
    place.recorded()
    place.operations_gone()
    parts = 0

    def shortened(kind: str) -> bool:
        nonlocal parts
        parts += 1
        if parts == 4:
            (place.folder("recording") / "c1.otr").write_bytes(b"s")
        return parts < 50

    await place.lane(free=shortened).round()
    (one,) = place.journal.files_of([], ["c1"])
    assert (one.state, one.refusal and one.refusal.code) == (FileState.REFUSED, Code.FILE_CHANGED)


async def test_a_recording_the_journal_had_no_room_for_goes_without_a_new_start(place: Place) -> None:
    lane = place.lane()
    await lane.round()
    (place.folder("recording") / "c9.otr").write_bytes(SOUND[:5000])
    await lane.round()
    assert place.is_there("c9")
    assert place.at_server() == {hashlib.sha256(SOUND[:5000]).hexdigest(): SOUND[:5000]}


async def test_a_recording_without_a_journal_goes_too_and_copies_go_after_a_while(place: Place) -> None:
    stray = place.folder("recording") / "c9.otr"
    stray.write_bytes(SOUND[:5000])
    (place.folder("recording") / "c8.part").write_bytes(b"grows")
    await place.lane().round()
    assert place.is_there("c9")
    assert place.at_server() == {hashlib.sha256(SOUND[:5000]).hexdigest(): SOUND[:5000]}
    assert stray.exists()
    await place.lane(keep_days=-1).round()
    assert not stray.exists()
    assert place.is_there("c9"), "it is known to be there all the same"
    assert (place.folder("recording") / "c8.part").exists()
    place.journal.record(
        Kind.CALL_RECORDED, {"call": "c9", "file": "c9.otr", "sha256": place.journal.files_of([], ["c9"])[0].name}
    )
    assert place.journal.unsent_files() == 0, "its own journal hears of it late: nothing goes twice"


@pytest.mark.parametrize(
    ("when", "idle", "at", "goes"),
    [
        ("always", False, time(12), True),
        ("idle", True, time(12), True),
        ("idle", False, time(12), False),
        ("night", True, time(12), False),
        ("night", True, time(23), True),
        ("night", True, time(6, 59), True),
        ("night", False, time(23), False),
        ("stay", True, time(23), False),
    ],
)
def test_when_files_may_go(when: str, idle: bool, at: time, goes: bool) -> None:
    assert FileSettings(recordings=when).may_go("recording", idle=idle, at=at) is goes
    assert FileSettings(papers=when).may_go("attachment", idle=idle, at=at) is goes


def test_a_word_that_is_none_is_refused() -> None:
    for settings in (FileSettings(papers="soon"), FileSettings(papers="night", night="late")):
        with pytest.raises(Refusal) as refused:
            settings.may_go("attachment", idle=True, at=time(12))
        assert refused.value.code is Code.SETTING_WRONG
