"""Processes killed by kill -9, in turn: desk, server, PostgreSQL. Every card that was said to be saved is there once.

`python -m bench.sync_kills [--rounds 30] [--full]`: PostgreSQL with fsync, the server as the product starts it, a desk
that saves cards as fast as it can (bench/sync_desk.py). ``--full`` is 200 rounds. Prints `rounds`, `cards`, `lost`,
`doubled`, one a line; exit 1 unless the last two are 0.
"""

from __future__ import annotations

import os
import queue
import random
import shutil
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import click
import sqlalchemy as sa

from bench.figures import say
from central.store import tables as t
from central.store.database import Database
from central.verify import verify
from tests.peers.central import CentralServer
from tests.peers.postgres import Postgres

FULL = 200
_START_S, _EVEN_S = 180.0, 300.0


@dataclass
class Result:
    """What became of the cards that were said to be saved."""

    rounds: int
    cards: int
    lost: int
    doubled: int
    broken_chains: int

    @property
    def good(self) -> bool:
        return not (self.lost or self.doubled or self.broken_chains)


@dataclass
class KilledDesk:
    """The desk's process; ``saved`` is what it said, in all its lives."""

    journal: Path
    socket: Path
    code: str
    saved: list[str] = field(default_factory=list)
    _process: subprocess.Popen[str] | None = None
    _lines: queue.Queue[str] = field(default_factory=queue.Queue)

    def start(self) -> None:
        """Until it says that it works."""
        desk = "from bench.sync_desk import main; main()"
        command = [sys.executable, "-c", desk, str(self.journal), str(self.socket), self.code]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        threading.Thread(target=self._read, args=(self._process,), daemon=True).start()
        self.wait_for("ready", _START_S)

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        with process.stdout as lines:
            for line in lines:
                self._lines.put(line.strip())

    def wait_for(self, word: str, within: float) -> None:
        """Take what it says until it says that."""
        while (said := self._lines.get(timeout=within)) != word:
            if ":" in said:
                self.saved.append(said)

    def wait_for_cards(self, count: int) -> None:
        """So many more."""
        wanted = len(self.saved) + count
        while len(self.saved) < wanted:
            if ":" in (said := self._lines.get(timeout=_START_S)):
                self.saved.append(said)

    def kill(self) -> None:
        """kill -9; what it had said before is taken."""
        process, self._process = self._process, None
        assert process is not None
        process.kill()
        process.wait()
        assert process.stdin is not None
        process.stdin.close()

    def finish(self) -> None:
        """Nothing new; everything out."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.close()
        self.wait_for("even", _EVEN_S)
        self._process.wait(timeout=_START_S)
        self._process = None


def play(folder: Path, postgres: Postgres, rounds: int, seed: int = 0) -> Result:
    """So many kills, one after another, and the count at the end."""
    dice = random.Random(seed)
    url = postgres.fresh()
    with CentralServer(folder / "s", database=url) as server:
        desk = KilledDesk(folder / "desk.db", folder / "s", server.enrolment_code("Петрова Анна"))
        desk.start()
        for number in range(rounds):
            desk.wait_for_cards(dice.randrange(1, 12))
            match number % 3:
                case 0:
                    desk.kill()
                    desk.start()
                case 1:
                    server.kill()
                    desk.wait_for_cards(dice.randrange(1, 5))
                    server.start()
                case _:
                    postgres.kill()
                    desk.wait_for_cards(dice.randrange(1, 5))
                    postgres.start()
        desk.finish()
        return _counted(url, desk.saved, rounds)


def _counted(url: str, saved: list[str], rounds: int) -> Result:
    database = Database.postgres(url)
    try:
        with database.read() as connection:
            made = connection.execute(sa.select(t.event.c.card).where(t.event.c.kind == "card.new")).scalars().all()
            texts = connection.execute(sa.select(t.op_log.c.hash).where(t.op_log.c.was.is_(None))).scalars().all()
        there = Counter(made)
        twice = sum(count - 1 for count in there.values()) + sum(count - 1 for count in Counter(texts).values())
        faults = len(verify(database).faults)
    finally:
        database.close()
    return Result(rounds, len(set(saved)), len(set(saved) - set(there)), twice, faults)


@click.command()
@click.option("--rounds", type=int, default=30, show_default=True)
@click.option("--full", is_flag=True, help="200 rounds.")
@click.option("--seed", type=int, default=0, show_default=True)
def main(rounds: int, full: bool, seed: int) -> None:
    """Print what was lost and doubled; exit 1 unless nothing was."""
    folder = Path(tempfile.mkdtemp(prefix="ot-kills-"))
    home = Path(tempfile.mkdtemp(prefix="ot-home-"))
    os.environ.update({f"XDG_{name}_HOME": str(home / name.lower()) for name in ("DATA", "CONFIG", "STATE", "CACHE")})
    os.environ["XDG_RUNTIME_DIR"] = str(home)
    postgres_folder = Path(tempfile.mkdtemp(prefix="ot-pg-"))
    postgres = Postgres(postgres_folder, durable=True)
    try:
        postgres.start()
        say("kills")
        found = play(folder, postgres, FULL if full else rounds, seed)
    finally:
        postgres.kill()
        for each in (folder, home, postgres_folder):
            shutil.rmtree(each, ignore_errors=True)
    for name in ("rounds", "cards", "lost", "doubled", "broken_chains"):
        print(f"{name} {getattr(found, name)}")
    sys.exit(0 if found.good else 1)


if __name__ == "__main__":
    main()
