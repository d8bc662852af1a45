"""Command line of the registry: ``operator-tui check`` and ``operator-tui registry``.

``check`` opens no database and no network.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from operator_tui.appeals.errors import Code, Refusal

_KEY_FILE = "OPERATOR_TUI_KEY_FILE"
_EXISTING = click.Path(exists=True, dir_okay=False, path_type=Path)
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("check", help="Проверить номер: enp, snils, iin, phone или mkb. Выход 0 - верный, 1 - нет.")
@click.argument("kind", type=click.Choice(["enp", "snils", "iin", "phone", "mkb"]))
@click.argument("value", nargs=-1, required=True)
def check(kind: str, value: tuple[str, ...]) -> None:
    """Say in one line whether the value is valid; blanks may split it into several arguments."""
    from operator_tui.registry.identifiers import CHECKS

    verdict = CHECKS[kind](" ".join(value))
    click.echo(" ".join(filter(None, (verdict.reason, verdict.warning))))
    sys.exit(0 if verdict.valid else 1)


@click.group("registry", help="Реестр застрахованных: generate, load, search.")
def registry() -> None:
    """The group alone does nothing."""


@registry.command("generate", help="Создать CSV выдуманных людей (одинаковый при тех же параметрах).")
@click.option("--people", type=click.IntRange(1, 50_000_000), required=True, help="Сколько человек.")
@click.option("--seed", type=int, default=2026, show_default=True, help="Зерно случайности.")
@click.option("--csv", "file", type=_FILE, required=True, help="Файл, который будет создан.")
def generate(people: int, seed: int, file: Path) -> None:
    """Write the synthetic registry."""
    from operator_tui.registry import generator
    from operator_tui.registry.lists import write_csv

    with _Progress(people, "Создаём людей") as report:
        try:
            made = write_csv(file, generator.people(people, seed, lambda done: report(done / people)))
        except OSError as error:
            raise Refusal(Code.DISK_FAILED, path=str(file), reason=error.strerror or "") from error
    click.echo(f"Создано: {made} человек, {file}")


@registry.command("load", help="Построить индекс реестра из CSV. Прежний индекс остаётся, пока новый не готов.")
@click.option("--csv", "source", type=_EXISTING, required=True, help="Что загрузить.")
@click.option("--db", "file", type=_FILE, required=True, help="Файл индекса.")
@click.option("--key-file", type=_FILE, envvar=_KEY_FILE, help="Файл ключа (32 байта или 64 знака hex).")
def load(source: Path, file: Path, key_file: Path | None) -> None:
    """Build the index; without a key file only generated people, with a key of their own beside the index."""
    from operator_tui.registry.lists import made_up_only, read_csv
    from operator_tui.registry.load import build

    people = read_csv(source)
    if key_file is None:
        people = made_up_only(people)
        key = _own_key(file)
    else:
        key = _read_key(key_file)
    expected = max(1, source.stat().st_size // 250)
    with _Progress(1000, "Загружаем реестр") as report:
        count = build(file, key, people, expected=expected, progress=report)
    click.echo(f"Загружено: {count} человек, {file}")


@registry.command("search", help="Искать так, как ищет рабочее место.")
@click.option("--db", "file", type=_FILE, required=True, help="Файл индекса.")
@click.option("--key-file", type=_FILE, envvar=_KEY_FILE, help="Файл ключа; иначе FILE.key рядом с индексом.")
@click.option("--json", "as_json", is_flag=True, help="Ответ одной строкой JSON.")
@click.option("--stdin", "from_stdin", is_flag=True, help="По строке JSON на каждую прочитанную строку.")
@click.argument("query", required=False)
def search(file: Path, key_file: Path | None, as_json: bool, from_stdin: bool, query: str | None) -> None:
    """Search once, or once for each line of stdin. Nobody found is exit 0."""
    from operator_tui.registry.index import Registry

    if (query is None) == (not from_stdin):
        raise click.UsageError("нужен запрос или --stdin (что-то одно)")
    opened = Registry.open(file, _read_key(key_file or _beside(file)))
    try:
        if from_stdin:
            for line in sys.stdin.buffer:
                _answer(opened, line.decode("utf-8", "replace").rstrip("\r\n"), as_json=True)
        else:
            if not (query or "").strip():
                raise Refusal(Code.SEARCH_EMPTY)
            _answer(opened, query or "", as_json=as_json)
    finally:
        opened.close()


@registry.command("delta", context_settings={"ignore_unknown_options": True, "allow_extra_args": True})
def delta() -> None:
    """Изменения реестра: в этой версии ещё не готово."""
    raise Refusal(Code.NOT_BUILT, command="registry delta")


def _answer(opened: Any, query: str, *, as_json: bool) -> None:
    import msgspec

    found = opened.search(query)
    if as_json:
        hits = [{**msgspec.to_builtins(hit.person), "repaired": hit.repaired} for hit in found.hits]
        answer = {
            "query": query, "hits": hits, "more": found.more, "ms": found.ms, "repaired": found.repaired,
            "partial": found.partial, "note": found.note,
        }  # fmt: skip
        click.echo(msgspec.json.encode(answer).decode())
        return
    for hit in found.hits:
        person = hit.person
        mark = "возможно: " if hit.repaired else ""
        click.echo(f"{mark}{person.full_name}, {person.birth_date}, ЕНП {person.enp}, {person.clinic}")
    if found.note:
        click.echo(found.note)


def _beside(file: Path) -> Path:
    return file.with_name(file.name + ".key")


def _own_key(file: Path) -> bytes:
    """The key beside the index; a new one is written there first, so that no index is ever without its key."""
    place = _beside(file)
    if place.exists():
        return _read_key(place)
    key = os.urandom(32)
    try:
        with os.fdopen(os.open(place, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as stream:
            stream.write(key.hex().encode() + b"\n")
    except OSError as error:
        raise Refusal(Code.DISK_FAILED, path=str(place), reason=error.strerror or "") from error
    return key


def _read_key(place: Path) -> bytes:
    """32 raw bytes, or the same in hexadecimal. Refusal(FILE_UNREADABLE) for anything else."""
    try:
        raw = place.read_bytes()
    except OSError as error:
        raise Refusal(Code.FILE_UNREADABLE, file=str(place), reason=error.strerror or "") from error
    if len(raw) == 32:
        return raw
    try:
        key = bytes.fromhex(raw.decode("ascii").strip())
    except (UnicodeDecodeError, ValueError):
        key = b""
    if len(key) != 32:
        raise Refusal(Code.FILE_UNREADABLE, file=str(place), reason="это не ключ из 32 байт")
    return key


class _Progress:
    """A progress bar on stderr, only where a person looks; gives a ``report(fraction)``."""

    def __init__(self, length: int, label: str) -> None:
        self._length = length
        self._bar = click.progressbar(length=length, label=label, file=sys.stderr)
        self._seen = 0

    def __enter__(self) -> Callable[[float], None]:
        self._bar.__enter__()
        return self._report

    def __exit__(self, *failure: Any) -> None:
        self._bar.__exit__(*failure)

    def _report(self, fraction: float) -> None:
        reached = int(fraction * self._length)
        if reached > self._seen:
            self._bar.update(reached - self._seen)
            self._seen = reached
