"""``central insured``, ``insured-delta``, ``package``: the registry for offices without a copy of it, and with one."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from operator_tui.registry.records import Source

_FILE: click.Path = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("insured", help="Отдать реестр региона в PostgreSQL; прежний служит, пока новый не готов.")
@click.option("--database", "url", metavar="URL", required=True, help="postgresql+psycopg://имя@узел/база.")
@click.option("--region", required=True, help="Код территории, две цифры, например 26.")
@click.option("--db", "file", type=_FILE, required=True, help="Файл индекса (registry load).")
@click.option("--key-file", type=_FILE, envvar="OPERATOR_TUI_KEY_FILE", required=True, help="Файл ключа.")
def insured(url: str, region: str, file: Path, key_file: Path) -> None:
    """Copy a finished registry file into the region's schema."""
    from central.registry.publish import publish
    from central.store.database import Database
    from operator_tui.registry.keys import read_key

    if not region.isdecimal() or len(region) != 2:
        raise click.UsageError("--region: две цифры")
    key = read_key(key_file)
    database = Database.postgres(url)
    seen = 0
    try:
        with click.progressbar(length=1000, label="Передаём реестр", file=sys.stderr) as bar:

            def report(share: float) -> None:
                nonlocal seen
                reached = int(share * 1000)
                bar.update(max(0, reached - seen))
                seen = max(seen, reached)

            count = publish(database.engine, region, file, key, report)
    finally:
        database.close()
    click.echo(f"Передано: {count} человек, регион {region}")


@click.command("insured-delta", help="Внести изменения за день в реестр региона в PostgreSQL одной транзакцией.")
@click.option("--database", "url", metavar="URL", required=True, help="postgresql+psycopg://имя@узел/база.")
@click.option("--region", required=True, help="Код территории, две цифры, например 26.")
@click.option("--csv", "csv_file", type=_FILE, help="Изменения в CSV.")
@click.option("--dbf", "dbf_file", type=_FILE, help="Изменения в DBF.")
@click.option("--xml", "xml_file", type=_FILE, help="Изменения в XML.")
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="На какой день данные; иначе день файла.")
def insured_delta(url: str, region: str, as_of: datetime | None, **files: Path | None) -> None:
    """Apply a delta; one wrong record refuses all of it."""
    from central.registry.delta import apply
    from central.store.database import Database
    from operator_tui.registry.faults import Faults
    from operator_tui.registry.records import changes

    source, day = _the_list(files, as_of)
    faults = Faults(source.file)
    found = list(changes(source, faults))
    faults.refuse()
    database = Database.postgres(url)
    try:
        done = apply(database.engine, region, found, day, name=source.file.name)
    finally:
        database.close()
    click.echo(
        f"Внесено: новых {done.new}, изменено {done.changed}, снято {done.removed}, без изменений {done.same},"
        f" регион {region}"
    )


def _the_list(files: Mapping[str, Path | None], as_of: datetime | None) -> tuple[Source, date]:
    """The one list that was given, and the day of its data."""
    from operator_tui.registry.lists import open_list

    given = [(name.removesuffix("_file"), file) for name, file in files.items() if file]
    if len(given) != 1:
        raise click.UsageError("нужен ровно один список: --csv, --dbf или --xml")
    ((kind, file),) = given
    source = open_list(file, kind)
    day = as_of.date() if as_of else source.as_of or datetime.fromtimestamp(file.stat().st_mtime, UTC).date()
    return source, day


@click.command("package", help="Подготовить список или изменения за день к передаче рабочим местам региона.")
@click.option("--region", required=True, help="Код территории, две цифры, например 26.")
@click.option("--csv", "csv_file", type=_FILE, help="Список в CSV.")
@click.option("--dbf", "dbf_file", type=_FILE, help="Список в DBF.")
@click.option("--xml", "xml_file", type=_FILE, help="Список в XML.")
@click.option("--delta", is_flag=True, help="Это изменения за день, а не полный список.")
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="На какой день данные; иначе день файла.")
@click.option("--folder", type=click.Path(file_okay=False), envvar="OPERATOR_TUI_PACKAGES", required=True)
def package(region: str, delta: bool, as_of: datetime | None, folder: str, **files: Path | None) -> None:
    """Make a package; the server (with the same OPERATOR_TUI_PACKAGES) offers it at once."""
    from central.registry.share import FOLDER_VARIABLE, share

    os.environ[FOLDER_VARIABLE] = folder
    source, day = _the_list(files, as_of)
    made = share(region, source, day, delta=delta)
    click.echo(f"Подготовлено: {made.people} записей, {made.size} байт, данные на {day:%d.%m.%Y}, регион {region}")
