"""The count of proved functions can neither be invented nor go stale."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.plugins import functions

TREE = Path(__file__).resolve().parents[2]
MARKED = """
    import pytest

    @pytest.mark.function("K-5.1.3.2", "K-5.1.3.3")
    def test_proves():
        pass

    @pytest.mark.function("K-5.1.3.3")
    @pytest.mark.parametrize("good", [True, False])
    def test_fails_once(good):
        assert good

    @pytest.mark.function("K-1.1")
    def test_never_runs():
        pytest.skip("no server")
"""


@pytest.fixture
def inner(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A pytest run of its own with the plugin, writing its page beside it."""
    monkeypatch.setenv("PYTHONPATH", str(TREE))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makeini("[pytest]\nmarkers =\n  function(*ids): x\n")
    pytester.makeconftest(
        """
        from pathlib import Path
        from tests.plugins import functions
        functions.TREE = Path.cwd()
        functions.PAGE = Path.cwd() / "page.md"
        """
    )
    return pytester


def run(inner: pytest.Pytester, *options: str) -> pytest.RunResult:
    return inner.runpytest_subprocess("-p", "tests.plugins.functions", *options)


@pytest.mark.parametrize("workers", [(), ("-p", "xdist", "-n", "2")], ids=["one by one", "side by side"])
def test_only_what_passed_is_proved(inner: pytest.Pytester, workers: tuple[str, ...]) -> None:
    inner.makepyfile(MARKED)
    result = run(inner, "--write-functions", *workers)
    result.assert_outcomes(passed=2, failed=1, skipped=1)
    page = (inner.path / "page.md").read_text(encoding="utf-8")
    assert f"**2 of {len(functions.customer_functions())}**" in page
    assert "«нужно заполнить хотя бы одно из полей»" in page
    assert "test_proves" in page
    assert "test_fails_once" not in page
    assert "test_never_runs" not in page


def test_the_page_is_written_on_demand_only(inner: pytest.Pytester) -> None:
    inner.makepyfile(MARKED)
    run(inner)
    assert not (inner.path / "page.md").exists()


def test_an_unknown_function_is_wrong_use(inner: pytest.Pytester) -> None:
    inner.makepyfile(MARKED.replace("K-1.1", "K-99"))
    result = run(inner)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*K-99*"])


def test_markers_are_found_without_importing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(functions, "TREE", tmp_path)
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_x.py").write_text(
        "import nothing_like_this, pytest\n"
        "pytestmark = [pytest.mark.function('K-1.1'), pytest.mark.slow]\n"
        "class TestA:\n"
        "    @pytest.mark.function('K-1.2', 'K-1.3')\n"
        "    async def test_b(self): ...\n",
        encoding="utf-8",
    )
    test = "tests/test_x.py::TestA::test_b"
    assert list(functions.marked_tests()) == [("K-1.1", test), ("K-1.2", test), ("K-1.3", test)]


def test_lint_names_unknown_ids_and_vanished_tests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(functions, "TREE", tmp_path)
    monkeypatch.setattr(functions, "PAGE", tmp_path / "page.md")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_x.py").write_text(
        "import pytest\n@pytest.mark.function('K-99')\ndef test_b(): ...\n", encoding="utf-8"
    )
    (tmp_path / "page.md").write_text("| K-1 | x | `tests/test_x.py::test_gone` |\n", encoding="utf-8")
    unknown, vanished = functions.complaints()
    assert "K-99" in unknown
    assert "test_gone" in vanished


def test_the_tree_has_no_complaints() -> None:
    assert functions.complaints() == []
