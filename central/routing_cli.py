"""``operator-tui central routing``: the administration's queues and hours as files of the PBX."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import click

from operator_tui.appeals.calendar import Country

Options = Callable[[Any], Any]


def routing_command(options: Options, open_for: Callable[[str, str | None], Any]) -> click.Command:
    """The command; ``options`` adds --profile and --database, ``open_for`` opens what they name."""

    @click.command("routing", help="Записать очереди, навыки операторов и часы работы из справочников для АТС.")
    @click.option("--organisation", required=True, help="Организация, например 26/tf.")
    @click.option(
        "--into", required=True, type=click.Path(path_type=Path, file_okay=False, exists=True), help="Папка файлов АТС."
    )
    @click.option("--reload", "reloads", is_flag=True, help="Сразу применить на АТС этой машины (asterisk -rx).")
    @click.option(
        "--calendar", type=click.Choice([country.value for country in Country]), help="Нерабочие дни: RU или KZ."
    )
    @click.option("--zone", default="Europe/Moscow", show_default=True, help="Часовой пояс (IANA).")
    @click.option("--every", type=float, default=0.0, help="Смотреть каждые столько секунд; без этого - один раз.")
    @options
    def routing(profile_name: str, url: str | None, every: float, reloads: bool, **about: Any) -> None:
        from central import routing as work
        from central.log import open_log
        from operator_tui.appeals.errors import Code, Refusal

        open_log(None)
        database = open_for(profile_name, url)
        waiting = True  # who wrote the files before may have ended, or the PBX been away, before they were taken
        try:
            while True:
                written = work.write(_files(database, **{name: about[name] for name in _ABOUT}), about["into"])
                for name in written:
                    click.echo(f"Записан файл {name}.")
                waiting = waiting or bool(written)
                if reloads and waiting:
                    waiting = not work.reload()
                    if waiting and not every:
                        raise Refusal(Code.PBX_AWAY)
                if not every:
                    return
                time.sleep(every)
        finally:
            database.close()

    return routing


_ABOUT = ("organisation", "calendar", "zone")


def _files(database: Any, *, organisation: str, calendar: str | None, zone: str) -> dict[str, str]:
    from central.reference import references
    from central.routing import files_of
    from central.streams import region_of
    from operator_tui.appeals.calendar import WorkingCalendar
    from operator_tui.appeals.clock import SystemClock
    from operator_tui.appeals.deadlines import local_date
    from operator_tui.reference import packaged_catalogue

    with database.read() as connection:
        now = references(database, packaged_catalogue()).now(connection, region_of(organisation)).reference
    own = {date.fromisoformat(day): row["day"] == "work" for day, row in now.open("calendar").items()}
    worked = WorkingCalendar(Country(calendar), own) if calendar else None
    today = local_date(SystemClock().now_ms(), zone)
    code = organisation.partition("/")[2].removeprefix("smo-")
    return files_of(now, code, worked, today)
