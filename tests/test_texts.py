"""Every Russian text of the screen goes through gettext, so that Kazakh and English can follow."""

from __future__ import annotations

import ast
import gettext
import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.extract import extract_python

from operator_tui import i18n
from operator_tui.appeals.card import FIELD_TITLES
from tests.screens.page import open_desk

ROOT = Path(__file__).parents[1]
# What an operator sees is made here. The rest either gives words as marked texts or speaks to an administrator.
SHOWN = [*sorted((ROOT / "screens").glob("*.py")), *sorted((ROOT / "widgets").glob("*.py"))]
_WHOLE = ("app.py", "keyed.py", "windows.py", "attended.py", "asking.py", "typeahead.py")
SHOWN += [ROOT / "operator_tui" / name for name in _WHOLE]
SHOWN += sorted((ROOT / "operator_tui" / "sentences").glob("*.py"))
SHOWN += sorted((ROOT / "operator_tui").glob("*acts.py"))
SHOWN += sorted((ROOT / "operator_tui" / "desk").glob("*.py"))
RULES = sorted((ROOT / "operator_tui" / "appeals").glob("*.py"))
_NOT_TRANSLATED = {
    # How Latin letters are said aloud in Russian, and a word that the registry's own data begins with.
    "screens/code.py": re.compile("^[а-я-]+$"),
    "screens/insured_words.py": re.compile("^Внимание: $"),
    # Abbreviations that stand in the registry's addresses, not what is said for them.
    "screens/read_back.py": re.compile(r"^([а-я-]+|\(\[а-яё].*)$"),
    # Places that templates name, what a letter and a list for the office say, and letters to search made-up people by.
    "operator_tui/desk/scripts.py": re.compile("^[а-я_]+$"),
    "operator_tui/desk/letters.py": re.compile("^([а-я_]+|Здравствуйте(, )?)$"),
    "operator_tui/desk/export.py": re.compile(
        "^(Обращения|Номер|Дата регистрации|Тип обращения|Тематика|ФИО|Статус|Срок)$"
    ),
    "operator_tui/desk/account.py": re.compile("^[а-я]+$"),
}
_WRAPPERS = {"tr", "ntr", "mark"}
_CYRILLIC = re.compile("[А-Яа-яЁё]{2}")
_CYRILLIC_WORDS = re.compile("[А-Яа-яЁё]+")
_PARTS = re.compile(r"(\{[^}]*\})")
_LATIN = str.maketrans(
    "абвгдеёжзийклмнопрстуфхцчшщъыьэюяАБВГДЕЁЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯ",
    "abvgdeejziyklmnoprstufhccss'y'euaABVGDEEJZIYKLMNOPRSTUFHCCSS'Y'EUA",
)
# The operator's name and how the appeal came are data.
_OF_THE_DATA = frozenset({"Петрова", "Анна", "Сергеевна", "А", "С", "добавлено", "вручную", "вручн", "вруч"})
_PLACE = re.compile(r"\{\w*\}")


def bare(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Russian texts that no wrapper has, with their lines; a docstring is not shown."""
    spared: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _WRAPPERS:
            spared |= {id(inner) for inner in ast.walk(node)}
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            spared.add(id(node.value))
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or id(node) in spared:
            continue
        if _CYRILLIC.search(node.value):
            yield node.lineno, node.value


@pytest.mark.parametrize("file", SHOWN, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_text_is_wrapped(file: Path) -> None:
    name = str(file.relative_to(ROOT))
    let_be = _NOT_TRANSLATED.get(name)
    texts = [one for one in bare(ast.parse(file.read_text("utf-8"))) if not (let_be and let_be.match(one[1]))]
    found = [f"{name}:{line}: {text}" for line, text in texts]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("file", RULES, ids=lambda file: file.name)
def test_the_titles_of_the_rules_are_marked(file: Path) -> None:
    tables = [
        node
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and "TITLES" in node.targets[0].id
    ]
    assert [found for table in tables for found in bare(table)] == []


def test_a_text_that_is_not_wrapped_is_found() -> None:
    source = '"""Описание."""\na = tr("Верно")\nb = f"Неверно {a}"\nc = {"ключ": mark("Слово")}\n'
    assert [line for line, _ in bare(ast.parse(source))] == [3, 4]


def test_the_texts_can_be_extracted_for_a_translator() -> None:
    """What `make messages` does; a text in an f-string would come out empty or not at all."""
    texts = [
        text
        for file in (*SHOWN, *RULES)
        for _, _, found, _ in extract_python(BytesIO(file.read_bytes()), {"tr": None, "mark": None}, [], {})
        for text in ([found] if isinstance(found, str) else [one for one in found or () if one])
    ]
    assert "Регистрационная карта: {source}" in texts
    assert set(FIELD_TITLES.values()) <= set(texts), "titles of the rules too"
    assert len(texts) > 300
    for text in texts:
        assert _PLACE.sub("", text).count("{") == 0, f"a place without a name: {text}"


class Latin(gettext.NullTranslations):
    """A made-up language: every Russian letter as a Latin one, places left alone."""

    def gettext(self, message: str) -> str:
        return "".join(part if part.startswith("{") else part.translate(_LATIN) for part in _PARTS.split(message))


async def test_another_language_goes_through_the_whole_desk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(i18n, "_active", i18n._active)  # as it was, also for the tests after this one
    monkeypatch.setattr(i18n, "_load", lambda language: Latin())
    try:
        async with open_desk(phone={"simulated_first_seconds": 600.0}) as desk:
            await desk.press("insert")
            await desk.until_screen("work")
            await desk.until(lambda: "Reg. karta" in desk.text(), "the card")
            left = [word for word in _CYRILLIC_WORDS.findall(desk.text()) if word not in _OF_THE_DATA]
            assert not left
            await desk.press("f1")
            await desk.until(lambda: "F1" in desk.text(), "the commands")
            assert not [word for word in _CYRILLIC_WORDS.findall(desk.text()) if word not in _OF_THE_DATA]
    finally:
        i18n.use("ru")
