"""Profiles: separate worlds of one program on one machine, each with its own folders.

``demo`` is what ``make run`` starts and ``practice`` is for trainees; all other names are live. Folders follow
the XDG base directory specification through platformdirs.
"""

from __future__ import annotations

import errno
import os
import re
from dataclasses import dataclass
from pathlib import Path

from operator_tui.appeals.errors import Code, Refusal

DEMO = "demo"
PRACTICE = "practice"
JOURNAL_NAME = "journal.db"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
# A UNIX socket's path is limited to 108 bytes by the kernel (unix(7)); a runtime folder has to leave room.
_SOCKET_PATH_BYTES = 107


@dataclass(frozen=True)
class Profile:
    """The folders of one profile. Nothing is created until ``make_folders``."""

    name: str
    config: Path
    data: Path
    state: Path
    runtime: Path

    @property
    def synthetic(self) -> bool:
        """Whether all people in it are made up, so that a plain key file may hold its key (DESIGN rule 15)."""
        return self.name in (DEMO, PRACTICE)

    @property
    def settings_file(self) -> Path:
        return self.config / "settings.toml"

    @property
    def journal_file(self) -> Path:
        return self.data / JOURNAL_NAME

    @property
    def registry_file(self) -> Path:
        return self.data / "registry.db"

    @property
    def central_file(self) -> Path:
        """The embedded central server's database."""
        return self.data / "central.db"

    @property
    def recordings(self) -> Path:
        return self.data / "recordings"

    @property
    def logs(self) -> Path:
        return self.state / "log"

    @property
    def phone_socket(self) -> Path:
        return self.runtime / "phone.sock"

    @property
    def phone_lock(self) -> Path:
        """What the telephone's engine of this profile holds as long as it lives."""
        return self.runtime / "phone.lock"

    @property
    def central_socket(self) -> Path:
        return self.runtime / "central.sock"

    def make_folders(self) -> None:
        """Create all folders, readable by their owner alone. Refusal(DISK_FAILED) when that is impossible."""
        for folder in (self.config, self.data, self.state, self.logs, self.runtime.parent.parent, self.runtime):
            try:
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                if folder.stat().st_uid != os.getuid():
                    raise PermissionError(errno.EPERM, "folder of another user")
                if folder != self.runtime.parent.parent:
                    folder.chmod(0o700)
            except OSError as error:
                raise Refusal(Code.DISK_FAILED, path=str(folder), reason=error.strerror or "") from error


def open_profile(name: str) -> Profile:
    """The profile of that name. Refusal(PROFILE_NAME) for a name that could not be a folder."""
    if not _NAME.fullmatch(name):
        raise Refusal(Code.PROFILE_NAME, name=name)
    from platformdirs import PlatformDirs  # 5 ms: only when a profile is really opened

    dirs = PlatformDirs("operator-tui", appauthor=False)
    return Profile(
        name=name,
        config=Path(dirs.user_config_dir) / name,
        data=Path(dirs.user_data_dir) / name,
        state=Path(dirs.user_state_dir) / name,
        runtime=_runtime(name),
    )


def _runtime(name: str) -> Path:
    """Where the sockets are: XDG_RUNTIME_DIR, or a folder of this user's own below /tmp where there is none.

    platformdirs is not asked: without XDG_RUNTIME_DIR it warns on the operator's screen.
    """
    base = Path(os.environ.get("XDG_RUNTIME_DIR") or "/nonexistent")
    if not base.is_dir() or not os.access(base, os.W_OK):
        base = Path("/tmp") / f"operator-tui-{os.getuid()}"
    folder = base / "operator-tui" / name
    if len(os.fsencode(folder / "central.sock")) > _SOCKET_PATH_BYTES:
        raise Refusal(Code.DISK_FAILED, path=str(folder), reason="path is too long for a UNIX socket")
    return folder
