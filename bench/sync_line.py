"""What the sync costs on a line of 64 kbit/s and 600 ms, with REST record by record beside it in the same run.

`python -m bench.sync_line [--short]`: the real desk's Journal, Sender and Link over TLS 1.3 to the real server, through
a line in user space (bench/slow_line.py: every byte is counted with TCP/IP headers and acknowledgements). The centre
is a second desk on a good line with an open stream. Prints `name value unit target peer verdict`, tab-separated; exit 1
when one is short. The peer is a plain REST server behind the same line: one POST of one JSON record on a connection
that stays open, gzip, the same TLS; 100 cards are 100 times the mean of some.
"""

from __future__ import annotations

import asyncio
import gzip
import logging
import random
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import httpx
import msgspec
import uvicorn
from litestar import Litestar, Request, Response, post

from bench.figures import Row, say
from bench.slow_line import SlowLine
from bench.train_dictionary import _Office
from central.app import create_app
from central.devices import enrol, enrolment_code
from central.store.database import Database
from operator_tui.appeals.clock import SystemClock
from operator_tui.appeals.draft import new_draft
from operator_tui.appeals.people import Operator, Role
from operator_tui.journal.device import DeviceIdentity
from operator_tui.journal.journal import Journal
from operator_tui.reference import packaged_catalogue
from operator_tui.sync.link import Link, tls_context
from operator_tui.sync.sender import Sender, ServerLight
from operator_tui.sync.settings import CentralSettings
from tests.sync.test_link import Certificate, make_certificate

KEY = bytes(32)
WARM, CARDS, REST = 9, 100, 10
IDLE_S = 75.0  # three heartbeats
# Sentences that the dictionary was not trained on.
SAID = (
    "Женщина жалуется, что ей второй раз перенесли плановую операцию на глаз, и хочет знать, куда писать.",
    "Отец троих детей уточняет, нужно ли менять бумажный полис после переезда из Будённовска.",
    "Пенсионерка ждёт талон к эндокринологу с февраля, регистратура трубку не берёт.",
    "Студент потерял документы в поезде, завтра приём у хирурга, полиса на руках нет.",
    "За анализ крови взяли деньги в кассе, хотя врач выписал его бесплатно; чек сохранён.",
    "Сын спрашивает, как оформить доверенность, чтобы получать лекарства за мать после инсульта.",
    "Говорит, что в приложении стоит чужая прививка, просит убрать запись.",
    "Беременная хочет рожать в перинатальном центре, женская консультация направляет в районную больницу.",
)


@dataclass
class Centre:
    """The server's port with TLS, its certificate and database."""

    port: int
    certificate: Certificate
    database: Database


@asynccontextmanager
async def listening(app: Any, certificate: Certificate) -> AsyncIterator[int]:
    """An application behind TLS 1.3 on a free port."""
    config = uvicorn.Config(
        app,
        port=0,
        ssl_certfile=certificate.cert,
        ssl_keyfile=certificate.key,
        timeout_keep_alive=620,
        timeout_graceful_shutdown=1,
        log_config=None,
        access_log=False,
        server_header=False,
        ws="none",
        lifespan="on",
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server._serve())
    try:
        while not server.started:  # noqa: ASYNC110  # uvicorn gives no event
            await asyncio.sleep(0.01)
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        if hub := getattr(getattr(app, "state", None), "hub", None):
            hub.close()
        server.should_exit = True
        await asyncio.wait({task}, timeout=10)


class Desk:
    """A journal and its sender on some way to the server."""

    def __init__(self, folder: Path, name: str, role: Role, centre: Centre, port: int) -> None:
        self.journal = Journal.open(folder / f"{name}.db", KEY, catalogue=packaged_catalogue(), clock=SystemClock())
        operator = Operator(user=0, name=name, role=role, extension="2001", organisation="26/tf")
        now = SystemClock().now_ms()
        given = enrol(centre.database, enrolment_code(centre.database, operator, now), now)
        self.journal.enrol(DeviceIdentity(given.device, given.number, given.token, given.epoch, given.operator))
        self.link = Link(CentralSettings(url=f"https://127.0.0.1:{port}", ca_file=str(centre.certificate.cert)))
        self.seen: dict[str, float] = {}
        self.sender = Sender(
            self.journal, self.link, run=_run, clock=SystemClock(), poll_s=15.0, on_cards=self._see
        )  # fmt: skip

    def _see(self, cards: Any) -> None:
        now = time.monotonic()
        for card in cards:
            self.seen.setdefault(card, now)

    @asynccontextmanager
    async def working(self) -> AsyncIterator[Desk]:
        task = asyncio.create_task(self.sender.run())
        try:
            await until(lambda: self.sender.state.light is ServerLight.ON and self.sender.presence._leased)
            yield self
        finally:
            await self.sender.stop()
            await asyncio.wait({task})
            await self.link.close()
            self.journal.close()


async def _run(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    return await asyncio.to_thread(function, *args, **kwargs)


async def until(condition: Callable[[], bool], within: float = 120.0) -> None:
    """Wait for it; AssertionError when it does not come."""
    end = time.monotonic() + within
    while not condition():
        assert time.monotonic() < end, "it did not come to that"
        await asyncio.sleep(0.005)


class Office:
    """Cards of made-up people, each with a text of its own."""

    def __init__(self) -> None:
        self._office = _Office()
        self._office.dice = random.Random(2026)
        self._n = 0

    def fields(self) -> dict[str, Any]:
        self._n += 1
        dice = self._office.dice
        made = self._office.card(self._n)
        keep = ("type", "theme", "surname", "name", "patronymic", "birth_date", "enp", "phone", "address")
        text = f"{dice.choice(SAID)} Обращение № {dice.randrange(10**6)}."
        return {**{key: made[key] for key in keep}, "text": text}


@post("/records", status_code=201)
async def record(request: Request[Any, Any, Any]) -> Response[Any]:
    """The plain REST peer keeps a record and says which."""
    body = msgspec.json.decode(gzip.decompress(await request.body()))
    return Response({"id": body["number"], "status": "created"})


async def rest(certificate: Certificate, cards: list[dict[str, Any]]) -> tuple[float, float]:
    """Mean seconds and bytes up of one record, the connection open."""
    async with (
        listening(Litestar([record], openapi_config=None), certificate) as port,
        SlowLine(port).running() as line,
    ):
        settings = CentralSettings(url=f"https://127.0.0.1:{line.port}", ca_file=str(certificate.cert))
        headers = {
            "Authorization": "Bearer " + "x" * 43,
            "Content-Type": "application/json",
            "Content-Encoding": "gzip",
        }
        async with httpx.AsyncClient(verify=tls_context(settings), base_url=settings.url, timeout=60) as client:
            times = []
            for index, card in enumerate(cards):
                body = gzip.compress(msgspec.json.encode(card))
                started = time.monotonic()
                (await client.post("/records", content=body, headers=headers)).raise_for_status()
                if index:
                    times.append(time.monotonic() - started)
                else:
                    line.count()  # the first one opened the connection
            up, _ = line.count()
    return statistics.mean(times), up / len(times)


async def measure(folder: Path, *, short: bool) -> list[Row]:
    """All rows."""
    database = Database.sqlite(folder / "central.db", KEY)
    certificate = make_certificate(folder, "server")
    office = Office()
    async with listening(create_app(database), certificate) as port, SlowLine(port).running() as line:
        centre = Centre(port, certificate, database)
        watcher = Desk(folder, "Смотрит", Role.ADMINISTRATOR, centre, port)
        desk = Desk(folder, "Пишет", Role.OPERATOR_2, centre, line.port)
        async with watcher.working(), desk.working():
            say("one card, warm")
            warm, wire = await one_by_one(desk, watcher, office, line)
            say("idle")
            idle = await idle_bytes(line, IDLE_S / 3 + 5 if short else IDLE_S)
            say("a hundred cards without a line")
            seconds, up = await a_hundred(desk, watcher, office, line)
            say("a cut inside an answer")
            resent = await cut_inside(folder, centre, line)
    say("REST, record by record")
    cards = [{**_Office().card(n), **office.fields(), "number": str(n)} for n in range(REST + 1)]
    rest_s, rest_up = await rest(certificate, cards)
    return [
        Row("card_warm_s", statistics.median(warm), "s", 0.8, rest_s),
        Row("cards100_s", seconds, "s", 5.0, rest_s * CARDS),
        Row("cards100_up_kb", up / 1000, "kB", 27.0, rest_up * CARDS / 1000),
        Row("new_card_wire_bytes", statistics.median(wire), "B", 950, rest_up),
        Row("idle_bytes_per_s", idle, "B/s", 15),
        Row("resent_frames", resent, "frames", 1),
    ]


async def one_by_one(desk: Desk, watcher: Desk, office: Office, line: SlowLine) -> tuple[list[float], list[float]]:
    """Seconds until the centre sees a card, and the bytes it cost upwards."""
    seconds: list[float] = []
    wire: list[float] = []
    for index in range(WARM):
        await asyncio.sleep(2.0)  # the answers of the one before are through
        line.count()
        started = time.monotonic()
        card = desk.journal.save(new_draft(fields=office.fields()))
        desk.sender.kick()
        await until(lambda card=card: card.id in watcher.seen)  # type: ignore[misc]  # mypy knows no defaults in a lambda
        if index:
            seconds.append(watcher.seen[card.id] - started)
        await until(lambda: desk.journal.unsent() == 0)
        await asyncio.sleep(1.0)
        if index:
            wire.append(line.count()[0])
    return seconds, wire


async def idle_bytes(line: SlowLine, seconds: float) -> float:
    """Bytes a second, both ways together, of a desk that does nothing."""
    await asyncio.sleep(2.0)
    line.count()
    await asyncio.sleep(seconds)
    return sum(line.count()) / seconds


async def a_hundred(desk: Desk, watcher: Desk, office: Office, line: SlowLine) -> tuple[float, float]:
    """Seconds from the line's return until the centre has all, and the bytes upwards; connections are made anew."""
    line.cut()
    cards = [desk.journal.save(new_draft(fields=office.fields())).id for _ in range(CARDS)]
    desk.sender.kick()
    await until(lambda: desk.sender.state.light is ServerLight.AWAY)
    line.mend()
    line.count()
    started = time.monotonic()
    desk.sender.kick()
    await until(lambda: watcher.seen.keys() >= set(cards))
    done = max(watcher.seen[card] for card in cards) - started
    await until(lambda: desk.journal.unsent() == 0)
    await asyncio.sleep(2.0)
    return done, line.count()[0]


async def cut_inside(folder: Path, centre: Centre, line: SlowLine) -> float:
    """Frames that arrive twice when the line breaks off inside an answer with a hundred cards."""
    fresh = Desk(folder, "Новая", Role.OPERATOR_2, centre, line.port)
    arrived: list[int] = []
    receive = fresh.journal.receive

    def counted(events: Any) -> list[str]:
        events = list(events)
        arrived.extend(event.q for event in events)
        return receive(events)

    fresh.journal.receive = counted  # type: ignore[method-assign]  # looks on
    line.cut_after = 12_000

    async def mend() -> None:
        await until(lambda: not line.open)
        line.mend()
        fresh.sender.kick()

    mending = asyncio.create_task(mend())
    async with fresh.working():
        await until(lambda: fresh.journal.cursors()["26/tf"] >= CARDS)
    await mending
    return (len(arrived) - len(set(arrived))) / 5


@click.command()
@click.option("--short", is_flag=True, help="A shorter look at idleness.")
def main(short: bool) -> None:
    """Print all rows; exit 1 when one is short."""
    logging.disable(logging.INFO)
    with tempfile.TemporaryDirectory(prefix="ot-line-") as folder:
        rows = asyncio.run(measure(Path(folder), short=short))
    print("name\tvalue\tunit\ttarget\tpeer\tverdict")
    for row in rows:
        print(row)
    sys.exit(0 if all(row.met for row in rows) else 1)


if __name__ == "__main__":
    main()
