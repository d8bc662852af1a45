"""``operator-tui central collector-code | collectors`` at a region's server, ``collect | collected`` at the other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from operator_tui.appeals.clock import SystemClock
from operator_tui.i18n import tr

Options = Callable[[Any], Any]


def collector_commands(options: Options, open_for: Callable[[str, str | None], Any]) -> list[click.Command]:
    """Those of the server; ``options`` adds --profile and --database, ``open_for`` opens what they name."""

    @click.command("collector-code", help="Выдать код федерального сборщика: он читает все потоки региона (15 минут).")
    @click.argument("region", metavar="РЕГИОН")
    @options
    def code(region: str, profile_name: str, url: str | None) -> None:
        from central.devices import collector_code

        with closing(open_for(profile_name, url)) as database:
            click.echo(collector_code(database, region, SystemClock().now_ms()))

    @click.command("collectors", help="Федеральные сборщики этого сервера: показать или отозвать (--revoke МЕСТО).")
    @click.option("--revoke", "device", help="Отозвать этот сборщик: он больше ничего не услышит.")
    @options
    def collectors(device: str | None, profile_name: str, url: str | None) -> None:
        from central.auth.seats import revoke
        from central.devices import collectors as listed
        from operator_tui.appeals.errors import Code, Refusal

        with closing(open_for(profile_name, url)) as database:
            known = listed(database)
            if device is not None:
                if device not in {one for one, *_ in known}:
                    raise Refusal(Code.ACCOUNT_UNKNOWN)
                revoke(database, device, SystemClock().now_ms())
                return
            for one, region, since_ms, revoked in known:
                since = f"{datetime.fromtimestamp(since_ms / 1000, UTC):%d.%m.%Y %H:%M} UTC"
                click.echo("\t".join((one, region, since, tr("отозван") if revoked else "")))

    return [code, collectors]


_into = click.option(
    "--into", required=True, type=click.Path(path_type=Path, file_okay=False), help="Папка этого региона."
)


@click.command("collect", help="Собирать все потоки региона с его сервера в зашифрованный файл; сервер не меняется.")
@click.option("--url", required=True, help="Адрес сервера региона: https://…")
@_into
@click.option("--ca-file", default="", help="Доверенные сертификаты, PEM.")
@click.option("--pin", default="", help="SHA-256 сертификата сервера.")
@click.option("--proxy", default="", help="http://host:port")
@click.option("--metrics", type=click.Path(path_type=Path, dir_okay=False), help="Файл показателей для node_exporter.")
@click.option("--once", is_flag=True, help="Взять, что есть, и закончить.")
@click.option("--enrol", "anew", is_flag=True, help="Сначала новый код: прежний сборщик отозван или забыт сервером.")
def collect(
    profile_name: str,
    url: str,
    into: Path,
    ca_file: str,
    pin: str,
    proxy: str,
    metrics: Path | None,
    *,
    once: bool,
    anew: bool,
) -> None:
    """The one-time code of the first start is asked for, or a line of stdin (behind the vault's passphrase)."""
    from central.auth.cli import typed_secret
    from central.collected import FILE, Collection
    from central.collecting import enrol, follow
    from central.collecting_report import Report, broken_line, demand_sound
    from central.log import open_log
    from operator_tui.secrets import harden_process
    from operator_tui.sync.link import Link
    from operator_tui.sync.settings import CentralSettings

    harden_process()
    open_log(None)
    link = Link(CentralSettings(url=url, ca_file=ca_file, pin=pin, proxy=proxy))
    key = _key(profile_name, create=not (into / FILE).exists())

    async def work(collection: Collection) -> int:
        try:
            if anew or collection.identity is None:
                await enrol(link, collection, typed_secret(tr("Код сборщика")))
            report = Report(collection, SystemClock(), metrics)
            report(False)
            return await follow(link, collection, once=once, report=report)
        finally:
            await link.close()

    with Collection.opened(into, key) as collection:
        try:
            came = asyncio.run(work(collection))
            broke = bool(collection.broken())
            done = tr("Принято событий: {came}.") if broke else tr("Принято событий: {came}. Цепочки целы.")
            click.echo(done.format(came=came))
            if gone := collection.gone():
                said = tr("Событий прежней базы, которых в нынешней нет: {gone}. Они сохранены здесь.")
                click.echo(said.format(gone=gone))
        finally:
            for each in collection.broken():
                click.echo(broken_line(each), err=True)
        demand_sound(collection.broken())


@click.command("collected", help="Что собрано и где цепочки нарушены; сборщик при этом работает. Код 1: нарушены.")
@_into
@click.option("--anew", "stream", metavar="ПОТОК", help="Взять нарушенный поток заново; прежнее останется рядом.")
def collected(profile_name: str, into: Path, stream: str | None) -> None:
    """``--anew`` is the act of a person who has looked, and needs the collector to be stopped."""
    from central.collected import Collection
    from central.collecting_report import demand_sound, described

    key = _key(profile_name, create=False)
    if stream is not None:
        with Collection.looked_into(into, key):  # there is one: none is made
            pass
        with Collection.opened(into, key) as collection:
            collection.take_anew(stream)
        return
    with Collection.looked_into(into, key) as collection:
        lines, broken = described(collection), collection.broken()
    for line in lines:
        click.echo(line)
    demand_sound(broken)


def _key(profile_name: str, *, create: bool) -> bytes:
    from central.embedded import profile_key
    from operator_tui.profiles import open_profile

    profile = open_profile(profile_name)
    profile.make_folders()
    return profile_key(profile, create=create, name="collector")
