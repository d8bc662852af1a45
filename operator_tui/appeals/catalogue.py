"""The reference catalogue: types of appeals, themes, results and level-2 groups, as versioned data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import cached_property

import msgspec

from operator_tui.appeals.deadlines import DEFAULT_DAYS, TermDays
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.forms import Forms, forms_of
from operator_tui.appeals.reference import OFF, Reference, Row, digest_of, parse_rows


class AppealType(StrEnum):
    """The five types of the manual (K-5.1.4.2), in its order and its words."""

    COMPLAINT = "Жалоба"
    CONSULTATION = "Консультация"
    STATEMENT = "Заявление"
    PROPOSAL = "Предложение"
    THANKS = "Благодарность"


# What level 1 closes itself (functions.md 1.2, decided), where no list says otherwise.
LEVEL_1_CLOSES = frozenset({AppealType.CONSULTATION, AppealType.THANKS})


class Theme(msgspec.Struct, frozen=True):
    """One theme of an appeal. ``deadline_days`` are calendar days; ``pg_row`` its row in the form ПГ."""

    type: AppealType
    code: str
    title: str
    keywords: tuple[str, ...]
    level2_group: str
    deadline_days: int
    pg_row: str
    scripts: tuple[str, ...]
    default_result: str = ""
    offered: bool = True  # a closed one is known to what was written by it


class Result(msgspec.Struct, frozen=True):
    """One value of «Результат обращения».

    ``required`` names what must be given with it (comment, measures, operator, new_date, …); ``hands_on`` gives the
    appeal to the operator named, or to oneself when none need be named; ``final`` ends the work, the others leave
    the appeal open; ``needs_admin`` sends it to the administrator's review.
    """

    code: str
    title: str
    types: frozenset[AppealType]
    required: frozenset[str]
    next_status: str
    final: bool
    needs_admin: bool
    hands_on: bool = False
    justified: str = ""  # «да», «частично», «нет», empty where the question does not arise
    offered: bool = True


class Group(msgspec.Struct, frozen=True):
    """A level-2 group that takes forwarded appeals."""

    code: str
    title: str
    owner: str
    offered: bool = True


class Way(msgspec.Struct, frozen=True):
    """How an appeal comes (K-4.3): in writing or spoken, and whether only level 2 registers it, without a call."""

    title: str
    written: bool
    without_call: bool
    offered: bool = True


class Catalogue:
    """The reference data of one version as the rules want them. ``version`` is carried by each card; ``reference`` are
    the lists they were made of."""

    def __init__(
        self,
        themes: Iterable[Theme],
        results: Iterable[Result],
        groups: Iterable[Group],
        version: str,
        forms: Forms | None = None,
        reference: Reference | None = None,
    ) -> None:
        self.themes = {theme.code: theme for theme in themes}
        self.results = {result.code: result for result in results}
        self.groups = {group.code: group for group in groups}
        self.version = version
        self.forms = forms or Forms(())
        self.reference = reference or Reference({}, version)

    @cached_property
    def terms(self) -> TermDays:
        """The terms in days."""
        rows = self.reference.all("terms")
        return TermDays(**{code: int(rows[code]["days"]) for code in TermDays.__struct_fields__ if code in rows})

    @property
    def offered_themes(self) -> list[Theme]:
        """Those that may be chosen."""
        return [theme for theme in self.themes.values() if theme.offered]

    @property
    def offered_groups(self) -> list[Group]:
        """Those that may be chosen."""
        return [group for group in self.groups.values() if group.offered]

    @cached_property
    def level_1_closes(self) -> frozenset[AppealType]:
        """The types that level 1 closes itself, a setting of the centre; the others it hands on."""
        rows = self.reference.open("types")
        if not rows:
            return LEVEL_1_CLOSES
        return frozenset(AppealType(code) for code, row in rows.items() if row.get("level1_closes") == "1")

    @cached_property
    def ways(self) -> dict[str, Way]:
        """The ways an appeal comes by, closed ones too, by the words that a card keeps."""
        return {
            code: Way(code, row["written"] == "1", row["without_call"] == "1", offered=not row.get(OFF))
            for code, row in self.reference.all("ways").items()
        }

    def days_of(self, theme: Theme | None) -> int:
        """Calendar days for the answer: the theme's own, or those of the general term."""
        return theme.deadline_days if theme else self.terms.answer

    def theme(self, code: str) -> Theme:
        """Refusal(UNKNOWN_THEME) when there is none."""
        try:
            return self.themes[code]
        except KeyError:
            raise Refusal(Code.UNKNOWN_THEME, theme=code) from None

    def result(self, code: str) -> Result:
        """Refusal(UNKNOWN_RESULT) when there is none."""
        try:
            return self.results[code]
        except KeyError:
            raise Refusal(Code.UNKNOWN_RESULT, result=code) from None

    def themes_of(self, type_: AppealType) -> list[Theme]:
        """The themes that may be chosen for a type (K-5.1.4.3), in the order of the data."""
        return [theme for theme in self.offered_themes if theme.type == type_]

    def results_of(self, type_: AppealType) -> list[Result]:
        """The results that fit a type."""
        return [result for result in self.results.values() if result.offered and type_ in result.types]

    def default_result(self, theme: Theme) -> Result:
        """What one key takes: the theme's own default, else the first final result of its type without demands."""
        if theme.default_result and self.result(theme.default_result).offered:
            return self.result(theme.default_result)
        fitting = self.results_of(theme.type)
        return next(
            (result for result in fitting if result.final and not result.required),
            next(result for result in fitting if result.final),
        )


def parse_catalogue(*, themes: str, results: str, groups: str, fields: str = "", **lists: str) -> Catalogue:
    """The catalogue of CSV texts (separator ``;``, first line names the columns); ``lists`` are further lists by name.

    Raises ValueError when they contradict one another (a theme of an unknown group or default result).
    """
    version = digest_of((themes, results, groups, *filter(None, (fields,)), *lists.values()))
    texts = {"themes": themes, "results": results, "groups": groups, "fields": fields, **lists}
    rows = {name: parse_rows(text, KEYS.get(name, ("code",))) for name, text in texts.items()}
    catalogue = catalogue_of(Reference(rows, version))
    for theme in catalogue.themes.values():
        if theme.level2_group and theme.level2_group not in catalogue.groups:
            raise ValueError(f"theme {theme.code}: unknown group {theme.level2_group}")
        if theme.default_result and theme.default_result not in catalogue.results:
            raise ValueError(f"theme {theme.code}: unknown result {theme.default_result}")
    return catalogue


# The columns that a row is known by, where it is not its code.
KEYS: Mapping[str, tuple[str, ...]] = {
    "calendar": ("date",),
    "directory": ("extension",),
    "outside": ("number",),
    "night": ("organisation",),
    "fields": ("version", "types", "themes", "field"),
    "answers": ("id", "language"),
}


def catalogue_of(reference: Reference) -> Catalogue:
    """What the rules want of the lists."""
    return Catalogue(
        map(_theme, reference.all("themes").values()),
        map(_result, reference.all("results").values()),
        (Group(row["code"], row["title"], row["owner"], not row.get(OFF)) for row in reference.all("groups").values()),
        reference.version,
        forms_of(reference.open("fields").values()),
        reference,
    )


def _theme(row: Row) -> Theme:
    return Theme(
        type=AppealType(row["type"]),
        code=row["code"],
        title=row["title"],
        keywords=tuple(row["keywords"].split()),
        level2_group=row["level2_group"],
        deadline_days=int(row["deadline_days"] or DEFAULT_DAYS),
        pg_row=row["pg_row"],
        scripts=tuple(row["scripts"].split()),
        default_result=row["default_result"],
        offered=not row.get(OFF),
    )


# R24: «operator (oneself by default)» of functions.md 1.2.
_OPERATOR_OR_SELF = "operator=self"


def _result(row: Row) -> Result:
    required = frozenset(filter(None, row["required_fields"].split("+")))
    return Result(
        code=row["code"],
        title=row["title"],
        types=frozenset(AppealType(word) for word in row["types"].split("|")),
        required=required - {_OPERATOR_OR_SELF},
        hands_on=bool(required & {"operator", _OPERATOR_OR_SELF}),
        next_status=row["next_status"],
        justified=row.get("justified") or "",
        final=row["final"] == "1",
        needs_admin=row["needs_admin"] == "1",
        offered=not row.get(OFF),
    )
