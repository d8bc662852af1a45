"""Keys and pastes in the order they were typed, however they arrive."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.events import Key, Paste

from operator_tui.typeahead import KeysInOrder
from widgets.lean import LeanInput

# One letter for each place in a burst, so that an exchange of any two is seen.
LETTERS = "абвгдежзийклмнопрстуфхцчшщъыьэюяabcdefghijklmnopqrstuvwxyz"
DEADLINE_S = 20.0


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
