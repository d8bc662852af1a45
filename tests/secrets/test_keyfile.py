"""The key file of demo and practice: 0600, whole or not at all, and for nobody else."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.profiles import Profile, open_profile
from operator_tui.secrets import profile_secrets
from operator_tui.secrets.keyfile import KeyFile
from operator_tui.sentences import sentence


@pytest.fixture(params=["demo", "practice"])
def profile(request: pytest.FixtureRequest) -> Profile:
    return open_profile(request.param)


def test_a_key_is_random_made_once_and_kept(profile: Profile) -> None:
    secrets = profile_secrets(profile)
    key = secrets.key("journal")
    assert len(key) == 32
    assert len(set(key)) > 8
    assert secrets.key("journal") == key == profile_secrets(profile).key("journal", create=False)
    assert secrets.key("registry") != key


def test_the_file_is_its_owners_alone(profile: Profile) -> None:
    profile_secrets(profile).key("journal")
    file = profile.data / "keys.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_two_profiles_have_two_keys() -> None:
    assert profile_secrets(open_profile("demo")).key("journal") != profile_secrets(open_profile("practice")).key(
        "journal"
    )


@pytest.mark.parametrize("name", ["tfoms26", "demo2", "practice-1", "live"])
def test_every_other_profile_is_refused(name: str) -> None:
    profile = open_profile(name)
    with pytest.raises(Refusal) as caught:
        KeyFile(profile)
    assert caught.value.code is Code.KEY_BACKEND_REFUSED
    assert not (profile.data / "keys.json").exists()


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620, 0o666])
def test_a_file_open_to_others_is_not_used(profile: Profile, mode: int) -> None:
    secrets = profile_secrets(profile)
    secrets.key("journal")
    file = profile.data / "keys.json"
    content = file.read_bytes()
    file.chmod(mode)
    for use in (lambda: secrets.key("journal"), lambda: secrets.get("journal"), lambda: secrets.set("x", b"y")):
        with pytest.raises(Refusal) as caught:
            use()
        assert caught.value.code is Code.KEY_FILE_OPEN
        assert "chmod 600" in sentence(caught.value)
    assert file.read_bytes() == content
    file.chmod(0o600)
    assert secrets.get("journal")


def test_a_link_is_not_followed(profile: Profile, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("{}")
    (tmp_path / "elsewhere").chmod(0o600)
    profile.data.mkdir(parents=True)
    (profile.data / "keys.json").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Refusal) as caught:
        profile_secrets(profile).key("journal")
    assert caught.value.code is Code.FILE_UNREADABLE


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"journal": 5}', b'{"journal": "%%%"}', b"\xff\xfe"])
def test_a_broken_file_is_never_written_over(profile: Profile, content: bytes) -> None:
    secrets = profile_secrets(profile)
    secrets.key("journal")
    file = profile.data / "keys.json"
    file.write_bytes(content)
    with pytest.raises(Refusal) as caught:
        secrets.key("journal")
    assert caught.value.code is Code.FILE_UNREADABLE
    assert file.read_bytes() == content


def test_secrets_come_and_go(profile: Profile) -> None:
    secrets = profile_secrets(profile)
    assert secrets.get("token") is None
    secrets.set("token", b"\x00\xff")
    secrets.set("token", b"new")
    secrets.set("other", b"")
    assert (secrets.get("token"), secrets.get("other")) == (b"new", b"")
    secrets.delete("token")
    secrets.delete("token")
    assert secrets.get("token") is None
    with pytest.raises(Refusal) as caught:
        secrets.key("token", create=False)
    assert (caught.value.code, caught.value.params) == (Code.KEY_MISSING, {"name": "token"})


def test_processes_that_begin_together_get_one_key(profile: Profile) -> None:
    code = (
        "import sys; from operator_tui.profiles import open_profile; from operator_tui.secrets import profile_secrets\n"
        "sys.stdin.readline(); print(profile_secrets(open_profile(sys.argv[1])).key('journal').hex())"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, profile.name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        for _ in range(4)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    keys = {process.communicate(timeout=300)[0].strip() for process in processes}
    assert keys == {profile_secrets(profile).key("journal", create=False).hex()}


def test_demo_touches_no_keyring_and_loads_nothing_heavy() -> None:
    code = (
        "import sys; from operator_tui.profiles import open_profile; from operator_tui.secrets import profile_secrets\n"
        "import operator_tui.journal.commands, operator_tui.journal.settings, operator_tui.journal.device\n"
        "profile_secrets(open_profile('demo')).key('journal')\n"
        "print([m for m in ('keyring', 'nacl', 'argon2', 'sqlite_utils', 'sqlcipher3') if m in sys.modules])"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
    )
    assert told.stdout.strip() == "[]"
