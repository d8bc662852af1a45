"""How a collector says how it stands: to systemd, to Prometheus and in words."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from central.collected import Collection
from central.collecting import follow
from central.collecting_report import Report, broken_line, demand_sound, described
from operator_tui.appeals.errors import Code, Refusal
from tests.central.collecting.wire import AUDIT, FUND, INSURER, REFERENCE, cut_off, line, set_body, stored
from tests.central.desks import Office

pytestmark = pytest.mark.parametrize("open_database", ["sqlite"], indirect=True)


@pytest.fixture
def systemd(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """What a unit of Type=notify is listened to by."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(b"\0operator-tui-%d" % os.getpid())
        listening.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", f"@operator-tui-{os.getpid()}")
        yield listening


def _heard(systemd: socket.socket) -> str:
    return systemd.recv(4096).decode()


async def test_systemd_is_told_which_chain_broke(
    office: Office, collection: Collection, systemd: socket.socket
) -> None:
    report = Report(collection, office.clock, None)
    report(False)
    assert _heard(systemd) == "READY=1\nSTATUS=Цепочки целы; собрано событий: 0; сервер ещё не ответил"
    set_body(office, FUND, 2, '{"a":1}')
    await follow(line(office), collection, once=True, report=report)
    count = sum(collection.cursors().values())
    assert _heard(systemd) == f"READY=1\nSTATUS=ЦЕПОЧКА НАРУШЕНА: 26/tf (запись 2); собрано событий: {count}"
    report(False)
    assert _heard(systemd).endswith("; сервер не отвечает")


@pytest.mark.parametrize("address", ["", "@nobody-listens-there", "/nonexistent/notify", "vsock:1:2"])
def test_nobody_who_listens_ends_no_collector(
    office: Office, collection: Collection, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    Report(collection, office.clock, None)(True)


async def test_prometheus_reads_a_whole_file_of_figures(office: Office, collection: Collection, tmp_path: Path) -> None:
    file = tmp_path / "26.prom"
    report = Report(collection, office.clock, file)
    report(False)
    assert file.read_text() == (
        "# TYPE operator_tui_collector_broken_streams gauge\n"
        'operator_tui_collector_broken_streams{region="26"} 0\n'
        "# TYPE operator_tui_collector_events gauge\n"
        'operator_tui_collector_events{region="26"} 0\n'
    )
    set_body(office, FUND, 2, '{"a":1}')
    set_body(office, INSURER, 1, '{"a":1}')
    await follow(line(office), collection, once=True, report=report)
    office.clock.advance(60)
    report(False)  # what was heard last stays
    heard_s = office.clock.now_ms() // 1000 - 60
    assert [said for said in file.read_text().splitlines() if not said.startswith("#")] == [
        'operator_tui_collector_broken_streams{region="26"} 2',
        'operator_tui_collector_broken_at_entry{region="26",stream="26/smo-26001"} 1',
        'operator_tui_collector_broken_at_entry{region="26",stream="26/tf"} 2',
        f'operator_tui_collector_events{{region="26"}} {sum(collection.cursors().values())}',
        f'operator_tui_collector_heard_timestamp_seconds{{region="26"}} {heard_s}',
    ]
    types = [said for said in file.read_text().splitlines() if said.startswith("#")]
    assert len(types) == len(set(types)) == 4
    assert file.stat().st_mode & 0o777 == 0o644
    assert [path.name for path in tmp_path.glob("*.prom*")] == ["26.prom"]
    with pytest.raises(Refusal) as refused:
        Report(collection, office.clock, tmp_path / "nowhere" / "26.prom")(True)
    assert refused.value.code is Code.DISK_FAILED


async def test_in_words_it_says_which_place_what_and_since_when(office: Office, collection: Collection) -> None:
    await follow(line(office), collection, once=True)
    demand_sound(collection.broken())
    cut_off(office, INSURER, 1)
    await follow(line(office), collection, once=True)
    (found,) = collection.broken()
    moment = f"{datetime.fromtimestamp(office.clock.now_ms() / 1000, UTC):%d.%m.%Y %H:%M} UTC"
    said = (
        f"26/smo-26001, запись 2: конец истории отрезан. Ожидалось {found.expected}, сервер назвал (ничего). С {moment}"
    )
    identity = collection.identity
    assert identity is not None
    assert described(collection) == [
        f"26\t{identity.device}\t{collection.epoch}",
        f"{AUDIT}\t{len(stored(office)[AUDIT])}\t0",
        f"{REFERENCE}\t1\t0",
        f"{INSURER}\t2\t0",
        f"{FUND}\t2\t0",
        f"НАРУШЕНО {said}.",
    ]
    with pytest.raises(Refusal) as refused:
        demand_sound(collection.broken())
    assert refused.value.params == {"stream": INSURER, "seq": 2, "count": 1}
    office.clock.advance(86_400)
    collection.take_anew(INSURER)
    await follow(line(office), collection, once=True)
    until = f"{datetime.fromtimestamp(office.clock.now_ms() / 1000, UTC):%d.%m.%Y %H:%M} UTC"
    assert broken_line(collection.breaks()[0]) == f"Было: {said} по {until}: взято заново."
    assert f"{INSURER}\t1\t1" in described(collection)
