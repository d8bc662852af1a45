"""What is written into the card beside its form: who speaks for the insured, consents, clarifying fields, content."""

from __future__ import annotations

from operator_tui.appeals.card import LANGUAGES
from operator_tui.appeals.consent import CONSENT_KINDS, Kin, demand_dates
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.forms import FieldKind
from operator_tui.asking import Asking
from operator_tui.i18n import tr
from screens.content import ContentScreen
from screens.form import Asked, Values, iso_day, iso_days


class CardActs(Asking):
    """The acts on the card at hand; `appeal_acts` lists them."""

    def _representative(self) -> None:
        card = self.desk.state.card
        if card is None:
            raise Refusal(Code.NO_CARD_OPEN)
        kin, kinds = [one.value for one in Kin], list(CONSENT_KINDS)
        lines = [
            self._line(card.fields, "representative", options=kin),
            self._line(card.fields, "insured_name", label=tr("Застрахованный: ФИО")),
            self._line(card.fields, "insured_birth", label=tr("Застрахованный: дата рожд."), date=True),
            self._line(card.fields, "power_kind", options=kinds),
            self._line(card.fields, "power_date", date=True),
            self._line(card.fields, "power_withdrawn", date=True),
            self._line(card.fields, "escort_kind", options=kinds),
            self._line(card.fields, "escort_date", date=True),
            self._line(card.fields, "escort_withdrawn", date=True),
        ]
        dates = ("insured_birth", "power_date", "power_withdrawn", "escort_date", "escort_withdrawn")

        async def done(values: Values) -> None:
            if await self.desk.card.represent(card, dict(iso_days(values, *dates))):
                self.desk.notice(tr("Представитель и согласия внесены в карту: сохраните её."))

        def check(values: Values) -> None:
            demand_dates(iso_days(values, *dates), self.desk.papers.today)

        self._form(self.desk.begun.of_card("representative"), tr("Представитель и согласия"), lines, done, check)

    def clarify(self) -> None:
        """«Уточняющие поля»: what this type and theme ask for, by the version the card was made with."""
        card, forms = self.desk.state.card, self.desk.catalogue.forms
        if card is None:
            raise Refusal(Code.NO_CARD_OPEN)
        version = card.fields.get("form") if card.saved else forms.latest
        asked = forms.asked(version, str(card.fields.get("type", "")), str(card.fields.get("theme", "")))
        if not asked:
            raise Refusal(Code.FIELD_REQUIRED, field="theme")
        by_slot = {f"clarify-{field.field}": field for field in asked}
        lines = [
            Asked(
                slot, field.title, str(card.fields.get(field.name, "")), required=field.required, options=field.options
            )
            for slot, field in by_slot.items()
        ]

        def read(values: Values) -> dict[str, str]:
            found = {}
            for slot, field in by_slot.items():
                value = iso_day(values[slot], slot) if field.kind is FieldKind.DATE else values[slot]
                field.demand(value)
                found[field.name] = value
            return found

        async def done(values: Values) -> None:
            if await self.desk.card.type_all(card, read(values)):
                self.desk.notice(tr("Уточнения внесены в карту."))

        of = self.desk.begun.of_card("clarify", str(card.fields.get("theme", "")))
        self._form(of, tr("Уточняющие поля"), lines, done, read)

    # the content

    def _content(self) -> None:
        """«Содержание обращения» as long as it is, its language, and the organisations it concerns."""
        card = self.desk.state.card
        if card is None:
            raise Refusal(Code.NO_CARD_OPEN)
        if not card.editable:
            raise Refusal(Code.CARD_READ_ONLY)
        lines = [
            self._line(card.fields, "language", options=list(LANGUAGES)),
            self._line(card.fields, "clinic", offers=self.desk.reference.named("clinic")),
            self._line(card.fields, "insurer", offers=self.desk.reference.named("insurer")),
        ]

        async def done(values: Values) -> None:
            if await self.desk.card.type_all(card, values):
                self.desk.notice(tr("Содержание внесено в карту: сохраните её."))

        of = self.desk.begun.of_card("content")

        def answered(values: Values | None) -> None:
            if values is not None:
                self._send(of, lambda: done(values))

        screen = ContentScreen(tr("Содержание обращения"), lines, str(card.fields.get("text", "")), of=of)
        self._app.push_screen(screen, answered)
