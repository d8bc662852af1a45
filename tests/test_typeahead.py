"""Keys and pastes in the order they were typed, however they arrive."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.events import Key, Paste
from textual.message import Message
from textual.message_pump import MessagePump
from textual.widgets import Input

from operator_tui.typeahead import KeysInOrder
from widgets.lean import LeanInput

# One letter for each place in a burst, so that an exchange of any two is seen.
LETTERS = "абвгдежзийклмнопрстуфхцчшщъыьэюяabcdefghijklmnopqrstuvwxyz"
DEADLINE_S = 60.0


@pytest.fixture(autouse=True, scope="module")
def _patient() -> Iterator[None]:
    """Patience ends on a machine that is busy enough; these tests are about the order alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("operator_tui.typeahead.PATIENCE_S", DEADLINE_S)
        yield


def bursts(keys: int) -> st.SearchStrategy[list[int]]:
    """Turns of the loop between one key and the next: packets of several keys, some turns apart."""
    packets = st.lists(st.tuples(st.integers(1, 6), st.integers(0, 40)), min_size=keys, max_size=keys)
    return packets.map(lambda some: [turns for size, turns in some for turns in (*[0] * (size - 1), turns)][:keys])


class Fields(KeysInOrder):
    """Two fields; F6 goes to the second after a while, as a command that waits for the journal does."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("f6", "to_second", priority=True)]

    def __init__(self) -> None:
        super().__init__()
        self._acts: list[asyncio.Task[None]] = []

    def compose(self) -> ComposeResult:
        yield LeanInput(id="first")
        yield LeanInput(id="second")

    def on_mount(self) -> None:
        self.query_one("#first").focus()

    def action_to_second(self) -> None:
        self._acts.append(asyncio.get_running_loop().create_task(self._go()))

    async def _go(self) -> None:
        for _ in range(20):
            await asyncio.sleep(0)
        self.query_one("#second").focus()

    async def acts_done(self) -> None:
        await asyncio.gather(*self._acts)

    async def busy(self, turns: int) -> None:
        """The application has something else to do: keys gather in its queue."""
        for _ in range(turns):
            await asyncio.sleep(0)

    def typed(self, field: str) -> str:
        return self.query_one(f"#{field}", LeanInput).value


async def _type(app: Fields, events: list[Key | Paste], gaps: list[int]) -> None:
    for event, gap in zip(events, gaps, strict=True):
        app.post_message(event)
        app.call_later(app.busy, gap)
        for _ in range(gap // 2):
            await asyncio.sleep(0)


async def _until(app: Fields, letters: int) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while len(app.typed("first")) + len(app.typed("second")) < letters:  # noqa: ASYNC110  # fields give no event
            await asyncio.sleep(0.001)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(gaps=bursts(len(LETTERS)))
def test_letters_never_overtake_one_another(gaps: list[int]) -> None:
    """At 64 kbit/s «потер» once became «поерт»: a key that had waited stood behind a younger one."""
    word = LETTERS[: len(gaps)]

    async def type_it() -> str:
        app = Fields()
        async with app.run_test():
            await _type(app, [Key(letter, letter) for letter in word], gaps)
            await _until(app, len(word))
            return app.typed("first")

    assert asyncio.run(type_it()) == word


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(gaps=bursts(20), place=st.integers(0, 18))
def test_letters_after_a_command_belong_to_the_field_it_leads_to(gaps: list[int], place: int) -> None:
    word = LETTERS[:19]
    events: list[Key | Paste] = [Key(letter, letter) for letter in word]
    events.insert(place, Key("f6", None))

    async def type_it() -> tuple[str, str]:
        app = Fields()
        async with app.run_test():
            await _type(app, events, gaps)
            await _until(app, len(word))
            return app.typed("first"), app.typed("second")

    assert asyncio.run(type_it()) == (word[:place], word[place:])


async def test_a_paste_stays_between_the_letters_before_and_after_it() -> None:
    app = Fields()
    events: list[Key | Paste] = [*(Key(letter, letter) for letter in "абв"), Paste("12 34"), Key("г", "г")]
    async with app.run_test():
        await _type(app, events, [0] * len(events))
        await _until(app, 9)
        assert app.typed("first") == "абв12 34г"


class Form(Vertical):
    """Tells its screen what stands in its field."""

    class Told(Message):
        def __init__(self, value: str) -> None:
            super().__init__()
            self.value = value

    def compose(self) -> ComposeResult:
        yield LeanInput()

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Told(event.value))


class Card(KeysInOrder):
    """A form, and who keeps what it tells; F9 saves that."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("f9", "save", priority=True)]

    def __init__(self) -> None:
        super().__init__()
        self._kept = ""
        self.saved: list[str] = []

    def compose(self) -> ComposeResult:
        yield Form()

    def on_mount(self) -> None:
        self.query_one(LeanInput).focus()

    def on_form_told(self, told: Form.Told) -> None:
        self._kept = told.value

    def action_save(self) -> None:
        self.saved.append(self._kept)

    @property
    def way(self) -> list[MessagePump]:
        """Everything a key comes through."""
        return [self.query_one(LeanInput), self.query_one(Form), self.screen, self]


async def turns_of_the_loop(turns: int) -> None:
    for _ in range(turns):
        await asyncio.sleep(0)


def as_meant(keys: list[str]) -> list[str]:
    """What F9 has to save, each time."""
    text, cursor, saved = "", 0, []
    for key in keys:
        if key == "f9":
            saved.append(text)
            continue
        before, after = text[:cursor], text[cursor:]
        match key:
            case "backspace":
                before = before[:-1]
            case "delete":
                after = after[1:]
            case "ctrl+w" | "ctrl+u":
                before = ""  # it is all one word
            case "ctrl+k":
                after = ""
            case "left":
                before, after = before[:-1], before[-1:] + after
            case "home":
                before, after = "", before + after
            case letter:
                before += letter
        text, cursor = before + after, len(before)
    return saved


_EDITS = st.sampled_from(["backspace", "delete", "left", "home", "ctrl+w", "ctrl+u", "ctrl+k"])
_PRESSED = st.one_of(st.sampled_from(LETTERS), st.sampled_from(LETTERS), _EDITS, st.just("f9"))
# Whose queue something stands in before each key (a place in `Card.way`), and for how many turns of the loop.
_BUSY = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 30)), max_size=8)
# Turns of the loop between one key and the next: in one packet, or after the one before is through.
_APART = st.one_of(st.integers(0, 6), st.integers(0, 300))


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(pressed=st.lists(st.tuples(_PRESSED, _BUSY, _APART), min_size=2, max_size=16))
@example(pressed=[("а", [], 9), ("б", [], 9), ("left", [], 200), ("backspace", [(0, 30)] * 6, 0)])
@example(pressed=[("а", [], 9), ("left", [], 200), ("home", [(1, 30)] * 6, 0), ("б", [], 0), ("delete", [], 0)])
@example(pressed=[("а", [], 200), ("б", [(0, 30)] * 6, 0)])
def test_a_command_is_about_all_that_was_typed_and_erased_before_it(
    pressed: list[tuple[str, list[tuple[int, int]], int]],
) -> None:
    """On a busy screen too: a Backspace is handled far above its field, a letter in it, F9 before both."""
    pressed = [*pressed, ("f9", [], 0)]
    keys = [key for key, _, _ in pressed]

    async def press_them() -> list[str]:
        app = Card()
        async with app.run_test():
            for key, busy, apart in pressed:
                for place, turns in busy:
                    app.way[place].call_later(turns_of_the_loop, turns)
                app.post_message(Key(key, key if len(key) == 1 else None))
                await turns_of_the_loop(apart)
            async with asyncio.timeout(DEADLINE_S):
                while len(app.saved) < keys.count("f9"):  # noqa: ASYNC110  # a list gives no event
                    await asyncio.sleep(0.001)
            return app.saved

    assert asyncio.run(press_them()) == as_meant(keys)
