"""How a caller is read from SIP headers, and what the stack is started with."""

from __future__ import annotations

import pytest

pytest.importorskip("baresip", reason="the sound requirements are not installed")

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.phone.line import EndedBy, LineConfig
from operator_tui.phone.sip_commands import who_ended
from operator_tui.phone.sip_setup import caller, setup

PEER = "sip:2001@10.0.0.1"
CONFIG = LineConfig(line="sip", server="10.0.0.1:5060", extension="2001", sip_port=15000)


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ({"From": '"Иванов Иван" <sip:+78652012345@h>;tag=1'}, ("+78652012345", "Иванов Иван")),
        (
            {"From": '"Кто-то" <sip:100@h>', "P-Asserted-Identity": "<tel:+78652012345>"},
            ("+78652012345", "Кто-то"),
        ),
        (
            {"From": "<sip:anonymous@anonymous.invalid>", "P-Asserted-Identity": '"Ким" <sip:88652012345@h>'},
            ("+78652012345", "Ким"),
        ),
        ({"From": '"+78652012345" <sip:88652012345@h>'}, ("+78652012345", "")),
        ({"From": "Иванов <sip:2003@h>"}, ("2003", "Иванов")),
        ({"From": "broken <<<"}, ("2001", "")),
        # A terminal would carry them out: the clipboard, another title, a screen that is cleared.
        ({"From": '"Ким\x1b]52;c;UFdO\x07\x1b[2J" <sip:+78652012345@h>'}, ("+78652012345", "Ким ]52;c;UFdO [2J")),
        ({"From": "Ким\x9b2J\u202e <sip:2003@h>"}, ("2003", "Ким 2J")),
        ({"From": "<sip:2003%1b%5b2J%07@h>"}, ("2003[2J", "")),
        ({}, ("2001", "")),
    ],
)
def test_the_network_is_believed_before_the_caller(headers: dict[str, str], found: tuple[str, str]) -> None:
    assert caller(PEER, headers, "RU") == found


def test_settings_found_the_hard_way_are_there() -> None:
    made = setup(CONFIG, "secret")
    text = made.config.render()
    for line in (
        "sip_verify_server yes",
        "sip_cafile /etc/ssl/certs/ca-certificates.crt",
        "audio_jitter_buffer_type adaptive",
        "audio_jitter_buffer_ms 20-200",
        "sip_listen 0.0.0.0:15000",
    ):
        assert line in text.splitlines()
    assert ";video_codecs=" in made.account.aor()
    assert made.config.rtp_timeout == 30
    assert "net_interface" not in text


def test_a_pbx_on_this_machine_is_reached_by_loopback() -> None:
    made = setup(LineConfig(line="sip", server="127.0.0.1:5060", extension="2001"), "secret")
    assert made.config.net_interface == "127.0.0.1"
    assert "sip_listen 127.0.0.1:" in made.config.render()


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"server": ""}, "phone.server"),
        ({"extension": ""}, "phone.extension"),
        ({"transport": "smoke"}, "phone.transport"),
        ({"extension": "20 01"}, "phone.user"),
        ({"srtp": "yes", "transport": "tcp"}, "phone.srtp"),
    ],
)
def test_what_cannot_work_is_named(changes: dict[str, str], key: str) -> None:
    values = {"line": "sip", "server": "10.0.0.1", "extension": "2001"} | changes
    with pytest.raises(Refusal) as refused:
        setup(LineConfig(**values), "secret")  # type: ignore[arg-type]  # names of settings
    assert refused.value.code is Code.PHONE_SETUP
    assert refused.value.params == {"key": key}


def test_a_secret_the_stack_cannot_carry_is_not_quoted() -> None:
    with pytest.raises(Refusal) as refused:
        setup(CONFIG, 'se"cret')
    assert refused.value.params == {"key": "phone.password"}
    assert refused.value.__cause__ is None


@pytest.mark.parametrize(
    ("text", "by"),
    [
        ("486 Busy Here", EndedBy.THERE),
        ("Connection reset by peer", EndedBy.THERE),
        ("", EndedBy.THERE),
        ("Call transfered", EndedBy.TRANSFER),
        ("Connection timed out", EndedBy.NETWORK),
        ("RTP timeout", EndedBy.NETWORK),
        ("No route to host", EndedBy.NETWORK),
    ],
)
def test_who_ended_the_call(text: str, by: EndedBy) -> None:
    assert who_ended(text) is by
