"""``operator-tui central insured``: a region's registry for the offices that hold no copy of it."""

from __future__ import annotations

import sys
from pathlib import Path

import click

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
