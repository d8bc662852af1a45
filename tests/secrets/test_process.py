"""A process that holds keys can not be dumped."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


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
