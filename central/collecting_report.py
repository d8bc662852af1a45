"""How a federal collector says how it stands: to systemd, to Prometheus, and in words for whoever looks."""

from __future__ import annotations

import os
import socket
from datetime import UTC, datetime
from pathlib import Path

from central.collected import Collection
from central.metrics import braces
from central.witness import Break
from operator_tui.appeals.clock import Clock
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.i18n import mark, tr

_WHAT = {
    "body": mark("текст записи изменён"),
    "hash": mark("запись изменена"),
    "gap": mark("сервер не отдаёт запись"),
    "head": mark("история переписана"),
    "cut": mark("конец истории отрезан"),
    "gone": mark("потока на сервере больше нет"),
}
_HOW = {"healed": mark("сошлась сама"), "anew": mark("взято заново")}
_PREFIX = "operator_tui_collector"


class Report:
    """To be called after every answer of the server (True) and when there was none (False)."""

    def __init__(self, collection: Collection, clock: Clock, figures: Path | None) -> None:
        """``figures`` is a file for the textfile collector of Prometheus' node_exporter."""
        self._collection = collection
        self._clock = clock
        self._figures = figures
        self._heard_ms: int | None = None

    def __call__(self, heard: bool) -> None:
        """Refusal(DISK_FAILED) when the figures can not be written: nobody would know that they are old."""
        if heard:
            self._heard_ms = self._clock.now_ms()
        notify(f"READY=1\nSTATUS={self._status(heard)}")
        if self._figures is not None:
            _replace(self._figures, figures(self._collection, self._heard_ms))

    def _status(self, heard: bool) -> str:
        broken = [f"{each.stream} ({tr('запись')} {each.seq})" for each in self._collection.broken()]
        parts = [
            tr("ЦЕПОЧКА НАРУШЕНА: {streams}").format(streams=", ".join(broken)) if broken else tr("Цепочки целы"),
            tr("собрано событий: {count}").format(count=sum(self._collection.cursors().values())),
            "" if heard else tr("сервер ещё не ответил") if self._heard_ms is None else tr("сервер не отвечает"),
        ]
        return "; ".join(filter(None, parts))


def notify(message: str) -> None:
    """Tell systemd, if it is listening (sd_notify(3)); what it says of a unit is no reason to end one."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if address.startswith(("/", "@")):
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sending:
                sending.connect(address.replace("@", "\0", 1) if address[0] == "@" else address)
                sending.sendall(message.encode())
        except OSError:
            return


def figures(collection: Collection, heard_ms: int | None) -> str:
    """In Prometheus' text format (0.0.4), each with its region: several collectors' files are read as one."""
    region = {"region": collection.region}
    broken = collection.broken()
    gauges = [
        ("broken_streams", region, len(broken)),
        *(("broken_at_entry", {**region, "stream": each.stream}, each.seq) for each in _of_each_stream(broken)),
        ("events", region, sum(collection.cursors().values())),
        *([] if heard_ms is None else [("heard_timestamp_seconds", region, heard_ms // 1000)]),
    ]
    lines: list[str] = []
    for name, labels, value in gauges:
        head = f"# TYPE {_PREFIX}_{name} gauge"
        lines += [] if head in lines else [head]
        lines.append(f"{_PREFIX}_{name}{braces(labels)} {value}")
    return "\n".join(lines) + "\n"


def described(collection: Collection) -> list[str]:
    """What is here, a line a stream: its name, its last entry, how many entries of former versions are kept beside; and
    a line for every break there ever was."""
    identity = collection.identity
    lines = [
        "\t".join((collection.region, identity.device if identity else "", collection.epoch)),
        *("\t".join((name, str(seq), str(collection.gone(name)))) for name, seq in collection.cursors().items()),
    ]
    return lines + [broken_line(each) for each in collection.breaks()]


def broken_line(found: Break) -> str:
    """A break in words: stream, place, what was expected and what the server told, since when and how it ended."""
    hashes = tr("Ожидалось {expected}, сервер назвал {seen}.").format(
        expected=found.expected or tr("(ничего)"), seen=found.seen or tr("(ничего)")
    )
    said = tr("{stream}, запись {seq}: {what}. {hashes} С {since}").format(
        stream=found.stream, seq=found.seq, what=tr(_WHAT[found.what]), hashes=hashes, since=_moment(found.since_ms)
    )
    if found.ended_ms is None:
        return tr("НАРУШЕНО {said}.").format(said=said)
    ended = tr("Было: {said} по {until}: {how}.")
    return ended.format(said=said, until=_moment(found.ended_ms), how=tr(_HOW[found.how]))


def demand_sound(broken: list[Break]) -> None:
    """Refusal(COLLECTED_BROKEN) while somebody has to look at a break."""
    if broken:
        count = len({each.stream for each in broken})
        raise Refusal(Code.COLLECTED_BROKEN, stream=broken[0].stream, seq=broken[0].seq, count=count)


def _of_each_stream(broken: list[Break]) -> list[Break]:
    """One a stream: of two lineages the break that was found first."""
    first: dict[str, Break] = {}
    for each in broken:
        first.setdefault(each.stream, each)
    return list(first.values())


def _moment(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%d.%m.%Y %H:%M} UTC"


def _replace(file: Path, text: str) -> None:
    """Whoever reads finds the former file or the new one, whole; it holds figures alone and may be read by all."""
    beside = file.with_name(f".{file.name}.new")
    try:
        beside.write_text(text)
        beside.chmod(0o644)
        beside.replace(file)
    except OSError as error:
        raise Refusal(Code.DISK_FAILED, path=str(file), reason=error.strerror or "") from None
