"""``operator-tui central reference``: federal registers and books of answers into the lists of a region, and a look."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from operator_tui.appeals.clock import SystemClock
from operator_tui.appeals.reference_forms import LISTS

_FILE: click.Path = click.Path(exists=True, dir_okay=False, path_type=Path)
_region = click.option("--region", required=True, help="Код территории, две цифры, например 26.")
Options = Callable[[Any], Any]
Open = Callable[[str, str | None], Any]


def reference_group(options: Options, open_database: Open) -> click.Group:
    """The group; ``options`` adds those that choose a database, ``open_database(profile, url)`` opens it."""

    @click.group("reference", help="Справочники региона: загрузить федеральные реестры и ответы, показать список.")
    def reference() -> None:
        """The group; each command opens what it needs."""

    @reference.command("import", help="Загрузить F002, F032 или книгу ответов; файл берётся целиком или не берётся.")
    @options
    @_region
    @click.option("--f002", type=_FILE, help="Реестр страховых организаций, XML.")
    @click.option("--f032", type=_FILE, help="Реестр медицинских организаций, XML.")
    @click.option("--answers", type=_FILE, help="Типовые ответы: Markdown того же вида, что scripts.md.")
    def take(profile_name: str, url: str | None, region: str, **files: Path | None) -> None:
        """Every file is read before anything is written."""
        _demand_region(region)
        given = {name: file for name, file in files.items() if file is not None}
        if not given:
            raise click.UsageError("нужен файл: --f002, --f032 или --answers")
        read = [_read(name, file, region) for name, file in given.items()]
        database = open_database(profile_name, url)
        try:
            for title, name, rows in read:
                count = _write(database, region, name, rows)
                click.echo(f"{title}: записей {len(rows)}, изменено {count}, регион {region}")
        finally:
            database.close()

    @reference.command("show", help="Показать список региона как CSV.")
    @options
    @_region
    @click.argument("name", type=click.Choice(list(LISTS)))
    def show(profile_name: str, url: str | None, region: str, name: str) -> None:
        """As it stands now, closed rows with off=1."""
        from central.reference import references
        from operator_tui.reference import packaged_catalogue

        _demand_region(region)
        database = open_database(profile_name, url)
        try:
            with database.read() as connection:
                known = references(database, packaged_catalogue()).now(connection, region).reference
        finally:
            database.close()
        columns = [*(column.name for column in LISTS[name].columns), "off"]
        writer = csv.writer(sys.stdout, delimiter=";", lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([row.get(column, "") for column in columns] for row in known.all(name).values())

    return reference


def _demand_region(region: str) -> None:
    if not (region.isascii() and region.isdecimal() and len(region) == 2):
        raise click.UsageError("--region: две цифры")


def _read(name: str, file: Path, region: str) -> tuple[str, str, dict[str, dict[str, str]]]:
    """What the file is called, the list it belongs to, its rows."""
    if name == "answers":
        return file.name, "answers", _answers(file)
    from operator_tui.registry.federal import Register, read_register

    register = Register(name.upper())
    return register.value, "organisations", read_register(file, register, region)


def _answers(file: Path) -> dict[str, dict[str, str]]:
    from operator_tui.answers.scripts import parse_scripts, row_of
    from operator_tui.appeals.errors import Code, Refusal

    try:
        scripts = parse_scripts(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise Refusal(Code.FILE_UNREADABLE, file=file.name, reason=str(error)) from None
    return {f"{script.id}:{script.language}": row_of(script) for script in scripts}


def _write(database: Any, region: str, name: str, rows: dict[str, dict[str, str]]) -> int:
    from central.reference import write
    from operator_tui.reference import packaged_catalogue

    return write(database, packaged_catalogue(), region, name, rows, SystemClock().now_ms())
