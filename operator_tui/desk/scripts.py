"""Typical answers for the card at hand, and whom of level 2 to hand it on to by its theme (K-5.1.5)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from operator_tui.appeals.errors import Code, Refusal

if TYPE_CHECKING:
    from operator_tui.answers.scripts import Script
    from operator_tui.colleagues.directory import Colleague
    from operator_tui.desk.desk import Desk


class ScriptDesk:
    """What stands beside the card; which answer does is the card's own."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._recommended: list[Colleague] = []
        self._recommended_for = ("", "")  # the group of level 2 and the version of the reference data

    def show(self, script_id: str) -> None:
        """Which answer stands beside the card; it counts as used when the card is saved. Refusal(UNKNOWN_CARD)."""
        card = self._desk.state.card
        if card is None:
            raise Refusal(Code.UNKNOWN_CARD)
        if card.script != script_id:
            self._desk.card.put(replace(card, script=script_id))

    def at_hand(self) -> list[Script]:
        """Typical answers for the theme at hand, recommended ones first; empty without a theme (K-5.1.5.1)."""
        card = self._desk.state.card
        code = card.fields.get("theme") if card else None
        scripts = self._desk.parts.answers.for_theme(str(code)) if code else []
        if card and card.script and all(script.id != card.script for script in scripts):
            chosen = self._desk.parts.answers.script(card.script)  # found by keywords, not recommended for the theme
            scripts = [chosen, *scripts] if chosen else scripts
        return scripts

    def recommended(self) -> list[Colleague]:
        """Operators of level 2 for the theme at hand, to hand the appeal on to; nobody without a theme (K-5.1.5.4)."""
        from operator_tui.colleagues.directory import of_group

        card = self._desk.state.card
        theme = self._desk.catalogue.themes.get(str(card.fields.get("theme", ""))) if card else None
        if theme is None:
            return []
        wanted = (theme.level2_group, self._desk.catalogue.version)
        if self._recommended_for != wanted:
            # Not at every repaint: the directory may be a file.
            self._recommended_for = wanted
            self._recommended = of_group(self._desk.appeals.colleagues(), theme.level2_group)
        return self._recommended

    def values(self) -> dict[str, str]:
        """What the placeholders of a script stand for now."""
        card = self._desk.state.card
        fields = card.fields if card else {}
        operator = self._desk.state.operator
        values = {
            "оператор": operator.name if operator else "",
            "смо": str(fields.get("insurer", "")),
            "мо": str(fields.get("clinic", "")),
            "номер_звонка": str(fields.get("phone", "")),
            "номер_обращения": str(fields.get("number", "")),
            "имя_отчество": " ".join(filter(None, (str(fields.get(k, "")) for k in ("name", "patronymic")))),
        }
        return {key: value for key, value in values.items() if value}
