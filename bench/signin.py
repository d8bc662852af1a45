"""What signing in and unlocking cost below the screen (bench.seats has the same with a screen and a keyboard).

`python -m bench.signin`: a vault and a server at their real price of Argon2id (64 MiB, 3 passes, 4 lanes), the server a
process of its own, warm. Prints `name value unit target peer verdict`, tab-separated, and how many targets are met; the
median of RUNS.

unlock_s: the password of the lock, from Enter to yes; the peer is Argon2id alone, what no vault of this price can be
below. signin_to_journal_s: name and password until the journal is open and read; the peer is the same with a password
that costs nothing to guess (64 KiB, one pass) in the vault: the rest is the server's own Argon2id, and the line.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from time import perf_counter

from argon2.low_level import Type, hash_secret_raw

from central.auth import accounts
from central.store.database import Database
from operator_tui.appeals.clock import SystemClock
from operator_tui.appeals.people import Operator, Role
from operator_tui.journal.journal import Journal
from operator_tui.profiles import open_profile
from operator_tui.reference import packaged_catalogue
from operator_tui.secrets import profile_secrets, vault
from operator_tui.signin.settings import SignInSettings
from operator_tui.signin.signin import SignIn
from operator_tui.sync.link import Link
from operator_tui.sync.settings import CentralSettings
from tests.peers.central import CentralServer

RUNS = 7
PASSWORD = "пароль рабочего места 1"
UNLOCK_TARGET_S, SIGN_IN_TARGET_S = 0.7, 1.0


@contextmanager
def _home() -> Iterator[None]:
    with tempfile.TemporaryDirectory(prefix="ot-") as name:
        folder = Path(name)
        os.environ.pop("DBUS_SESSION_BUS_ADDRESS", None)  # the vault is what is measured
        os.environ["HOME"] = name
        for variable, part in (("CONFIG", "c"), ("DATA", "d"), ("STATE", "s"), ("CACHE", "k")):
            os.environ[f"XDG_{variable}_HOME"] = str(folder / part)
        os.environ["XDG_RUNTIME_DIR"] = str(folder / "r")
        (folder / "r").mkdir(mode=0o700)
        yield


@contextmanager
def _office() -> Iterator[tuple[str, Database]]:
    profile = open_profile("demo")
    profile.make_folders()
    with CentralServer(None, arguments=("--port", "0")) as server:
        database = Database.sqlite(profile.central_file, profile_secrets(profile).key("central"))
        yield f"http://{server.address}", database
        database.close()


@asynccontextmanager
async def _seat(url: str, machine: str) -> AsyncIterator[SignIn]:
    profile = open_profile(machine)
    profile.make_folders()
    link = Link(CentralSettings(url=url))

    async def connect() -> Link:
        return link

    yield SignIn(profile, SignInSettings(), SystemClock(), connect)
    await link.close()


def _open_journal(seat: SignIn) -> None:
    """As the desk does before it paints the list."""
    key = seat.secrets.key("journal")
    journal = Journal.open(seat.journal_file, key, catalogue=packaged_catalogue(), clock=SystemClock())
    if journal.device is None:
        journal.enrol(seat.identity)
    journal.active(limit=200)
    journal.counts()
    journal.close()


async def _measure(url: str, database: Database, machine: str) -> tuple[float, float]:
    """Median seconds to unlock and to sign in."""
    clock = SystemClock()
    who = Operator(user=0, name=f"Анна {machine}", role=Role.OPERATOR_1, extension="2001", organisation="26/tf")
    accounts.add(database, machine, who, clock.now_ms())
    async with _seat(url, machine) as seat:
        await seat.enrol(accounts.enrolment_code(database, machine, clock.now_ms()), PASSWORD)
        await asyncio.to_thread(_open_journal, seat)
        unlocks, sign_ins = [], []
        for _ in range(RUNS):
            await seat.lock()
            begin = perf_counter()
            assert await seat.unlock(PASSWORD)
            unlocks.append(perf_counter() - begin)
            await seat.sign_out()
            begin = perf_counter()
            assert await seat.sign_in(machine, PASSWORD)
            await asyncio.to_thread(_open_journal, seat)
            sign_ins.append(perf_counter() - begin)
    return statistics.median(unlocks), statistics.median(sign_ins)


def _argon2id_s() -> float:
    found = []
    for _ in range(RUNS):
        begin = perf_counter()
        hash_secret_raw(
            PASSWORD.encode(), bytes(16), time_cost=3, memory_cost=64 * 1024, parallelism=4, hash_len=32, type=Type.ID
        )
        found.append(perf_counter() - begin)
    return statistics.median(found)


def main() -> None:
    """Print the figures."""
    with _home(), _office() as (url, database):
        unlock_s, sign_in_s = asyncio.run(_measure(url, database, "warm"))
        alone_s = _argon2id_s()
        vault._MEMORY_KIB, vault._PASSES, vault._LANES = 64, 1, 1
        _, cheap_s = asyncio.run(_measure(url, database, "cheap"))
    rows = (
        ("unlock_s", unlock_s, UNLOCK_TARGET_S, alone_s),
        ("signin_to_journal_s", sign_in_s, SIGN_IN_TARGET_S, cheap_s),
    )
    for name, value, target, peer in rows:
        verdict = "met" if value <= target else "MISSED"
        print(f"{name}\t{value:.3f}\ts\t{target}\t{peer:.3f}\t{verdict}")
    print(f"{sum(value <= target for _, value, target, _ in rows)} of {len(rows)} targets met")


if __name__ == "__main__":
    main()
