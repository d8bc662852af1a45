"""Which profile a terminal gets, and what Textual is told before its import."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from operator_tui.terminal import LAN, SERIAL, SLOW, choose, prepare_environment
from operator_tui.terminal.settings import TerminalSettings


@pytest.mark.parametrize(
    ("setting", "term", "name", "colours"),
    [
        ("auto", "xterm-256color", "lan", 256),
        ("auto", "linux", "lan", 16),
        ("auto", "vt220", "serial", 16),
        ("slow", "xterm-256color", "slow", 256),
        ("slow", "linux", "slow", 16),
        ("serial", "xterm-256color", "serial", 16),
        ("lan", "vt220", "lan", 16),
        ("auto", "", "lan", 256),
    ],
)
def test_a_profile_is_chosen_by_setting_and_term(setting: str, term: str, name: str, colours: int) -> None:
    profile = choose(setting, {"TERM": term})
    assert (profile.name, profile.colours) == (name, colours)


def test_what_a_terminal_can_erase() -> None:
    assert choose("lan", {"TERM": "xterm-256color"}).erases_in_colour
    assert not choose("lan", {"TERM": "xterm-256color", "TMUX": "/tmp/x"}).erases_in_colour
    assert not choose("lan", {"TERM": "screen-256color"}).erases_in_colour
    assert choose("lan", {"TERM": "vt220"}).erases_cells
    assert not choose("lan", {"TERM": "vt100"}).erases_cells


def test_slow_lines_are_paced_without_mouse_and_wait_longer_for_keys() -> None:
    for profile in (SLOW, SERIAL):
        assert profile.paced
        assert not profile.mouse
        assert profile.escape_delay_ms == 400
        assert profile.timer_step_s >= 5
    assert not LAN.paced


def test_the_environment_keeps_what_the_person_has_set() -> None:
    environment = {"ESCDELAY": "25"}
    prepare_environment(SERIAL, environment)
    assert environment["ESCDELAY"] == "25"
    assert environment["TEXTUAL_COLOR_SYSTEM"] == "standard"
    assert environment["TEXTUAL_DISABLE_KITTY_KEY"] == "1"
    assert environment["TEXTUAL_ANIMATIONS"] == "none"


def test_every_profile_can_be_set() -> None:
    for name in ("auto", "lan", "slow", "serial"):
        assert choose(TerminalSettings(profile=name).profile).name in ("lan", "slow", "serial")


def run(program: str, **environment: str) -> object:
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_the_face_is_imported_without_textual_and_textual_hears_the_environment() -> None:
    program = """
import json, sys
from operator_tui.terminal import choose, driver_class, prepare_environment
early = "textual" in sys.modules
profile = choose("slow", {"TERM": "xterm"})
prepare_environment(profile)
from textual import constants
driver = driver_class(profile)
print(json.dumps([early, constants.DISABLE_KITTY_KEY, constants.ESCAPE_DELAY, driver.profile.name]))
"""
    assert run(program) == [False, True, 0.4, "slow"]


@pytest.mark.parametrize(
    "environment", [{"OPERATOR_TUI_DRIVER": "stock"}, {"TEXTUAL_DRIVER": "textual.drivers.web_driver:WebDriver"}]
)
def test_another_driver_can_be_asked_for(environment: dict[str, str]) -> None:
    program = """
import json
from operator_tui.terminal import LAN, driver_class
print(json.dumps(driver_class(LAN) is None))
"""
    assert run(program, **environment) is True
