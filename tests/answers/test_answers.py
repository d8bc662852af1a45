"""Typical answers: parsed whole, bound to themes, found by key words, filled in."""

from __future__ import annotations

import json
from datetime import date

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from operator_tui.answers.answers import Answers, packaged_answers
from operator_tui.answers.scripts import BLANK, Script, fill, parse_scripts
from operator_tui.appeals.catalogue import Catalogue
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.cli import cli
from operator_tui.reference import packaged_catalogue, packaged_scripts

# Written before the search was first run on them; any of the scripts among the first three counts.
QUERIES = [
    ("потерял полис", "S-03"),
    ("полис новорожденному", "S-05"),
    ("сменить страховую компанию", "S-06"),
    ("прикрепиться к другой поликлинике", "S-14 S-15"),
    ("отказали в прикреплении", "S-16"),
    ("записаться к врачу", "S-19"),
    ("сколько ждать мрт", "S-21"),
    ("подозрение на рак", "S-22 S-44"),
    ("скорая не едет", "S-25"),
    ("требуют деньги за анализ", "S-29"),
    ("вернуть деньги", "S-30"),
    ("лекарства в больнице", "S-31"),
    ("льготный рецепт", "S-32"),
    ("выходной диспансеризация", "S-36"),
    ("эко", "S-40"),
    ("зубы бесплатно", "S-42"),
    ("нахамили в регистратуре", "S-49"),
    ("чужие услуги в личном кабинете", "S-48"),
    ("кто такой страховой представитель", "S-52"),
    ("угроза жизни", "R-07"),
    ("абонент сердится", "R-08"),
    ("плохо слышит", "R-09"),
    ("перевести на специалиста", "R-04"),
    ("как подать жалобу", "S-51"),
    ("прививка", "S-57 S-46"),
]


@pytest.fixture(scope="module")
def answers() -> Answers:
    return packaged_answers()


def test_the_packaged_book_is_whole(answers: Answers) -> None:
    russian = answers.all()
    assert len(russian) == 70
    assert sum(script.conversation for script in russian) == 12
    assert sum(script.language == "kk" for script in answers.all("kk")) == 10
    assert all(script.say and script.title for script in russian)
    assert all(script.basis for script in russian if not script.conversation)
    assert not any("[и" in script.basis or "[п" in script.basis for script in russian)


def test_a_script_is_parsed_field_by_field(answers: Answers) -> None:
    script = answers.script("S-01")
    assert script is not None
    assert script.title == "Получить полис впервые"
    assert script.themes == ("К-01.1", "Ж-03.1")
    assert script.ask[0] == "гражданин России или нет"
    assert len(script.ask) == 3
    assert len(script.say) == 4
    assert script.next.startswith("отказали или тянут")
    assert script.basis.startswith("Правила ОМС, глава III")
    assert script.basis_found
    assert script.valid_until is None
    from_memory = answers.script("S-02")
    assert from_memory is not None
    assert not from_memory.basis_found
    dated = answers.script("S-21")
    assert dated is not None
    assert dated.valid_until == date(2026, 12, 31)


@pytest.mark.function("K-5.1.5.1", "K-5.1.5.2")
def test_every_theme_has_its_recommended_answers_first_and_others_after(answers: Answers) -> None:
    for theme in packaged_catalogue().themes.values():
        shown = [script.id for script in answers.for_theme(theme.code)]
        assert tuple(shown[: len(theme.scripts)]) == theme.scripts
        assert len(shown) == len(set(shown))
        assert "R-01" in shown
        recommended = [script.id for script in answers.recommended(theme.code)]
        assert shown[: len(recommended)] == recommended


def test_a_script_that_names_the_theme_is_offered_though_the_theme_does_not_name_it() -> None:
    answers = Answers(
        parse_scripts("## S-01 А\nтемы: К-01.1\nсказать:\n- а\n## S-90 Б\nтемы: К-01.2 К-01.1\nсказать:\n- б\n"),
        packaged_catalogue(),
    )
    assert [script.id for script in answers.for_theme("К-01.1")] == ["S-01", "S-90"]


def test_an_unknown_theme_is_refused(answers: Answers) -> None:
    with pytest.raises(Refusal) as refused:
        answers.for_theme("К-99.9")
    assert refused.value.code == Code.UNKNOWN_THEME


@pytest.mark.function("K-5.1.5.3")
def test_scripts_are_found_by_key_words(answers: Answers) -> None:
    missed = [
        typed
        for typed, wanted in QUERIES
        if not {script.id for script in answers.search(typed)[:3]} & set(wanted.split())
    ]
    assert len(missed) <= 0.1 * len(QUERIES), missed


def test_kazakh_versions_are_bound_to_the_same_id(answers: Answers) -> None:
    kazakh = answers.script("S-03", "kk")
    russian = answers.script("S-03")
    assert kazakh is not None
    assert russian is not None
    assert kazakh.language == "kk"
    assert kazakh.say != russian.say
    assert kazakh.themes == russian.themes
    assert kazakh.basis == russian.basis
    untranslated = answers.script("S-01", "kk")
    assert untranslated is not None
    assert untranslated.language == "ru"
    assert answers.for_theme("К-01.3", "kk")[0].language == "kk"


@pytest.mark.parametrize("typed", ["полис жоғалды", "полис жогалды"])
def test_kazakh_words_find_the_kazakh_version(answers: Answers, typed: str) -> None:
    found = answers.search(typed)[0]
    assert (found.id, found.language) == ("S-03", "kk")
    assert answers.search(typed, "ru")[0].language == "ru"


def test_an_id_finds_its_script(answers: Answers) -> None:
    assert [script.id for script in answers.search("s-21")] == ["S-21"]


def test_placeholders_are_filled_and_the_rest_is_left_to_say(answers: Answers) -> None:
    script = answers.script("R-05")
    assert script is not None
    assert {"номер_обращения", "срок"} <= set(script.placeholders)
    said = "\n".join(fill(script, {"номер_обращения": "12-000345"}))
    assert "12-000345" in said
    assert BLANK in said
    assert "{" not in said


@given(st.dictionaries(st.sampled_from(["срок", "мо", "оператор"]), st.text(max_size=10)))
def test_a_value_is_never_read_as_a_placeholder(values: dict[str, str]) -> None:
    script = Script("S-00", "t", say=("{срок} {мо} {оператор}",))
    expected = " ".join(values.get(name) or BLANK for name in ("срок", "мо", "оператор"))
    assert fill(script, values) == (expected,)


@pytest.mark.parametrize(
    "text",
    [
        "## S-01 А\nсказать:\n",
        "## X-01 А\nсказать:\n- а",
        "## S-01 А\nсказать:\n- а\n## S-01 Б\nсказать:\n- б",
        "## S-01 А\nчто-то непонятное\n- а",
        "## S-01 kk А\n- а",
        "## S-01 А\nсказать:\n- а\nгоден до: завтра",
    ],
)
def test_a_broken_book_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"line|isoformat"):
        parse_scripts(text)


def test_check_finds_every_contradiction() -> None:
    book = "## S-01 А\nтемы: К-99.9\nсказать:\n- а\nгоден до: 2025-12-31\n"
    packaged = packaged_catalogue()
    catalogue = Catalogue(
        [packaged.themes["К-01.3"], packaged.themes["К-01.1"]], packaged.results.values(), packaged.groups.values(), "x"
    )
    findings = Answers(parse_scripts(book), catalogue).check(date(2026, 1, 1))
    wrong = [finding.text for finding in findings if finding.contradiction]
    assert any("К-01.3" in text and "S-03" in text for text in wrong)
    assert any("S-01" in text and "К-99.9" in text for text in wrong)
    assert [finding.text for finding in findings if not finding.contradiction] == [
        "Сценарий S-01: срок истёк 31.12.2025, сверьте текст."
    ]


def test_the_packaged_book_and_themes_agree() -> None:
    findings = packaged_answers().check(date(2026, 1, 1))
    assert [finding for finding in findings if finding.contradiction] == []
    assert parse_scripts(packaged_scripts())


def test_command_line() -> None:
    checked = CliRunner().invoke(cli, ["answers", "check"])
    assert checked.exit_code == 0
    assert "противоречий: 0" in checked.output
    found = CliRunner().invoke(cli, ["answers", "search", "--json", "полис потерян"])
    answer = json.loads(found.output)
    assert answer["scripts"][0]["id"] == "S-03"
    assert answer["themes"][0]["code"] == "К-01.3"
    nobody = CliRunner().invoke(cli, ["answers", "search", "щщщщщщщщщ"])
    assert nobody.exit_code == 0
    assert "Ничего не найдено" in nobody.output


def test_check_exits_1_when_contradictory(monkeypatch: pytest.MonkeyPatch) -> None:
    book = "## S-01 А\nтемы: К-99.9\nсказать:\n- а\n"
    monkeypatch.setattr("operator_tui.reference.packaged_scripts", lambda: book)
    checked = CliRunner().invoke(cli, ["answers", "check"])
    assert checked.exit_code == 1
    assert "К-99.9" in checked.output
