"""Scenes: a desk that can be started in a terminal, and the keys of one walk through it.

Each step says what has to be seen before the next one, so a walk takes the same way on any machine, and `walk` gives
what the terminal got and showed.
"""

from __future__ import annotations

import contextlib
import functools
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from tests.peers.emulator import Cell, Emulator
from tests.peers.pty import PtyDesk

Kind = Literal["letter", "search", "cursor", "row", "focus", "screen", "other"]
"""`search` is a letter that repaints its hits; the first one paints a list where there was none."""

Driver = Literal["thin", "stock", "tee"]
"""`tee` is the thin driver that also writes down what the stock driver would have sent (tests/wire/tee.py)."""


@dataclass(frozen=True)
class Step:
    """Keys by name, or text that is typed; `until` is text that has to come, `gone` text that has to go."""

    name: str
    kind: Kind
    keys: tuple[str, ...] = ()
    text: str = ""
    until: str = ""
    gone: str = ""

    def act(self, desk: PtyDesk) -> None:
        """Press or type."""
        if self.text:
            desk.type(self.text)
        desk.press(*self.keys)

    def reached(self, screen: str) -> bool:
        """Whether the screen is the step's."""
        return self.until in screen and not (self.gone and self.gone in screen)


@dataclass(frozen=True)
class Scene:
    """A program, the text that tells it is ready, and a walk."""

    name: str
    argv: tuple[str, ...]
    ready: tuple[str, ...]
    steps: tuple[Step, ...]
    quit: tuple[str, ...]
    env: dict[str, str] = field(default_factory=dict)
    theme_variable: str = ""


@dataclass(frozen=True)
class Seen:
    """What one step cost and left on the screen."""

    name: str
    kind: Kind
    size: int
    text: str
    cells: list[list[Cell]]
    cursor: tuple[int, int, bool]
    stock_size: int = 0
    stock_cells: list[list[Cell]] = field(default_factory=list)


class Tee:
    """The terminal that the stock driver would have painted, fed from the tee's file."""

    def __init__(self, file: Path, rows: int, cols: int) -> None:
        self._file = file
        self._read = 0
        self._emulator = Emulator(cols, rows)

    def catch_up(self) -> tuple[int, list[list[Cell]]]:
        """Bytes that came since the last call, and the picture now."""
        data = self._file.read_bytes()[self._read :] if self._file.exists() else b""
        self._read += len(data)
        self._emulator.feed(data)
        return len(data), self._emulator.cells()


def typed(prefix: str, letters: str, kind: Kind, before: str = "") -> tuple[Step, ...]:
    """One step for each letter; each waits for the line `before` and all letters so far."""
    return tuple(
        Step(f"{prefix} {letter}", kind, text=letter, until=before + letters[: n + 1])
        for n, letter in enumerate(letters)
    )


DEMO = Scene(
    name="demo",
    argv=(sys.executable, "-m", "tests.wire.demo"),
    ready=("Выход", "12.03.1961"),
    quit=("f10",),
    steps=(
        *typed("field", "Иванов", "letter", "\n"),
        Step("backspace", "letter", ("backspace",), gone="\nИванов\n"),
        Step("left", "cursor", ("left",)),
        Step("home", "cursor", ("home",)),
        Step("insert before", "other", text="Ж", until="ЖИвано"),
        Step("to search", "focus", ("f5",)),
        *typed("search", "смир", "search", "\n"),
        Step("to text", "focus", ("f6",)),
        *typed("text", "Просит", "letter", "\n"),
        Step("new line", "other", ("enter",)),
        Step("to menu", "focus", ("f3",)),
        Step("down", "row", ("down",)),
        Step("down again", "row", ("down",)),
        Step("state of the line", "other", ("f8",), until="разговор"),
        Step("journal", "screen", ("f2",), until="ЭЛЕКТРОННЫЙ ЖУРНАЛ"),
        Step("row down", "row", ("down",)),
        Step("row down again", "row", ("down",)),
        Step("page down", "other", ("pagedown",)),
        Step("back", "screen", ("f2",), gone="ЭЛЕКТРОННЫЙ ЖУРНАЛ"),
    ),
    theme_variable="DEMO_THEME",
)

DESK = Scene(
    name="desk",
    argv=(sys.executable, "-m", "operator_tui"),
    ready=("Телефон: на связи", "Сервер: на связи", "Реестр: на ", "Активных обращений нет"),
    quit=("ctrl+q",),
    # No caller may ring into a walk whose bytes are counted.
    env={"OPERATOR_TUI_PHONE_SIMULATED_FIRST_SECONDS": "86400", "OPERATOR_TUI_PHONE_SOUND": "null"},
    steps=(
        Step("card", "screen", ("insert",), until="карта: добавлено вручную"),
        Step("to theme", "focus", ("f6",)),
        Step("to surname", "focus", ("tab",)),
        *typed("field", "Смирнов", "letter", "Фамилия    "),
        Step("backspace", "letter", ("backspace",), until="Смирно"),
        Step("left", "cursor", ("left",)),
        Step("home", "cursor", ("home",)),
        Step("to search", "focus", ("f5",)),
        *typed("search", "петров", "search", "застрахованного:  "),
        Step("person down", "row", ("down",)),
        Step("person down again", "row", ("down",)),
        Step("person", "other", ("enter",), until="ЕНП "),
        Step("to theme again", "focus", ("f6",)),
        *typed("theme", "потер", "search", "Тематика   "),
        Step("theme", "other", ("enter",), until="S-03"),
        Step("help", "screen", ("f1",), until="Команды и клавиши"),
        Step("help down", "other", ("down",)),
        Step("help end", "screen", ("escape",), gone="Команды и клавиши"),
        Step("journal", "screen", ("ctrl+f",), until="Электронный журнал"),
    ),
    theme_variable="OPERATOR_TUI_SCREEN_THEME",
)


def sixteen(scene: Scene) -> dict[str, str]:
    """The environment that shows a scene in 16 colours on a fast line."""
    theme = "ansi-dark" if scene is DEMO else "vt"
    return {"TERM": "xterm-16color", scene.theme_variable: theme}


@contextmanager
def own_home() -> Iterator[dict[str, str]]:
    """Folders of its own for one desk; a short path, for a UNIX socket has to fit in it."""
    home = Path(tempfile.mkdtemp(prefix="ot-"))
    folders = {
        "HOME": home,
        "XDG_CONFIG_HOME": home / "c",
        "XDG_DATA_HOME": home / "d",
        "XDG_STATE_HOME": home / "s",
        "XDG_CACHE_HOME": home / "h",
        "XDG_RUNTIME_DIR": home / "r",
    }
    for folder in folders.values():
        folder.mkdir(mode=0o700, exist_ok=True)
    try:
        yield {name: str(folder) for name, folder in folders.items()}
    finally:
        shutil.rmtree(home, ignore_errors=True)


def tee_file(home: Mapping[str, str]) -> Path:
    """Where the tee writes, for a desk in this home."""
    return Path(home["HOME"]) / "tee"


@contextmanager
def started(
    scene: Scene,
    *,
    driver: Driver = "thin",
    rows: int = 24,
    cols: int = 80,
    env: dict[str, str] | None = None,
    answers: bool = True,
    bits_per_second: int | None = None,
    home: Mapping[str, str] | None = None,
) -> Iterator[PtyDesk]:
    """A scene's program, ready and quiet, in folders of its own or in those of `own_home`."""
    with own_home() if home is None else nullcontext(home) as home:
        wanted = {**home, **scene.env, "OPERATOR_TUI_DRIVER": driver, "OPERATOR_TUI_TERMINAL_PROFILE": "lan"}
        if driver == "tee":
            wanted |= {"TEXTUAL_DRIVER": "tests.wire.tee:TeeDriver", "OPERATOR_TUI_TEE": str(tee_file(home))}
        with PtyDesk(
            scene.argv,
            rows=rows,
            cols=cols,
            env={**wanted, **(env or {})},
            cwd=Path(__file__).parents[2],
            answers=answers,
            bits_per_second=bits_per_second,
        ) as desk:
            for text in scene.ready:
                desk.wait_text(text)
            if "DEMO_BLINK" not in (env or {}):
                desk.wait_quiet(0.6)
            yield desk


def shows(text: str) -> Callable[[str], bool]:
    """A predicate for `PtyDesk.wait`."""
    return lambda screen: text in screen


def go_to_the_field(scene: Scene, desk: PtyDesk) -> str:
    """Walk to where the first letter is typed; returns what stands before that letter on the screen."""
    for step in scene.steps:
        if step.kind == "letter":
            return step.until.removesuffix(step.text)
        step.act(desk)
        desk.wait(step.reached, what=f"step {step.name!r}")
        desk.wait_quiet()
    raise ValueError(f"no letter is typed in {scene.name}")


def walk(
    scene: Scene,
    *,
    driver: Driver = "thin",
    rows: int = 24,
    cols: int = 80,
    env: tuple[tuple[str, str], ...] = (),
) -> tuple[Seen, ...]:
    """Walk a scene once in each setting; asked again, the first walk is given."""
    return _walked(scene.name, driver, rows, cols, env)


def side_by_side(*walks: Callable[[], tuple[Seen, ...]]) -> list[tuple[Seen, ...]]:
    """Several walks at once: each mostly waits for silence."""
    with ThreadPoolExecutor(len(walks)) as pool:
        return [walking.result() for walking in [pool.submit(one) for one in walks]]


@functools.cache
def _walked(name: str, driver: Driver, rows: int, cols: int, env: tuple[tuple[str, str], ...]) -> tuple[Seen, ...]:
    scene = {scene.name: scene for scene in (DEMO, DESK)}[name]
    seen = []
    with own_home() as home, started(scene, driver=driver, rows=rows, cols=cols, env=dict(env), home=home) as desk:
        tee = Tee(tee_file(home), rows, cols)
        seen.append(_look(desk, "first paint", "other", desk.mark(), tee))
        for step in scene.steps:
            mark = desk.mark()
            step.act(desk)
            if step.until or step.gone:
                desk.wait(step.reached, what=f"step {step.name!r}")
            else:
                _wait_for_output(desk, mark)
            desk.wait_quiet()
            seen.append(_look(desk, step.name, step.kind, len(desk.bytes_since(mark)), tee))
        desk.press(*scene.quit)
        assert desk.wait_exit() == 0
    return tuple(seen)


def _wait_for_output(desk: PtyDesk, mark: int) -> None:
    """Some keys change nothing (the end of a list), so silence ends this wait as well."""
    with contextlib.suppress(AssertionError):
        desk.wait(lambda _screen: desk.received > mark, timeout=2.0)


def _look(desk: PtyDesk, name: str, kind: Kind, size: int, tee: Tee) -> Seen:
    return Seen(name, kind, size, desk.screen_text(), desk.cells(), desk.cursor, *tee.catch_up())
