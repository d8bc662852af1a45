"""The server as a process: it starts where it should, ends when told, and says in a sentence why it does not."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from central.serve import Address, listen
from operator_tui.appeals.clock import SystemClock
from operator_tui.profiles import Profile, open_profile
from operator_tui.sync.enrol import enrol
from operator_tui.sync.link import Link
from operator_tui.sync.packing import pack
from operator_tui.sync.protocol import SYNC_PATH, SyncRequest
from operator_tui.sync.settings import CentralSettings
from tests.peers.central import CentralServer
from tests.peers.postgres import Postgres
from tests.sync.test_link import Certificate, make_certificate
from tests.timing import tell_if_slow


@pytest.fixture
def profile() -> Profile:
    profile = open_profile("demo")
    profile.make_folders()
    return profile


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    return make_certificate(tmp_path, "server")


def cli(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "operator_tui", "central", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


async def test_an_answer_goes_out_in_pieces_at_once() -> None:
    """Else its body waits for the acknowledgement of its head: a round trip of the line, or 40 ms."""
    delayed: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        said = writer.get_extra_info("socket")
        delayed.set_result(said.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    bound = listen(Address(host="127.0.0.1", port=0))
    async with await asyncio.start_server(connected, sock=bound):
        _, writer = await asyncio.open_connection(*bound.getsockname())
        assert await delayed != 0
        writer.close()


def test_a_desk_that_died_without_a_word_is_not_spoken_to_for_long() -> None:
    """Its stream is the lease of its presence: the kernel alone would keep it open for a quarter of an hour."""
    with listen(Address(host="127.0.0.1", port=0)) as bound:
        bound.listen()
        with socket.create_connection(bound.getsockname()), bound.accept()[0] as taken:
            assert 40_000 < taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) <= 60_000


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
async def test_it_ends_within_two_seconds_with_requests_open(profile: Profile, number: signal.Signals) -> None:
    with CentralServer(profile.central_socket) as server:
        link = Link(CentralSettings(), socket=profile.central_socket)
        identity = await enrol(link, server.enrolment_code("Петрова Анна"))
        request = SyncRequest(v=1, d=identity.code, wait=25)

        async def wait() -> None:
            async with link.post(SYNC_PATH, pack(request), token=identity.token) as chunks:
                async for _ in chunks:
                    pass

        waiting = asyncio.create_task(wait())
        await asyncio.sleep(0.3)  # the request is under way: there is nothing to see of it from here
        assert not waiting.done()
        before = time.monotonic()
        # Well before the request is answered by itself, and before whoever ends it has to kill it.
        assert await asyncio.to_thread(server.stop, number, within_s=20) == 0
        tell_if_slow("the end of a server with a request open", time.monotonic() - before, 2)
        await asyncio.wait({waiting}, timeout=60)
        assert waiting.done()
        waiting.exception()
        await link.close()


def test_a_second_server_on_the_same_socket_is_refused(profile: Profile) -> None:
    with CentralServer(profile.central_socket):
        second = cli("serve", "--socket", str(profile.central_socket))
        assert second.returncode == 1
        assert second.stderr.startswith("Сервер по адресу")
        assert "Traceback" not in second.stderr
    with CentralServer(profile.central_socket) as again:
        assert again.address == str(profile.central_socket)


def test_a_dead_servers_socket_is_taken_over(profile: Profile) -> None:
    with CentralServer(profile.central_socket) as server:
        server.kill()
        assert profile.central_socket.exists()
        server.start()


async def test_over_tls_on_a_port(certificate: Certificate) -> None:
    arguments = ("--port", "0", "--tls-cert", str(certificate.cert), "--tls-key", str(certificate.key))
    with CentralServer(None, arguments=arguments) as server:
        for settings in ({"ca_file": str(certificate.cert)}, {"pin": certificate.pin}):
            link = Link(CentralSettings(url=f"https://{server.address}", **settings))
            identity = await enrol(link, server.enrolment_code("Петрова Анна"))
            assert identity.operator.name == "Петрова Анна"
            await link.close()


def test_a_port_in_use_is_refused() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        second = cli("serve", "--port", str(taken.getsockname()[1]))
    assert second.returncode == 1
    assert second.stderr.startswith("Сервер по адресу 127.0.0.1:")


def test_plain_http_health_on_a_port() -> None:
    with CentralServer(None, arguments=("--port", "0")) as server:
        before = SystemClock().now_ms()
        answer = httpx.get(f"http://{server.address}/v1/health", trust_env=False, timeout=60)
        assert (answer.status_code, answer.json()["protocol"]) == (200, 1)
        assert abs(answer.json()["t"] - before) < 60_000
        assert "server" not in answer.headers


@pytest.mark.needs("postgresql")
def test_migrate_and_enrolment_code_on_postgresql(postgres: Postgres) -> None:
    url = postgres.fresh()
    assert cli("migrate", "--database", url).stdout.startswith("База данных готова")
    about = ("--name", "Петрова Анна", "--role", "o2", "--extension", "2002", "--organisation", "26/tf")
    code = cli("enrolment-code", "--database", url, *about)
    assert code.returncode == 0
    assert len(code.stdout.strip()) == 14


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("migrate", "--database", "postgresql+psycopg://u:secret@127.0.0.1/x"), "Неверный адрес базы данных"),
        (("serve", "--database", "postgresql+psycopg://u@127.0.0.1:1/x"), "База данных сервера недоступна"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(arguments: tuple[str, ...], sentence: str) -> None:
    done = cli(*arguments)
    assert done.returncode == 1
    assert done.stderr.startswith(sentence)
    assert "Traceback" not in done.stderr
    assert "secret" not in done.stderr


def test_a_copy_is_made_never_overwritten_and_comes_back_as_a_new_lineage(tmp_path: Path) -> None:
    assert cli("migrate").returncode == 0
    copy = tmp_path / "copy.db"
    assert cli("backup", str(copy)).stdout.startswith("Копия готова")
    again = cli("backup", str(copy))
    assert again.returncode == 1
    assert "уже есть" in again.stderr
    assert cli("verify").stdout.strip().endswith("Цепочки целы.")
    restored = cli("restore", str(copy))
    assert restored.returncode == 0
    assert "новая эпоха" in restored.stdout
    assert cli("verify").returncode == 0
    assert cli("restore", str(tmp_path / "nothing.db")).returncode == 2, "a file that is not there is wrong use"


def test_a_live_profile_without_a_database_of_its_own_asks_for_its_vault() -> None:
    def said(*arguments: str, given: str) -> tuple[int, str]:
        command = [sys.executable, "-m", "operator_tui", "central", *arguments, "--profile", "office"]
        done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=300, check=False)
        return done.returncode, done.stdout + done.stderr

    file = open_profile("office").central_file
    assert said("migrate", given="")[0] == 1
    assert said("migrate", given="кедр\n")[0] == 1
    assert not file.exists(), "nothing is made under no passphrase, nor under a weak one"
    code, words = said("migrate", given="шесть кедров у дороги\n")
    assert (code, file.exists()) == (0, True), words
    code, words = said("verify", given="пять кедров у дороги\n")
    assert (code, "Пароль не подходит" in words) == (1, True)
    code, words = said("verify", given="шесть кедров у дороги\n")
    assert (code, "Цепочки целы" in words) == (0, True), words
    who = ("--name", "Орлова Мария Петровна", "--extension", "3001", "--organisation", "26/tf")
    code, words = said("admin", "create", "orlova", *who, given="шесть кедров у дороги\nпароль администратора\n")
    assert code == 0, words
