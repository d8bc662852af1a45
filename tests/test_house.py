"""The house itself: what is pinned, what the wheel carries, what starts fast, and that the tree knows no machine."""

from __future__ import annotations

import re
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from pathlib import Path

import pytest

from tests.peers.pty import PtyDesk

TREE = Path(__file__).resolve().parents[1]
PACKAGES = ("operator_tui", "screens", "widgets", "assets", "central")
ENP = "2656240885900014"


def run(*command: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(list(map(str, command)), cwd=cwd, capture_output=True, text=True, timeout=120, check=False)


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=TREE, capture_output=True, text=True, check=True)
    return [TREE / name for name in listed.stdout.split("\0") if name and (TREE / name).is_file()]


# --- the requirements ----------------------------------------------------------------------------------------------


def named_in(file: Path) -> set[str]:
    """The requirement lines of a .in file, as pyproject.toml writes them."""
    return {line for line in file.read_text(encoding="utf-8").splitlines() if line and line[0] not in "#-"}


def test_requirements_are_those_of_the_project() -> None:
    project = tomllib.loads((TREE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert named_in(TREE / "requirements" / "base.in") == set(project["dependencies"])
    for extra in ("sound", "redis"):
        assert named_in(TREE / "requirements" / f"{extra}.in") == set(project["optional-dependencies"][extra])


@pytest.mark.parametrize("name", ["base", "sound", "redis", "build", "dev"])
def test_requirements_are_pinned_with_hashes_and_name_no_address(name: str) -> None:
    text = (TREE / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    for address in ("://", "--index-url", "--extra-index-url", "--find-links", "--trusted-host", " @ ", "/opt", "/usr"):
        assert address not in text
    assert "#    make requirements\n" in text
    requirements = [entry for entry in re.split(r"\n(?=\S)", text) if entry[0] not in "#-"]
    assert requirements
    for requirement in requirements:
        assert re.match(r"[a-z0-9._-]+==\S+ \\\n    --hash=sha256:[0-9a-f]{64}", requirement), requirement[:80]


def test_one_version_of_a_package_in_all_requirements() -> None:
    versions: dict[str, set[str]] = {}
    for file in (TREE / "requirements").glob("*.txt"):
        for package, version in re.findall(r"^([a-z0-9._-]+)==(\S+)", file.read_text(encoding="utf-8"), re.MULTILINE):
            versions.setdefault(package, set()).add(version)
    assert {package for package, found in versions.items() if len(found) > 1} == set()
    assert versions["textual"] == {"8.2.8"}
    assert versions["baresip-python"] == {"0.5.2a3"}


# --- the tree ------------------------------------------------------------------------------------------------------


def test_the_tree_knows_no_machine() -> None:
    """No home or work folder of a person's machine, no address of a package registry or mirror."""
    machine = re.compile(r"(?<![\w.@])/(?:work|farm|root|home/[a-z]+)/|find-links=|index-url|deb\.debian|pypi\.org")
    allowed = {TREE / "tests" / "test_house.py", TREE / "Makefile"}
    found = []
    for path in tracked():
        if path in allowed or path.suffix in {".svg", ".wav", ".gz", ".zst"}:
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            if machine.search(line):
                found.append(f"{path.relative_to(TREE)}:{number}: {line.strip()[:100]}")
    assert found == []


LATE = ("httpx", "keyring", "sqlite_utils", "sqlcipher3", "pyaudio", "baresip", "litestar", "sqlalchemy", "uvicorn")


def test_the_desk_paints_before_it_loads_what_is_heavy() -> None:
    """Start-up is what an operator waits for: these are loaded after the first paint, or never."""
    program = f"import sys, operator_tui.app; print(*(name for name in {LATE!r} if name in sys.modules))"
    answer = run(sys.executable, "-c", program, cwd=TREE)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.split() == []


def test_the_command_line_loads_no_screen_library() -> None:
    """A check in a script answers without the screen library."""
    program = "import sys, operator_tui.cli; print('textual' in sys.modules)"
    answer = run(sys.executable, "-c", program, cwd=TREE)
    assert answer.stdout.strip() == "False", answer.stderr


# --- the wheel -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    built = run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, TREE)
    assert built.returncode == 0, built.stdout + built.stderr
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of an empty environment with the wheel installed.

    Its dependencies are this environment's own, by a .pth line (installing them again from hashes is what `make setup`
    does on every fresh machine); a .pth inside them is not followed, so nothing of the tree is reachable.
    """
    environment = tmp_path_factory.mktemp("empty") / "venv"
    made = run(sys.executable, "-m", "venv", "--without-pip", environment)
    assert made.returncode == 0, made.stderr
    python = environment / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", "--no-index"]
    put = run(*pip, wheel)
    assert put.returncode == 0, put.stderr
    purelib = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").stdout.strip()
    (Path(purelib) / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return python.parent


def test_the_wheel_carries_code_and_data_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    expected = {
        path.relative_to(TREE).as_posix()
        for path in tracked()
        if path.relative_to(TREE).parts[0] in PACKAGES and path.suffix != ".gitignore"
    }
    assert expected - names == set()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == set(PACKAGES)
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert any(name.endswith("licenses/NOTICE") for name in names)


def test_the_installed_program_runs_from_another_folder(installed: Path, tmp_path: Path) -> None:
    where = run(installed / "python", "-c", "import operator_tui; print(operator_tui.__file__)", cwd=tmp_path)
    assert Path(where.stdout.strip()).is_relative_to(installed.parent), where.stderr
    version = run(installed / "operator-tui", "--version", cwd=tmp_path)
    assert version.returncode == 0, version.stderr
    assert re.search(r"\b\d+\.\d+\.\d+", version.stdout)


def test_the_installed_program_checks_a_policy_number(installed: Path, tmp_path: Path) -> None:
    good = run(installed / "operator-tui", "check", "enp", ENP, cwd=tmp_path)
    assert good.returncode == 0, good.stdout + good.stderr
    bad = run(installed / "operator-tui", "check", "enp", ENP[:-1] + "0", cwd=tmp_path)
    assert bad.returncode == 1
    assert "Traceback" not in bad.stderr


def test_the_installed_program_reads_its_reference_data(installed: Path, tmp_path: Path) -> None:
    program = "from operator_tui.reference import packaged_catalogue; print(len(packaged_catalogue().themes))"
    answer = run(installed / "python", "-c", program, cwd=tmp_path)
    assert answer.returncode == 0, answer.stderr
    assert int(answer.stdout) > 50


def test_the_installed_desk_starts_in_a_terminal(installed: Path, tmp_path: Path) -> None:
    argv = [str(installed / "operator-tui"), "desk", "--profile", "demo"]
    with PtyDesk(argv, cwd=tmp_path) as desk:
        desk.wait(lambda screen: "F1 Помощь" in screen and "Электронный журнал" in screen, 60, "the home screen")
        assert "Traceback" not in desk.screen_text()
