"""What of a begun form is kept, and what of it a form gets back: also one whose lines are others by then."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from operator_tui.appeals.begun import Begun, FormLine, FormOf, laid, typed_over

WORDS = st.text(alphabet="аб \n", max_size=4)
NAMES = st.sampled_from("abcdef")
OF = FormOf("promise", "k7q2mx:1")


@st.composite
def forms(draw: st.DrawFn) -> list[FormLine]:
    """A form's lines as one version of the program has them."""
    names = draw(st.lists(NAMES, unique=True))
    return [FormLine(name, f"Строка {name}", draw(WORDS), draw(st.booleans()), draw(st.booleans())) for name in names]


def kept(lines: list[FormLine], values: dict[str, str]) -> Begun:
    return Begun(OF, 1, "Форма", typed_over(lines, values))


@given(forms(), st.dictionaries(NAMES, WORDS))
def test_the_same_form_gets_back_what_was_typed_and_nothing_else(lines: list[FormLine], values: dict[str, str]) -> None:
    back = laid(kept(lines, values), lines)
    before = {line.name: line.before for line in lines}
    typed = {line.name: values.get(line.name, line.before) for line in lines if not line.secret}
    assert {**before, **back.values} == {**before, **typed}
    assert all(back.values[name] != before[name] for name in back.values), "what was not typed is the program's"
    assert not back.gone
    assert not back.changed


@given(forms(), st.dictionaries(NAMES, WORDS))
def test_a_secret_is_never_kept(lines: list[FormLine], values: dict[str, str]) -> None:
    assert not {line.name for line in lines if line.secret} & kept(lines, values).lines.keys()


@given(forms(), forms(), st.dictionaries(NAMES, WORDS))
def test_a_form_of_another_version_gets_what_it_has_lines_for_and_the_rest_is_told(
    old: list[FormLine], new: list[FormLine], values: dict[str, str]
) -> None:
    begun = kept(old, values)
    back = laid(begun, new)
    secret = {line.name for line in new if line.secret}
    assert back.values.keys() | back.gone.keys() | (secret & begun.lines.keys()) == begun.lines.keys()
    assert not back.values.keys() & back.gone.keys()
    assert not back.values.keys() & secret, "what has become secret is shown to nobody"
    assert back.values.keys() <= {line.name for line in new}
    assert all(begun.lines[name].text == text for name, text in back.values.items())
    assert back.gone == {name: begun.lines[name] for name in back.gone}


@given(forms(), forms(), st.dictionaries(NAMES, WORDS))
def test_what_another_has_written_meanwhile_is_told_and_not_hidden(
    old: list[FormLine], new: list[FormLine], values: dict[str, str]
) -> None:
    begun = kept(old, values)
    back = laid(begun, new)
    for line in new:
        one = begun.lines.get(line.name)
        told = one is not None and not line.secret and not line.passing and line.before not in (one.before, one.text)
        assert (line.label in back.changed) is told
        assert not told or back.changed[line.label] == line.before
