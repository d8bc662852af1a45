"""The reference catalogue: types of appeals, themes, results and level-2 groups, as versioned data."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable
from enum import StrEnum

import msgspec

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.forms import Forms, parse_forms


class AppealType(StrEnum):
    """The five types of the manual (K-5.1.4.2), in its order and its words."""

    COMPLAINT = "Жалоба"
    CONSULTATION = "Консультация"
    STATEMENT = "Заявление"
    PROPOSAL = "Предложение"
    THANKS = "Благодарность"


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


class Group(msgspec.Struct, frozen=True):
    """A level-2 group that takes forwarded appeals."""

    code: str
    title: str
    owner: str


class Catalogue:
    """All reference data of one version. ``version`` is a digest of its texts, carried by each card."""

    def __init__(
        self,
        themes: Iterable[Theme],
        results: Iterable[Result],
        groups: Iterable[Group],
        version: str,
        forms: Forms | None = None,
    ) -> None:
        self.themes = {theme.code: theme for theme in themes}
        self.results = {result.code: result for result in results}
        self.groups = {group.code: group for group in groups}
        self.version = version
        self.forms = forms or Forms(())

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
        return [theme for theme in self.themes.values() if theme.type == type_]

    def results_of(self, type_: AppealType) -> list[Result]:
        """The results that fit a type."""
        return [result for result in self.results.values() if type_ in result.types]

    def default_result(self, theme: Theme) -> Result:
        """What one key takes: the theme's own default, else the first final result of its type without demands."""
        if theme.default_result:
            return self.result(theme.default_result)
        fitting = self.results_of(theme.type)
        return next(
            (result for result in fitting if result.final and not result.required),
            next(result for result in fitting if result.final),
        )


def parse_catalogue(*, themes: str, results: str, groups: str, fields: str = "") -> Catalogue:
    """Parse the CSV texts (separator ``;``, first line names the columns).

    Raises ValueError when they contradict one another (a theme of an unknown group or default result).
    """
    version = hashlib.sha256("\0".join((themes, results, groups, *filter(None, (fields,)))).encode()).hexdigest()[:12]
    catalogue = Catalogue(
        (_theme(row) for row in _rows(themes)),
        (_result(row) for row in _rows(results)),
        (Group(row["code"], row["title"], row["owner"]) for row in _rows(groups)),
        version,
        parse_forms(fields),
    )
    for theme in catalogue.themes.values():
        if theme.level2_group and theme.level2_group not in catalogue.groups:
            raise ValueError(f"theme {theme.code}: unknown group {theme.level2_group}")
        if theme.default_result and theme.default_result not in catalogue.results:
            raise ValueError(f"theme {theme.code}: unknown result {theme.default_result}")
    return catalogue


def _rows(text: str) -> Iterable[dict[str, str]]:
    return csv.DictReader(io.StringIO(text), delimiter=";")


def _theme(row: dict[str, str]) -> Theme:
    return Theme(
        type=AppealType(row["type"]),
        code=row["code"],
        title=row["title"],
        keywords=tuple(row["keywords"].split()),
        level2_group=row["level2_group"],
        deadline_days=int(row["deadline_days"] or 30),
        pg_row=row["pg_row"],
        scripts=tuple(row["scripts"].split()),
        default_result=row["default_result"],
    )


# R24: «operator (oneself by default)» of functions.md 1.2.
_OPERATOR_OR_SELF = "operator=self"


def _result(row: dict[str, str]) -> Result:
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
    )
