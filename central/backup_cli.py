"""``operator-tui central backup | restore | verify | new-epoch | move-region``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from operator_tui.appeals.errors import Code, Refusal

Options = Callable[[Any], Any]


def backup_commands(options: Options, open_for: Callable[[str, str | None], Any]) -> list[click.Command]:
    """The commands; ``options`` adds --profile and --database, ``open_for`` opens what they name."""

    @click.command(help="Сделать копию базы сервера; сервер при этом работает.")
    @click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
    @options
    def backup(file: Path, profile_name: str, url: str | None) -> None:
        from central.backup import backup as copy

        database = open_for(profile_name, url)
        try:
            durable = copy(database, file)
        finally:
            database.close()
        click.echo(f"Копия готова: {file}. Операций в ней: {durable}.")

    @click.command(help="Вернуть базу из копии; сервер должен быть остановлен. Рабочие места дошлют недостающее.")
    @click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
    @options
    def restore(file: Path, profile_name: str, url: str | None) -> None:
        epoch = _restore(file, profile_name, url)
        click.echo(f"База восстановлена, новая эпоха {epoch}. Прежняя база SQLite лежит рядом: .before-restore.")

    @click.command(help="Проверить цепочки записей; код 1, если запись изменена или пропала.")
    @options
    def verify(profile_name: str, url: str | None) -> None:
        from central.verify import verify as look

        database = open_for(profile_name, url)
        try:
            found = look(database)
        finally:
            database.close()
        for fault in found.faults:
            raise Refusal(Code.CHAIN_BROKEN, stream=fault.stream, seq=fault.seq)
        click.echo(f"Записей проверено: {found.entries}. Цепочки целы.")

    @click.command("move-region", help="Перенести регион в базу его собственного сервера (PostgreSQL), новая эпоха.")
    @click.argument("region")
    @click.option("--to", "to", required=True, metavar="URL", help="Пустая база: postgresql+psycopg://имя@узел/база.")
    @options
    def move_region(region: str, to: str, profile_name: str, url: str | None) -> None:
        from central.regions import move_region as move
        from central.store.database import Database

        source = open_for(profile_name, url)
        try:
            target = Database.postgres(to)
            try:
                entries = move(source, target, region)
            finally:
                target.close()
        finally:
            source.close()
        click.echo(f"Регион {region} перенесён, записей: {entries}. Задайте рабочим местам адрес нового сервера.")

    @click.command("new-epoch", help="Дать базе новую эпоху: после возврата базы средствами PostgreSQL.")
    @options
    def new_epoch(profile_name: str, url: str | None) -> None:
        from central.backup import new_epoch as name

        database = open_for(profile_name, url)
        try:
            epoch = name(database)
        finally:
            database.close()
        click.echo(f"Новая эпоха {epoch}. Рабочие места перечитают базу и дошлют недостающее.")

    return [backup, restore, verify, new_epoch, move_region]


def _restore(file: Path, profile_name: str, url: str | None) -> str:
    from central.backup import restore_postgres, restore_sqlite
    from central.embedded import profile_key
    from central.serve import only_one
    from operator_tui.profiles import open_profile

    if url:
        return restore_postgres(file, url)
    profile = open_profile(profile_name)
    profile.make_folders()
    key = profile_key(profile, create=False)
    with only_one(profile.central_socket):  # CENTRAL_TAKEN while the server runs
        return restore_sqlite(file, key, profile.central_file)
