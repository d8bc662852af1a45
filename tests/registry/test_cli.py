"""``operator-tui check`` and ``operator-tui registry`` as a person or a script calls them."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.cli import cli
from operator_tui.sentences import sentence


def call(*arguments: str, stdin: str = "") -> Result:
    return CliRunner().invoke(cli, arguments, input=stdin)


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (("enp", "2656240885900014"), 0, "верный"),
        (("enp", "2656 2408 8590 0014"), 0, "верный"),
        (("enp", "2656", "2408", "8590", "0014"), 0, "верный"),
        (("enp", "2656-2408-8590-0014"), 0, "верный"),
        (("enp", "2656240885900011"), 1, "контрольная"),
        (("enp", "0000000000000000"), 1, "нули"),
        (("snils", "112-233-445 95"), 0, "верный"),
        (("snils", "112-233-445 96"), 1, "контрольное"),
        (("iin", "850101500127"), 0, "верный"),
        (("phone", "8 (8652) 01-23-45"), 0, "+78652012345"),
        (("phone", "0652012345"), 1, "нуля"),
        (("mkb", "E11.9"), 0, "верно"),
        (("mkb", "И10"), 1, "I10"),
        (("mkb", "J 06.9"), 0, "верно"),
        (("enp", "-2656240885900014"), 0, "верный"),
        (("enp", "-5"), 1, "16 цифр"),
        (("enp", ""), 1, "16 цифр"),
    ],
)
def test_check_says_in_one_line(arguments: tuple[str, ...], code: int, word: str) -> None:
    result = call("check", *arguments)
    assert result.exit_code == code
    assert word in result.output
    assert result.output.count("\n") == 1


@pytest.mark.parametrize("arguments", [(), ("enp",), ("oops", "1")])
def test_wrong_use_is_2(arguments: tuple[str, ...]) -> None:
    assert call("check", *arguments).exit_code == 2


def test_check_opens_no_database_and_no_network() -> None:
    program = (
        "import sys; from operator_tui.cli import main; sys.argv = ['x', 'check', 'phone', '112']\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "bad = {'sqlite3', 'sqlcipher3', 'httpx', 'textual', 'keyring'} & set(sys.modules); assert not bad, bad"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli")
    result = call("registry", "generate", "--people", "500", "--seed", "4", "--csv", str(folder / "p.csv"))
    assert result.exit_code == 0, result.output
    result = call("registry", "load", "--csv", str(folder / "p.csv"), "--db", str(folder / "r.db"))
    assert result.exit_code == 0, result.output
    return folder


def test_generate_writes_the_agreed_header(loaded: Path) -> None:
    header = (loaded / "p.csv").read_text(encoding="utf-8").splitlines()[0]
    assert header.startswith("enp;snils;surname;name;patronymic;birth_date;sex;phone;")


def test_load_makes_a_key_of_its_own_for_made_up_people(loaded: Path) -> None:
    key = loaded / "r.db.key"
    assert key.stat().st_mode & 0o777 == 0o600
    assert len(bytes.fromhex(key.read_text())) == 32


def test_a_refused_load_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "real.csv").write_text("enp;surname;name;birth_date\n2656240885100011;Иванов;Иван;1980-01-01\n")
    (tmp_path / "twice.csv").write_text(
        "enp;surname;name;birth_date\n" + "2656240885900014;Иванов;Иван;1980-01-01\n" * 2
    )
    before = sorted(tmp_path.iterdir())
    for file in before:
        refused = call("registry", "load", "--csv", str(file), "--db", str(tmp_path / "r.db"))
        assert isinstance(refused.exception, Refusal)
        assert sorted(path for path in tmp_path.iterdir() if path.suffix != ".lock") == before


def test_a_list_of_less_than_half_of_the_people_is_loaded_only_when_that_is_said(tmp_path: Path) -> None:
    index = ("--db", str(tmp_path / "r.db"))
    whole = tmp_path / "p.csv"
    assert call("registry", "generate", "--people", "20", "--csv", str(whole)).exit_code == 0
    half, part, none = (tmp_path / f"{name}.csv" for name in ("half", "part", "none"))
    lines = whole.read_text(encoding="utf-8").splitlines(keepends=True)
    for file, people in ((half, 10), (part, 9), (none, 0)):
        file.write_text("".join(lines[: 1 + people]), encoding="utf-8")
    enp = lines[20].partition(";")[0]
    load = ("registry", "load", *index, "--csv")
    dry = call(*load, str(whole), "--dry-run")
    assert "Реестра ещё нет" in dry.output
    assert call(*load, str(whole), "--as-of", "2026-01-10").exit_code == 0
    refused = call(*load, str(part))
    assert refused.exit_code == 1
    assert isinstance(refused.exception, Refusal)
    said = sentence(refused.exception)
    assert all(words in said for words in ("9, а в реестре 20", "Прежние данные не изменены", "--replace"))
    assert [hit["enp"] for hit in json.loads(call("registry", "search", *index, "--json", enp).output)["hits"]] == [enp]
    dry = call(*load, str(part), "--dry-run", "--as-of", "2026-01-09")
    assert dry.exit_code == 0
    assert "меньше половины имеющихся (20)" in dry.output
    assert "09.01.2026 старее имеющихся (10.01.2026)" in dry.output
    assert "нет никого" in call(*load, str(none), "--dry-run").output
    assert call(*load, str(part), "--replace").exit_code == 0
    assert json.loads(call("registry", "search", *index, "--json", enp).output)["hits"] == []
    assert call(*load, str(half)).exit_code == 0
    delta = ("registry", "delta", "--db", str(tmp_path / "other.db"), "--csv", str(half), "--dry-run")
    assert "Реестра ещё нет" in call(*delta).output


def test_nobody_is_born_in_days_to_come(tmp_path: Path) -> None:
    born = date.today() + timedelta(days=10)  # noqa: DTZ011  # by the day the program knows
    rows = f"2656240885900014;Иванов;Иван;{born}\n2647999718900051;Петрова;Мария;2000-12-31\n"
    (tmp_path / "p.csv").write_text(f"enp;surname;name;birth_date\n{rows}", encoding="utf-8")
    load = ("registry", "load", "--csv", str(tmp_path / "p.csv"), "--db", str(tmp_path / "r.db"))
    refused = call(*load)
    assert isinstance(refused.exception, Refusal)
    assert "строка 2, поле Дата рождения" in sentence(refused.exception)
    assert call(*load, "--errors", str(tmp_path / "faults.csv"), "--skip-errors").exit_code == 0
    assert "15;birth_date" in (tmp_path / "faults.csv").read_text(encoding="utf-8")


def test_a_days_list_of_removals_needs_no_more_than_the_number(tmp_path: Path) -> None:
    made = ("registry", "generate", "--people", "20", "--csv", str(tmp_path / "p.csv"))
    assert call(*made).exit_code == 0
    index = ("--db", str(tmp_path / "r.db"))
    assert call("registry", "load", "--csv", str(tmp_path / "p.csv"), *index).exit_code == 0
    enp = (tmp_path / "p.csv").read_text(encoding="utf-8").splitlines()[3].partition(";")[0]
    (tmp_path / "d.csv").write_text(f"enp;op\n{enp};d\n")
    done = call("registry", "delta", "--csv", str(tmp_path / "d.csv"), *index)
    assert "снято 1" in done.output
    assert json.loads(call("registry", "search", *index, "--json", enp).output)["hits"] == []
    (tmp_path / "d.csv").write_text(f"enp;op\n{enp};u\n")
    refused = call("registry", "delta", "--csv", str(tmp_path / "d.csv"), *index)
    assert isinstance(refused.exception, Refusal)
    assert refused.exception.code == Code.REGISTRY_FAULTS, "a person needs a name"


def test_search_answers_in_json(loaded: Path) -> None:
    enp, _, surname, *_ = (loaded / "p.csv").read_text(encoding="utf-8").splitlines()[1].split(";")
    result = call("registry", "search", "--db", str(loaded / "r.db"), "--json", enp)
    answer = json.loads(result.output)
    assert result.exit_code == 0
    assert answer["query"] == enp
    assert [hit["enp"] for hit in answer["hits"]] == [enp]
    assert answer["hits"][0]["surname"] == surname
    assert answer["more"] is False
    assert answer["ms"] >= 0


def test_search_answers_every_line_of_stdin(loaded: Path) -> None:
    result = call("registry", "search", "--db", str(loaded / "r.db"), "--stdin", stdin="а\n\nщщщщщ\nиван\n")
    answers = [json.loads(line) for line in result.output.splitlines()]
    assert result.exit_code == 0
    assert [answer["query"] for answer in answers] == ["а", "", "щщщщщ", "иван"]
    assert len(answers[0]["hits"]) == 10
    assert answers[0]["more"] is True
    assert answers[2]["hits"] == []
    assert [bool(answer["note"]) for answer in answers] == [True] * 4
    assert "Заполните" in answers[1]["note"], "an empty line gets an answer too, and a sentence in it"


def test_lines_that_are_no_query_are_answered_one_by_one(loaded: Path) -> None:
    """Ten thousand characters, control characters, what is no UTF-8: one line of JSON each, and the next one works."""
    lines = ["ы" * 10_000, "\x01\x02\x7f", "иван\x00\u2028\u202e", '"}', "🙂", "иван"]
    program = [
        sys.executable,
        "-c",
        "from operator_tui.cli import main; main()",
        "registry",
        "search",
        "--db",
        str(loaded / "r.db"),
        "--stdin",
    ]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for line in lines:
            process.stdin.write(f"{line}\n".encode())
            process.stdin.flush()
            answer = json.loads(process.stdout.readline())
            assert answer["query"] == line, "each line is answered before the next one comes"
            assert answer["note"] or answer["hits"]
        process.stdin.write(b"\xff\xe8\xe2\n")
        process.stdin.close()
        assert json.loads(process.stdout.readline())["hits"] == []
        assert process.wait() == 0


def test_nobody_found_is_no_failure(loaded: Path) -> None:
    result = call("registry", "search", "--db", str(loaded / "r.db"), "щщщщщ")
    assert result.exit_code == 0
    assert "Никого" in result.output


def test_an_empty_search_is_a_sentence(loaded: Path) -> None:
    result = call("registry", "search", "--db", str(loaded / "r.db"), "--json", " ")
    assert isinstance(result.exception, Refusal)
    assert result.exception.code == Code.SEARCH_EMPTY


@pytest.mark.parametrize("arguments", [(), ("иван", "--stdin")])
def test_query_or_stdin_but_one_of_them(loaded: Path, arguments: tuple[str, ...]) -> None:
    assert call("registry", "search", "--db", str(loaded / "r.db"), *arguments).exit_code == 2


def test_the_key_may_come_from_a_file_or_the_environment(
    loaded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = tmp_path / "key"
    key.write_bytes(bytes(range(32)))
    base = ("registry", "load", "--csv", str(loaded / "p.csv"), "--db", str(tmp_path / "r.db"))
    assert call(*base, "--key-file", str(key)).exit_code == 0
    assert not (tmp_path / "r.db.key").exists()
    monkeypatch.setenv("OPERATOR_TUI_KEY_FILE", str(key))
    assert call("registry", "search", "--db", str(tmp_path / "r.db"), "а").exit_code == 0
    monkeypatch.setenv("OPERATOR_TUI_KEY_FILE", str(loaded / "r.db.key"))
    refused = call("registry", "search", "--db", str(tmp_path / "r.db"), "а")
    assert isinstance(refused.exception, Refusal)
    assert refused.exception.code == Code.REGISTRY_KEY_WRONG


def test_a_broken_key_file_is_refused(loaded: Path, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("не ключ")
    refused = call("registry", "search", "--db", str(loaded / "r.db"), "--key-file", str(key), "а")
    assert isinstance(refused.exception, Refusal)
    assert refused.exception.code == Code.FILE_UNREADABLE
    away = call("registry", "search", "--db", str(loaded / "r.db"), "--key-file", str(tmp_path / "away"), "а")
    assert isinstance(away.exception, Refusal)
    assert "нет такого файла" in sentence(away.exception)
