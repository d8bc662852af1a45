"""``operator-tui phone``: the engine alone. The desk starts it the same way."""

from __future__ import annotations

import asyncio
import faulthandler
import os
import signal

import click

from operator_tui.profiles import Profile, open_profile


@click.command("phone", help="Программный телефон отдельно от рабочего места.")
@click.option("--profile", "profile_name", default="demo", show_default=True, help="Профиль.")
@click.option("--foreground", is_flag=True, help="Не уходить в фон (для службы systemd и отладки).")
def phone(profile_name: str, foreground: bool) -> None:
    """Run the profile's engine; at once done when one is running already."""
    from operator_tui.phone import process

    profile = open_profile(profile_name)
    profile.make_folders()
    if not foreground:
        process.detach()
    if not process.wait_for_turn(profile.phone_lock, profile.phone_socket):
        return
    process.close_to_debuggers()
    process.keep_small()
    asyncio.run(_serve(profile))


async def _serve(profile: Profile) -> None:
    from operator_tui.phone.engine import Engine
    from operator_tui.phone.log import EngineLog

    log = EngineLog(profile.logs / "phone.log")
    log.take_python_logging()
    log.take_native_stderr()
    engine = Engine(profile.phone_socket, log=log, recordings=profile.recordings)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, engine.end)
    # A call outlives the terminal it was begun from.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    code = 0
    with (profile.logs / "phone.crash").open("a") as crash:
        faulthandler.enable(crash)  # places in the code, never values
        try:
            await engine.run()
        except Exception as error:
            log.failed("engine_failed", error)
            code = 1
        faulthandler.disable()
    # Everything is said and closed. A sound server that hangs may still hold a thread, and Python would wait for it.
    os._exit(code)
