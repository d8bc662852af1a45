"""``operator-tui central admin``: people, from the server's own console. A password is never an argument."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import click

from operator_tui.appeals.clock import SystemClock
from operator_tui.appeals.people import ROLE_TITLES, Operator, Role
from operator_tui.i18n import tr
from operator_tui.profiles import open_profile
from operator_tui.secrets.process import harden_memory

_ROLES = click.Choice([role.value for role in Role if role is not Role.TRAINEE])
_login = click.argument("login", metavar="ИМЯ")


def admin_group(options: Callable[[Any], Any], open_database: Callable[[str, str | None], Any]) -> click.Group:
    """The group. ``options`` adds --profile and --database; ``open_database(profile, url)`` opens what they name."""

    @click.group("admin", help="Люди: первый администратор, учётные записи, коды.")
    def admin() -> None:
        """Each command opens the database and closes it."""

    def database(profile_name: str, url: str | None) -> Any:
        return closing(open_database(profile_name, url))

    @admin.command(help="Завести первого администратора. Пароль спрашивается или читается из stdin.")
    @options
    @_login
    @click.option("--name", required=True, help="Фамилия, имя и отчество.")
    @click.option("--extension", required=True, help="Внутренний номер.")
    @click.option("--organisation", required=True, help="Организация, например 26/tf.")
    @click.option("--zone", default="Europe/Moscow", show_default=True, help="Часовой пояс (IANA).")
    def create(profile_name: str, url: str | None, login: str, **about: Any) -> None:
        from central.auth import accounts

        operator = Operator(user=0, role=Role.ADMINISTRATOR, **about)
        with database(profile_name, url) as opened:  # first: the vault's passphrase is the first line of stdin
            password, now_ms = _password(), SystemClock().now_ms()
            accounts.add(opened, login, operator, now_ms, password=password)
            _tell_code(tr("Код рабочего места"), accounts.enrolment_code(opened, login, now_ms))

    @admin.command(help="Завести пользователя и выдать код его рабочего места.")
    @options
    @_login
    @click.option("--name", required=True, help="Фамилия, имя и отчество.")
    @click.option("--role", required=True, type=_ROLES)
    @click.option("--extension", required=True, help="Внутренний номер.")
    @click.option("--organisation", required=True, help="Организация, например 26/tf.")
    @click.option("--zone", default="Europe/Moscow", show_default=True, help="Часовой пояс (IANA).")
    @click.option("--group", "groups", multiple=True, help="Группа; можно повторить.")
    @click.option("--sip-secret-stdin", is_flag=True, help="Пароль внутреннего номера - строка stdin.")
    def add(
        profile_name: str,
        url: str | None,
        login: str,
        role: str,
        groups: tuple[str, ...],
        sip_secret_stdin: bool,
        **about: Any,
    ) -> None:
        from central.auth import accounts

        operator = Operator(user=0, role=Role(role), **about)
        with database(profile_name, url) as opened:
            secret = sys.stdin.readline().rstrip("\n") if sip_secret_stdin else ""
            now_ms = SystemClock().now_ms()
            accounts.add(opened, login, operator, now_ms, groups=list(groups), sip_secret=secret)
            _tell_code(tr("Код рабочего места"), accounts.enrolment_code(opened, login, now_ms))

    @admin.command(help="Изменить роль, организацию, номер или группы.")
    @options
    @_login
    @click.option("--name")
    @click.option("--role", type=_ROLES)
    @click.option("--extension")
    @click.option("--organisation")
    @click.option("--zone")
    @click.option("--group", "groups", multiple=True, help="Группы вместо прежних.")
    def change(profile_name: str, url: str | None, login: str, groups: tuple[str, ...], **about: str | None) -> None:
        from central.auth import accounts

        values = {key: value for key, value in about.items() if value}
        with database(profile_name, url) as opened:
            accounts.change(
                opened, login, SystemClock().now_ms(), values=values, groups=list(groups) if groups else None
            )

    def blocking(name: str, blocked: bool, about: str) -> None:
        @admin.command(name, help=about)
        @options
        @_login
        def command(profile_name: str, url: str | None, login: str) -> None:
            from central.auth import accounts

            with database(profile_name, url) as opened:
                accounts.change(opened, login, SystemClock().now_ms(), blocked=blocked)

    blocking("block", True, "Заблокировать: вход закрыт сразу, сеансы окончены.")
    blocking("unblock", False, "Разблокировать.")

    def giving(name: str, about: str) -> None:
        @admin.command(name, help=about)
        @options
        @_login
        def command(profile_name: str, url: str | None, login: str) -> None:
            from central.auth import accounts

            give = accounts.reset_code if name == "reset-code" else accounts.enrolment_code
            with database(profile_name, url) as opened:
                click.echo(give(opened, login, SystemClock().now_ms()))

    giving("code", "Код ещё одного рабочего места (15 минут, один раз).")
    giving("reset-code", "Код для забытого пароля (15 минут, один раз).")

    @admin.command("voice-code", help="Код на восемь часов, который можно продиктовать: вход без связи с сервером.")
    @options
    @_login
    def voice(profile_name: str, url: str | None, login: str) -> None:
        from central.auth import accounts

        with database(profile_name, url) as opened:
            for device, told in accounts.codes_by_voice(opened, login, SystemClock().now_ms()).items():
                click.echo(f"{device}\t{told}")

    @admin.command("list", help="Все пользователи.")
    @options
    def listed(profile_name: str, url: str | None) -> None:
        from central.auth import accounts

        with database(profile_name, url) as opened:
            for person in accounts.people(opened):
                who = person.operator
                state = tr("заблокирован") if person.blocked else ""
                title = tr(ROLE_TITLES[who.role])
                click.echo("\t".join((person.login, who.name, title, who.organisation, who.extension, state)))

    return admin


def keys_command(options: Callable[[Any], Any]) -> click.Group:
    """``central keys``: the file of the server's private keys."""

    @click.group("keys", help="Файл ключей сервера.")
    def keys() -> None:
        """Each command opens the file and closes it."""

    @keys.command("seal", help="Закрыть файл ключей паролем (спрашивается или читается из stdin).")
    @options
    def seal(profile_name: str, keys_file: Path | None) -> None:
        from central.keys import keys_file_of, seal_file

        file = keys_file or keys_file_of(open_profile(profile_name))
        seal_file(file, _password())
        click.echo(tr("Файл {file} закрыт паролем. Запускайте сервер с --keys-passphrase.").format(file=file))

    return keys


def sealed_work_commands(
    options: Callable[[Any], Any], open_database: Callable[[str, str | None], Any]
) -> list[click.Command]:
    """What revoked workstations had not sent: shown and, if the administrator says so, taken."""

    @click.command("sealed-work", help="Неотправленное отозванных мест: показать или принять (--take МЕСТО).")
    @options
    @click.option("--take", "device", help="Принять работу этого места: её записи войдут в журнал.")
    @click.option("--keys-passphrase", is_flag=True, help="Файл ключей закрыт паролем.")
    def sealed_work(
        profile_name: str, url: str | None, keys_file: Path | None, device: str | None, keys_passphrase: bool
    ) -> None:
        from central.auth import sealed_work as work
        from central.keys import keys_file_of, server_keys
        from operator_tui.reference import packaged_catalogue

        with closing(open_database(profile_name, url)) as database:
            if device is None:
                for waiting in work.waiting(database):
                    click.echo(f"{waiting.device}\t{waiting.pieces}\t{waiting.received:%d.%m.%Y %H:%M} UTC")
                return
            ask = (lambda: typed_secret(tr("Пароль файла ключей"))) if keys_passphrase else None
            keys = server_keys(database, keys_file or keys_file_of(open_profile(profile_name)), ask)
            taken = work.take(database, keys, device, SystemClock().now_ms(), packaged_catalogue())
            click.echo(
                tr("Принято записей: {taken}, отклонено правилами: {refused}, черновиков: {drafts}.").format(
                    taken=taken.applied, refused=taken.refused, drafts=len(taken.drafts)
                )
            )
            if taken.skipped:
                skipped = tr(
                    "Оставлено частей: {skipped}. Они не открываются, противоречат полученному или стоят за пропуском."
                )
                click.echo(skipped.format(skipped=taken.skipped))
            for draft in taken.drafts:
                click.echo(draft)

    return [sealed_work]


def typed_secret(title: str) -> str:
    """Asked on a terminal, else one line of stdin."""
    harden_memory()
    if sys.stdin.isatty():
        return str(click.prompt(title, hide_input=True))
    return sys.stdin.readline().rstrip("\n")


def _password() -> str:
    """Asked twice on a terminal, else one line of stdin."""
    harden_memory()
    if sys.stdin.isatty():
        return str(click.prompt(tr("Пароль"), hide_input=True, confirmation_prompt=tr("Пароль ещё раз")))
    return sys.stdin.readline().rstrip("\n")


def _tell_code(title: str, code: str) -> None:
    click.echo(tr("{title}: {code} (15 минут, один раз)").format(title=title, code=code))
