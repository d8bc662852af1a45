"""The registration card: theme with its type, personal information, comment, result (K-5.1.4, K-5.1.6, K-6.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.events import Key
from textual.message import Message

from operator_tui.i18n import mark, tr
from widgets.field import Field
from widgets.lean import LeanInput, LeanTextArea
from widgets.line import Line
from widgets.rows import Column, Row, Rows

PERSONAL = (
    ("surname", mark("Фамилия")),
    ("name", mark("Имя")),
    ("patronymic", mark("Отчество")),
    ("birth_date", mark("Дата рожд.")),
    ("phone", mark("Телефон")),
    ("address", mark("Адрес")),
)


# No result wants more than two fields beside the comment.
SLOTS = ("asked-1", "asked-2")


class AskedField(Field):
    """A field of «Принятые меры» that stands there only while the chosen result wants it."""

    def __init__(self, slot: str) -> None:
        super().__init__(slot, "")
        self.display = False

    def ask(self, name: str, label: str, hint: str) -> None:
        """Ask for that field; an empty name puts the question away."""
        self.display = bool(name)
        self.field_name = name
        self.query_one(Line).say(label)
        self.input.placeholder = hint


class CardForm(VerticalScroll, can_focus=False):
    """Paints a card and reports what is typed. It knows no themes and no results: the screen gives the rows."""

    DEFAULT_CSS = """
    /* Above the card, not between its lines: a list that pushed them down would repaint them all. */
    CardForm > Rows {
        height: 8; width: 80; max-width: 100vw; display: none; overlay: screen; constrain: none inside;
        margin: 0 0 1 0;
    }
    CardForm > Rows.-open { display: block; }
    CardForm > LeanTextArea { height: 3; border: none; padding: 0; }
    """

    class ThemeTyped(Message):
        """Letters in the theme line."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class CommentTyped(Message):
        """Letters in the comment of the card whose draft ``of`` is."""

        def __init__(self, text: str, of: str) -> None:
            super().__init__()
            self.text = text
            self.of = of

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._comment = ""
        self._edition: tuple[str, int] | None = None
        self._of = ""  # the draft of the card that is painted

    def compose(self) -> ComposeResult:
        yield Line(tr("Регистрационная карта"), id="card-title", classes="heading")
        yield Field("theme", tr("Тематика"), placeholder=tr("F6: слова темы"))
        yield Rows((Column(13), Column()), id="themes", empty=tr("Нет такой тематики"))
        yield Line("", id="theme-title")
        yield Line(tr("Личная информация"), classes="heading")
        for name, label in PERSONAL:
            yield Field(name, tr(label))
        yield Line("", id="policy")
        yield Line(tr("Принятые меры: результат обращения"), id="measures-title", classes="heading")
        yield Line("", id="result-title")
        yield Rows((Column(5), Column()), id="results", by_letters=True)
        for slot in SLOTS:
            yield AskedField(slot)
        yield Line(tr("Комментарий"), classes="heading")
        yield LeanTextArea(id="comment", soft_wrap=True, tab_behavior="focus", show_line_numbers=False)

    @property
    def theme(self) -> Field:
        return self.query_one("#field-theme", Field)

    @property
    def themes(self) -> Rows:
        return self.query_one("#themes", Rows)

    @property
    def results(self) -> Rows:
        return self.query_one("#results", Rows)

    @property
    def comment(self) -> LeanTextArea:
        return self.query_one("#comment", LeanTextArea)

    def show(
        self,
        title: str,
        values: Mapping[str, str],
        *,
        theme: str,
        policy: str,
        result: str,
        edition: tuple[str, int] | None,
        asked: Sequence[tuple[str, str, str]] = (),
    ) -> None:
        """Paint the card. The field one is typing in is overwritten only by another ``edition``: its draft and a count.

        ``asked`` is what the chosen result wants: ``(field, label, hint)``, at most two.
        """
        over_typing = edition != self._edition
        self._edition = edition
        self._belong(edition[0] if edition is not None else "")
        self.query_one("#card-title", Line).say(title)
        self.query_one("#theme-title", Line).say(theme)
        self.query_one("#policy", Line).say(policy)
        self.query_one("#result-title", Line).say(result)
        for name, _ in PERSONAL:
            self.query_one(f"#field-{name}", Field).show(values.get(name, ""), over_typing=over_typing)
        for place, slot in enumerate(self.query(AskedField)):
            name, label, hint = asked[place] if place < len(asked) else ("", "", "")
            if slot.field_name != name:
                slot.ask(name, label, hint)
                slot.show(values.get(name, ""))
            else:
                slot.show(values.get(name, ""), over_typing=over_typing)
        comment = values.get("comment", "")
        if comment != self._comment and (over_typing or not self.comment.has_focus):
            self._comment = comment
            if self.comment.text != comment:
                self.comment.text = comment
                self.comment.move_cursor(self.comment.document.end)  # what is typed or pasted goes behind it

    def _belong(self, of: str) -> None:
        """Letters that were typed into the card painted before, and are still on their way, are that one's."""
        if of == self._of:
            return
        for field in self.query(Field):
            field.belong(of)
        self._report_comment(self.comment.text)
        self._of = of

    def set_locked(self, locked: bool) -> None:
        """A card that can not be changed any more is shown, not edited."""
        for field in self.query(Field):
            field.input.disabled = locked
        self.comment.read_only = locked

    def asked(self, name: str) -> Field | None:
        """The field of «Принятые меры» of that name, None when it is not asked for."""
        return next((slot for slot in self.query(AskedField) if slot.field_name == name and slot.display), None)

    def open_themes(self, rows: Sequence[Row]) -> None:
        """Show the themes found below the theme line."""
        self.themes.show(rows)
        self.themes.add_class("-open")

    def on_descendant_blur(self) -> None:
        """The list of themes is open only while one is looked for."""
        self.call_after_refresh(self._fold_left_themes)

    def _fold_left_themes(self) -> None:
        if not (self.theme.input.has_focus or self.themes.has_focus):
            self.themes.remove_class("-open")

    def close_themes(self) -> None:
        """Fold the list of themes and clear what was typed to find one."""
        self.themes.remove_class("-open")
        self.theme.show("")

    def open_results(self, rows: Sequence[Row], chosen: str) -> None:
        """Show the results that fit, to choose one; the cursor stands on the one that is ``chosen``."""
        self.results.show(rows)
        self.results.chosen = next((place for place, row in enumerate(rows) if row.key == chosen), 0)
        self.results.add_class("-open")
        self.results.focus()

    def on_key(self, event: Key) -> None:
        """Escape folds the lists that are opened by a key."""
        if event.key == "escape" and self.themes.has_class("-open"):
            event.stop()
            self.close_themes()
        elif event.key == "escape" and self.results.has_focus:
            event.stop()
            self.close_results()
            self.comment.focus()

    def close_results(self) -> None:
        """Fold the list of results."""
        self.results.remove_class("-open")

    def on_field_typed(self, event: Field.Typed) -> None:
        if event.field == "theme":
            event.stop()
            self.post_message(self.ThemeTyped(event.value))

    def on_text_area_changed(self, event: LeanTextArea.Changed) -> None:
        event.stop()
        self._report_comment(event.text_area.text)

    def _report_comment(self, text: str) -> None:
        if text != self._comment:
            self._comment = text
            self.post_message(self.CommentTyped(text, self._of))

    def on_input_submitted(self, event: LeanInput.Submitted) -> None:
        """Enter in the theme line takes the theme under the cursor of the list; elsewhere it goes on."""
        event.stop()
        if event.input.id == "input-theme" and self.themes.has_class("-open"):
            self.themes.choose()
        else:
            self.screen.focus_next()
