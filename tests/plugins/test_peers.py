"""A test against a real server either runs, or says why not; with CI=true it runs or fails."""

from __future__ import annotations

from pathlib import Path

import pytest

TREE = Path(__file__).resolve().parents[2]

NEEDS_ASTERISK = """
    import pytest

    @pytest.mark.needs("asterisk")
    def test_calls():
        raise AssertionError("reached")
"""
SKIPS_ITSELF = """
    import pytest

    @pytest.mark.needs("sound")
    def test_listens():
        pytest.skip("no time")
"""


@pytest.fixture
def inner(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A pytest run of its own with the plugin, where no Asterisk is."""
    monkeypatch.setenv("PYTHONPATH", str(TREE))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("OPERATOR_TUI_ASTERISK_ROOT", str(pytester.path / "nothing"))
    monkeypatch.delenv("OPERATOR_TUI_PBX", raising=False)
    monkeypatch.delenv("CI", raising=False)
    pytester.makeini("[pytest]\nmarkers =\n  needs(*peers): x\n")
    return pytester


def run(inner: pytest.Pytester) -> pytest.RunResult:
    return inner.runpytest_subprocess("-p", "tests.plugins.peers")


def test_a_missing_server_is_a_skip_that_says_how_to_get_it(inner: pytest.Pytester) -> None:
    inner.makepyfile(NEEDS_ASTERISK)
    result = run(inner)
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["*not run on this machine*", "*1 test(s): no Asterisk*deploy/test-peers asterisk*"])


def test_a_missing_server_fails_a_strict_run(inner: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    inner.makepyfile(NEEDS_ASTERISK)
    result = run(inner)
    result.assert_outcomes(errors=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED


def test_a_strict_run_without_any_pbx_goes_on_loudly(inner: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    monkeypatch.setenv("OPERATOR_TUI_PBX", "none")
    inner.makepyfile(NEEDS_ASTERISK)
    result = run(inner)
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["*NO ASTERISK*"])


def test_a_test_can_not_skip_itself_in_a_strict_run(inner: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    inner.makepyfile(SKIPS_ITSELF.replace('@pytest.mark.needs("sound")', ""))
    run(inner).assert_outcomes(skipped=1)  # it needs no server: its own affair
    inner.makeconftest(
        """
        from tests.plugins import peers
        peers.PEERS["sound"] = peers.Peer(lambda: "", "")
        """
    )
    inner.makepyfile(SKIPS_ITSELF)
    run(inner).assert_outcomes(failed=1)


def test_an_unknown_server_is_wrong_use(inner: pytest.Pytester) -> None:
    inner.makepyfile(NEEDS_ASTERISK.replace("asterisk", "astersik"))
    assert run(inner).ret == pytest.ExitCode.USAGE_ERROR


def test_install_script_knows_every_server() -> None:
    from tests.plugins.peers import PEERS

    script = (TREE / "deploy" / "test-peers").read_text(encoding="utf-8")
    cases = script[script.index("case $1 in") : script.index("esac")]
    assert [name for name in PEERS if f"{name})" not in cases and f"{name} |" not in cases] == []
