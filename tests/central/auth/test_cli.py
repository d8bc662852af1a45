"""``operator-tui central admin``: the first administrator and people, from the console."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from central.auth import accounts
from central.store.database import Database
from operator_tui.appeals.people import Role
from operator_tui.profiles import open_profile
from operator_tui.secrets import profile_secrets

_WHO = ("--name", "Орлова Мария Петровна", "--extension", "3001", "--organisation", "26/tf")
_CODE = re.compile(r"[0-9a-z]{4}-[0-9a-z]{4}-[0-9a-z]{4}")


def run(*arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "operator_tui", "central", "admin", *arguments]
    return subprocess.run(command, input=typed, capture_output=True, text=True, check=False, timeout=300)


def test_from_the_first_administrator_to_a_blocked_person(home: Path) -> None:
    weak = run("create", "orlova", *_WHO, typed="12\n")
    assert (weak.returncode, "не короче 8" in weak.stderr) == (1, True)
    made = run("create", "Orlova", *_WHO, typed="пароль администратора\n")
    assert made.returncode == 0, made.stderr
    assert _CODE.search(made.stdout)
    assert "пароль администратора" not in made.stdout + made.stderr
    assert run("create", "orlova", *_WHO, typed="пароль администратора\n").returncode == 1
    added = run("add", "petrova", "--role", "o1", *_WHO, "--sip-secret-stdin", typed="sip\n")
    assert added.returncode == 1, "the same name at the same extension is taken"
    who = ("--name", "Петрова Анна", "--extension", "2001", "--organisation", "26/tf", "--group", "1")
    assert run("add", "petrova", "--role", "o1", *who, "--sip-secret-stdin", typed="sip\n").returncode == 0
    assert run("change", "petrova", "--role", "o2").returncode == 0
    assert _CODE.fullmatch(run("code", "petrova").stdout.strip())
    assert _CODE.fullmatch(run("reset-code", "petrova").stdout.strip())
    assert run("block", "petrova").returncode == 0
    assert "единственный" in run("block", "orlova").stderr
    listed = run("list").stdout.splitlines()
    assert [line.split("\t")[0] for line in listed] == ["orlova", "petrova"]
    assert listed[1].endswith("заблокирован")
    profile = open_profile("demo")
    database = Database.sqlite(profile.central_file, profile_secrets(profile).key("central"))
    people = {person.login: person for person in accounts.people(database)}
    database.close()
    assert (people["petrova"].operator.role, people["petrova"].groups) == (Role.OPERATOR_2, ["1"])
    assert people["orlova"].has_password
    assert not people["petrova"].has_password
