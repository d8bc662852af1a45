"""``operator-tui central``: serve, migrate, enrolment-code; what is still to be built says so."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import IO, Any

import click
import msgspec

from central.auth.cli import admin_group, keys_command, sealed_work_commands, typed_secret
from central.backup_cli import backup_commands
from central.collecting_cli import collect, collected, collector_commands
from central.importing_cli import recordings_command
from central.reference_cli import reference_group
from central.registry.cli import insured, insured_delta, package
from central.routing_cli import routing_command
from central.voicemail_cli import voicemail_command
from operator_tui.appeals.clock import SystemClock
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.organisations import demand_organisation
from operator_tui.appeals.people import Operator, Role
from operator_tui.i18n import tr
from operator_tui.profiles import DEMO, Profile, open_profile


class _FirstLine(msgspec.Struct, frozen=True):
    """What the desk hands its embedded server through the pipe: never an argument, never the environment.

    ``key`` opens the database (32 bytes in hex); ``enrol`` asks for a one-time code for this operator.
    """

    key: str = ""
    enrol: Operator | None = None


_database = click.option(
    "--database", "url", metavar="URL", help="postgresql+psycopg://имя@узел/база; иначе файл SQLite профиля."
)
_keys = click.option(
    "--keys", "keys_file", type=click.Path(path_type=Path), help="Файл ключей сервера (по умолчанию - вне папки базы)."
)
_profile = click.option("--profile", "profile_name", default=DEMO, show_default=True, help="Профиль.")


@click.group(help="Центральный сервер.")
def central() -> None:
    """The group; each command opens what it needs."""


@central.command(help="Запустить сервер.")
@_profile
@_database
@click.option("--socket", "socket_path", type=click.Path(path_type=Path), help="Сокет UNIX (по умолчанию — профиля).")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(0, 65535), help="Порт TCP вместо сокета UNIX; 0 — любой свободный.")
@click.option("--tls-cert", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--tls-key", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@_keys
@click.option(
    "--keys-passphrase", is_flag=True, help="Файл ключей закрыт паролем: он спрашивается или читается из stdin."
)
@click.option("--oidc-issuer", help="Адрес поставщика входа (OIDC); без него вход только по паролю.")
@click.option("--oidc-client", default="operator-tui", show_default=True, help="Имя этого сервера у поставщика.")
@click.option("--oidc-secret-file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--oidc-claim", default="preferred_username", show_default=True, help="Поле с именем для входа.")
@click.option("--oidc-ca", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Сертификаты, PEM.")
@click.option("--oidc-proxy", default="", help="Прокси до поставщика: http://host:port.")
@click.option("--redis", "redis_url", help="redis://узел:6379/0 вместо LISTEN/NOTIFY, если процессов сервера много.")
@click.option("--redis-password-file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--stop-with-parent", is_flag=True, help="Ключ базы — первая строка stdin; конец stdin — конец работы.")
def serve(
    profile_name: str,
    url: str | None,
    socket_path: Path | None,
    host: str,
    port: int | None,
    tls_cert: Path | None,
    tls_key: Path | None,
    keys_file: Path | None,
    keys_passphrase: bool,
    stop_with_parent: bool,
    redis_url: str | None,
    redis_password_file: Path | None,
    **oidc: Any,
) -> None:
    """Serve until stopped. The first line of stdout tells that requests are taken, or why not."""
    from central.serve import Address

    profile = open_profile(profile_name)
    if port is None and socket_path is None:
        socket_path = profile.central_socket
    address = Address(None if port is not None else socket_path, host, port or 0, tls_cert, tls_key)
    try:
        lifeline = sys.stdin.buffer if stop_with_parent else None
        passphrase = partial(typed_secret, tr("Пароль файла ключей")) if keys_passphrase else None
        beside = {"provider": _provider(**oidc), "redis": _redis(url, redis_url, redis_password_file)}
        _serve(profile, url, address, lifeline, keys_file, passphrase, beside)
    except Exception as error:
        if not stop_with_parent:
            raise
        _tell(_told(error).wire())
        sys.exit(1)


def _provider(
    oidc_issuer: str | None,
    oidc_client: str,
    oidc_secret_file: Path | None,
    oidc_claim: str,
    oidc_ca: Path | None,
    oidc_proxy: str,
) -> Any:
    if not oidc_issuer:
        return None
    from central.auth.oidc import OidcProvider, OidcSettings
    from operator_tui.secrets.files import read_private

    secret = (read_private(oidc_secret_file) or b"").decode().strip() if oidc_secret_file else ""
    issuer = oidc_issuer.rstrip("/")
    return OidcProvider(OidcSettings(issuer, oidc_client, secret, oidc_claim, str(oidc_ca or ""), oidc_proxy))


def _redis(url: str | None, redis_url: str | None, password_file: Path | None) -> Any:
    if not redis_url:
        return None
    if not url:
        raise click.UsageError(
            "--redis нужен нескольким процессам сервера над одной базой: --database postgresql+psycopg://…"
        )
    from central.carriers import RedisAddress
    from operator_tui.secrets.files import read_private

    return RedisAddress(redis_url, (read_private(password_file) or b"").decode().strip() if password_file else "")


def _serve(
    profile: Profile,
    url: str | None,
    address: Any,
    lifeline: IO[bytes] | None,
    keys_file: Path | None,
    passphrase: Callable[[], str] | None,
    beside: dict[str, Any],
) -> None:
    from central.app import create_app
    from central.devices import enrolment_code
    from central.files import FOLDER_VARIABLE
    from central.keys import keys_file_of, server_keys
    from central.log import log, open_log
    from central.serve import listen, only_one, run
    from operator_tui.secrets import harden_process

    harden_process()
    first = msgspec.json.decode(lifeline.readline() or b"{}", type=_FirstLine) if lifeline else _FirstLine()
    profile.make_folders()
    if profile.synthetic:  # a live server's administrator says where its disk has room
        os.environ.setdefault(FOLDER_VARIABLE, str(profile.data / "central-files"))
    open_log(profile.logs / "central.log" if lifeline else None)
    with contextlib.ExitStack() as stack:
        if address.socket is not None:
            stack.enter_context(only_one(address.socket))
        database = _open(profile, url, bytes.fromhex(first.key))
        stack.callback(database.close)
        keys = server_keys(database, keys_file or keys_file_of(profile), passphrase)
        bound = listen(address)
        stack.callback(bound.close)
        code = enrolment_code(database, first.enrol, SystemClock().now_ms()) if first.enrol else ""
        where = str(address.socket) if address.socket else "{}:{}".format(*bound.getsockname()[:2])

        def ready() -> None:
            log("serving", database=database.engine.dialect.name, address=where)
            _tell({"ready": True, "address": where, "enrolment_code": code})

        app = create_app(database, keys, persons_only=not profile.synthetic, **beside)
        run(app, address, bound, ready=ready, lifeline=lifeline)


@central.command(help="Привести базу данных к этой версии программы.")
@_profile
@_database
def migrate(profile_name: str, url: str | None) -> None:
    """Run the scripts the database lacks; serve does the same at its start."""
    from central.store.migrate import HEAD

    profile = open_profile(profile_name)
    profile.make_folders()
    _open(profile, url, b"").close()
    click.echo(f"База данных готова, версия {HEAD}.")


@central.command("enrolment-code", help="Выдать одноразовый код регистрации рабочего места (15 минут).")
@_profile
@_database
@click.option("--name", required=True, help="Фамилия, имя и отчество оператора.")
@click.option("--role", required=True, type=click.Choice([role.value for role in Role if role is not Role.TRAINEE]))
@click.option("--extension", required=True, help="Внутренний номер.")
@click.option("--organisation", required=True, help="Организация, например 26/tf.")
@click.option("--zone", default="Europe/Moscow", show_default=True, help="Часовой пояс (IANA).")
def enrolment_code(
    profile_name: str, url: str | None, name: str, role: str, extension: str, organisation: str, zone: str
) -> None:
    """Print a code that makes one device of this operator."""
    from central.devices import enrolment_code as make

    demand_organisation(organisation)  # a region alone would be a collector's
    profile = open_profile(profile_name)
    profile.make_folders()
    database = _open(profile, url, b"")
    operator = Operator(user=0, name=name, role=Role(role), extension=extension, organisation=organisation, zone=zone)
    try:
        click.echo(make(database, operator, SystemClock().now_ms()))
    finally:
        database.close()


def _open_for(profile_name: str, url: str | None) -> Any:
    profile = open_profile(profile_name)
    profile.make_folders()
    return _open(profile, url, b"")


_admin = admin_group(lambda command: _profile(_database(command)), _open_for)
for _command in sealed_work_commands(lambda command: _profile(_database(_keys(command))), _open_for):
    _admin.add_command(_command)
central.add_command(_admin)
central.add_command(keys_command(lambda command: _profile(_keys(command))))
central.add_command(insured)
central.add_command(insured_delta)
central.add_command(package)
central.add_command(reference_group(lambda command: _profile(_database(command)), _open_for))
central.add_command(recordings_command(lambda command: _profile(_database(command)), _open_for))
central.add_command(routing_command(lambda command: _profile(_database(command)), _open_for))
central.add_command(voicemail_command(lambda command: _profile(_database(command)), _open_for))
for _command in backup_commands(lambda command: _profile(_database(command)), _open_for):
    central.add_command(_command)
for _command in collector_commands(lambda command: _profile(_database(command)), _open_for):
    central.add_command(_command)
central.add_command(_profile(collect))
central.add_command(_profile(collected))


def _open(profile: Profile, url: str | None, key: bytes) -> Any:
    """The database of the URL, else the profile's own file with its key."""
    from central.store.database import Database

    if url:
        return Database.postgres(url)
    if not key:
        from central.embedded import profile_key

        key = profile_key(profile, create=not profile.central_file.exists())
    return Database.sqlite(profile.central_file, key)


def _told(error: Exception) -> Refusal:
    """What the desk is told of a failed start. A failure of ours by its type alone: its text may quote a person."""
    if isinstance(error, Refusal):
        return error
    from central.log import log_failure

    log_failure("not started", error)
    return Refusal(Code.CENTRAL_FAILED, reason=type(error).__name__)


def _tell(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()
