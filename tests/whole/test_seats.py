"""Two people at one workstation, in a real terminal: «Выход» leads to the first screen, no name leaves the screens."""

from __future__ import annotations

from pathlib import Path

from bench.seats import PASSWORD, admin, hire, leave, sit_down, take_the_seat
from tests.peers.central import CentralServer
from tests.peers.pty import PtyDesk
from tests.whole.conftest import DESK

_NAMES = ("Синтетическая", "Анна", "Инна", PASSWORD)


def test_two_people_in_turn_and_nothing_of_them_in_titles_logs_and_arguments(home: Path) -> None:
    with CentralServer(None, arguments=("--port", "0")) as server:
        file = home / ".config" / "operator-tui" / "tfoms26" / "settings.toml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f'[central]\nurl = "http://{server.address}"\n[phone]\nsound = "null"\n')
        code = hire("first")
        admin("create", "second", "--name", "Синтетическая Инна", "--extension", "2002", "--organisation", "26/tf")
        with PtyDesk([*DESK, "desk", "--profile", "tfoms26"]) as desk:
            take_the_seat(desk, code)
            assert "доб. 2001" in desk.screen_text()
            leave(desk)
            sit_down(desk, "second")
            titles = desk.title
            command_line = Path(f"/proc/{desk.pid}/cmdline").read_text()
            desk.wait_text("Сервер: на связи")
            desk.press("alt+l")
            desk.wait_text("Экран закрыт")
            assert "Инна" not in desk.screen_text()
            desk.press("ctrl+q")
            desk.wait_text("F7 — другой работник")
            desk.press("escape")
            assert desk.wait_exit() == 0
        # Logs, journals, vaults, the server's database: nothing on disk can be read by who finds it.
        files = [file for file in home.rglob("*") if file.is_file()]
        assert {"journal.db", "vault", "central.db"} <= {file.name for file in files}
        for place in (titles.encode(), command_line.encode(), *(file.read_bytes() for file in files)):
            assert not [name for name in _NAMES if name.encode() in place]
