"""A process that holds keys can not be dumped."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


def test_a_hardened_process_leaves_no_core_and_no_open_file(tmp_path: Path) -> None:
    code = (
        "import os, resource, sys\n"
        "from operator_tui.secrets import harden_process\n"
        "from operator_tui.secrets.process import dumpable\n"
        "before = dumpable()\n"
        "harden_process()\n"
        "open(sys.argv[1], 'w').close()\n"
        "mode = oct(os.stat(sys.argv[1]).st_mode & 0o777)\n"
        "print(before, dumpable(), resource.getrlimit(resource.RLIMIT_CORE), mode)\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "file")],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert told.stdout.strip() == "True False (0, 0) 0o600"


@pytest.mark.parametrize(
    "asking",
    [
        "from central.embedded import profile_key as ask\nask(open_profile('office'), create=True)\n",
        "from central.auth.cli import typed_secret as ask\nask('Пароль')\n",
        "from central.auth.cli import _password as ask\nask()\n",
    ],
    ids=["vault", "keys", "password"],
)
def test_no_passphrase_of_the_server_is_read_by_a_process_that_can_be_dumped(asking: str) -> None:
    code = (
        "import os, sys\n"
        "from operator_tui.profiles import open_profile\n"
        "from operator_tui.secrets.process import dumpable\n"
        "class Console:\n"
        "    isatty = staticmethod(lambda: False)\n"
        "    def readline(self):\n"
        "        print(dumpable())\n"
        "        return 'шесть кедров у дороги\\n'\n"
        "open_profile('office').make_folders()\n"
        "sys.stdin, mask = Console(), os.umask(0o022)\n"
        f"{asking}"
        "print(oct(os.umask(0)))\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
    )
    assert told.stdout.split() == ["False", "0o22"], "and the PBX still reads the files that are written for it"
