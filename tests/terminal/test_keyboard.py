"""Keys in every form a terminal sends them, and noise that must not end anything."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.events import Key, Paste

from operator_tui import commands
from operator_tui.terminal.keyboard import KeyReader, long_form


def keys(data: bytes) -> list[tuple[str, str | None]]:
    return [(key.key, key.character) for key in KeyReader().feed(data) if isinstance(key, Key)]


@pytest.mark.parametrize(
    ("sequence", "key", "character"),
    [
        ("\x1b[1092;5u", "ctrl+ф", None),
        ("\x1b[27;5;1092~", "ctrl+ф", None),
        ("\x1b[1092::97;5u", "ctrl+a", None),
        ("\x1b[97;3u", "alt+a", None),
        ("\x1b[97;6u", "ctrl+shift+a", None),
        ("\x1b[1092u", "ф", "ф"),
        ("\x1b[1092;2u", "Ф", "Ф"),
        ("\x1b[9;5u", "ctrl+tab", None),
        ("\x1b[13;2u", "shift+enter", None),
        ("\x1b[32;1u", "space", " "),
        ("\x1b[27;5;59~", "ctrl+semicolon", None),
    ],
)
def test_the_long_form_gives_the_key(sequence: str, key: str, character: str | None) -> None:
    assert keys(sequence.encode()) == [(key, character)]


@pytest.mark.parametrize("sequence", ["\x1b[A", "\x1b[15~", "\x1bOP", "\x1b[1;5A", "\x1b[2;3R", "ф"])
def test_other_keys_are_textuals_affair(sequence: str) -> None:
    assert long_form(sequence) is None


def test_ordinary_keys_stay_what_they_are() -> None:
    assert keys("ф\x01\x1bOQ\x1b[15~\x1b[B".encode()) == [
        ("ф", "ф"),
        ("ctrl+a", "\x01"),
        ("f2", None),
        ("f5", None),
        ("down", None),
    ]


@pytest.mark.parametrize("key", string.ascii_lowercase + string.digits)
def test_alt_with_any_letter_or_digit_is_that_key(key: str) -> None:
    assert keys(f"\x1b{key}".encode()) == [(f"alt+{key}", key)]


def test_every_key_of_a_command_with_alt_can_be_sent_by_an_old_terminal() -> None:
    wanted = {key for command in commands.collect().values() for key in command.keys if key.startswith("alt+")}
    assert {"alt+f", "alt+b"} <= wanted
    sent = {key: keys(f"\x1b{key.removeprefix('alt+')}".encode()) for key in wanted}
    assert {key: [name for name, _ in got] for key, got in sent.items()} == {key: [key] for key in wanted}


@pytest.mark.parametrize(
    "noise", [b"\xff\xfe", b"\xd0", b"\x1b[99999999999;5u", b"\x1b[27;5;9999999~", b"\x1b[1:2:3:4u"]
)
def test_noise_is_dropped_and_what_follows_is_read(noise: bytes) -> None:
    assert keys(noise + "\x1bOQда".encode())[-3:] == [("f2", None), ("д", "д"), ("а", "а")]


def test_a_paste_keeps_its_escapes_inside() -> None:
    messages = [*KeyReader().feed("\x1b[200~одна\nдве\x1b[201~ф".encode())]
    assert isinstance(messages[0], Paste)
    assert messages[0].text == "одна\nдве"


@given(st.lists(st.binary(max_size=30), max_size=5))
def test_no_bytes_raise(chunks: list[bytes]) -> None:
    reader = KeyReader()
    for chunk in chunks:
        list(reader.feed(chunk))
        list(reader.tick())


@given(
    st.lists(
        st.sampled_from(
            [b"\x1b[", b"\x1b]", b"27;", b"5;", b"1092", b"9" * 20, b"~", b"u", b"R", b"M", b"<", b";", b":"]
        )
    )
)
def test_no_sequence_raises(parts: list[bytes]) -> None:
    list(KeyReader().feed(b"".join(parts)))
