"""Command line of the registry: ``operator-tui check`` and ``operator-tui registry``.

``check`` opens no database and no network.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NamedTuple

import click

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.registry.keys import read_key

_KEY_FILE = "OPERATOR_TUI_KEY_FILE"
_EXISTING = click.Path(exists=True, dir_okay=False, path_type=Path)
_FILE = click.Path(dir_okay=False, path_type=Path)
_WORTH_PROCESSES = 60_000  # people; a shorter list is read before another process has begun


@click.command(
    "check",
    help="Проверить номер: enp, snils, iin, phone или mkb. Выход 0 - верный, 1 - нет.",
    # A hyphen before a number is one of those that are taken, not an option.
    context_settings={"ignore_unknown_options": True},
)
@click.argument("kind", type=click.Choice(["enp", "snils", "iin", "phone", "mkb"]))
@click.argument("value", nargs=-1, required=True)
def check(kind: str, value: tuple[str, ...]) -> None:
    """Say in one line whether the value is valid; blanks may split it into several arguments."""
    from operator_tui.registry.identifiers import CHECKS

    verdict = CHECKS[kind](" ".join(value))
    click.echo(" ".join(filter(None, (verdict.reason, verdict.warning))))
    sys.exit(0 if verdict.valid else 1)


@click.group("registry", help="Реестр застрахованных: generate, load, delta, search.")
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


def _list_options(command: Callable[..., None]) -> Callable[..., None]:
    """What load and delta have in common."""
    options = (
        click.option("--csv", "csv_file", type=_EXISTING, help="Список в CSV (UTF-8 или windows-1251)."),
        click.option("--dbf", "dbf_file", type=_EXISTING, help="Список в DBF (cp866)."),
        click.option("--xml", "xml_file", type=_EXISTING, help="Список в XML (windows-1251)."),
        click.option("--db", "file", type=_FILE, required=True, help="Файл индекса."),
        click.option("--key-file", type=_FILE, envvar=_KEY_FILE, help="Файл ключа (32 байта или 64 знака hex)."),
        click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="На какой день данные; иначе день файла."),
        click.option("--errors", type=_FILE, help="Куда записать список ошибок ФЛК (.xml или .csv)."),
        click.option("--skip-errors", is_flag=True, help="Загрузить верные записи, неверные пропустить."),
        click.option("--dry-run", is_flag=True, help="Только проверить файл, ничего не менять."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@registry.command("load", help="Построить индекс из полного списка. Прежний индекс служит, пока новый не готов.")
@_list_options
@click.option("--replace", is_flag=True, help="Загрузить, даже если людей стало меньше половины прежнего.")
def load(file: Path, key_file: Path | None, as_of: datetime | None, dry_run: bool, replace: bool, **given: Any) -> None:
    """Build the index; without a key file only generated people, with a key of their own beside the index."""
    from operator_tui.registry import records
    from operator_tui.registry.lists import made_up_only
    from operator_tui.registry.load import build, shrinks

    job = _Job(given)
    day = as_of.date() if as_of else job.day
    known = _known(file, key_file or _beside(file))
    with _Progress(1000, "Проверяем список" if dry_run else "Загружаем реестр") as report:

        def people() -> Iterator[Any]:
            found = records.people(job.source, job.faults)
            for count, person in enumerate(found if key_file else made_up_only(found), 1):
                yield person
                if dry_run and count % 1000 == 0:
                    report(job.source.done())
            job.finish()

        if dry_run:
            count = sum(1 for _ in people())
        else:
            size = max(1, job.source.file.stat().st_size // 250)
            many = job.many(made_up_only=not key_file) if size > _WORTH_PROCESSES else None
            with _key_of(file, key_file) as key:
                count = build(
                    file, key, many or people(), expected=size, progress=report, as_of=day,
                    known=known.people if known and not replace else 0,
                )  # fmt: skip
    job.tell()
    click.echo(f"Проверено: {count} человек, ничего не изменено" if dry_run else f"Загружено: {count} человек, {file}")
    if dry_run:
        _tell_beside(file, known, day)
        if not count:
            click.echo("В списке нет никого: такой не загрузится.")
        elif known and shrinks(count, known.people):
            click.echo(f"Это меньше половины имеющихся ({known.people}): такой загрузится только с --replace.")


@registry.command("delta", help="Внести изменения за день. Рабочие места ищут, не прерываясь.")
@_list_options
def delta(file: Path, key_file: Path | None, as_of: datetime | None, dry_run: bool, **given: Any) -> None:
    """Apply a delta: records with ``op`` u (or nothing) are people as they are now, d is a removal."""
    from operator_tui.registry import records
    from operator_tui.registry.delta import apply
    from operator_tui.registry.lists import is_made_up

    job = _Job(given)
    found = list(records.changes(job.source, job.faults))  # a day's changes: a few thousand
    job.finish()
    if dry_run:
        job.tell()
        click.echo(f"Проверено: {len(found)} записей, ничего не изменено")
        _tell_beside(file, _known(file, key_file or _beside(file)), as_of.date() if as_of else job.day)
        if not found:
            click.echo("В списке нет ни одной записи.")
        return
    if not key_file and not all(is_made_up(change.enp) for change in found):
        raise Refusal(Code.REGISTRY_KEY_NEEDED)
    key = read_key(key_file or _demand(file))
    with _Progress(max(1, len(found)), "Вносим изменения") as report:
        done = apply(
            file, key, found, as_of.date() if as_of else job.day, name=job.source.file.name,
            progress=lambda count: report(count / max(1, len(found))),
        )  # fmt: skip
    job.tell()
    click.echo(
        f"Внесено: новых {done.new}, изменено {done.changed}, снято {done.removed}, без изменений {done.same}, {file}"
    )


class _Known(NamedTuple):
    """What stands in a registry: how many people, and of which day the data are."""

    people: int
    day: date


def _known(file: Path, key_file: Path) -> _Known | None:
    """The registry that is there; None where there is none, or none that opens with this key."""
    from operator_tui.registry.index import Registry

    try:
        opened = Registry.open(file, read_key(key_file))
    except Refusal:
        return None
    try:
        return _Known(opened.size, opened.as_of)
    finally:
        opened.close()


def _tell_beside(file: Path, known: _Known | None, day: date) -> None:
    """What a dry run says of a list of that day beside the registry there is."""
    if known is not None and day < known.day:
        click.echo(f"Данные за {day:%d.%m.%Y} старее имеющихся ({known.day:%d.%m.%Y}).")
    elif known is None and not file.exists():
        click.echo(f"Реестра ещё нет: {file}")
    elif known is None:
        click.echo(f"Имеющийся реестр не открылся, с ним не сравнено: {file}")


class _Job:
    """One list to be imported, with what is wrong in it."""

    def __init__(self, given: dict[str, Any]) -> None:
        from operator_tui.registry.faults import Faults
        from operator_tui.registry.lists import open_list

        files = [(kind, given[f"{kind}_file"]) for kind in ("csv", "dbf", "xml") if given[f"{kind}_file"]]
        if len(files) != 1:
            raise click.UsageError("нужен ровно один список: --csv, --dbf или --xml")
        kind, file = files[0]
        self.source = open_list(file, kind)
        self.faults = Faults(file)
        self._errors: Path | None = given["errors"]
        self._skip = bool(given["skip_errors"])

    @property
    def day(self) -> date:
        """The day the file itself tells, else the day it was written."""
        return self.source.as_of or datetime.fromtimestamp(self.source.file.stat().st_mtime, UTC).date()

    def many(self, *, made_up_only: bool) -> Any:
        """The list read by several processes, where there are processors for it and the format can be cut."""
        from operator_tui.registry.lists import CsvList
        from operator_tui.registry.pieces import Pieces, processes

        workers = processes()
        if workers < 2 or not isinstance(self.source, CsvList):
            return None
        return Pieces(self.source, self.faults, workers, finish=self.finish, made_up_only=made_up_only)

    def finish(self) -> None:
        """The whole list was read: write the list of faults; Refusal(REGISTRY_FAULTS) unless they may be skipped."""
        if self._errors:
            self.faults.write(self._errors)
        if not self._skip:
            self.faults.refuse()

    def tell(self) -> None:
        """Say on stderr what was passed over."""
        if self.faults.errors:
            click.echo(f"Пропущено неверных записей: {self.faults.errors}", err=True)
        if self.faults.warnings:
            click.echo(f"Предупреждений: {self.faults.warnings} (ЕНП не сходится с датой рождения или полом)", err=True)


@registry.command("search", help="Искать так, как ищет рабочее место.")
@click.option("--db", "file", type=_FILE, required=True, help="Файл индекса.")
@click.option("--key-file", type=_FILE, envvar=_KEY_FILE, help="Файл ключа; иначе FILE.key рядом с индексом.")
@click.option("--json", "as_json", is_flag=True, help="Ответ одной строкой JSON.")
@click.option("--stdin", "from_stdin", is_flag=True, help="По строке JSON на каждую прочитанную строку.")
@click.argument("query", required=False)
def search(file: Path, key_file: Path | None, as_json: bool, from_stdin: bool, query: str | None) -> None:
    """Search once, or once for each line of stdin. Nobody found is exit 0."""
    from operator_tui.registry.index import Registry
    from operator_tui.registry.query import parse_line

    if (query is None) == (not from_stdin):
        raise click.UsageError("нужен запрос или --stdin (что-то одно)")
    opened = Registry.open(file, read_key(key_file or _demand(file)))
    try:
        if from_stdin:
            for line in sys.stdin.buffer:
                _answer(opened, line.decode("utf-8", "replace").rstrip("\r\n"), as_json=True)
        else:
            if parse_line(query or "").empty:
                raise Refusal(Code.SEARCH_EMPTY)
            _answer(opened, query or "", as_json=as_json)
    finally:
        opened.close()


def _answer(opened: Any, query: str, *, as_json: bool) -> None:
    import msgspec

    from operator_tui.registry.query import parse_line
    from operator_tui.sentences import sentence

    found = opened.search(query)
    if as_json:
        hits = [_told(hit) for hit in found.hits]
        answer = {
            "query": query, "hits": hits, "more": found.more, "ms": found.ms, "repaired": found.repaired,
            "partial": found.partial,
            "note": sentence(Refusal(Code.SEARCH_EMPTY)) if parse_line(query).empty else found.note,
        }  # fmt: skip
        click.echo(msgspec.json.encode(answer).decode())
        return
    for hit in found.hits:
        person = hit.person
        mark = "возможно: " if hit.repaired else f"прежде {hit.former}: " if hit.former else "~ " if hit.read else ""
        told = (person.full_name, person.birth_date, f"ЕНП {person.enp}", person.clinic)
        click.echo(mark + ", ".join(filter(None, told)))
    if found.note:
        click.echo(found.note)


def _told(hit: Any) -> dict[str, Any]:
    """A hit as JSON, with the parts of the person that are kept together."""
    import msgspec

    person = hit.person
    parts = {
        name: msgspec.to_builtins(found)
        for name in ("previous", "policies", "attachments", "representative", "merged_with", "death_date", "warning")
        if (found := getattr(person, name))
    }
    told = {**msgspec.to_builtins(person), **parts, "repaired": hit.repaired, "former": hit.former, "read": hit.read}
    told.pop("more", None)
    return told | ({"phones": person.phones} if len(person.phones) > 1 else {})


def _demand(file: Path) -> Path:
    """The key beside an index that is there. Refusal(REGISTRY_MISSING)."""
    if not file.exists():
        raise Refusal(Code.REGISTRY_MISSING, path=str(file))
    return _beside(file)


def _beside(file: Path) -> Path:
    return file.with_name(file.name + ".key")


@contextmanager
def _key_of(file: Path, key_file: Path | None) -> Iterator[bytes]:
    """The key of an index that is made within: that of the file, or the one beside the index. A new one is written
    there first, so that no index is ever without its key, and goes again when no index came of it.
    """
    place = _beside(file)
    if key_file or place.exists():
        yield read_key(key_file or place)
        return
    key = _new_key(place)
    try:
        yield key
    finally:
        if not file.exists():
            place.unlink(missing_ok=True)


def _new_key(place: Path) -> bytes:
    key = os.urandom(32)
    try:
        with os.fdopen(os.open(place, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as stream:
            stream.write(key.hex().encode() + b"\n")
    except OSError as error:
        raise Refusal(Code.DISK_FAILED, path=str(place), reason=error.strerror or "") from error
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
