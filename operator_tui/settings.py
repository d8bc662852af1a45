"""Settings: each room registers a section; this file only collects and reads.

A value comes from the first place that has it: command-line option, environment (``OPERATOR_TUI_PHONE_SERVER``
for ``server`` of ``[phone]``), the profile's settings.toml, /etc/operator-tui/settings.toml, the default
(DESIGN rule 12). Secrets never stand here.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar, cast

import msgspec

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.profiles import Profile

SYSTEM_FILE = Path("/etc/operator-tui/settings.toml")
_PREFIX = "OPERATOR_TUI_"

# Rooms that have settings: importing the module registers its section.
_ROOMS = (
    "operator_tui.phone.settings",
    "operator_tui.colleagues.settings",
    "operator_tui.sync.settings",
    "operator_tui.signin.settings",
    "operator_tui.registry.settings",
    "operator_tui.journal.settings",
    "operator_tui.desk.settings",
    "operator_tui.terminal.settings",
    "screens.settings",
)

Section = TypeVar("Section", bound=msgspec.Struct)
_sections: dict[str, type[msgspec.Struct]] = {}


def section(name: str) -> Callable[[type[Section]], type[Section]]:
    """Registers a frozen msgspec.Struct, every field with a default, as ``[name]`` of the settings file."""

    def add(struct: type[Section]) -> type[Section]:
        if name in _sections:
            raise ValueError(f"settings section {name} is registered twice")
        _sections[name] = struct
        return struct

    return add


def sections() -> dict[str, type[msgspec.Struct]]:
    """All sections by name."""
    for room in _ROOMS:
        import_module(room)
    return dict(_sections)


class Settings:
    """The settings of one run. Asked by type: ``settings.get(PhoneSettings).server``."""

    def __init__(self, values: Mapping[str, msgspec.Struct]) -> None:
        self._by_type = {type(value): value for value in values.values()}

    def get(self, struct: type[Section]) -> Section:
        """The section of that type; its defaults when nothing was configured."""
        return cast("Section", self._by_type.get(struct) or struct())


def load(
    profile: Profile,
    *,
    options: Mapping[str, Mapping[str, Any]] | None = None,
    environment: Mapping[str, str] | None = None,
    system_file: Path = SYSTEM_FILE,
    defaults: Mapping[str, Mapping[str, Any]] | None = None,
) -> Settings:
    """Read all sections.

    ``options`` are what the command line gave, ``{"phone": {"server": "…"}}``; ``defaults`` are what a profile
    changes of the defaults (``demo`` does). Raises Refusal(SETTINGS_BROKEN) with file, line and reason,
    SETTING_UNKNOWN with the nearest known key, SETTING_WRONG with file, key and what was expected.
    """
    known = sections()
    layers: list[tuple[str, Mapping[str, Mapping[str, Any]]]] = [
        ("", defaults or {}),
        (str(system_file), _read(system_file)),
        (str(profile.settings_file), _read(profile.settings_file)),
        ("environment", _from_environment(os.environ if environment is None else environment, known)),
        ("command line", options or {}),
    ]
    merged: dict[str, dict[str, Any]] = {name: {} for name in known}
    origin: dict[tuple[str, str], str] = {}
    for place, layer in layers:
        for name, pairs in layer.items():
            if name not in known:
                raise _unknown(place, f"[{name}]", [f"[{other}]" for other in known])
            fields = _field_names(known[name])
            if not isinstance(pairs, Mapping):
                raise Refusal(Code.SETTING_WRONG, place=place, key=f"[{name}]", expected="section")
            for key, value in pairs.items():
                if key not in fields:
                    raise _unknown(place, f"{name}.{key}", [f"{name}.{field}" for field in fields])
                merged[name][key] = value
                origin[name, key] = place
    return Settings({name: _convert(name, known[name], merged[name], origin) for name in known})


def _field_names(struct: type[msgspec.Struct]) -> tuple[str, ...]:
    return struct.__struct_encode_fields__


def _read(file: Path) -> dict[str, Any]:
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise Refusal(Code.SETTINGS_BROKEN, file=str(file), line=0, reason=type(error).__name__) from error
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        # Before Python 3.14 the position stands only in the message: "… (at line 3, column 7)".
        message = str(error)
        line = message.partition("at line ")[2].partition(",")[0]
        raise Refusal(
            Code.SETTINGS_BROKEN, file=str(file), line=int(line) if line.isdigit() else 0, reason=message
        ) from error


def _from_environment(
    environment: Mapping[str, str], known: Mapping[str, type[msgspec.Struct]]
) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for name, struct in known.items():
        for key in _field_names(struct):
            value = environment.get(f"{_PREFIX}{name}_{key}".upper())
            if value is not None:
                found.setdefault(name, {})[key] = value
    return found


def _unknown(place: str, key: str, candidates: list[str]) -> Refusal:
    nearest = difflib.get_close_matches(key, candidates, n=1, cutoff=0.5)
    return Refusal(Code.SETTING_UNKNOWN, place=place, key=key, nearest=nearest[0] if nearest else "")


def _convert(
    name: str, struct: type[Section], pairs: Mapping[str, Any], origin: Mapping[tuple[str, str], str]
) -> Section:
    for key, value in pairs.items():
        expected = msgspec.structs.fields(struct)[_field_names(struct).index(key)].type
        try:
            # Text from the environment may stand for a number or a switch: that is what strict=False allows.
            msgspec.convert(value, expected, strict=False)
        except msgspec.ValidationError as error:
            raise Refusal(
                Code.SETTING_WRONG, place=origin[name, key], key=f"{name}.{key}", expected=str(error)
            ) from error
    return msgspec.convert(dict(pairs), struct, strict=False)
