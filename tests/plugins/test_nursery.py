"""What the nursery bears is what subprocess would have started."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.peers.central import CentralServer
from tests.peers.programs import program

COMMAND = [sys.executable, "-m", "operator_tui"]


def test_answers_and_exit_codes_are_the_programs() -> None:
    said = subprocess.run([*COMMAND, "check", "snils", "112-233-445 95"], capture_output=True, text=True, check=False)
    assert said.returncode == 0, said
    wrong = subprocess.run([*COMMAND, "no-such-command"], capture_output=True, text=True, check=False)
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "no-such-command" in wrong.stderr


def test_a_server_is_a_child_of_its_own_and_dies_like_one(home: Path) -> None:
    with CentralServer(home / "socket") as server:
        folder = Path(f"/proc/{server.pid}")
        assert (folder / "stat").read_text().rpartition(")")[2].split()[1] == str(os.getpid())
        assert b"\0HOME=" + os.fsencode(home) + b"\0" in b"\0" + (folder / "environ").read_bytes()
        assert (folder / "cmdline").read_bytes().split(b"\0")[3:5] == [b"central", b"serve"]
        assert server.stop(signal.SIGKILL) == -signal.SIGKILL
        server.start()
        assert server.stop() == 0


async def test_a_session_and_pipes_as_asked_for(tmp_path: Path) -> None:
    command = (*COMMAND, "central", "serve", "--socket", str(tmp_path / "s"), "--stop-with-parent")
    pipes = {"stdin": asyncio.subprocess.PIPE, "stdout": asyncio.subprocess.PIPE}
    async with program(*command, **pipes, cwd=tmp_path, start_new_session=True) as process:
        assert os.getsid(process.pid) == process.pid
        assert Path(f"/proc/{process.pid}/cwd").readlink() == tmp_path
        said, _ = await process.communicate(b"not what it expects\n")
        assert b"code" in said
        assert process.returncode == 1


def test_it_is_what_was_asked_for_as_soon_as_it_is_there(tmp_path: Path) -> None:
    """As after exec: who looks at once sees no nursery."""
    for number in range(20):
        with subprocess.Popen(
            [*COMMAND, "central", "serve", "--socket", str(number)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=tmp_path, env={**os.environ, "ROUND": str(number)},
            start_new_session=True,
        ) as process:  # fmt: skip
            try:
                folder = Path(f"/proc/{process.pid}")
                assert os.getsid(process.pid) == process.pid
                assert (folder / "cwd").readlink() == tmp_path
                assert f"\0ROUND={number}\0".encode() in b"\0" + (folder / "environ").read_bytes()
                assert (folder / "cmdline").read_bytes().split(b"\0")[6] == str(number).encode()
            finally:
                process.kill()


def test_a_folder_that_is_not_there_is_told_as_by_subprocess(tmp_path: Path) -> None:
    for command in (COMMAND, [sys.executable, "-c", ""]):
        with pytest.raises(FileNotFoundError) as told:
            subprocess.run([*command, "check"], cwd=tmp_path / "none", capture_output=True, check=False)
        assert str(told.value.filename) == str(tmp_path / "none")
    test_answers_and_exit_codes_are_the_programs()
