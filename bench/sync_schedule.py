"""One schedule of the fault simulator: a seed decides what becomes of every message, statement, disk and clock."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.sync_centre import Server
from bench.sync_disk import Killed, copy_files
from bench.sync_judging import Found, judge
from bench.sync_wire import Flight, OpenStream, Told, Wire
from bench.sync_world import Desk
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.operations import reference_stream
from operator_tui.appeals.people import Role
from operator_tui.sync.protocol import MAX_PAGE
from operator_tui.sync.sender import ServerLight

STEPS = 90
DESKS = {"one": Role.OPERATOR_2, "two": Role.ADMINISTRATOR}
NEWCOMERS = {"three": Role.OPERATOR_2, "four": Role.ADMINISTRATOR}  # enrolled before, started in the middle
_CALM_ROUNDS = 12
_DAY_S = 86_400.0
_REFERENCE_STREAM = reference_stream("26/tf")
_TOGETHER = 0.5  # requests on the line that reach the server in the same moment


@dataclass(frozen=True)
class Mood:
    """How often what happens in a schedule, and how the line is: shares of messages that are ``lost`` and that arrive
    late or twice (``ghosts``); ``copies`` of journals at most; ``behind`` events after which a desk takes a snapshot
    and ``page`` bytes of events in one answer at most; ``files``: recordings are made and sent."""

    acts: Mapping[str, float]
    lost: float = 0.08
    ghosts: float = 0.14
    copies: int = 1
    behind: int = 1 << 30
    page: int = MAX_PAGE
    files: bool = False

    @property
    def weights(self) -> list[float]:
        return [self.acts.get(act, 0.0) for act in ACTS]


_PLAIN: dict[str, float] = {
    "act": 30, "reference": 1, "start": 20, "line": 36, "desk_fuse": 3, "server_fuse": 3, "desk_kill": 1,
    "server_kill": 1, "backup": 1, "restore": 1, "copy": 1, "clock": 1, "desk_disk": 1, "server_disk": 1,
}  # fmt: skip
ACTS = [*_PLAIN, "week", "newcomer", "away", "record", "quiet"]
# Each leads somewhere that chance alone seldom goes: a copied journal whose answers are lost; a journal that forgets
# what is durable; a server that comes back while answers of another time are on the line; administrators who change the
# same lists; desks that come new or too far back, whose snapshots are cut, killed and overtaken by a restored server;
# recordings whose parts are.
MOODS = (
    Mood(_PLAIN),
    Mood(
        {**_PLAIN, "copy": 6, "act": 34, "restore": 2, "backup": 3, "server_fuse": 1, "desk_fuse": 1},
        lost=0.2,
        copies=3,
    ),
    Mood({**_PLAIN, "week": 6, "backup": 4, "restore": 3, "copy": 0, "act": 24}, lost=0.03, ghosts=0.05),
    Mood({**_PLAIN, "start": 30, "restore": 5, "backup": 3, "copy": 0, "desk_kill": 0, "desk_disk": 0}, lost=0.03),
    Mood({**_PLAIN, "act": 12, "reference": 22, "restore": 2, "backup": 2, "newcomer": 1}, lost=0.05),
    Mood(
        {**_PLAIN, "newcomer": 3, "away": 2, "restore": 2, "backup": 2, "desk_kill": 3, "reference": 3, "start": 24},
        lost=0.05,
        behind=3,
        page=300,
    ),
    Mood(
        {**_PLAIN, "act": 12, "record": 10, "restore": 3, "backup": 2, "desk_kill": 2, "quiet": 4},
        lost=0.05,
        files=True,
    ),
)


class Schedule:
    """One seed."""

    def __init__(self, seed: int, folder: Path, template: Path) -> None:
        self.dice = random.Random(seed)
        self.mood = MOODS[seed % len(MOODS)]
        self.folder = folder
        self.template = template
        self.wire = Wire()
        self.ghosts: list[Flight] = []
        self.newcomers = list(NEWCOMERS)

    async def run(self) -> Found:
        self.server = Server(self.folder, self.template)
        self.desks = [self._desk(name) for name in DESKS]
        self.server.back_up()
        try:
            for _ in range(STEPS):
                await self._step()
                await self._settle()
            calm = await self._calm()
            return judge(self.server, self.desks, calm=calm)
        finally:
            await self._end()

    def _desk(self, name: str) -> Desk:
        desk = Desk(self.folder, name, self.wire)
        copy_files(self.template.with_name(f"{name}-0.db"), desk.path)
        desk.open()
        return desk

    async def _step(self) -> None:
        desk, dice = self.dice.choice(self.desks), self.dice
        match dice.choices(ACTS, self.mood.weights)[0]:
            case "act":
                desk.act(dice)
            case "start":
                if len(desk.tasks) < 3:
                    ways = ["round", "held", "stream", *(["files"] if self.mood.files else [])]
                    desk.start(dice.choices(ways, [7, 2, 1, 8][: len(ways)])[0])
            case "reference":
                desk.change_reference(dice)
            case "record":
                desk.record(dice)
            case "newcomer":
                if self.newcomers:
                    self.desks.append(self._desk(self.newcomers.pop(0)))
            case "quiet":
                await self._round()
            case "away":
                self._desk_away(desk)
            case "line":
                self._line()
            case "desk_fuse":
                desk.fuse.light(dice.randrange(60))
            case "server_fuse":
                self.server.fuse.light(dice.randrange(40))
            case "desk_kill":
                await desk.kill()
            case "server_kill":
                self._server_killed()
            case "backup":
                self._back_up()
            case "restore":
                self._restore()
            case "copy":
                self._copy_journal(desk)
            case "clock":
                desk.clock.advance(dice.choice([-3600.0, 600.0, 8 * _DAY_S, -2 * _DAY_S]))
            case "week":
                for each in self.desks:
                    each.clock.advance(8 * _DAY_S)
            case "desk_disk":
                desk.fill_disk(dice.random() < 0.6)
            case "server_disk":
                self.server.fill_disk(not self.server.full)

    def _desk_away(self, desk: Desk) -> None:
        """Nothing goes to it or comes from it, and others work on: it is far back when it comes again."""
        others = [each for each in self.desks if each is not desk]
        for other in others:
            for _ in range(self.dice.randrange(4)):
                other.act(self.dice)
            if not other.dead and len(other.tasks) < 3:
                other.start()

    def _back_up(self) -> None:
        try:
            self.server.back_up()
        except Killed:
            self._server_killed()
        except Exception:  # a full disk: there is no copy, and nothing is durable by it
            return

    def _restore(self) -> None:
        for flight in self.wire.flights:
            if flight.rest is None and self.dice.random() < 0.5:
                flight.fail(Refusal(Code.SERVER_AWAY))
        self._end_streams()
        self.server.fuse.light(1 << 30)
        self.server.restore(files_too=self.dice.random() < 0.5)
        self.server.full = False

    def _copy_journal(self, desk: Desk) -> None:
        """Of a copy too: both then have what the first one made before."""
        if len(self.desks) < 2 + self.mood.copies + len(NEWCOMERS) - len(self.newcomers) and not self.server.full:
            self.server.fuse.light(1 << 30)
            self.desks.append(desk.copy(f"twin{len(self.desks)}"))

    def _server_killed(self) -> None:
        for flight in self.wire.flights:
            if flight.waiting and self.dice.random() < 0.7:
                flight.fail(Refusal(Code.SERVER_AWAY))
        self._end_streams()
        self.server.kill()
        self.server.full = False

    def _line(self) -> None:
        """Something happens on the line: mostly what should."""
        streams = [stream for stream in self.wire.streams if stream.waiting]
        flights = [flight for flight in self.wire.flights if flight.waiting]
        if self.ghosts and self.dice.random() < 0.1:
            self._deliver(self.ghosts.pop(self.dice.randrange(len(self.ghosts))))
        if streams and self.dice.random() < 0.3:
            self._stream(self.dice.choice(streams))
            return
        if self.wire.turns and self.dice.random() < 0.5:
            self.wire.go_on(self.dice.randrange(len(self.wire.turns)))
            return
        if not flights:
            return
        flight = self.dice.choice(flights)
        dice, mood = self.dice, self.mood
        fate = dice.random()
        if fate < mood.lost:
            flight.fail(Refusal(Code.SERVER_AWAY))  # lost, or cut inside a frame
        elif fate < mood.ghosts and flight.rest is None:
            self.ghosts.append(flight)  # arrives when nobody waits for it any more
            flight.fail(Refusal(Code.SERVER_AWAY))
        elif flight.rest is None:
            others = [each for each in flights if each is not flight and each.rest is None]
            self._deliver(flight, *(each for each in others if dice.random() < _TOGETHER))
            if fate < mood.ghosts + 0.11:
                self.ghosts.append(flight)  # and once more
        else:
            flight.give(dice.choice([1, 40, 300, 100_000]))

    def _stream(self, stream: OpenStream) -> None:
        """An open stream is told something, brings something, or breaks off."""
        fate = self.dice.random()
        if fate < self.mood.lost or (stream.feed is not None and stream.feed.over and not stream.told):
            stream.fail(Refusal(Code.SERVER_AWAY))
        elif fate < 0.5:
            try:
                self.server.tell(stream)
            except Killed:
                self._server_killed()
            except Exception:  # whatever the server has against it ends the stream
                stream.fail(Refusal(Code.SERVER_AWAY))
        else:
            stream.give()

    def _end_streams(self) -> None:
        """They do not outlive their server."""
        for stream in self.wire.streams:
            if stream.waiting:
                stream.fail(Refusal(Code.SERVER_AWAY))

    def _deliver(self, *flights: Flight) -> None:
        """Requests reach the server at once."""
        try:
            answers: list[Told | Exception] = self.server.answer(flights)
        except Killed:
            for flight in flights:
                _fail(flight, Refusal(Code.SERVER_AWAY))
            self._server_killed()
            return
        except Exception as error:  # what the HTTP layer makes of a full disk
            answers = [error] * len(flights)
        for flight, answer in zip(flights, answers, strict=True):
            if isinstance(answer, Refusal):
                _fail(flight, answer)
            elif isinstance(answer, Exception):
                _fail(flight, Refusal(Code.SERVER_REFUSED, reason=type(answer).__name__))
            elif flight.waiting and flight.rest is None:
                flight.answer(answer)

    async def _settle(self) -> None:
        """Let everybody go on until all wait for the line."""
        ready = asyncio.get_running_loop()._ready  # type: ignore[attr-defined]  # who could go on
        await asyncio.sleep(0)
        while ready:  # noqa: ASYNC110  # there is no event for «nobody can go on»
            await asyncio.sleep(0)
        for desk in self.desks:
            desk.tasks = {task for task in desk.tasks if not task.done()}
            if desk.dead:
                await desk.kill()
        self.wire.flights = [flight for flight in self.wire.flights if flight.waiting]
        self.wire.streams = [stream for stream in self.wire.streams if stream.waiting]

    async def _calm(self) -> bool:
        """No more faults: everything must become even by itself."""
        self.server.fuse.light(1 << 30)
        self.server.fill_disk(False)
        self._end_streams()
        for desk in self.desks:
            desk.fuse.light(1 << 30)
            desk.fill_disk(False)
        for flight in self.ghosts:
            self._deliver(flight)
        for _ in range(_CALM_ROUNDS):
            await self._round()
            if self._even():
                break
        return self._even()

    async def _round(self) -> None:
        """Every desk exchanges until it has nothing more to say."""
        for desk in self.desks:
            if not desk.tasks:
                desk.start()
                if self.mood.files:
                    desk.start("files")
        for _ in range(200):
            await self._settle()
            if not any(desk.busy for desk in self.desks):
                break
            while self.wire.turns:
                self.wire.go_on(0)
            for flight in list(self.wire.flights):
                if flight.rest is None:
                    self._deliver(flight)
                if flight.waiting:
                    flight.give(100_000)

    def _even(self) -> bool:
        """Whether another round could bring nothing: all is sent, all is read, by everybody."""
        heads = self.server.heads()
        return all(
            not desk.busy
            and desk.journal.unsent() == 0
            and desk.journal.unsent_files() == 0
            and desk.unqueued() == 0
            and not desk.journal.taking_snapshot
            and not desk.journal.missing_cards()
            and desk.sender.state.light is ServerLight.ON
            and _read(desk.journal.cursors(), heads)
            and desk.knows(self.server.epoch)
            for desk in self.desks
        )

    async def _end(self) -> None:
        for desk in self.desks:
            for task in desk.tasks:
                task.cancel()
            await asyncio.gather(*desk.tasks, return_exceptions=True)
            await desk.sender.let_go()
            desk.journal.close()
        self.server.database.close()


def _read(cursors: Mapping[str, int], heads: Mapping[str, int]) -> bool:
    """Whether all of the streams that a desk follows is read, also of one it has not heard of yet."""
    return all(cursors.get(stream, 0) == heads.get(stream, 0) for stream in {*cursors, _REFERENCE_STREAM})


def _fail(flight: Flight, refusal: Refusal) -> None:
    if flight.waiting:
        flight.fail(refusal)
