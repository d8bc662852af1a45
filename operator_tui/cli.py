"""The command line. Each room brings its own group; this file only collects.

Exit codes: 0 done, 1 the answer is no or it failed (with one sentence), 2 wrong use.
"""

from __future__ import annotations

import sys
from importlib import import_module

import click

from operator_tui import __version__
from operator_tui.appeals.errors import Refusal
from operator_tui.unbuilt import not_built

# command -> "module:attribute" of a click command; imported only when it is asked for, so that the desk starts fast.
_COMMANDS = {
    "desk": "operator_tui.cli:desk",
    "check": "operator_tui.registry.cli:check",
    "registry": "operator_tui.registry.cli:registry",
    "answers": "operator_tui.answers.cli:answers",
    "phone": "operator_tui.phone.cli:phone",
    "central": "central.cli:central",
    "practice": "",
    "caller": "",
    "web": "",
}
# Started by the program itself, never by hand.
_UNNAMED = {"send": "operator_tui.signin.send:send"}
_HELP = {
    "desk": "Рабочее место оператора (без команды запускается оно).",
    "check": "Проверка номеров: enp, snils, iin, phone, mkb.",
    "registry": "Реестр застрахованных: generate, load, delta, search.",
    "answers": "Типовые сценарии ответов: search, check.",
    "phone": "Программный телефон отдельно от рабочего места.",
    "central": "Центральный сервер: serve, migrate, admin, reference, verify, backup, restore.",
    "practice": "Учебное рабочее место: ещё не готово.",
    "caller": "Учебный звонящий: ещё не готово.",
    "web": "Рабочее место в браузере: ещё не готово.",
}


class _Rooms(click.Group):
    """Loads a room's commands when they are named, not before."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        target = (_COMMANDS | _UNNAMED).get(cmd_name)
        if target is None:
            return None
        if not target:
            return not_built(cmd_name, _HELP.get(cmd_name, ""))
        module, _, attribute = target.partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Команды"):
            formatter.write_dl([(name, _HELP[name]) for name in _COMMANDS])


@click.group(cls=_Rooms, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "--version", prog_name="operator-tui")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Рабочее место оператора контакт-центра обязательного медицинского страхования."""
    if ctx.invoked_subcommand is None:
        ctx.invoke(desk)


@click.command("desk", help=_HELP["desk"])
@click.option("--profile", "profile_name", default="demo", show_default=True, help="Профиль.")
@click.option("--line", type=click.Choice(["simulated", "sip"]), help="Телефонная линия вместо заданной в настройках.")
def desk(profile_name: str, line: str | None) -> None:
    """Start the desk in this terminal."""
    from operator_tui.start import run_desk  # the screen library is loaded for this command alone

    options = {"phone": {"line": line}} if line else {}
    sys.exit(run_desk(profile_name, options))


def main() -> None:
    """The console entry point: a refusal becomes one sentence on stderr and exit 1, never a traceback."""
    try:
        cli(standalone_mode=True)
    except Refusal as refusal:
        from operator_tui.sentences import sentence

        click.echo(sentence(refusal, at_command_line=True), err=True)
        sys.exit(1)
