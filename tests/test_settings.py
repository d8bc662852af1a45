"""Settings: the order of their places, and errors that name file, line and the nearest key."""

from __future__ import annotations

from pathlib import Path

import pytest

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.phone.settings import PhoneSettings
from operator_tui.profiles import Profile, open_profile
from operator_tui.sentences import sentence
from operator_tui.settings import load


@pytest.fixture
def profile() -> Profile:
    opened = open_profile("demo")
    opened.make_folders()
    return opened


def test_the_nearest_place_wins(profile: Profile, tmp_path: Path) -> None:
    system = tmp_path / "system.toml"
    system.write_text('[phone]\nserver = "system"\nextension = "1"\ntransport = "tcp"\ncountry = "KZ"\n')
    profile.settings_file.write_text('[phone]\nserver = "profile"\nextension = "2"\ntransport = "tls"\n')
    settings = load(
        profile,
        system_file=system,
        environment={"OPERATOR_TUI_PHONE_SERVER": "environment", "OPERATOR_TUI_PHONE_EXTENSION": "3"},
        options={"phone": {"server": "option"}},
    )
    phone = settings.get(PhoneSettings)
    assert (phone.server, phone.extension, phone.transport, phone.country) == ("option", "3", "tls", "KZ")
    assert phone.line == "simulated", "what nobody says keeps its default"


def refusal(profile: Profile, text: str) -> Refusal:
    profile.settings_file.write_text(text)
    with pytest.raises(Refusal) as caught:
        load(profile, environment={})
    return caught.value


def test_a_typing_error_names_file_and_line(profile: Profile) -> None:
    found = refusal(profile, '[phone]\nserver = "pbx\n')
    assert found.code is Code.SETTINGS_BROKEN
    assert found.params["line"] == 2
    assert str(profile.settings_file) in sentence(found)


def test_an_unknown_key_is_offered_the_nearest(profile: Profile) -> None:
    found = refusal(profile, '[phone]\nservr = "pbx"\n')
    assert found.code is Code.SETTING_UNKNOWN
    assert found.params["nearest"] == "phone.server"


def test_an_unknown_section_is_offered_the_nearest(profile: Profile) -> None:
    assert refusal(profile, "[phon]\n").params["nearest"] == "[phone]"


def test_a_wrong_kind_of_value_is_named(profile: Profile) -> None:
    found = refusal(profile, '[phone]\nregister_seconds = "soon"\n')
    assert found.code is Code.SETTING_WRONG
    assert found.params["key"] == "phone.register_seconds"


def test_a_number_may_come_from_the_environment(profile: Profile) -> None:
    settings = load(profile, environment={"OPERATOR_TUI_PHONE_REGISTER_SECONDS": "30"})
    assert settings.get(PhoneSettings).register_seconds == 30
