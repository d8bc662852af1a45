"""The marker ``function(*ids)``: which of the customer's functions (docs/functions.tsv) a test proves.

``pytest --write-functions`` writes docs/functions.md from the tests that passed. ``python -m tests.plugins.functions``
checks without running anything: every id is the customer's, every test that docs/functions.md names still exists.
"""

from __future__ import annotations

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

TREE = Path(__file__).resolve().parents[2]
PAGE = TREE / "docs" / "functions.md"
LIST = TREE / "docs" / "functions.tsv"
_PROPERTY = "functions"
_PROOF = re.compile(r"`(tests/\S+?\.py::[^`]+)`")


@cache
def customer_functions() -> dict[str, str]:
    """Id -> the customer's words, in the order of his documents."""
    lines = LIST.read_text(encoding="utf-8").splitlines()
    pairs = (line.partition("\t") for line in lines if line and not line.startswith("#"))
    return {identifier: quote for identifier, _, quote in pairs}


def page(proofs: dict[str, set[str]]) -> str:
    """docs/functions.md: one row for each proved function, then what is not proved yet."""
    functions = customer_functions()
    open_ids = [identifier for identifier in functions if identifier not in proofs]
    rows = [
        f"| {identifier} | {_cell(quote)} | {'<br>'.join(f'`{test}`' for test in sorted(proofs[identifier]))} |"
        for identifier, quote in functions.items()
        if identifier in proofs
    ]
    return "\n".join(
        [
            "# Functions the tests prove",
            "",
            "Made by `make functions` from the tests that passed; do not edit. The list of all functions, in the",
            "customer's words, is functions.tsv beside this file.",
            "",
            f"**{len(proofs)} of {len(functions)}** functions are proved by at least one test.",
            "",
            "| id | the customer's words | tests that prove it |",
            "|---|---|---|",
            *rows,
            "",
            "## Not proved yet",
            "",
            ", ".join(open_ids),
            "",
        ]
    )


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def marked_tests() -> Iterator[tuple[str, str]]:
    """(id, test without parameters) for every ``function`` marker, found without importing the tests."""
    for file in sorted((TREE / "tests").rglob("test_*.py")):
        module = ast.parse(file.read_text(encoding="utf-8"))
        yield from _marked(module, file.relative_to(TREE).as_posix(), _assigned(module))


def _marked(node: ast.Module | ast.ClassDef, path: str, inherited: list[str]) -> Iterator[tuple[str, str]]:
    for child in node.body:
        if isinstance(child, ast.ClassDef):
            outer = inherited + _decorated(child) + _assigned(child)
            yield from _marked(child, f"{path}::{child.name}", outer)
        elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) and child.name.startswith("test"):
            for identifier in inherited + _decorated(child):
                yield identifier, f"{path}::{child.name}"


def _assigned(node: ast.Module | ast.ClassDef) -> list[str]:
    """Ids of ``pytestmark = …`` in a module or class."""
    return [
        identifier
        for statement in node.body
        if isinstance(statement, ast.Assign)
        and any(ast.unparse(target) == "pytestmark" for target in statement.targets)
        for identifier in _ids(statement.value)
    ]


def _decorated(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    return [identifier for decorator in node.decorator_list for identifier in _ids(decorator)]


def _ids(expression: ast.expr) -> list[str]:
    return [
        argument.value
        for call in ast.walk(expression)
        if isinstance(call, ast.Call) and ast.unparse(call.func).endswith("mark.function")
        for argument in call.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    ]


def complaints() -> list[str]:
    """What is wrong with the markers and the page; empty when nothing is."""
    marked = list(marked_tests())
    found = [
        f"{test}: {identifier} is not in docs/functions.tsv"
        for identifier, test in marked
        if identifier not in customer_functions()
    ]
    known = {test for _, test in marked}
    named = _PROOF.findall(PAGE.read_text(encoding="utf-8")) if PAGE.exists() else []
    found += [
        f"docs/functions.md names {test}, which is gone or proves nothing now: make functions"
        for test in sorted(set(named))
        if test not in known
    ]
    return found


# --- in a pytest run ---------------------------------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--write-functions", action="store_true", help="write docs/functions.md from the tests that passed"
    )


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(_Tally(config), "operator-tui-functions-tally")


class _Tally:
    """Counts what the passed tests prove. A test that failed once, or in one of its parameters, proves nothing."""

    def __init__(self, config: pytest.Config) -> None:
        self.write = bool(config.getoption("--write-functions"))
        self.ids: dict[str, list[str]] = {}
        self.passed: set[str] = set()
        self.failed: set[str] = set()

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        unknown = []
        for item in items:
            ids = [str(identifier) for marker in item.iter_markers("function") for identifier in marker.args]
            unknown += [f"{item.nodeid}: {identifier}" for identifier in ids if identifier not in customer_functions()]
            if ids:
                item.user_properties.append((_PROPERTY, " ".join(ids)))  # reports carry it from worker to worker
        if unknown:
            raise pytest.UsageError("not in docs/functions.tsv: " + "; ".join(unknown))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        ids = dict(report.user_properties).get(_PROPERTY)
        if ids is None:
            return
        self.ids[report.nodeid] = str(ids).split()
        test = report.nodeid.partition("[")[0]
        if report.failed:
            self.failed.add(test)
        elif report.when == "call" and report.passed:
            self.passed.add(report.nodeid)

    def proofs(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = defaultdict(set)
        for nodeid in self.passed:
            test = nodeid.partition("[")[0]
            if test not in self.failed:
                for identifier in self.ids[nodeid]:
                    found[identifier].add(test)
        return dict(found)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        proofs = self.proofs()
        if not self.ids:
            return
        terminalreporter.section("functions of the customer")
        terminalreporter.write_line(f"proved in this run: {len(proofs)} of {len(customer_functions())}")
        if self.write:
            PAGE.write_text(page(proofs), encoding="utf-8")
            terminalreporter.write_line(f"written: {PAGE.relative_to(TREE)}")


def main() -> int:
    found = complaints()
    for complaint in found:
        print(complaint, file=sys.stderr)  # noqa: T201  # this is a command's output
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
