"""The picture of the README: the real desk in a real call, drawn by this test.

``WRITE_PICTURE=1 pytest tests/screens/test_picture.py`` draws docs/desk.svg anew; without it the test
says whether the picture still shows what the desk shows.
"""

from __future__ import annotations

import os
import re
from html import unescape
from pathlib import Path

from tests.screens.page import DeskPage, open_desk
from tests.screens.test_call import answered

PICTURE = Path(__file__).parents[2] / "docs" / "desk.svg"
# What differs from day to day and from run to run: dates, timers, the numbers of operations.
_CHANGING = re.compile(r"\d+")
# Fonts from somebody else's server: the picture must do without the network.
_FONTS = re.compile(r"@font-face \{[^}]*\}\s*")


def words(svg: str) -> list[str]:
    """The texts of the picture, without what changes by itself."""
    found = re.findall(r"<text[^>]*>([^<]*)</text>", svg)
    texts = [_CHANGING.sub("#", unescape(text).replace("\xa0", " ").strip()) for text in found]
    return [text for text in texts if text]


async def in_the_middle_of_a_call(desk: DeskPage) -> None:
    await answered(desk)
    await desk.until(lambda: desk.hits.rows(), "candidates")
    await desk.press("enter")
    await desk.until(lambda: desk.theme.focused, "the theme line")
    await desk.type("потер")
    await desk.until(lambda: desk.themes.rows(), "themes")
    await desk.press("enter")
    await desk.until(lambda: "S-03" in desk.line("#answer-title"), "the approved answer")
    await desk.press("ctrl+s")
    await desk.until(lambda: "«В работе»" in desk.notice, "saved")
    await desk.until(lambda: "Не отправлено: 0" in desk.line("#lights"), "all at the server")


async def test_the_picture_of_the_readme_shows_this_desk() -> None:
    async with open_desk(size=(100, 30)) as desk:
        await in_the_middle_of_a_call(desk)
        drawn = desk.app.export_screenshot(title="operator-tui")
    if os.environ.get("WRITE_PICTURE"):
        PICTURE.write_text(_FONTS.sub("", drawn), encoding="utf-8")
    assert words(drawn) == words(PICTURE.read_text(encoding="utf-8")), "draw it anew: see the head of this file"
