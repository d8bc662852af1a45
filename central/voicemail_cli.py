"""``operator-tui central voicemail``: messages of the night become appeals of the duty group."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

Options = Callable[[Any], Any]


def voicemail_command(options: Options, open_for: Callable[[str, str | None], Any]) -> click.Command:
    """The command; ``options`` adds --profile and --database, ``open_for`` opens what they name."""

    @click.command("voicemail", help="Сделать из ночных сообщений АТС обращения «Отсроченный ответ» дежурной группы.")
    @click.option("--spool", required=True, type=click.Path(path_type=Path, file_okay=False), help="Папка сообщений.")
    @click.option("--organisation", required=True, help="Организация, например 26/tf.")
    @click.option(
        "--group", default="", help="Код дежурной группы, пока она не выбрана в справочнике «Нерабочее время»."
    )
    @click.option("--files", type=click.Path(path_type=Path, file_okay=False), help="Папка файлов сервера.")
    @click.option("--zone", default="Europe/Moscow", show_default=True, help="Часовой пояс (IANA).")
    @click.option("--country", default="RU", show_default=True, help="Производственный календарь: RU или KZ.")
    @click.option("--hours", default="09:00-18:00", show_default=True, help="Рабочие часы.")
    @click.option("--every", type=float, default=0.0, help="Смотреть каждые столько секунд; без этого - один раз.")
    @options
    def voicemail(profile_name: str, url: str | None, every: float, **about: Any) -> None:
        collector, close = _collector(open_for(profile_name, url), **about)
        try:
            while True:
                taken = collector.collect()
                if taken or not every:
                    click.echo(f"Новых обращений из ночных сообщений: {taken}.")
                if not every:
                    return
                time.sleep(every)
        finally:
            close()

    return voicemail


def _collector(
    database: Any,
    *,
    spool: Path,
    organisation: str,
    group: str,
    files: Path | None,
    zone: str,
    country: str,
    hours: str,
) -> tuple[Any, Callable[[], None]]:
    from central.files import FOLDER_VARIABLE
    from central.log import open_log
    from central.voicemail import Collector, Office
    from operator_tui.appeals.calendar import Country, OfficeHours, WorkingCalendar
    from operator_tui.appeals.clock import SystemClock
    from operator_tui.appeals.errors import Code, Refusal
    from operator_tui.reference import packaged_catalogue
    from operator_tui.secrets import harden_process

    harden_process()
    open_log(None)
    if files is not None:
        os.environ[FOLDER_VARIABLE] = str(files)
    try:
        calendar = WorkingCalendar(Country(country))
    except ValueError:
        raise Refusal(Code.FIELD_INVALID, field="calendar") from None
    office = Office(organisation, group, zone, calendar, OfficeHours.parse(hours))
    return Collector(database, spool, office, packaged_catalogue(), SystemClock()), database.close
