"""Runs on a session bus of its own: starts GNOME's keyring, keeps secrets in it and tells what came back."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from operator_tui.appeals.errors import Refusal
from operator_tui.profiles import open_profile
from operator_tui.secrets import profile_secrets
from operator_tui.secrets.live import LiveSecrets, secret_service


def start_keyring() -> subprocess.Popen[bytes]:
    keyring = subprocess.Popen(
        ["gnome-keyring-daemon", "--foreground", "--unlock", "--components=secrets"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    assert keyring.stdin is not None
    keyring.stdin.write(b"passphrase")
    keyring.stdin.close()
    deadline = time.monotonic() + 120
    # Asked sooner, the bus starts a second keyring, which reads the file that this one just writes.
    while not is_there() or secret_service() is None:
        if time.monotonic() > deadline:
            sys.exit("the keyring never answered")
        time.sleep(0.05)
    return keyring


def is_there() -> bool:
    """Whether somebody on the bus keeps secrets; nobody is started for the question."""
    from jeepney.bus_messages import message_bus
    from jeepney.io.blocking import Proxy, open_dbus_connection

    with open_dbus_connection(bus="SESSION") as connection:
        (owned,) = Proxy(message_bus, connection).NameHasOwner("org.freedesktop.secrets")
    return bool(owned)


def lock() -> None:
    import secretstorage

    connection = secretstorage.dbus_init()
    secretstorage.get_default_collection(connection).lock()
    connection.close()


def refused(use: Callable[[], object]) -> str:
    try:
        use()
    except Refusal as refusal:
        return refusal.code.value
    return ""


def main() -> None:
    keyring = start_keyring()
    try:
        profile = open_profile("tfoms26")
        secrets = profile_secrets(profile)
        assert isinstance(secrets, LiveSecrets)
        key = secrets.key("journal")
        told: dict[str, Any] = {
            "backend": secrets.backend,
            "bytes": len(key),
            "again": profile_secrets(profile).key("journal", create=False) == key,
            "other profile": profile_secrets(open_profile("tfoms27")).get("journal"),
        }
        secrets.set("token", b"t")
        secrets.delete("token")
        told["deleted"] = secrets.get("token")
        lock()
        told["locked"] = refused(lambda: secrets.get("journal"))
        told["locked at start"] = refused(lambda: profile_secrets(profile))
        told["files"] = sorted(file.name for file in profile.data.iterdir())
    finally:
        keyring.terminate()
        keyring.wait()
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
