"""What the sender makes of a server that refuses, is another lineage, lacks what it had, or talks nonsense."""

from __future__ import annotations

import asyncio
import random
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from central.backup import new_epoch
from central.reference import write
from central.store import tables as t
from central.store.database import Database
from operator_tui.appeals.clock import ManualClock, SystemClock
from operator_tui.appeals.draft import draft_of, new_draft
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.operations import Kind, Outcome
from operator_tui.appeals.people import Role
from operator_tui.journal.journal import Journal
from operator_tui.reference import packaged_catalogue
from operator_tui.sync.packing import write_answer
from operator_tui.sync.protocol import SYNC_PATH, End, Head, StreamEnd
from operator_tui.sync.sender import Sender, SenderState, ServerLight
from tests.central.conftest import KEY
from tests.sync.conftest import run, until
from tests.sync.test_schedules import THEME, DeskAtWork, Line, Server

OpenJournal = Callable[[str], Journal]
COURTS = {"code": "courts", "title": "Суды", "owner": "fund"}
FIELDS = {"type": THEME.type.value, "theme": THEME.code}


class Scripted:
    """Stands where the Link stands and plays answers, the last one again and again."""

    def __init__(self, *answers: bytes | Refusal | Exception) -> None:
        self.answers = list(answers)
        self.asked = 0

    @asynccontextmanager
    async def post(
        self, path: str, body: bytes, *, token: str = "", packed: bool = True
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        self.asked += path == SYNC_PATH
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        yield self._chunks(answer)

    async def _chunks(self, answer: bytes) -> AsyncIterator[bytes]:
        yield answer


def sender_of(journal: Journal, link: object, **more: object) -> Sender:
    return Sender(journal, link, run=run, clock=SystemClock(), **more)  # type: ignore[arg-type]  # made-up parts


def answer(epoch: str, *, next: int, outcomes: tuple[Outcome, ...] = ()) -> bytes:
    return b"".join(write_answer(Head(epoch, 0, next), outcomes, [], End({})))


@pytest.fixture
def server(tmp_path: Path) -> Server:
    return Server(lambda: Database.sqlite(tmp_path / "central.db", KEY))


@pytest.fixture
def line(server: Server) -> Line:
    return Line(server, random.Random(0), bad=False)


@pytest.fixture
def desk(open_journal: OpenJournal, line: Line) -> DeskAtWork:
    return DeskAtWork(open_journal, "one", Role.OPERATOR_1, line)


def light(sender: Sender) -> tuple[ServerLight, Code | None]:
    return sender.state.light, sender.state.refusal.code if sender.state.refusal else None


async def test_a_journal_without_a_device_waits_for_its_enrolment(open_journal: OpenJournal) -> None:
    sender = sender_of(open_journal("one"), Scripted(b""))
    await sender.round()
    assert light(sender) == (ServerLight.TROUBLE, Code.NOT_ENROLLED)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (Refusal(Code.SERVER_AWAY), (ServerLight.AWAY, Code.SERVER_AWAY)),
        (Refusal(Code.SERVER_UNTRUSTED, server="x"), (ServerLight.TROUBLE, Code.SERVER_UNTRUSTED)),
        (Refusal(Code.PROTOCOL_VERSION), (ServerLight.TROUBLE, Code.PROTOCOL_VERSION)),
        (RuntimeError("Абрамова"), (ServerLight.TROUBLE, Code.SERVER_REFUSED)),
        (b"<html>", (ServerLight.TROUBLE, Code.BAD_REQUEST)),
        (b"", (ServerLight.AWAY, Code.SERVER_AWAY)),
    ],
)
async def test_each_failure_has_its_light_and_the_work_stays(
    desk: DeskAtWork, given: bytes | Exception, expected: tuple[ServerLight, Code]
) -> None:
    desk.journal.record(Kind.SHIFT_BEGUN, {})
    sender = sender_of(desk.journal, Scripted(given))
    for _ in range(3):
        assert 0 <= await sender.round() <= 60
    assert light(sender) == expected
    assert sender.state.unsent == desk.journal.unsent() == 1
    assert "Абрамова" not in str(sender.state)


async def test_the_pauses_grow_and_never_pass_a_minute(desk: DeskAtWork) -> None:
    sender = sender_of(desk.journal, Scripted(Refusal(Code.SERVER_AWAY)))
    pauses = [await sender.round() for _ in range(200)]
    assert max(pauses[:1]) <= 2
    assert 30 < max(pauses) <= 60
    assert min(pauses[10:]) < 30, "full jitter"


async def test_a_kick_ends_a_long_pause(desk: DeskAtWork, line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("operator_tui.sync.rounds.random.uniform", lambda low, high: 10 * high)
    broken = Scripted(Refusal(Code.SERVER_AWAY))
    sender = sender_of(desk.journal, broken)
    for _ in range(10):
        await sender.round()
    task = asyncio.create_task(sender.run())
    await until(lambda: broken.asked == 11)
    sender._asking._link = line  # type: ignore[assignment]  # the line is back
    sender.kick()
    await until(lambda: light(sender) == (ServerLight.ON, None))
    await sender.stop()
    assert task.cancelled()


async def test_without_a_kick_the_timer_fires(desk: DeskAtWork) -> None:
    quiet = Scripted(answer(_epoch(desk.journal), next=1))
    sender = sender_of(desk.journal, quiet, poll_s=0.01)
    asyncio.create_task(sender.run())  # noqa: RUF006 (stop ends it)
    await until(lambda: quiet.asked > 3)
    await sender.stop()


async def test_a_server_that_does_not_hold_a_request_is_not_asked_in_a_circle(desk: DeskAtWork) -> None:
    quick = Scripted(answer(_epoch(desk.journal), next=1))
    sender = sender_of(desk.journal, quick, poll_s=0.2)
    task = asyncio.create_task(sender.run())
    await until(lambda: quick.asked >= 2)
    began = asyncio.get_running_loop().time()
    await until(lambda: quick.asked >= 8)
    # It asks when its time has come, however late a busy machine lets it: a circle would ask six times at once.
    assert asyncio.get_running_loop().time() - began > 0.3
    await sender.stop()
    assert task.cancelled()


async def test_a_server_that_says_there_is_more_and_tells_none_of_it_is_not_asked_in_a_circle(desk: DeskAtWork) -> None:
    end = End({"26/tf": StreamEnd(7, "0" * 64)}, more=True)
    broken = Scripted(b"".join(write_answer(Head(_epoch(desk.journal), 0, 1), [], [], end)))
    sender = sender_of(desk.journal, broken)
    async with asyncio.timeout(60):
        await sender.round()
    assert (broken.asked, light(sender)) == (1, (ServerLight.ON, None))


async def test_a_failing_listener_does_not_end_the_sender(desk: DeskAtWork) -> None:
    good = answer(_epoch(desk.journal), next=1)
    sender = sender_of(desk.journal, Scripted(good, RuntimeError("Абрамова"), good), poll_s=0.01)
    asyncio.create_task(sender.run())  # noqa: RUF006 (stop ends it)
    link = sender._asking._link
    assert isinstance(link, Scripted)
    await until(lambda: link.asked > 5)
    assert light(sender) == (ServerLight.ON, None)
    await sender.stop()


async def test_only_what_changed_is_told(desk: DeskAtWork) -> None:
    told: list[SenderState] = []
    sender = sender_of(desk.journal, Scripted(answer(_epoch(desk.journal), next=1)), on_state=told.append)
    for _ in range(5):
        await sender.round()
    assert [state.light for state in told] == [ServerLight.ON]


async def test_what_went_is_told_to_a_screen_that_had_read_the_count_itself(desk: DeskAtWork) -> None:
    told: list[SenderState] = []
    done = (Outcome(n=1, s="applied", q=1),)
    script = Scripted(answer(_epoch(desk.journal), next=1), answer(_epoch(desk.journal), next=2, outcomes=done))
    sender = sender_of(desk.journal, script, on_state=told.append)
    await sender.round()
    desk.journal.record(Kind.SHIFT_BEGUN, {})
    assert desk.journal.unsent() == 1, "as a screen shows it from now on"
    await sender.round()
    assert [state.unsent for state in told] == [0, 0]


async def test_a_copied_journal_takes_a_code_of_its_own_and_loses_nothing(
    desk: DeskAtWork, open_journal: OpenJournal, tmp_path: Path, server: Server, line: Line
) -> None:
    common = desk.journal.save(new_draft(fields=FIELDS))
    desk.journal.close()
    shutil.copy(tmp_path / "one.db", tmp_path / "copy.db")
    desk.restart()
    copy = open_journal("copy")
    theirs = desk.journal.save(new_draft(fields={**FIELDS, "text": "у первой"}))
    ours = copy.save(new_draft(fields={**FIELDS, "text": "у копии"}))
    assert theirs.id == ours.id
    form = draft_of(ours)
    form.fields["comment"] = "дописано у копии"
    copy.save(form)
    form = draft_of(copy.card(ours.id) or ours)
    form.fields["phone"] = "+7 8652 000001"
    copy.put_draft(form)
    await desk.sender.round()
    sender = sender_of(copy, line)
    await sender.round()
    await desk.sender.round()
    assert light(sender) == (ServerLight.ON, None)
    assert (copy.unsent(), copy.attention()) == (0, [])
    assert copy.device
    assert desk.journal.device
    assert copy.device.code != desk.journal.device.code
    moved = f"{copy.device.code}:1"
    for journal in (copy, desk.journal):
        found = {card.id: (card.value("text"), card.value("comment")) for card in journal.active()}
        assert found == {
            common.id: ("", ""),
            theirs.id: ("у первой", ""),
            moved: ("у копии", "дописано у копии"),
        }
    assert [draft.card for draft in copy.drafts()] == [moved], "the unsaved form belongs to the card it was begun on"
    assert [row.was for row in server.rows(t.op_log) if row.device == copy.device.code] == [ours.id, f"{ours.id[:-1]}3"]


async def test_a_fork_that_does_not_say_where_is_trouble(desk: DeskAtWork) -> None:
    desk.journal.record(Kind.SHIFT_BEGUN, {})
    sender = sender_of(desk.journal, Scripted(Refusal(Code.FORK)))
    await sender.round()
    assert light(sender) == (ServerLight.TROUBLE, Code.FORK)
    assert desk.journal.unsent() == 1


async def test_a_server_restored_from_yesterday_gets_everything_back(
    desk: DeskAtWork, server: Server, tmp_path: Path
) -> None:
    first = desk.journal.save(new_draft(fields=FIELDS))
    await desk.sender.round()
    server.database.close()
    shutil.copy(tmp_path / "central.db", tmp_path / "backup.db")
    server.restart()
    second = desk.journal.save(new_draft(fields=FIELDS))
    await desk.sender.round()
    assert len(server.rows(t.card)) == 2
    server.database.close()
    for wal in tmp_path.glob("central.db-*"):
        wal.unlink()
    shutil.copy(tmp_path / "backup.db", tmp_path / "central.db")
    server.restart()
    server.database.write(lambda connection: connection.execute(sa.update(t.server).values(v="0" * 16)))
    assert [row.id for row in server.rows(t.card)] == [first.id]
    third = desk.journal.save(new_draft(fields=FIELDS))
    await desk.sender.round()
    assert light(desk.sender) == (ServerLight.ON, None)
    assert {row.id for row in server.rows(t.card)} == {first.id, second.id, third.id}
    assert _epoch(desk.journal) == "0" * 16
    assert [row.n for row in server.rows(t.op_log)] == [1, 2, 3]


async def test_lists_that_a_restored_server_has_lost_are_those_of_the_release_again(
    desk: DeskAtWork, server: Server, tmp_path: Path
) -> None:
    catalogue = packaged_catalogue()
    await desk.sender.round()
    server.database.close()
    shutil.copy(tmp_path / "central.db", tmp_path / "backup.db")
    server.restart()
    assert write(server.database, catalogue, "26", "groups", {"courts": COURTS}, 1) == 1
    await desk.sender.round()
    assert "courts" in desk.journal.catalogue.reference.all("groups")
    server.database.close()
    for wal in tmp_path.glob("central.db-*"):
        wal.unlink()
    shutil.copy(tmp_path / "backup.db", tmp_path / "central.db")
    server.restart()
    new_epoch(server.database)
    await desk.sender.round()
    assert light(desk.sender) == (ServerLight.ON, None)
    assert desk.journal.catalogue.reference.all("groups") == catalogue.reference.all("groups")
    write(server.database, catalogue, "26", "groups", {"courts": COURTS}, 2)
    await desk.sender.round()
    assert "courts" in desk.journal.catalogue.reference.all("groups")


async def test_a_server_put_back_without_a_new_epoch_is_noticed_by_who_only_reads(
    open_journal: OpenJournal, desk: DeskAtWork, line: Line, server: Server, tmp_path: Path
) -> None:
    catalogue, reader = packaged_catalogue(), DeskAtWork(open_journal, "two", Role.OPERATOR_1, line)
    lost = desk.journal.save(new_draft(fields={**FIELDS, "text": "до копии нет"}))
    await reader.sender.round()
    server.database.close()
    shutil.copy(tmp_path / "central.db", tmp_path / "backup.db")
    server.restart()
    write(server.database, catalogue, "26", "groups", {"courts": COURTS}, 1)
    await desk.sender.round()
    await reader.sender.round()
    assert "courts" in reader.journal.catalogue.reference.all("groups")
    assert reader.journal.cursors()["26/tf"] == 1
    server.database.close()
    for wal in tmp_path.glob("central.db-*"):
        wal.unlink()
    shutil.copy(tmp_path / "backup.db", tmp_path / "central.db")
    server.restart()
    await reader.sender.round()
    assert light(reader.sender) == (ServerLight.ON, None)
    assert reader.journal.catalogue.reference.all("groups") == catalogue.reference.all("groups")
    await desk.sender.round()
    await reader.sender.round()
    assert reader.journal.card(lost.id) is not None, "who had it has sent it again"
    write(server.database, catalogue, "26", "groups", {"courts": COURTS}, 2)
    await reader.sender.round()
    assert "courts" in reader.journal.catalogue.reference.all("groups")
    assert [row.n for row in server.rows(t.op_log)] == [1]


async def test_lists_stay_where_the_server_only_has_nothing_new(desk: DeskAtWork, server: Server) -> None:
    write(server.database, packaged_catalogue(), "26", "groups", {"courts": COURTS}, 1)
    for _ in range(3):
        await desk.sender.round()
        assert "courts" in desk.journal.catalogue.reference.all("groups")


async def test_a_desk_with_unsent_work_hears_of_others_while_its_region_moves(
    open_journal: OpenJournal, desk: DeskAtWork, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = DeskAtWork(open_journal, "two", Role.OPERATOR_1, line)
    theirs = other.journal.save(new_draft(fields=FIELDS))
    await other.sender.round()
    ours = desk.journal.save(new_draft(fields=FIELDS))
    away = Refusal(Code.REGION_MOVES, region="26")
    # As the link tells what the server says of a region that moves.
    monkeypatch.setattr("central.apply.moving", lambda connection, regions: frozenset(regions))
    answered, refused = line.server.answer, []

    def answer_or_refuse(body: bytes, token: str) -> bytes:
        try:
            return answered(body, token)
        except Refusal as refusal:
            refused.append((refusal.code, refusal.params))
            raise Refusal(Code.SERVER_AWAY, **refusal.params) from None

    monkeypatch.setattr(line.server, "answer", answer_or_refuse)
    await desk.sender.round()
    assert refused == [(away.code, away.params)]
    assert light(desk.sender) == (ServerLight.AWAY, Code.SERVER_AWAY)
    assert desk.sender.state.refusal is not None
    assert desk.sender.state.refusal.params == away.params, "and the screen says why"
    assert {card.id for card in desk.journal.active()} == {theirs.id, ours.id}
    assert desk.journal.unsent() == 1
    monkeypatch.undo()
    await desk.sender.round()
    assert desk.journal.unsent() == 0


async def test_a_server_that_lacks_what_it_had_gets_it_again(desk: DeskAtWork) -> None:
    epoch = _epoch(desk.journal)
    for _ in range(2):
        desk.journal.record(Kind.SHIFT_BEGUN, {})
    done = tuple(Outcome(n=n, s="applied", q=n) for n in (1, 2))
    desk.journal.settle(done, durable=0)
    desk.journal.record(Kind.SHIFT_ENDED, {})
    all_three = tuple(Outcome(n=n, s="applied", q=n) for n in (1, 2, 3))
    sender = sender_of(
        desk.journal, Scripted(answer(epoch, next=1), answer(epoch, next=4, outcomes=all_three), answer(epoch, next=4))
    )
    await sender.round()
    assert light(sender) == (ServerLight.ON, None)
    assert desk.journal.unsent() == 0


async def test_a_server_that_asks_for_the_same_again_and_again_is_not_followed(desk: DeskAtWork) -> None:
    for _ in range(2):
        desk.journal.record(Kind.SHIFT_BEGUN, {})
    desk.journal.settle([Outcome(n=1, s="applied", q=1)], durable=0)
    stuck = Scripted(answer(_epoch(desk.journal), next=0))
    sender = sender_of(desk.journal, stuck)
    await asyncio.wait_for(sender.round(), 60)
    assert light(sender) == (ServerLight.TROUBLE, Code.GAP)
    assert stuck.asked <= 3
    assert desk.journal.unsent() == 2, "nothing is dropped"


async def test_a_server_that_answers_nothing_to_what_was_sent_is_trouble(desk: DeskAtWork) -> None:
    desk.journal.record(Kind.SHIFT_BEGUN, {})
    sender = sender_of(desk.journal, Scripted(answer(_epoch(desk.journal), next=1)))
    await asyncio.wait_for(sender.round(), 60)
    assert light(sender) == (ServerLight.TROUBLE, Code.SERVER_REFUSED)
    assert desk.journal.unsent() == 1


async def test_a_hundred_cards_of_a_day_off_line_go_in_order(desk: DeskAtWork, server: Server) -> None:
    for number in range(130):
        desk.journal.save(new_draft(fields={**FIELDS, "text": f"вопрос {number}"}))
    await desk.sender.round()
    assert desk.journal.unsent() == 0
    assert [row.n for row in server.rows(t.op_log)] == list(range(1, 131))
    assert desk.journal.cursors() == {"26/tf": 130}


async def test_the_clocks_difference_is_known(desk: DeskAtWork) -> None:
    clock = ManualClock()
    head = b"".join(write_answer(Head(_epoch(desk.journal), clock.now_ms() + 300_000, 1), [], [], End({})))
    sender = Sender(desk.journal, Scripted(head), run=run, clock=clock)  # type: ignore[arg-type]  # made-up parts
    await sender.round()
    assert sender.state.offset_ms == 300_000


def _epoch(journal: Journal) -> str:
    assert journal.device is not None
    return journal.device.epoch


async def test_a_server_that_does_not_know_the_dictionary_gets_it_plain(desk: DeskAtWork) -> None:
    unknown = Refusal(Code.BAD_REQUEST, reason="dictionary", dictionary=26001)
    sender = sender_of(desk.journal, Scripted(unknown, answer(_epoch(desk.journal), next=1)))
    await sender.round()
    assert light(sender) == (ServerLight.ON, None)
    await sender.round()
    assert sender._asking._link.asked == 3, "asked with it once and never again"  # type: ignore[attr-defined]  # made up
