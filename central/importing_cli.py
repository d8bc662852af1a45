"""``operator-tui central recordings``: talks recorded at the PBX come into the server's store, bound to their calls."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

Options = Callable[[Any], Any]


def recordings_command(options: Options, open_for: Callable[[str, str | None], Any]) -> click.Command:
    """The command; ``options`` adds --profile and --database, ``open_for`` opens what they name."""

    @click.command("recordings", help="Взять на сервер разговоры, записанные на АТС, и связать их с вызовами.")
    @click.option("--spool", required=True, type=click.Path(path_type=Path, file_okay=False), help="Папка записей АТС.")
    @click.option("--region", required=True, help="Код территории, две цифры, например 26.")
    @click.option("--files", type=click.Path(path_type=Path, file_okay=False), help="Папка файлов сервера.")
    @options
    def recordings(profile_name: str, url: str | None, spool: Path, region: str, files: Path | None) -> None:
        from central.files import FOLDER_VARIABLE
        from central.importing import Importer
        from central.log import open_log
        from operator_tui.appeals.clock import SystemClock
        from operator_tui.appeals.errors import Code, Refusal
        from operator_tui.secrets import harden_process

        harden_process()
        open_log(None)
        if files is not None:
            os.environ[FOLDER_VARIABLE] = str(files)
        database = open_for(profile_name, url)
        try:
            importer = Importer(database, spool, region, SystemClock())
            taken, waiting = importer.take()
        finally:
            database.close()
        click.echo(f"Записей АТС взято: {taken}; ещё не названы рабочими местами: {waiting}.")
        if importer.unreadable:
            key, reason = min(importer.unreadable.items())
            raise Refusal(Code.TALK_UNREADABLE, count=len(importer.unreadable), talk=key, reason=reason)

    return recordings
