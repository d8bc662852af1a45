"""The database cluster loses its primary under load: nothing acknowledged is lost, and desks go on by themselves.

`python -m bench.failover [--times 5]`: three nodes of Patroni with etcd and HAProxy on loopback (deploy/cluster), one
central server on them, desks that send one operation after another and ask again until they are answered. The
primary's Patroni and PostgreSQL are killed with -9, as often as asked; each time the node comes back as a standby.
Prints `name value unit target peer verdict`, tab-separated; exit 1 when one is short. There is no peer: a server
without a standby would have lost its machine.
"""

from __future__ import annotations

import contextlib
import http.client
import itertools
import os
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import click
import psycopg

from bench.central_desks import Batch, enrolled, new_cards
from bench.figures import Row, say
from central.standby import LOOK_S
from central.store.database import Database
from operator_tui.sync.packing import FrameReader, pack
from operator_tui.sync.protocol import SYNC_PATH, EnrolAnswer, Results, SyncRequest
from tests.peers.central import CentralServer
from tests.peers.patroni import Cluster

DESKS = 4
_PAUSE_S = 0.05  # between two operations of a desk: a steady load, not the largest
_AGAIN_S = 0.2
_BACK_S = 300.0


@dataclass
class Sender:
    """One desk: sends its operations in their order, each until it is answered, and notes when that was."""

    port: int
    device: EnrolAnswer
    batches: Sequence[Batch]
    ended: threading.Event
    acknowledged: list[int] = field(default_factory=list)
    answered_at: list[float] = field(default_factory=list)
    refused: int = 0

    def run(self) -> None:
        for (operation,) in self.batches:
            while not self._sent(operation):
                if self.ended.wait(_AGAIN_S):
                    return
            if self.ended.wait(_PAUSE_S):
                return

    def _sent(self, operation: dict[str, object]) -> bool:
        body = pack(SyncRequest(v=1, d=self.device.device, e=self.device.epoch, o=[operation], max=1))
        headers = {"Authorization": f"Bearer {self.device.token}", "Content-Encoding": "zstd"}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("POST", SYNC_PATH, body, headers)
            answer = connection.getresponse()
            content = answer.read()
        except OSError:
            return False
        finally:
            connection.close()
        if answer.status != 200:
            return False
        for frame in FrameReader().feed(content):
            for outcome in frame.r if isinstance(frame, Results) else ():
                self.refused += outcome.s == "rejected"
                self.acknowledged.append(outcome.n)
                self.answered_at.append(time.monotonic())
        return True


def lose_primaries(cluster: Cluster, senders: Sequence[Sender], times: int) -> list[float]:
    """Kill the primary that often; the seconds nobody was answered, each time."""
    gaps = []
    for turn in range(times):
        cluster.wait(lambda: bool(cluster.synchronous()), _BACK_S)
        before = sum(len(sender.acknowledged) for sender in senders)
        cluster.wait(lambda before=before: sum(len(one.acknowledged) for one in senders) > before + 20, _BACK_S)  # type: ignore[misc]  # mypy knows no defaults in a lambda
        primary = _primary(cluster)
        lost_at = time.monotonic()
        cluster.lose(primary)
        cluster.wait(lambda lost_at=lost_at: _all_answered(senders, lost_at + 1), _BACK_S)  # type: ignore[misc]
        instants = sorted(at for one in senders for at in one.answered_at if at > lost_at - 1)
        gaps.append(max(later - earlier for earlier, later in itertools.pairwise(instants)))
        say(f"primary {turn + 1} of {times} lost, {gaps[-1]:.1f} s without writes")
        cluster.start(primary)
        cluster.wait(lambda: len(cluster.standbys()) == 2, _BACK_S)
    return gaps


def _primary(cluster: Cluster) -> int:
    """Which node it is; one that is busy says so a little later."""
    found: list[int | None] = []

    def told() -> bool:
        found.append(cluster.primary())
        return found[-1] is not None

    cluster.wait(told, _BACK_S)
    primary = found[-1]
    assert primary is not None
    return primary


def _asked(cluster: Cluster, question: str, *values: object) -> list[tuple[object, ...]]:
    """The primary's answer, as soon as there is one."""
    found: list[list[tuple[object, ...]]] = []

    def answered() -> bool:
        try:
            with cluster.connect() as connection:
                found.append(connection.execute(question, values).fetchall())
        except psycopg.OperationalError:
            return False
        return True

    cluster.wait(answered, _BACK_S)
    return found[-1]


def _all_answered(senders: Sequence[Sender], since: float) -> bool:
    return all(one.answered_at and one.answered_at[-1] > since for one in senders)


def kept(cluster: Cluster, senders: Sequence[Sender]) -> tuple[int, int]:
    """Acknowledged operations that are not there, and events that are there twice."""
    lost = 0
    for sender in senders:
        rows = _asked(cluster, "SELECT n FROM op_log WHERE device = %s", sender.device.device)
        lost += len(set(sender.acknowledged) - {row[0] for row in rows})
    ((twice,),) = _asked(cluster, "SELECT count(*) - count(DISTINCT op) FROM event")
    return lost, int(str(twice))


def not_durable(cluster: Cluster) -> int:
    """Operations that the server does not call durable though nothing is under way any more: the synchronous standby
    has them."""

    def behind() -> int:
        ((count,),) = _asked(cluster, "SELECT coalesce(sum(last_n - durable_n), 0) FROM device")
        return int(str(count))

    with contextlib.suppress(AssertionError):
        cluster.wait(lambda: behind() == 0, 24 * LOOK_S)
    return behind()


@dataclass(frozen=True)
class Rehearsal:
    """What it came to: seconds without writes each time, operations."""

    gaps: list[float]
    acknowledged: int
    lost: int
    doubled: int
    refused: int
    not_durable: int


def rehearse(times: int) -> Rehearsal:
    """The whole of it."""
    home = Path(tempfile.mkdtemp(prefix="ot-home-"))
    os.environ.update({f"XDG_{name}_HOME": str(home / name.lower()) for name in ("DATA", "CONFIG", "STATE", "CACHE")})
    os.environ["XDG_RUNTIME_DIR"] = str(home)
    with Cluster() as cluster:
        os.environ["PGPASSFILE"] = str(cluster.passwords)
        say("the cluster stands")
        with CentralServer(None, database=cluster.url, arguments=("--port", "0")) as server:
            database = Database.postgres(cluster.url)
            people = enrolled(database, DESKS)
            database.close()
            ended = threading.Event()
            port = int(server.address.rpartition(":")[2])
            senders = [Sender(port, one, new_cards(one, 20_000, 1), ended) for one in people]
            threads = [threading.Thread(target=sender.run) for sender in senders]
            for thread in threads:
                thread.start()
            try:
                gaps = lose_primaries(cluster, senders, times)
            finally:
                ended.set()
                for thread in threads:
                    thread.join()
            behind = not_durable(cluster)
            lost, doubled = kept(cluster, senders)
    acknowledged = sum(len(sender.acknowledged) for sender in senders)
    return Rehearsal(gaps, acknowledged, lost, doubled, sum(sender.refused for sender in senders), behind)


@click.command(help=__doc__)
@click.option("--times", default=5, show_default=True)
def main(times: int) -> None:
    """Print every figure."""
    found = rehearse(times)
    gaps = found.gaps
    rows = [
        Row("failovers", len(gaps), "times", times, least=True),
        Row("acknowledged", found.acknowledged, "operations"),
        Row("lost", found.lost, "operations", 0),
        Row("doubled", found.doubled, "operations", 0),
        Row("refused", found.refused, "operations", 0),
        Row("not_durable", found.not_durable, "operations", 0),
        Row("without_writes_longest_s", max(gaps), "s"),
        Row("without_writes_median_s", sorted(gaps)[len(gaps) // 2], "s"),
    ]
    for row in rows:
        print(row)
    sys.exit(not all(row.met for row in rows))


if __name__ == "__main__":
    main()
